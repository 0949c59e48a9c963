//! Photos and bundles that are not as usual: deep photos, and bundles made to do harm.

use image::{DynamicImage, ImageBuffer, Luma};

use crate::hard_times::huge_png;
use crate::inspect::{face, faces, inspect};
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
    assert!(ended.err.contains("1 photos: some of it is brighter than the 12 bits hold"), "{}", ended.err);
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
    assert_eq!(row("square.png")["problem"]["detail"], "20000 x 20000 pixels", "{rows}");
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
    let older = manifest.replace("format = 3", "format = 1");
    let stamp = std::fs::read_to_string(place.path("model/created.toml")).unwrap();
    let hash = |text: &str| store::Hash::of(text.as_bytes()).to_string();
    place.write("model/created.toml", stamp.replace(&hash(&manifest), &hash(&older)));
    place.write("model/manifest.toml", older);
    let ended = place.run(&["predict", "model", "parts/000.png"]);
    assert!(ended.code == 1 && ended.err.contains("inspectors are read from format 2 on"), "{}", ended.err);
    assert!(ended.err.contains("make it anew from its photos"), "{}", ended.err);
}
