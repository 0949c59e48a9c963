//! The patches that an inspector looks at are the network's own tensors, as ONNX Runtime and NumPy make them of the same photo.

use std::process::Command;

use base::open::EngineChoice;
use base::patches::{PatchBase, PatchPlan};
use image::{Rgb, RgbImage};

use crate::onnx::python;
use crate::run::{Place, cache};

const BASE: &str = "efficientnet-lite0";
/// Patches are rounded to half precision: half a unit of eleven bits, and a little for the engines' own rounding.
const RELATIVE: f32 = 1.05 / 2048.0;
/// What engines differ by where values cancel; features go up to some tens.
const ABSOLUTE: f32 = 1e-3;

/// Runs the whole classifier on the mirrored photo and reads what lies inside: the ends of stages 2 to 5 of EfficientNet-Lite0.
const SCRIPT: &str = r"
import json, numpy as np, onnx, onnxruntime
last_block = {'stage2': 4, 'stage3': 7, 'stage4': 10, 'stage5': 14}
model = onnx.load('network.onnx')
names = []
for block in last_block.values():
    ends = [node.output[0] for node in model.graph.node if node.name.startswith(f'_blocks.{block}.')]
    names.append(ends[-1])
    model.graph.output.append(onnx.helper.make_tensor_value_info(ends[-1], onnx.TensorProto.FLOAT, None))
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
photo = np.fromfile('photo.rgb', np.uint8).reshape(144, 160, 3)
photo = np.pad(photo, ((32, 224 - 32 - 144), (32, 224 - 32 - 160), (0, 0)), mode='reflect')
image = ((photo.astype(np.float32) - 127) / 128).transpose(2, 0, 1)[None]

def on_grid(tensor):
    side = tensor.shape[-1]
    if side == 28:
        return tensor.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    if side == 7:
        at = (np.arange(14) + 0.5) / 2 - 0.5
        along = lambda line: np.interp(at, np.arange(7), line)
        return np.apply_along_axis(along, 2, np.apply_along_axis(along, 1, tensor))
    return tensor

tensors = session.run(names, {'image': image})
grids = [on_grid(tensor[0])[:, 2:11, 2:12] for tensor in tensors]
patches = np.concatenate(grids).transpose(1, 2, 0).reshape(9 * 10, -1)
print(json.dumps({'dims': [len(grid) for grid in grids], 'patches': patches.tolist()}))
";

#[derive(serde::Deserialize)]
struct Theirs {
    dims: Vec<usize>,
    patches: Vec<Vec<f32>>,
}

#[test]
fn patches_are_the_networks_own_tensors() {
    let (python, place) = (python(), Place::new());
    place.run(&["base", "pull", BASE]).fine();
    let dir = cache().join("bases").join(BASE);
    let photo = RgbImage::from_fn(160, 144, |x, y| {
        let mixed = (x / 3).wrapping_mul(374_761_393).wrapping_add((y / 5).wrapping_mul(668_265_263));
        Rgb([(mixed >> 20) as u8, (x + y) as u8, if (x / 20 + y / 15) % 2 == 0 { 230 } else { 20 }])
    });
    let (graph, weights) = base::open::network(&dir).unwrap();
    place.write("network.onnx", base::emit::to_onnx(&graph, &weights).unwrap());
    place.write("photo.rgb", photo.as_raw());
    let ran = Command::new(python).args(["-c", SCRIPT]).current_dir(place.dir.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let theirs: Theirs = serde_json::from_slice(&ran.stdout).unwrap();
    let maps = ["stage2", "stage3", "stage4", "stage5"].map(str::to_owned).to_vec();
    let plan = PatchPlan { scale: 1.0, tiles: vec![224], margin: 96, cell: 16, maps };
    let patches = PatchBase::open(&dir, &EngineChoice::Auto, plan).unwrap();
    assert!(patches.columns().iter().map(ExactSizeIterator::len).eq(theirs.dims));
    let ours = patches.grid(&photo).unwrap();
    assert_eq!((ours.rows, ours.cols, theirs.patches.len()), (9, 10, 90));
    for (ours, theirs) in ours.x.iter_rows().zip(&theirs.patches) {
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!((ours - theirs).abs() < RELATIVE * theirs.abs() + ABSOLUTE, "{ours} {theirs}");
        }
    }
}
