//! An exported inspector gives in ONNX Runtime what `predict` gives, from the photo's bytes on.

use std::process::Command;

use bundle::inspection::ScoreMap;
use image::{Rgb, RgbImage};
use insta::assert_snapshot;
use serde::Deserialize;
use serde_json::Value;

use crate::inspect::{face, faces, inspect, plate, save};
use crate::onnx::python;
use crate::run::Place;

/// How far scores may be apart, in units of what is usual for good parts. Engines differ in the sixth digit of a feature; where that
/// crosses a step of half precision, one of a patch's features differs in the fourth.
const SCORE_TOLERANCE: f64 = 0.01;
/// How far suspicion may be apart on any cell, in units of good patches, for the same reason.
const MAP_TOLERANCE: f32 = 0.02;
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
        eprintln!("photo {index}: {score} and {}", theirs.score[index]);
        assert!((score - theirs.score[index]).abs() < SCORE_TOLERANCE, "{score} {}", theirs.score[index]);
        assert_eq!(found["alarm"].as_bool().unwrap(), theirs.alarm[index]);
        let [_, rows, cols] = theirs.shape;
        let map = ScoreMap { rows, cols, values: theirs.map[index].clone() };
        let map = map.resized(height as usize, width as usize);
        let drawn = image::open(place.path(&format!("heat/new/{index}.png.map.png"))).unwrap().to_luma16();
        let apart =
            map.values.iter().zip(drawn.pixels()).map(|(theirs, ours)| {
                (theirs.clamp(-10.0, 55.535) - (f32::from(ours.0[0]) * STEP - 10.0)).abs()
            });
        let worst = apart.fold(0.0, f32::max);
        eprintln!("map {index}: {worst}, up to {}", map.max());
        assert!(worst < MAP_TOLERANCE + STEP, "{worst}");
    }
    theirs
}

#[test]
fn an_exported_inspector_answers_as_predict_does() {
    let place = Place::new();
    faces(&place, "parts", 0..20, false);
    inspect(&place, &["parts", "--false-alarms", "20%"]).fine();
    let photos: Vec<RgbImage> = (30..36).map(|number| face(number, number % 2 == 0)).collect();
    let theirs = compare(&place, &photos);
    assert_eq!(theirs.alarm.iter().filter(|alarm| **alarm).count(), 3);
    for key in ["input", "outputs", "threshold", "promise", "mark", "good_scores", "bundle", "base"] {
        assert!(theirs.told.contains_key(&format!("dianjing.{key}")), "{:?}", theirs.told);
    }
}

#[test]
fn so_does_one_that_was_taught_by_defects() {
    let place = Place::new();
    faces(&place, "parts/good", 0..16, false);
    faces(&place, "parts/spot", 30..38, true);
    inspect(&place, &["parts"]).fine();
    compare(&place, &[face(50, true), face(51, false)]);
}

/// A long strip with fine waves: it is scaled by an odd factor and cut into several tiles.
fn strip(number: u32, defect: bool) -> RgbImage {
    RgbImage::from_fn(1700, 330, |x, y| {
        let wave = 30.0
            * (f64::from(x) / 9.0 + f64::from(number)).sin()
            * (f64::from(y * (3 + number % 3)) / 40.0).cos();
        let scratch =
            defect && (1201..1290).contains(&x) && (y as i32 - 160 - (x as i32 - 1240) / 4).abs() < 4;
        let value =
            if scratch { 240.0 } else { 120.0 + wave + f64::from((x * 31 + y * 17 + number * 5) % 11) };
        Rgb([value as u8, (value * 0.9) as u8, (255.0 - value) as u8])
    })
}

#[test]
fn so_does_one_of_photos_that_are_scaled_and_cut() {
    let place = Place::new();
    for number in 0..4 {
        save(&place, &format!("parts/{number}.png"), &strip(number, false));
    }
    inspect(&place, &["parts"]).fine();
    compare(&place, &[strip(7, true), strip(8, false)]);
}

#[test]
fn what_cannot_be_exported_is_told() {
    let place = Place::new();
    for number in 0..12 {
        save(&place, &format!("plates/{number}.png"), &plate(number, false));
    }
    inspect(&place, &["plates"]).fine();
    assert_snapshot!(place.run(&["export", "plates.djm", "--onnx", "plates.onnx"]).told(), @"");
    let chinese = place.run_with(
        &["export", "plates.djm", "--onnx", "plates.onnx", "--size", "160x120"],
        &[("DIANJING_LANG", "zh")],
    );
    assert_snapshot!(chinese.told(), @"");
    assert_snapshot!(place.run(&["export", "plates.djm", "--onnx", "p.onnx", "--size", "160"]).told(), @"");
}
