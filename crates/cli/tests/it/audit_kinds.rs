//! `audit` of labels that are no classes: sets, numbers, tokens, pixels, boxes.

use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use crate::run::{Place, npy};

/// A disc, bright or dark, of a radius between 8 and 28, on a ground of its own for each row; every third one is crossed by a bar.
fn drawn(row: u32, radius: f32) -> RgbImage {
    RgbImage::from_fn(64, 64, |x, y| {
        let (dx, dy) = (x as f32 - 32.0, y as f32 - 32.0);
        let noise = ((x * 31 + y * 17 + row * 7) % 13) as u8;
        if row.is_multiple_of(3) && (28..36).contains(&y) {
            Rgb([20 + noise, 160, 40])
        } else if (dx * dx + dy * dy).sqrt() < radius {
            if row.is_multiple_of(2) { Rgb([230, 220 - noise, 60]) } else { Rgb([120, 20 + noise, 30]) }
        } else {
            Rgb([60 + noise, 60 + noise, 110])
        }
    })
}

fn radius(row: u32) -> f32 {
    8.0 + ((row * 8) % 21) as f32
}

/// Forty drawn pictures with the labels of a table.
fn table(place: &Place, labels: impl Fn(u32) -> String) {
    let mut table = "image,label\n".to_owned();
    for row in 0..40 {
        let name = format!("p{row:02}.png");
        drawn(row, radius(row)).save(place.path(&name)).unwrap();
        table.push_str(&format!("{name},{}\n", labels(row)));
    }
    place.write("parts.csv", table);
}

fn labels_of(out: &str) -> Vec<Value> {
    let found: Value = serde_json::from_str(out).unwrap();
    let all = found["findings"].as_array().unwrap().iter();
    all.filter(|finding| finding["fault"] == "label").cloned().collect()
}

#[test]
fn of_a_set_of_labels_the_missing_and_the_wrong_one_are_found_and_put_right() {
    let place = Place::new();
    let right = |row: u32| {
        let shade = if row.is_multiple_of(2) { "bright" } else { "dark" };
        if row.is_multiple_of(3) { format!("bar|{shade}") } else { shade.to_owned() }
    };
    table(&place, |row| match row {
        9 => "dark".to_owned(),
        20 => "bar|bright".to_owned(),
        row => right(row),
    });
    let audited =
        place.run(&["audit", "parts.csv", "--base", "efficientnet-lite0", "--json", "--out", "f.json"]);
    let found = labels_of(&audited.fine().out);
    for (row, suggested) in [(9, "bar|dark"), (20, "bright")] {
        let of = found.iter().find(|finding| finding["ids"][0] == format!("parts.csv:{}", row + 2));
        let of = of.unwrap_or_else(|| panic!("{row}: {found:?}"));
        assert_eq!((&of["suggested"], &of["action"]), (&suggested.into(), &"relabel".into()));
        assert!(of["views"][0]["probability"].is_null());
    }
    assert!(found.len() <= 4, "{found:?}");
    let advised: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.path("f.json")).unwrap()).unwrap();
    let advised = advised["advice"].as_array().unwrap().iter();
    let relabel = advised.clone().find(|advice| advice["action"] == "relabel").unwrap();
    assert_eq!((&relabel["n"], &relabel["metric"]), (&found.len().into(), &"jaccard".into()));
    let applied = place
        .run(&[
            "apply",
            "f.json",
            "--accept",
            "label",
            "--base",
            "efficientnet-lite0",
            "--out",
            "second.csv",
            "--json",
        ])
        .fine();
    // All that was advised was done: what was promised of it is told beside what it brought.
    let revision: serde_json::Value = serde_json::from_str(&applied.out).unwrap();
    assert_eq!(
        (&revision["metric"], &revision["predicted"]),
        (&"jaccard".into(), &relabel["gain"]),
        "{revision}"
    );
    assert!(revision["realised"]["value"].is_number(), "{revision}");
    assert!(applied.err.contains("points of overlap with the right labels"), "{}", applied.err);
    let second = std::fs::read_to_string(place.path("second.csv")).unwrap();
    assert!(second.contains("p09.png,bar|dark") && second.contains("p20.png,bright"), "{second}");
}

#[test]
fn of_numbers_the_one_that_cannot_be_is_found_with_what_it_may_be() {
    let place = Place::new();
    table(&place, |row| format!("{:.1}", if row == 11 { 95.5 } else { radius(row) + 0.5 }));
    let audited = place.run(&["audit", "parts.csv", "--base", "efficientnet-lite0", "--json"]).fine();
    let found = labels_of(&audited.out);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["ids"][0], &found[0]["given"]), (&"parts.csv:13".into(), &"95.5".into()));
    let suggested: f64 = found[0]["suggested"].as_str().unwrap().parse().unwrap();
    assert!((0.0..40.0).contains(&suggested), "{suggested}");
    let chinese = place
        .run_with(&["audit", "parts.csv", "--base", "efficientnet-lite0"], &[("DIANJING_LANG", "zh")])
        .fine();
    assert!(chinese.out.contains("95.5 →"), "{}", chinese.out);
    assert!(chinese.out.contains("改正这 1 个标注：预计可解释方差（R²） +"), "{}", chinese.out);
}

fn bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn write(place: &Place, name: &str, shape: &str, values: &[f64]) {
    place.write(name, npy("<f8", shape, &bytes(values)));
}

#[test]
fn tables_of_labels_and_numbers_from_elsewhere_are_told_apart_by_their_shape() {
    let place = Place::new();
    let sets: Vec<f64> = (0..60).flat_map(|row| [f64::from(row % 2), f64::from(row % 3 / 2)]).collect();
    let mut probs: Vec<f64> = sets.iter().map(|has| 0.06 + 0.88 * has).collect();
    probs[9] = 1.0 - probs[9];
    write(&place, "y.npy", "(60, 2)", &sets);
    write(&place, "p.npy", "(60, 2)", &probs);
    let found =
        labels_of(&place.run(&["audit", "--labels", "y.npy", "--pred-probs", "p.npy", "--json"]).fine().out);
    assert_eq!((found.len(), &found[0]["ids"][0]), (1, &"4".into()), "{found:?}");
    let numbers: Vec<f64> = (0..60).map(f64::from).collect();
    let predicted: Vec<f64> =
        numbers.iter().map(|y| y + (y * 7.0).sin() - if *y == 8.0 { 40.0 } else { 0.0 }).collect();
    write(&place, "n.npy", "(60,)", &numbers);
    write(&place, "q.npy", "(60,)", &predicted);
    let found =
        labels_of(&place.run(&["audit", "--labels", "n.npy", "--pred-probs", "q.npy", "--json"]).fine().out);
    assert_eq!((found.len(), &found[0]["ids"][0]), (1, &"8".into()), "{found:?}");
    // Models that have seen what they judge are warned about, these were not.
    let warned = |labels: &str, predicted: &str| {
        place
            .run(&["audit", "--labels", labels, "--pred-probs", predicted])
            .fine()
            .err
            .contains("out-of-fold")
    };
    assert!(!warned("y.npy", "p.npy") && !warned("n.npy", "q.npy"));
    write(&place, "seen.npy", "(60, 2)", &sets.iter().map(|has| 0.002 + 0.996 * has).collect::<Vec<_>>());
    write(&place, "same.npy", "(60,)", &numbers);
    assert!(warned("y.npy", "seen.npy") && warned("n.npy", "same.npy"));
    // What is tiny is suggested with its own digits, not as zero.
    let tiny = |values: &[f64]| values.iter().map(|value| (value + 10.0) * 1e-9).collect::<Vec<f64>>();
    write(&place, "n.npy", "(60,)", &tiny(&numbers));
    write(&place, "q.npy", "(60,)", &tiny(&predicted));
    let ended = place.run(&["audit", "--labels", "n.npy", "--pred-probs", "q.npy", "--json"]).fine();
    let found = labels_of(&ended.out);
    let suggested: f64 = found[0]["suggested"].as_str().unwrap().parse().unwrap();
    assert!((suggested + 20e-9).abs() < 3e-9, "{found:?}");
    write(&place, "none.npy", "(0, 1000000000000)", &[]);
    let told = place.run(&["audit", "--labels", "none.npy", "--pred-probs", "none.npy"]).told();
    assert!(told.starts_with("exit 1") && told.contains("`none.npy` holds no numbers"), "{told}");
    write(&place, "half.npy", "(60, 2)", &[0.5; 120]);
    let told = place.run(&["audit", "--labels", "half.npy", "--pred-probs", "p.npy"]).told();
    assert!(told.starts_with("exit 1") && told.contains("row 0 of `half.npy` has 0.5"), "{told}");
}

#[test]
fn tokens_are_named_by_sentence_and_place() {
    let place = Place::new();
    let labels: Vec<f64> = (0..60).map(|row| f64::from(row % 3)).collect();
    let sure = |row: usize| (0..3).map(move |class| if class == row % 3 { 0.9 } else { 0.05 });
    let probs: Vec<f64> = (0..60).flat_map(|row| sure(if row == 25 { 26 } else { row })).collect();
    write(&place, "y.npy", "(60,)", &labels);
    write(&place, "p.npy", "(60, 3)", &probs);
    write(&place, "l.npy", "(4,)", &[20.0, 10.0, 0.0, 30.0]);
    let verb = ["audit", "--labels", "y.npy", "--pred-probs", "p.npy", "--json", "--lengths"];
    let found = labels_of(&place.run(&[&verb[..], &["l.npy"]].concat()).fine().out);
    assert_eq!((found.len(), &found[0]["ids"][0]), (1, &"1:5".into()), "{found:?}");
    write(&place, "short.npy", "(2,)", &[20.0, 10.0]);
    let told = place.run(&[&verb[..], &["short.npy"]].concat()).told();
    assert!(told.contains("add up to 30, but there are 60 tokens"), "{told}");
    // Where there are no tokens, lengths say nothing.
    write(&place, "q.npy", "(60,)", &labels);
    let numbers = ["audit", "--labels", "y.npy", "--pred-probs", "q.npy", "--lengths", "l.npy"];
    let told = place.run(&numbers).told();
    assert!(told.contains("`l.npy` has lengths of sentences, but the labels are numbers"), "{told}");
    let sets = ["audit", "--labels", "p.npy", "--pred-probs", "p.npy", "--lengths", "l.npy"];
    let told = place.run(&sets).told();
    assert!(told.contains("`l.npy` has lengths of sentences, but the labels are sets"), "{told}");
}

#[test]
fn what_is_not_finite_or_too_large_is_told_with_its_file() {
    let place = Place::new();
    let mut labels: Vec<f64> = (0..30).map(f64::from).collect();
    write(&place, "q.npy", "(30,)", &labels);
    labels[4] = f64::NAN;
    write(&place, "y.npy", "(30,)", &labels);
    let verb = ["audit", "--labels", "y.npy", "--pred-probs", "q.npy"];
    let told = place.run(&verb).told();
    assert!(told.contains("row 4 of `y.npy` has NaN"), "{told}");
    labels[4] = -1e200;
    write(&place, "y.npy", "(30,)", &labels);
    let told = place.run(&verb).told();
    assert!(
        told.contains("row 4 of `y.npy` has -1e200; numbers are finite, and no larger than 1e100"),
        "{told}"
    );
    write(
        &place,
        "x.npy",
        "(30, 2)",
        &(0..60).map(|at| if at == 7 { 1e30 } else { 1.0 }).collect::<Vec<_>>(),
    );
    let told =
        place.run(&["audit", "--labels", "q.npy", "--pred-probs", "q.npy", "--features", "x.npy"]).told();
    assert!(told.contains("row 3 of `x.npy` has 1e30"), "{told}");
}

#[test]
fn a_picture_with_a_badly_painted_region_is_found_and_the_confusion_named() {
    let place = Place::new();
    let truth = |place: usize| usize::from(place % 64 >= 32);
    let labels: Vec<f64> =
        (0..8 * 64).map(|at| if at / 64 == 3 && at % 64 >= 56 { 0.0 } else { truth(at) as f64 }).collect();
    let probs: Vec<f64> =
        (0..8 * 2 * 64).map(|at| if truth(at % 64) == at / 64 % 2 { 0.95 } else { 0.05 }).collect();
    write(&place, "y.npy", "(8, 8, 8)", &labels);
    write(&place, "p.npy", "(8, 2, 8, 8)", &probs);
    let found =
        labels_of(&place.run(&["audit", "--labels", "y.npy", "--pred-probs", "p.npy", "--json"]).fine().out);
    assert_eq!((found.len(), &found[0]["ids"][0]), (1, &"3".into()), "{found:?}");
    let about = found[0]["about"]["en"].as_str().unwrap();
    assert!(about.starts_with("8 pixels (12.5 %)") && about.contains("`0` that looks like `1`"), "{about}");
    write(&place, "q.npy", "(8, 2, 4, 8)", &probs[..512]);
    let told = place.run(&["audit", "--labels", "y.npy", "--pred-probs", "q.npy"]).told();
    assert!(told.contains("has shape (8, 2, 4, 8), expected (8, k, 8, 8)"), "{told}");
}

/// Twelve pictures with two boxes each; a detector finds all, a little beside.
fn coco() -> (Value, Vec<Value>) {
    let images: Vec<Value> =
        (0..12).map(|id| json!({ "id": id, "file_name": format!("{id}.jpg") })).collect();
    let (mut drawn, mut found) = (Vec::new(), Vec::new());
    for image in 0..12 {
        for class in 0..2 {
            let left = 20.0 + 100.0 * f64::from(class) + f64::from(image);
            let category = 10 + class;
            drawn.push(json!({ "image_id": image, "category_id": category, "bbox": [left, 30, 60, 50] }));
            let beside = [left + 1.0, 31.0, 60.0, 50.0];
            found.push(json!({ "image_id": image, "category_id": category, "bbox": beside, "score": 0.98 }));
        }
    }
    let categories = json!([{ "id": 10, "name": "cup" }, { "id": 11, "name": "lid" }]);
    (json!({ "images": images, "annotations": drawn, "categories": categories }), found)
}

#[test]
fn overlooked_swapped_and_misplaced_boxes_are_told_by_name() {
    let place = Place::new();
    let (mut given, found) = coco();
    place.write("found.json", json!(found).to_string());
    let annotations = given["annotations"].as_array_mut().unwrap();
    annotations[4]["category_id"] = 11.into();
    annotations[12]["bbox"] = json!([71, 30, 60, 50]);
    annotations.remove(21);
    place.write("given.json", given.to_string());
    let verb = ["audit", "--boxes", "given.json", "--detections", "found.json"];
    let told = labels_of(&place.run(&[&verb[..], &["--json"]].concat()).fine().out);
    let about = |name: &str| {
        let of = told.iter().find(|finding| finding["ids"][0] == name);
        of.unwrap_or_else(|| panic!("{name}: {told:?}"))["about"]["en"].as_str().unwrap().to_owned()
    };
    assert!(about("2.jpg").contains("probably another class: `lid`"), "{}", about("2.jpg"));
    assert!(about("6.jpg").contains("badly placed: `cup` (71, 30, 131, 80)"), "{}", about("6.jpg"));
    assert!(about("10.jpg").contains("no box around: `lid`"), "{}", about("10.jpg"));
    assert_eq!(told.len(), 3, "{told:?}");
    given["annotations"][0]["category_id"] = 99.into();
    place.write("given.json", given.to_string());
    let ended = place.run(&verb).told();
    assert!(ended.starts_with("exit 1") && ended.contains("category 99, which is not listed"), "{ended}");
}
