//! Inspectors that were shown several kinds of defects.

use image::{Rgb, RgbImage};

use crate::run::Place;

const BASE: [&str; 2] = ["--base", "efficientnet-lite0"];

/// A rough surface; no two alike. With a defect: a bright spot, a dark scratch, or a row of red dots.
fn surface(number: u32, kind: Option<&str>) -> RgbImage {
    let noise = |x: u32, y: u32| {
        let mixed = x
            .wrapping_mul(374_761_393)
            .wrapping_add(y.wrapping_mul(668_265_263))
            .wrapping_add(number.wrapping_mul(2_246_822_519));
        ((mixed ^ (mixed >> 13)).wrapping_mul(1_274_126_177) >> 24) as i32
    };
    let (cx, cy) = (30 + (number * 17 % 50) as i32, 30 + (number * 11 % 36) as i32);
    RgbImage::from_fn(112, 96, |x, y| {
        let (right, down) = (x as i32 - cx, y as i32 - cy);
        let grey = (130 + noise(x, y) / 12) as u8;
        match kind {
            Some("spot") if right * right + down * down < 60 => Rgb([235; 3]),
            Some("scratch") if right.abs() < 24 && (down - right / 3).abs() < 2 => Rgb([25; 3]),
            Some("dots") if right.abs() < 20 && down.abs() < 3 && right.rem_euclid(8) < 4 => {
                Rgb([210, 30, 30])
            }
            _ => Rgb([grey; 3]),
        }
    })
}

fn surfaces(place: &Place, folder: &str, kind: Option<&str>, numbers: std::ops::Range<u32>) {
    std::fs::create_dir_all(place.path(folder)).unwrap();
    for number in numbers {
        surface(number, kind).save(place.path(&format!("{folder}/{number:03}.png"))).unwrap();
    }
}

#[test]
fn alarms_are_named_by_the_kinds_that_were_shown() {
    let place = Place::new();
    surfaces(&place, "parts/good", None, 0..16);
    surfaces(&place, "parts/spot", Some("spot"), 20..31);
    surfaces(&place, "parts/scratch", Some("scratch"), 40..51);
    let ended = place.run(&[&["inspect", "parts", "--json"][..], &BASE].concat()).fine();
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let measured = made["evaluation"]["measured"].as_array().unwrap();
    let right = measured.iter().find(|measured| measured["metric"] == "kind-accuracy").unwrap();
    assert_eq!((&right["on"], &right["estimate"]["n"]), (&"out-of-fold".into(), &22.into()));
    assert!(right["estimate"]["value"].as_f64().unwrap() > 0.8, "{right}");
    assert!(
        std::fs::read_to_string(place.path("parts.report.html")).unwrap().contains("What defects are called")
    );

    surfaces(&place, "new", Some("scratch"), 60..62);
    surfaces(&place, "new", Some("spot"), 62..64);
    surfaces(&place, "new", Some("dots"), 64..66);
    surfaces(&place, "new", None, 66..67);
    let ended = place.run(&["predict", "parts.djm", "new", "--json", "--regions", "regions.json"]).fine();
    let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let kind = |row: usize| &rows[row]["found"]["kind"];
    assert_eq!(
        [0, 1, 2, 3].map(|row| kind(row)["name"].as_str().unwrap()),
        ["scratch", "scratch", "spot", "spot"]
    );
    assert!([4, 5].iter().all(|row| kind(*row)["never_seen"] == true), "{}", ended.out);
    assert!(kind(6).is_null(), "a part that does not alarm has no kind");
    let coco: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(place.path("regions.json")).unwrap()).unwrap();
    let names: Vec<&str> = coco["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|category| category["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["defect", "scratch", "spot", "never seen"]);
    let first = coco["annotations"].as_array().unwrap().iter().find(|mark| mark["image_id"] == 1).unwrap();
    assert_eq!(first["category_id"], 2);
    for (lang, words) in [("en", ["kind", "never seen"]), ("zh", ["种类", "未见种类"])] {
        let shown = place.run_with(&["predict", "parts.djm", "new"], &[("DIANJING_LANG", lang)]).fine().out;
        assert!(words.iter().all(|word| shown.contains(word)) && shown.contains("scratch"), "{shown}");
    }
}
