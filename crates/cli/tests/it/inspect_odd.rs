//! Photos and bundles that are not as usual: deep photos, and bundles made to do harm.

use image::{DynamicImage, ImageBuffer, Luma, Rgb, RgbImage};

use crate::hard_times::huge_png;
use crate::inspect::{face, faces, inspect, save};
use crate::run::Place;

/// Saves [`face`] in grey, and once more as a camera of 12 bits does.
fn save_both(place: &Place, name: &str, number: u32, defect: bool) {
    let grey = DynamicImage::from(face(number, defect)).into_luma8();
    let deep = ImageBuffer::from_fn(grey.width(), grey.height(), |x, y| {
        Luma([(u32::from(grey.get_pixel(x, y).0[0]) * 4095 / 255) as u16])
    });
    for folder in ["plain", "deep"] {
        let folder = place.path(&format!("{folder}/{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{number}.png"));
        if folder.starts_with(place.path("deep")) {
            deep.save(path).unwrap()
        } else {
            grey.save(path).unwrap()
        }
    }
}

#[test]
fn photos_of_twelve_bits_are_seen_as_well_as_those_of_eight() {
    let place = Place::new();
    (0..12).for_each(|number| save_both(&place, "good", number, false));
    (30..32).for_each(|number| save_both(&place, "new", number, true));
    let found = ["plain", "deep"].map(|folder| {
        inspect(&place, &[&format!("{folder}/good"), "--out", &format!("{folder}.djm")]).fine();
        let ended =
            place.run(&["predict", &format!("{folder}.djm"), &format!("{folder}/new"), "--json"]).fine();
        let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        [0, 1].map(|row| (rows[row]["found"]["alarm"].as_bool(), rows[row]["found"]["score"].as_f64()))
    });
    assert_eq!(found[0], found[1]);
    assert_eq!(found[1].map(|(alarm, _)| alarm), [Some(true); 2]);
    // What is brighter than those bits hold is white, and told.
    let bright = ImageBuffer::from_fn(112, 96, |x, _| Luma([if x < 50 { 2000_u16 } else { 60_000 }]));
    std::fs::create_dir(place.path("bright")).unwrap();
    bright.save(place.path("bright/1.png")).unwrap();
    let ended = place.run(&["predict", "deep.djm", "bright"]).fine();
    assert!(ended.err.contains("note: 1.png: some of it is brighter than the 12 bits hold"), "{}", ended.err);
}

#[test]
fn photos_of_a_line_camera_are_inspected_and_what_is_too_large_is_told() {
    let place = Place::new();
    let strip = |number: u32| {
        ImageBuffer::from_fn(20_000, 64, |x, y| {
            let grain = (x * 31 + y * 17 + number * 101).wrapping_mul(2_654_435_761) >> 27;
            Luma([(100 + grain + if (x / 400) % 2 == 0 { 40 } else { 0 }) as u8])
        })
    };
    for folder in ["rolls", "new"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    (0..4).for_each(|number| strip(number).save(place.path(&format!("rolls/{number}.png"))).unwrap());
    strip(7).save(place.path("new/roll.png")).unwrap();
    place.write("new/square.png", huge_png(20_000));
    inspect(&place, &["rolls", "--orientation", "matters"]).fine();
    let ended = place.run(&["predict", "rolls.djm", "new", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let row = |name: &str| rows.as_array().unwrap().iter().find(|row| row["id"] == name).unwrap();
    assert!(row("roll.png")["found"]["score"].is_f64(), "{rows}");
    assert!(row("square.png")["found"].is_null(), "{rows}");
    assert_eq!(row("square.png")["problem"]["detail"], "20000 x 20000 pixels > 128 MP", "{rows}");
}

/// A face at twice the size, with or without a scratch of 60 x 3 pixels and a round spot of 14 across.
fn large(number: u32, scratch: bool, spot: bool) -> RgbImage {
    let (small, mut large) = (face(number, false), RgbImage::new(448, 384));
    for (x, y, pixel) in large.enumerate_pixels_mut() {
        let grain = (x * 31 + y * 17 + number * 101).wrapping_mul(2_654_435_761) >> 29;
        let [red, green, blue] =
            small.get_pixel(x / 4, y / 4).0.map(|value| value.saturating_add(grain as u8));
        let in_scratch = scratch && (250..310).contains(&x) && (200..203).contains(&y);
        let in_spot = spot && (x as i32 - 330).pow(2) + (y as i32 - 90).pow(2) < 49;
        *pixel = Rgb(if in_scratch || in_spot { [250; 3] } else { [red, green, blue] });
    }
    large
}

#[test]
fn marked_areas_grow_with_the_defect_and_not_with_how_strange_it_is() {
    let place = Place::new();
    for number in 0..16 {
        save(&place, &format!("parts/good/{number}.png"), &large(number, false, false));
    }
    let marked = |bundle: &str| {
        let ended = place.run(&["predict", bundle, "new", "--json"]).fine();
        let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        [0, 1, 2].map(|row| {
            let regions = rows[row]["found"]["regions"].as_array().unwrap();
            let near = |region: &&serde_json::Value| {
                let corners = region["outline"].as_array().unwrap();
                let at = |axis: usize, place: u64| {
                    corners.iter().any(|corner| corner[axis].as_u64().unwrap().abs_diff(place) < 40)
                };
                [(280, 201), (330, 90)].iter().any(|(x, y)| at(0, *x) && at(1, *y))
            };
            regions.iter().filter(near).map(|region| region["area_px"].as_u64().unwrap()).sum::<u64>()
        })
    };
    save(&place, "new/1.png", &large(40, true, false));
    save(&place, "new/2.png", &large(41, false, true));
    save(&place, "new/3.png", &large(42, true, true));
    inspect(&place, &["parts", "--out", "untaught.djm"]).fine();
    for number in 50..56 {
        save(&place, &format!("parts/scratch/{number}.png"), &large(number, true, false));
        let mask = RgbImage::from_fn(448, 384, |x, y| {
            Rgb([if (250..310).contains(&x) && (200..203).contains(&y) { 255 } else { 0 }; 3])
        });
        save(&place, &format!("parts/masks/scratch/{number}.png"), &mask);
    }
    inspect(&place, &["parts", "--out", "taught.djm"]).fine();
    // True are 180 and 154 pixels. A cell of the map has 8 pixels, and what a patch sees of its surroundings is wider than that.
    for bundle in ["untaught.djm", "taught.djm"] {
        let areas = marked(bundle);
        assert!((180..4000).contains(&areas[0]), "{bundle}: {areas:?}");
        assert!((100..1000).contains(&areas[1]), "{bundle}: {areas:?}");
    }
}

#[test]
fn photos_that_are_not_as_those_learned_from_are_told() {
    let place = Place::new();
    faces(&place, "parts/good", 0..12, false);
    faces(&place, "parts/spot", 30..36, true);
    save(&place, "parts/good/tiny.png", &RgbImage::from_pixel(20, 12, Rgb([120; 3])));
    let wide = image::imageops::resize(&face(12, false), 112, 60, image::imageops::FilterType::Triangle);
    save(&place, "parts/good/wide.png", &wide);
    let ended = inspect(&place, &["parts"]).fine();
    assert!(ended.err.contains("tiny.png: 20 x 12 pixels show nothing of a part"), "{}", ended.err);
    assert!(ended.err.contains("wide.png: its 112 x 60 pixels are of another shape"), "{}", ended.err);
    assert!(ended.err.contains("Learned 12 good photos"), "{}", ended.err);
    save(&place, "new/1.png", &RgbImage::from_pixel(1, 1, Rgb([120; 3])));
    save(&place, "new/black.png", &RgbImage::new(112, 96));
    save(
        &place,
        "new/double.png",
        &image::imageops::resize(&face(50, false), 224, 192, image::imageops::FilterType::Triangle),
    );
    save(&place, "new/fine.png", &face(51, false));
    // Too many cells at this scale, though not too many pixels: told from the header alone.
    place.write("new/huge.png", huge_png(11_000));
    let ended = place.run(&["predict", "parts.djm", "new", "--json"]).fine();
    let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let row = |name: &str| {
        rows.as_array().unwrap().iter().find(|row| row["id"].as_str().unwrap().ends_with(name)).unwrap()
    };
    assert!(row("1.png")["found"].is_null(), "{rows}");
    let black = row("black.png");
    assert!(black["found"]["alarm"] == true && black["found"]["kind"].is_null(), "{black}");
    assert!(row("fine.png")["problem"].is_null() && row("fine.png")["found"].is_object(), "{rows}");
    for (name, told) in [("huge.png", "67 megapixels at most"), ("1.png", "1 x 1 pixels show nothing")] {
        let ended = place.run(&["predict", "parts.djm", &format!("new/{name}")]);
        assert!(ended.code == 1 && ended.out.contains(told), "{}", ended.told());
    }
    for told in [
        "note: black.png: nothing is to be seen on it",
        "note: double.png: it has 224 x 192 pixels and those learned from about 104 x 104",
    ] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
}

#[test]
fn folders_that_may_be_defects_are_asked_about_and_what_was_decided_is_told_in_both_languages() {
    let place = Place::new();
    faces(&place, "nogood/scratch", 0..2, true);
    faces(&place, "nogood/dent", 2..4, true);
    let ended = inspect(&place, &["nogood"]);
    assert!(
        ended.code == 1 && ended.err.contains("no pictures of good parts to learn from, only 4 of defects"),
        "{}",
        ended.err
    );
    faces(&place, "unclear/kratzer", 0..2, true);
    faces(&place, "unclear/delle", 2..4, true);
    let ended = inspect(&place, &["unclear"]);
    assert!(
        ended.code == 1 && ended.err.contains("none is called good: `delle`, `kratzer`"),
        "{}",
        ended.err
    );
    faces(&place, "lots/lot 1", 0..2, false);
    faces(&place, "lots/lot 2", 2..4, false);
    let ended = inspect(&place, &["lots"]).fine();
    for told in [
        "Learned 4 good photos",
        "by their names `lot 1`, `lot 2` are groups, not kinds of defect",
        "about 20 % of good parts are expected to alarm",
        "Defects below 16 pixels across are hardly seen",
    ] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
    let arguments = [&["inspect", "lots"][..], &["--base", "efficientnet-lite0"]].concat();
    let chinese = place.run_with(&arguments, &[("DIANJING_LANG", "zh")]).fine();
    for told in ["图片文件夹：没有文件夹名为良品", "“lot 1”、“lot 2”是分组", "预计约 20 % 的良品会误报"]
    {
        assert!(chinese.err.contains(told), "{told} in {}", chinese.err);
    }
}

/// Writes another text into a file of a bundle folder, with hashes that fit.
fn forge(place: &Place, file: &str, text: &str) {
    let path = |name: &str| place.path(&format!("model/{name}"));
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let hash = |text: &str| store::Hash::of(text.as_bytes()).to_string();
    let (manifest, old) = (read("manifest.toml"), read(file));
    let forged = manifest.replace(&hash(&old), &hash(text));
    let stamp = read("created.toml").replace(&hash(&manifest), &hash(&forged));
    for (name, text) in [(file, text), ("manifest.toml", &forged), ("created.toml", &stamp)] {
        std::fs::write(path(name), text).unwrap();
    }
}

/// The text with every number of this name replaced.
fn replaced(text: &str, name: &str, value: &str) -> String {
    let key = format!("\"{name}\": ");
    let line = |line: &str| match line.find(&key) {
        Some(at) => {
            format!("{}{value}{}", &line[..at + key.len()], if line.ends_with(',') { "," } else { "" })
        }
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_bundle_that_would_take_any_amount_of_memory_is_refused_before_it_runs() {
    let place = Place::new();
    faces(&place, "parts", 0..4, false);
    inspect(&place, &["parts", "--out", "model"]).fine();
    let honest = std::fs::read_to_string(place.path("model/inspector.json")).unwrap();
    forge(&place, "inspector.json", &honest.replace('\n', " \n"));
    place.run(&["predict", "model", "parts/000.png"]).fine();
    for (name, value, told) in [
        ("scale", "2000.0", "do not fit together"),
        ("cell", "1", "do not fit together"),
        ("spread", "0.0", "a spread is not above 0"),
        ("depth", "3", "no picture has 3 bits"),
    ] {
        forge(&place, "inspector.json", &replaced(&honest, name, value));
        let ended = place.run(&["predict", "model", "parts/000.png"]);
        assert!(ended.code == 1 && ended.err.contains(told), "{name}: {}", ended.err);
    }
}

#[test]
fn inspectors_of_an_older_format_are_refused_with_what_to_do() {
    let place = Place::new();
    faces(&place, "parts", 0..3, false);
    inspect(&place, &["parts", "--out", "model"]).fine();
    let manifest = std::fs::read_to_string(place.path("model/manifest.toml")).unwrap();
    let older = manifest.replace("format = 4", "format = 3");
    let stamp = std::fs::read_to_string(place.path("model/created.toml")).unwrap();
    let hash = |text: &str| store::Hash::of(text.as_bytes()).to_string();
    place.write("model/created.toml", stamp.replace(&hash(&manifest), &hash(&older)));
    place.write("model/manifest.toml", older);
    let ended = place.run(&["predict", "model", "parts/000.png"]);
    assert!(ended.code == 1 && ended.err.contains("inspectors are read from format 4 on"), "{}", ended.err);
    assert!(ended.err.contains("make it anew from its photos"), "{}", ended.err);
}
