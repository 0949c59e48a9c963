//! Inspectors: from photos of good parts to alarms, and what happens with odd photos.

use image::{ImageBuffer, Luma, Rgb, RgbImage};
use insta::assert_snapshot;

use crate::run::{Ended, Place, names};

const BASE: [&str; 2] = ["--base", "efficientnet-lite0"];

/// A brushed metal face with a hole; no two alike. With a defect, a dark spot at a place that the number decides.
pub(crate) fn face(number: u32, defect: bool) -> RgbImage {
    let noise = |x: u32, y: u32| {
        let mixed = x
            .wrapping_mul(374_761_393)
            .wrapping_add(y.wrapping_mul(668_265_263))
            .wrapping_add(number.wrapping_mul(2_246_822_519));
        ((mixed ^ (mixed >> 13)).wrapping_mul(1_274_126_177) >> 24) as i32
    };
    RgbImage::from_fn(112, 96, |x, y| {
        let brushed = 140 + noise(x / 24, y) / 8 + noise(x, y) / 24 - (number % 7) as i32 * 3;
        let apart = |cx: i32, cy: i32| (x as i32 - cx).pow(2) + (y as i32 - cy).pow(2);
        let spot = apart(64 + (number % 5) as i32 * 6, 30 + (number % 3) as i32 * 14);
        let value = if apart(28 + (number % 3) as i32, 50) < 90 {
            30
        } else if defect && spot < 50 {
            225
        } else {
            brushed
        };
        Rgb([value as u8, (value + 4) as u8, (value + 10) as u8])
    })
}

pub(crate) fn save(place: &Place, name: &str, picture: &RgbImage) {
    let path = place.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(path).unwrap();
}

pub(crate) fn faces(place: &Place, folder: &str, numbers: std::ops::Range<u32>, defect: bool) {
    for number in numbers {
        save(place, &format!("{folder}/{number:03}.png"), &face(number, defect));
    }
}

pub(crate) fn inspect(place: &Place, arguments: &[&str]) -> Ended {
    place.run(&[&["inspect"][..], arguments, &BASE].concat())
}

#[test]
fn from_good_parts_to_an_alarm_with_a_heat_map() {
    let place = Place::new();
    faces(&place, "parts", 0..20, false);
    let ended = inspect(&place, &["parts", "--false-alarms", "20%", "--mm-per-pixel", "0.1"]).fine();
    for told in
        ["Learned 20 good photos", "at most 20 % of good parts alarm", "Next: dianjing predict parts.djm"]
    {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
    faces(&place, "new/bad", 30..34, true);
    faces(&place, "new/fine", 101..105, false);
    let arguments =
        ["predict", "parts.djm", "new", "--json", "--heatmaps", "heat", "--regions", "regions.json"];
    let ended = place.run(&arguments).fine();
    let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let score = |row: usize| rows[row]["found"]["score"].as_f64().unwrap();
    let alarms: Vec<bool> = (0..8).map(|row| rows[row]["found"]["alarm"].as_bool().unwrap()).collect();
    assert_eq!(alarms[..4], [true; 4], "{}", ended.out);
    assert!((0..4).all(|bad| (4..8).all(|fine| score(bad) > score(fine))), "{}", ended.out);
    assert_eq!(
        names(&place.path("heat/bad"))[..2],
        ["030.png.heat.png".to_owned(), "030.png.map.png".to_owned()]
    );
    assert_eq!(
        image::open(place.path("heat/bad/030.png.heat.png")).unwrap().to_rgb8().dimensions(),
        (112, 96)
    );
    let map = image::open(place.path("heat/bad/030.png.map.png")).unwrap().to_luma16();
    let hottest = map.enumerate_pixels().max_by_key(|(.., value)| value.0[0]).unwrap();
    assert!((44..=84).contains(&hottest.0) && (10..=50).contains(&hottest.1), "{hottest:?}");
    let again = place.run(&["predict", "parts.djm", "new", "heat", "--json", "--heatmaps", "heat"]).fine();
    let rows: serde_json::Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 8, "what was drawn is not looked at: {}", again.out);
    let coco: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(place.path("regions.json")).unwrap()).unwrap();
    assert_eq!(coco["images"].as_array().unwrap().len(), 8);
    let first = &coco["annotations"][0];
    assert_eq!(first["area_mm2"].as_f64().unwrap(), first["area"].as_f64().unwrap() * 0.1 * 0.1);
    assert_eq!(place.run(&["predict", "parts.djm", "new/bad", "--fail-on-unsure"]).code, 3);
    place.run(&["sign", "parts.djm", "--key", "me.key"]).fine();
    place.run(&["verify", "parts.djm", "--key", "me.pub"]).fine();
    let report = std::fs::read_to_string(place.path("parts.report.html")).unwrap();
    assert!(report.contains("What to photograph next") && !report.contains("http://"));
}

#[test]
fn the_layout_of_inspection_sets_is_measured_and_tune_comes_here_by_itself() {
    let place = Place::new();
    faces(&place, "tile/train/good", 0..12, false);
    faces(&place, "tile/test/good", 20..25, false);
    faces(&place, "tile/test/spot", 30..35, true);
    // A kind of defect may be called like a part.
    faces(&place, "tile/test/val", 40..42, true);
    let ended = place.run(&[&["tune", "tile", "--json"][..], &BASE].concat()).fine();
    assert!(ended.err.contains("making a defect inspector"), "{}", ended.err);
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let measured = made["evaluation"]["measured"].as_array().unwrap();
    let of =
        |name: &str| measured.iter().find(|measured| measured["metric"] == name).unwrap()["estimate"].clone();
    assert_eq!(of("image-auroc")["n"], 12);
    assert!(of("image-auroc")["value"].as_f64().unwrap() > 0.9, "{measured:?}");
    let evaluated = place.run(&["evaluate", "tile.djm", "tile"]).fine();
    assert!(
        evaluated.out.contains("found of spot") && evaluated.out.contains("image AUROC"),
        "{}",
        evaluated.out
    );
}

/// A printed plate that lies a little otherwise on every photo; with a defect, a bar of the print is missing.
pub(crate) fn plate(number: u32, defect: bool) -> RgbImage {
    let (dx, dy) = ((number * 7 % 5) as i32 - 2, (number * 3 % 5) as i32 - 2);
    RgbImage::from_fn(160, 120, |x, y| {
        let (x, y) = (x as i32 - dx, y as i32 - dy);
        let letter =
            (20..140).contains(&x) && (30..90).contains(&y) && (x * 7 + y / 9 * 13) % 23 < 9 && y % 20 < 13;
        let frame = !(6..154).contains(&x) || !(6..114).contains(&y);
        let missing = defect && (60..84).contains(&x) && (40..56).contains(&y);
        let grain = (x * 31 + y * 17 + number as i32 * 5).rem_euclid(7);
        let value = if frame || letter && !missing { 40 } else { 215 } + grain;
        Rgb([value as u8; 3])
    })
}

#[test]
fn parts_that_lie_alike_are_compared_pixel_by_pixel() {
    let place = Place::new();
    for number in 0..12 {
        save(&place, &format!("plates/train/good/{number}.png"), &plate(number, false));
    }
    for number in 20..24 {
        save(&place, &format!("plates/test/good/{number}.png"), &plate(number, false));
        save(&place, &format!("plates/test/gap/{number}.png"), &plate(number, true));
    }
    let ended = inspect(&place, &["plates", "--json"]).fine();
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert!(made["evaluation"]["recipe"].as_str().unwrap().contains("pixels"));
    let measured = made["evaluation"]["measured"].as_array().unwrap();
    let auroc = measured.iter().find(|measured| measured["metric"] == "image-auroc").unwrap();
    assert_eq!(auroc["estimate"]["value"], 1.0);
    let found = place.run(&["predict", "plates.djm", "plates/test/gap/20.png", "--heatmaps", "heat"]).fine();
    assert!(found.out.contains("20.png"), "{}", found.out);
    // The map lies over the photo as it was taken: the gap is where the photo has it.
    let map = image::open(place.path("heat/plates/test/gap/20.png.map.png")).unwrap().to_luma16();
    let hottest = map.enumerate_pixels().max_by_key(|(.., value)| value.0[0]).unwrap();
    assert!((54..90).contains(&hottest.0) && (34..62).contains(&hottest.1), "{hottest:?}");
}

#[test]
fn parts_that_may_lie_any_way_are_good_the_other_way_round() {
    let place = Place::new();
    for number in 0..20 {
        save(&place, &format!("plates/{number}.png"), &plate(number, false));
    }
    save(&place, "new/turned.png", &image::imageops::rotate180(&plate(40, false)));
    let alarm = |orientation: &str| {
        inspect(&place, &["plates", "--false-alarms", "20%", "--orientation", orientation]).fine();
        let ended = place.run(&["predict", "plates.djm", "new/turned.png", "--json"]).fine();
        let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        rows[0]["found"]["alarm"].as_bool().unwrap()
    };
    assert!(alarm("matters") && !alarm("free"));
}

#[test]
fn the_first_defects_are_learned_from() {
    let place = Place::new();
    faces(&place, "parts/good", 0..16, false);
    faces(&place, "parts/spot", 30..38, true);
    let ended = inspect(&place, &["parts", "--json"]).fine();
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert!(made["evaluation"]["recipe"].as_str().unwrap().contains("taught by defects"));
    let measured = made["evaluation"]["measured"].as_array().unwrap();
    assert_eq!(measured[0]["on"], "out-of-fold");
    // What kinds never shown may expect is told beside, and is never more.
    let value = |name: &str| {
        let found = measured.iter().find(|measured| measured["metric"] == name).unwrap();
        found["estimate"]["value"].as_f64().unwrap()
    };
    assert!(value("recall-alone") <= value("recall"), "{measured:?}");
}

#[test]
fn detectors_can_be_asked_for() {
    let place = Place::new();
    faces(&place, "parts", 0..9, false);
    let ended = inspect(&place, &["parts", "--detectors", "residual,detail,residual", "--json"]).fine();
    let made: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(made["evaluation"]["recipe"], "detail + residual");
    place.run(&["predict", "parts.djm", "parts/000.png"]).fine();
    let ended = inspect(&place, &["parts", "--detectors", "whole"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("detector `whole` needs at least 16 good photos"), "{}", ended.err);
    let ended = inspect(&place, &["parts", "--detectors", "colour"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("there are surface, shape, detail"), "{}", ended.err);
}

#[test]
fn the_same_photos_and_seed_give_the_same_bytes_on_any_number_of_threads() {
    let place = Place::new();
    faces(&place, "parts", 0..9, false);
    let bytes = ["1", "3"].map(|threads| {
        let out = format!("{threads}.djm");
        inspect(&place, &["parts", "--threads", threads, "--out", &out]).fine();
        std::fs::read(place.path(&out)).unwrap()
    });
    assert!(bytes[0] == bytes[1]);
}

#[test]
fn one_good_photo_works_and_says_what_it_cannot_promise() {
    let place = Place::new();
    faces(&place, "parts", 0..1, false);
    let ended = inspect(&place, &["parts"]).fine();
    assert!(ended.err.contains("an estimate, no guarantee"), "{}", ended.err);
    faces(&place, "new", 0..2, false);
    place.run(&["predict", "parts.djm", "new"]).fine();
}

#[test]
fn no_good_photo() {
    let place = Place::new();
    faces(&place, "parts/test/good", 0..2, false);
    faces(&place, "parts/test/spot", 2..4, true);
    assert_snapshot!(inspect(&place, &["parts"]).told(), @r"
    exit 1
    error: `parts` has no pictures of good parts to learn from, only 0 of defects and 4 to measure on
    hint: put pictures of good parts into a folder `good`, or into `train/good` beside `test`
    ");
}

#[test]
fn good_photos_that_are_all_the_same() {
    let place = Place::new();
    for index in 0..6 {
        save(&place, &format!("parts/{index}.png"), &face(1, false));
    }
    let ended = inspect(&place, &["parts"]).fine();
    assert!(ended.err.contains("they count as 1"), "{}", ended.err);
    place.run(&["predict", "parts.djm", "parts"]).fine();
    // And defects that are all the same.
    for index in 0..6 {
        save(&place, &format!("both/good/{index}.png"), &face(1, false));
        save(&place, &format!("both/spot/{index}.png"), &face(2, true));
    }
    inspect(&place, &["both"]).fine();
}

#[test]
fn good_photos_of_any_size_and_depth_and_some_that_are_broken() {
    let place = Place::new();
    faces(&place, "parts", 0..6, false);
    let deep = ImageBuffer::from_fn(90, 130, |x, y| Luma([(x * 37 + y * 91) as u16 % 4096]));
    deep.save(place.path("parts/deep.tiff")).unwrap();
    save(&place, "parts/tiny.png", &RgbImage::from_pixel(3, 2, Rgb([120; 3])));
    save(&place, "parts/long.png", &RgbImage::from_fn(900, 20, |x, _| Rgb([(x % 251) as u8; 3])));
    place.write("parts/broken.png", "not a picture");
    let ended = inspect(&place, &["parts"]).fine();
    assert!(ended.err.contains("broken.png: this is not a picture"), "{}", ended.err);
    assert!(ended.err.contains("tiny.png: 3 x 2 pixels show nothing"), "{}", ended.err);
    assert!(ended.err.contains("Learned 8 good photos"), "{}", ended.err);
}

#[test]
fn inspectors_and_other_bundles_are_not_mixed_up() {
    let place = Place::new();
    faces(&place, "parts", 0..4, false);
    inspect(&place, &["parts"]).fine();
    assert_snapshot!(place.run(&["export", "parts.djm", "--onnx", "parts.onnx"]).told(), @r"
    exit 1
    error: cannot export to ONNX: before this inspector looks, it lays every photo over the median good part or paints over its background, which no ONNX graph does
    hint: run it with `dianjing predict`, which looks at photos in the same way everywhere
    ");
    assert_snapshot!(place.run(&["predict", "parts.djm", "-"]).told(), @r"
    exit 2
    error: an inspector looks at files; name them or folders instead of `-`
    ");
    let ended = inspect(&place, &["parts", "--false-alarms", "0"]);
    assert!(ended.code == 2 && ended.err.contains("it lies between 0 and 100 %"), "{}", ended.err);
}

#[test]
fn a_batch_is_judged_with_a_bound_on_false_discoveries() {
    let place = Place::new();
    faces(&place, "parts", 0..20, false);
    inspect(&place, &["parts", "--false-alarms", "20%"]).fine();
    faces(&place, "new/bad", 30..34, true);
    faces(&place, "new/fine", 101..105, false);
    place.write("new/unread.png", "not a picture");
    let judge = |rate: &str, more: &[&str]| {
        place.run(&[&["predict", "parts.djm", "new", "--false-discoveries", rate], more].concat())
    };
    // Twenty good parts: the smallest p-value is 1/21. Four of eight at 10 % need p <= 0.05.
    let ended = judge("10%", &["--json"]).fine();
    let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let calls: Vec<Option<bool>> =
        told["photos"].as_array().unwrap().iter().map(|row| row["called_defect"].as_bool()).collect();
    assert_eq!(calls[..4], [Some(true); 4], "{}", ended.out);
    assert_eq!(calls[4..8], [Some(false); 4], "{}", ended.out);
    assert_eq!(calls[8], None);
    assert!(told["photos"][0]["found"]["score"].is_f64() && told["photos"][8]["problem"].is_object());
    let batch = &told["batch"];
    assert_eq!((batch["photos"].as_u64(), batch["called"].as_u64()), (Some(8), Some(4)));
    assert_eq!((batch["good_parts"].as_u64(), batch["fewest_callable"].as_u64()), (Some(20), Some(4)));
    assert_snapshot!(ended.err, @r"
    9 photos: 4 alarm, 4 do not, 1 could not be read
    note: bad/030.png: 7 % of the picture lies where good parts show nothing and was compared with nothing; place the part as those learned from (2 more like it; --json tells each)
    As one batch: 4 of 8 called defects; on average at most 10 % of those called are good
    ");
    assert!(judge("10%", &[]).fine().out.lines().nth(1).unwrap().contains("DEFECT"));
    assert_eq!(judge("10%", &["--fail-on-unsure"]).code, 3);
    // Three at the smallest value are too few, and at 4 % nothing can be called, whatever is in the batch.
    std::fs::remove_file(place.path("new/bad/030.png")).unwrap();
    std::fs::remove_file(place.path("new/unread.png")).unwrap();
    assert_snapshot!(judge("5%", &[]).fine().err, @r"
    7 photos: 3 alarm, 4 do not
    note: bad/033.png: 7 % of the picture lies where good parts show nothing and was compared with nothing; place the part as those learned from (1 more like it; --json tells each)
    As one batch: 0 of 7 called defects; on average at most 5 % of those called are good
    note: with 20 good parts fewer than 7 defects among 7 photos cannot be called at 5 %: the smallest possible p-value is 0.048; it takes 119 more good parts to call a single one
    ");
    let ended = judge("4%", &["--json"]).fine();
    assert!(
        serde_json::from_str::<serde_json::Value>(&ended.out).unwrap()["batch"]["fewest_callable"].is_null()
    );
    assert_snapshot!(ended.err, @r"
    7 photos: 3 alarm, 4 do not
    note: bad/033.png: 7 % of the picture lies where good parts show nothing and was compared with nothing; place the part as those learned from (1 more like it; --json tells each)
    As one batch: 0 of 7 called defects; on average at most 4 % of those called are good
    note: with 20 good parts nothing can be called at 4 %: the smallest possible p-value is 0.048; it takes at least 4 more good parts, and 154 more to call a single photo of 7
    ");
    let chinese = place
        .run_with(&["predict", "parts.djm", "new", "--false-discoveries", "4%"], &[("DIANJING_LANG", "zh")]);
    assert_snapshot!(chinese.fine().err, @r"
    7 张照片：3 张报警，4 张正常
    注意：bad/033.png：有 7 % 的画面在良品所示范围之外，未作比较；请按学习时的位置摆放零件（另有 1 个类似，见 --json）
    作为一批：7 张中有 0 张判为缺陷；平均而言，其中至多 4 % 是良品
    注意：只有 20 个良品时，以 4 % 为上限无法判出任何缺陷：p 值最小只能是 0.048；至少还需 4 个良品；若要在 7 张中判出单独一张，还需 154 个
    ");
    let ended = judge("0", &[]);
    assert!(ended.code == 2 && ended.err.contains("it lies between 0 and 100 %"), "{}", ended.err);
}
