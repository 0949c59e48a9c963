//! Containers against files that PyTorch wrote (`reference/torch_files.py`), and against damage.

use base::containers::torch::read;
use base::containers::{Fault, Limits};
use base::weights::Weights;
use proptest::prelude::*;
use serde_json::Value;

const LEGACY: &[u8] = include_bytes!("../data/legacy.pth");
const ZIP: &[u8] = include_bytes!("../data/zip.pth");
const CHECKPOINT: &[u8] = include_bytes!("../data/checkpoint.pth");
const MALICIOUS: &[u8] = include_bytes!("../data/malicious.pth");
const EXPECTED: &str = include_str!("../data/torch_files.json");

#[track_caller]
fn load(file: &[u8]) -> Weights {
    read(file, &Limits::default()).unwrap()
}

#[track_caller]
fn fault(file: &[u8]) -> Fault {
    read(file, &Limits::default()).unwrap_err().fault
}

#[test]
fn both_formats_give_the_values_that_torch_saved() {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let expected = expected.as_object().unwrap();
    for (format, file) in [("legacy", LEGACY), ("zip", ZIP)] {
        let weights = load(file);
        assert_eq!(weights.len(), expected.len(), "{format}: whole numbers are left out");
        for (name, tensor) in expected {
            let got = weights.get(name).unwrap_or_else(|| panic!("{format}: no `{name}`"));
            let shape: Vec<usize> = serde_json::from_value(tensor["shape"].clone()).unwrap();
            let values: Vec<f32> = serde_json::from_value(tensor["values"].clone()).unwrap();
            assert_eq!((&got.shape, &*got.data), (&shape, &*values), "{format}: {name}");
        }
    }
}

#[test]
fn both_formats_give_the_same_canonical_bytes() {
    assert_eq!(load(LEGACY).to_safetensors().unwrap(), load(ZIP).to_safetensors().unwrap());
}

#[test]
fn a_state_dictionary_inside_a_checkpoint_is_found() {
    let weights = load(CHECKPOINT);
    assert_eq!(weights.names().collect::<Vec<_>>(), ["bias", "weight"]);
    assert_eq!(*weights.get("weight").unwrap().data, [0.5, -0.5]);
}

#[test]
fn a_pickle_that_calls_the_system_is_refused_by_name_and_not_run() {
    let error = read(MALICIOUS, &Limits::default()).unwrap_err();
    let Fault::Forbidden { name } = &error.fault else { panic!("{error}") };
    assert!(name.ends_with(".system"), "{name}");
    assert!(error.to_string().contains("nothing was run"), "{error}");
    assert!(error.offset > 0 && (error.offset as usize) < MALICIOUS.len());
    assert!(!std::path::Path::new("owned").exists());
}

#[test]
fn other_opcodes_that_could_make_objects_are_refused() {
    // INST, OBJ, NEWOBJ, EXT1, PERSID, and an unassigned byte.
    for opcode in [b'i', b'o', 0x81, 0x82, b'P', 0xff] {
        let fault = fault(&[0x80, 2, opcode]);
        assert!(matches!(fault, Fault::Forbidden { .. }), "{opcode:#x}: {fault:?}");
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    for end in 0..LEGACY.len() {
        assert!(read(&LEGACY[..end], &Limits::default()).is_err(), "cut at {end}");
    }
    for end in (0..ZIP.len()).step_by(7) {
        assert!(read(&ZIP[..end], &Limits::default()).is_err(), "cut at {end}");
    }
}

#[test]
fn limits_stop_a_reader() {
    let tight = |limits: Limits| read(LEGACY, &limits).unwrap_err().fault;
    let all = Limits::default();
    for limits in [Limits { objects: 20, ..all }, Limits { tensors: 3, ..all }, Limits { values: 10, ..all }]
    {
        assert!(matches!(tight(limits), Fault::Limit { .. }), "{limits:?}");
    }
}

#[test]
fn a_file_of_another_kind_says_so() {
    let fault = fault(&[0x80, 2, b'K', 1, b'.']);
    assert_eq!(fault.to_string(), "this is not a file that torch saved");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        for file in [LEGACY, ZIP, CHECKPOINT, MALICIOUS] {
            let mut changed = file.to_vec();
            for (at, byte) in &changes {
                changed[at.index(file.len())] = *byte;
            }
            // Any answer is fine, as long as it is one: small limits keep a forged size from taking long.
            let _ = read(&changed, &Limits { objects: 10_000, tensors: 100, values: 10_000 });
        }
    }

    #[test]
    fn noise_after_the_headers_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let header = LEGACY.windows(12).position(|window| window == b"OrderedDict\n").unwrap() - 14;
        let file = [&LEGACY[..header], &noise[..]].concat();
        let _ = read(&file, &Limits { objects: 10_000, tensors: 100, values: 10_000 });
    }
}
