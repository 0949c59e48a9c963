//! What the person tells an inspector: marks, groups, costs, backgrounds; and what it must not be measured on.

use image::{GrayImage, Luma, Rgb, RgbImage};

use crate::inspect::{face, faces, inspect, save};
use crate::run::Place;

/// The mask of [`face`]'s defect: where the photo with it differs from the one without.
fn mask(number: u32) -> GrayImage {
    let (bad, good) = (face(number, true), face(number, false));
    GrayImage::from_fn(bad.width(), bad.height(), |x, y| {
        Luma([if bad.get_pixel(x, y) == good.get_pixel(x, y) { 0 } else { 255 }])
    })
}

fn save_mask(place: &Place, name: &str, mask: &GrayImage) {
    let path = place.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    mask.save(path).unwrap();
}

#[test]
fn marked_defects_teach_and_bad_masks_are_told() {
    let place = Place::new();
    faces(&place, "tile/train/good", 0..14, false);
    faces(&place, "tile/train/spot", 30..36, true);
    faces(&place, "tile/test/good", 20..24, false);
    faces(&place, "tile/test/spot", 40..44, true);
    for number in (30..34).chain(40..44) {
        save_mask(&place, &format!("tile/ground_truth/spot/{number:03}.png"), &mask(number));
    }
    // One that marks nothing, and one of another size.
    save_mask(&place, "tile/ground_truth/spot/034.png", &GrayImage::new(112, 96));
    save_mask(&place, "tile/ground_truth/spot/035.png", &GrayImage::from_pixel(10, 10, Luma([255])));
    let ended = inspect(&place, &["tile", "--json"]).fine();
    for told in ["034.png: the mask marks nothing", "035.png: the mask has 10 x 10 pixels"] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert!(made["evaluation"]["recipe"].as_str().unwrap().contains("taught by defects"), "{made}");
    let metric = |name: &str| {
        let measured = made["evaluation"]["measured"].as_array().unwrap().iter();
        measured.filter(|measured| measured["metric"] == name).find_map(|measured| {
            assert_eq!(measured["on"], "test");
            measured["estimate"]["value"].as_f64()
        })
    };
    assert!(metric("image-auroc").unwrap() > 0.9, "{made}");
    assert!(metric("pixel-auroc").unwrap() > 0.8, "{made}");
    // Marks put the defect where it is.
    save(&place, "new/bad.png", &face(31, true));
    let found = place.run(&["predict", "tile.djm", "new", "--json"]).fine();
    let rows: serde_json::Value = serde_json::from_str(&found.out).unwrap();
    assert!(rows[0]["found"]["evidence"]["defects"].is_number(), "{rows}");
}

#[test]
fn a_model_is_not_measured_on_what_it_learned() {
    let place = Place::new();
    faces(&place, "parts/good", 0..9, false);
    faces(&place, "parts/spot", 30..33, true);
    inspect(&place, &["parts"]).fine();
    let ended = place.run(&["evaluate", "parts.djm", "parts"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("learned from every photo of `parts`"), "{}", ended.err);
    // A set with a test part is measured on that alone.
    faces(&place, "tile/train/good", 0..9, false);
    faces(&place, "tile/test/good", 20..23, false);
    faces(&place, "tile/test/spot", 30..32, true);
    inspect(&place, &["tile"]).fine();
    let ended = place.run(&["evaluate", "tile.djm", "tile"]).fine();
    assert!(
        ended.err.contains("Measured on 5 photos, 3 good and 2 with defects")
            && ended.err.contains("9 were left out"),
        "{}",
        ended.err
    );
    assert!(ended.out.contains("average precision: spot"), "{}", ended.out);
}

#[test]
fn groups_are_what_a_promise_counts() {
    let place = Place::new();
    for lot in 0..5 {
        faces(&place, &format!("parts/good/lot {lot}"), lot * 4..lot * 4 + 4, false);
    }
    let ended =
        inspect(&place, &["parts", "--group-by-folder", "--false-alarms", "50%", "--miss-cost", "9"]).fine();
    for told in [
        "they count as 5",
        "at most 50 % of groups of good parts have any alarm",
        "The cost of a missed defect was not used: it takes 5 labelled defects",
    ] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
}

#[test]
fn the_cost_of_a_missed_defect_is_used_once_there_are_defects() {
    let place = Place::new();
    faces(&place, "parts/good", 0..16, false);
    faces(&place, "parts/spot", 30..36, true);
    let ended = inspect(&place, &["parts", "--false-alarms", "30%", "--miss-cost", "0.001"]).fine();
    assert!(ended.err.contains("the cheapest one that keeps the promise"), "{}", ended.err);
    // What the cost chose by says nothing of how much is found.
    assert!(ended.err.contains("AUROC") && !ended.err.contains("defects found"), "{}", ended.err);
    let report = std::fs::read_to_string(place.path("parts.report.html")).unwrap();
    assert!(report.contains("The threshold was chosen on them too"));
    let ended = inspect(&place, &["parts", "--false-alarms", "30%", "--miss-cost", "0.001", "--json"]).fine();
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(made["evaluation"]["recall"][0]["n"], 0, "{made}");
    let ended = inspect(&place, &["parts", "--out", "few.djm", "--miss-cost", "9"]).fine();
    assert!(ended.err.contains("do not prove the promise"), "{}", ended.err);
}

#[test]
fn defects_of_one_group_count_once() {
    let place = Place::new();
    faces(&place, "parts/good", 0..16, false);
    faces(&place, "parts/spot/lot 3", 30..36, true);
    let arguments = ["parts", "--group-by-folder", "--false-alarms", "30%", "--miss-cost", "9", "--json"];
    let ended = inspect(&place, &arguments).fine();
    for told in [
        "The cost of a missed defect was not used: it takes 5 labelled defects",
        "The 6 labelled defects taught nothing: it takes two good photos, and defects of two groups",
    ] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let measured = made["evaluation"]["measured"].as_array().unwrap();
    let recall = &measured.iter().find(|measured| measured["metric"] == "recall").unwrap()["estimate"];
    assert_eq!((recall["n"].as_u64(), recall["value"].as_f64()), (Some(1), Some(1.0)), "{recall}");
    assert!(recall["low"].as_f64().unwrap() < 0.03, "{recall}");
}

#[test]
fn one_good_photo_judges_the_defects_beside_it() {
    let place = Place::new();
    faces(&place, "parts/good", 0..1, false);
    faces(&place, "parts/spot", 30..36, true);
    let ended = inspect(&place, &["parts"]).fine();
    for told in ["The 6 labelled defects taught nothing", "defects found, out of fold"] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
    let report = std::fs::read_to_string(place.path("parts.report.html")).unwrap();
    assert!(report.contains("Measured out of fold on 0 good photos and 6 with defects"));
}

#[test]
fn what_leaving_a_suspect_out_does_is_told_by_the_same_rules() {
    let place = Place::new();
    faces(&place, "parts", 0..13, false);
    save(&place, "parts/odd.png", &face(40, true));
    // Fourteen good photos prove 20 %, thirteen do not.
    let ended = inspect(&place, &["parts", "--false-alarms", "20%", "--json"]).fine();
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let suspects = made["suspects"].as_array().unwrap();
    assert_eq!((suspects.len(), &suspects[0]["id"]), (1, &"odd.png".into()), "{made}");
    assert_eq!(
        (&made["threshold"]["kind"], &suspects[0]["without"]["kind"]),
        (&"proven".into(), &"estimated".into())
    );
    let report = std::fs::read_to_string(place.path("parts.report.html")).unwrap();
    assert!(report.contains("no longer prove the promise"));
    let ended =
        inspect(&place, &["parts", "--false-alarms", "20%", "--leave-out", "odd.png", "--json"]).fine();
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&made["good"]["photos"], &made["suspects"]), (&13.into(), &serde_json::json!([])), "{made}");
    let ended = inspect(&place, &["parts", "--leave-out", "even.png"]);
    assert!(ended.err.contains("`parts` has no example `even.png`"), "{}", ended.err);
}

/// A dark disc on a light table; beside it perhaps crumbs, on it perhaps a scratch.
fn disc(number: u32, crumbs: bool, scratch: bool) -> RgbImage {
    RgbImage::from_fn(128, 128, |x, y| {
        let (dx, dy) = (x as i32 - 64, y as i32 - 64);
        let grain = ((x * 31 + y * 17 + number * 7) % 5) as u8;
        let crumb = crumbs && (x / 9 + y / 7 + number).is_multiple_of(4) && dx * dx + dy * dy > 56 * 56;
        let is_disc = dx * dx + dy * dy < 44 * 44;
        let scratched = scratch && is_disc && (x + y + number) % 64 < 5;
        match (is_disc, scratched, crumb) {
            (true, true, _) => Rgb([210; 3]),
            (true, false, _) => Rgb([60 + grain; 3]),
            (false, _, true) => Rgb([150, 40, 40]),
            (false, ..) => Rgb([226 + grain; 3]),
        }
    })
}

#[test]
fn what_lies_beside_the_part_can_be_painted_over() {
    let place = Place::new();
    for number in 0..10 {
        save(&place, &format!("discs/{number}.png"), &disc(number, false, false));
    }
    save(&place, "new/crumbs.png", &disc(20, true, false));
    save(&place, "new/scratch.png", &disc(21, true, true));
    let scores = |model: &str| -> Vec<f64> {
        let ended = place.run(&["predict", model, "new", "--json"]).fine();
        let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        rows.as_array().unwrap().iter().map(|row| row["found"]["score"].as_f64().unwrap()).collect()
    };
    inspect(&place, &["discs", "--out", "with.djm"]).fine();
    inspect(&place, &["discs", "--without-background", "--out", "without.djm"]).fine();
    let (with, without) = (scores("with.djm"), scores("without.djm"));
    let crumbs = |scores: &[f64]| scores[0] / scores[1];
    assert!(crumbs(&without) < 0.3 * crumbs(&with), "only the scratch counts: {with:?} {without:?}");
    let refused = place.run(&["export", "without.djm", "--onnx", "d.onnx", "--size", "128x128"]);
    assert!(refused.err.contains("paints over its background"), "{}", refused.err);
}
