//! An exported inspector gives in ONNX Runtime what `predict` gives, from the photo's bytes on.

use std::process::Command;

use bundle::inspection::ScoreMap;
use image::{Rgb, RgbImage};
use insta::assert_snapshot;
use serde::Deserialize;
use serde_json::Value;

use crate::inspect::{inspect, plate, save};
use crate::onnx::python;
use crate::run::Place;

/// How far scores may be apart, in units of what is usual for good parts. Engines differ in the sixth digit of a feature; where that
/// crosses a step of half precision, one of a patch's features differs in the fourth.
const SCORE_TOLERANCE: f64 = 0.002;
/// How far suspicion may be apart on any cell, in units of good patches, for the same reason.
const MAP_TOLERANCE: f32 = 0.005;
/// A 16-bit map holds `(suspicion + 10) * 1000`, rounded.
const STEP: f32 = 0.001;

/// Runs a model on all photos at once.
const SCRIPT: &str = r"
import json, numpy, onnxruntime
session = onnxruntime.InferenceSession('model.onnx', providers=['CPUExecutionProvider'])
photos = numpy.fromfile('photos.rgb', numpy.uint8).reshape(-1, *session.get_inputs()[0].shape[1:])
score, alarm, heat = session.run(['score', 'alarm', 'map'], {'photo': photos})
told = session.get_modelmeta().custom_metadata_map
print(json.dumps({'score': score.tolist(), 'alarm': alarm.tolist(), 'shape': heat.shape,
                  'map': heat.reshape(len(photos), -1).tolist(), 'told': told}))
";

#[derive(Deserialize)]
struct Theirs {
    score: Vec<f64>,
    alarm: Vec<bool>,
    shape: [usize; 3],
    map: Vec<Vec<f32>>,
    told: std::collections::BTreeMap<String, String>,
}

/// Exports `parts.djm` for photos of this size and asks both about the photos, which become `new/0.png` and so on.
fn compare(place: &Place, photos: &[RgbImage]) -> Theirs {
    let python = python();
    let (width, height) = photos[0].dimensions();
    place
        .run(&["export", "parts.djm", "--onnx", "model.onnx", "--size", &format!("{width}x{height}")])
        .fine();
    for (index, photo) in photos.iter().enumerate() {
        save(place, &format!("new/{index}.png"), photo);
    }
    place.write(
        "photos.rgb",
        photos.iter().flat_map(|photo| photo.as_raw().iter().copied()).collect::<Vec<u8>>(),
    );
    let ran = Command::new(&python).args(["-c", SCRIPT]).current_dir(place.dir.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let theirs: Theirs = serde_json::from_slice(&ran.stdout).unwrap();
    let ours = place.run(&["predict", "parts.djm", "new", "--json", "--heatmaps", "heat"]).fine();
    let ours: Value = serde_json::from_str(&ours.out).unwrap();
    for index in 0..photos.len() {
        let found = &ours[index]["found"];
        let score = found["score"].as_f64().unwrap();
        assert!((score - theirs.score[index]).abs() < SCORE_TOLERANCE, "{score} {}", theirs.score[index]);
        assert_eq!(found["alarm"].as_bool().unwrap(), theirs.alarm[index]);
        let [_, rows, cols] = theirs.shape;
        let map = ScoreMap { rows, cols, values: theirs.map[index].clone() };
        let map = map.resized(height as usize, width as usize);
        let drawn = image::open(place.path(&format!("heat/{index}.png.map.png"))).unwrap().to_luma16();
        let apart =
            map.values.iter().zip(drawn.pixels()).map(|(theirs, ours)| {
                (theirs.clamp(-10.0, 55.535) - (f32::from(ours.0[0]) * STEP - 10.0)).abs()
            });
        let worst = apart.fold(0.0, f32::max);
        assert!(worst < MAP_TOLERANCE + STEP, "{worst}");
    }
    theirs
}

/// A piece of material with fine waves that is turned otherwise on every photo; with a defect, a bright scratch at a place of its own.
fn piece((width, height): (u32, u32), number: u32, defect: bool) -> RgbImage {
    let (left, top) = ((number * 37 % 100) as i32 * (width as i32 - 40) / 100, height as i32 / 3);
    let turned = 2.4 * f64::from(number);
    RgbImage::from_fn(width, height, |x, y| {
        let along = ((f64::from(x) * turned.cos() + f64::from(y) * turned.sin()) / 9.0).sin();
        let down = ((f64::from(y) * turned.cos() - f64::from(x) * turned.sin()) / 13.0).cos();
        let (right, below) = (x as i32 - left, y as i32 - top);
        let scratch = defect && (0..40).contains(&right) && (below - right / 4).abs() < 4;
        let grain = f64::from((x * 31 + y * 17 + number * 5) % 11);
        let value = if scratch { 240.0 } else { 120.0 + 30.0 * along * down + grain };
        Rgb([value as u8, (value * 0.9) as u8, (255.0 - value) as u8])
    })
}

fn pieces(place: &Place, folder: &str, size: (u32, u32), numbers: std::ops::Range<u32>, defect: bool) {
    for number in numbers {
        save(place, &format!("{folder}/{number}.png"), &piece(size, number, defect));
    }
}

#[test]
fn an_exported_inspector_answers_as_predict_does() {
    let (place, size) = (Place::new(), (118, 93));
    pieces(&place, "parts", size, 0..20, false);
    inspect(&place, &["parts", "--false-alarms", "20%"]).fine();
    assert_snapshot!(place.run(&["export", "parts.djm", "--onnx", "model.onnx"]).told(), @r"
    exit 2
    error: the graph of an inspector is made for photos of one size: name it, such as --size 1280x1024
    ");
    let photos: Vec<RgbImage> = (30..36).map(|number| piece(size, number, number % 2 == 0)).collect();
    let theirs = compare(&place, &photos);
    assert!(theirs.alarm.contains(&true) && theirs.alarm.contains(&false), "{:?}", theirs.score);
    for key in ["input", "outputs", "threshold", "promise", "mark", "good_scores", "bundle", "base"] {
        assert!(theirs.told.contains_key(&format!("dianjing.{key}")), "{:?}", theirs.told);
    }
}

#[test]
fn so_does_one_that_was_taught_by_defects() {
    let (place, size) = (Place::new(), (112, 96));
    pieces(&place, "parts/good", size, 0..16, false);
    pieces(&place, "parts/scratch", size, 30..38, true);
    inspect(&place, &["parts"]).fine();
    compare(&place, &[piece(size, 50, true), piece(size, 51, false)]);
}

#[test]
fn so_does_one_of_photos_that_are_scaled_and_cut() {
    let (place, size) = (Place::new(), (1700, 330));
    pieces(&place, "parts", size, 0..4, false);
    inspect(&place, &["parts"]).fine();
    compare(&place, &[piece(size, 7, true), piece(size, 8, false)]);
}

#[test]
fn what_cannot_be_exported_is_told() {
    let place = Place::new();
    for number in 0..12 {
        save(&place, &format!("plates/{number}.png"), &plate(number, false));
    }
    inspect(&place, &["plates"]).fine();
    assert_snapshot!(place.run(&["export", "plates.djm", "--onnx", "plates.onnx"]).told(), @r"
    exit 1
    error: cannot export to ONNX: before this inspector looks, it lays every photo over the median good part or paints over its background, which no ONNX graph does
    hint: run it with `dianjing predict`, which looks at photos in the same way everywhere
    ");
    let chinese = place.run_with(
        &["export", "plates.djm", "--onnx", "plates.onnx", "--size", "160x120"],
        &[("DIANJING_LANG", "zh")],
    );
    assert_snapshot!(chinese.told(), @r"
    exit 1
    错误：无法导出为 ONNX：这个检测器检测前要先把每张照片对齐到良品的中位图，或涂掉背景，而 ONNX 图做不到这一步
    提示：请用 dianjing predict 运行它，在任何地方的检测方式都相同
    ");
    let ended = place.run(&["export", "plates.djm", "--onnx", "plates.onnx", "--size", "160"]);
    assert!(ended.code == 2 && ended.err.contains("such as 1280x1024"), "{}", ended.err);
}
