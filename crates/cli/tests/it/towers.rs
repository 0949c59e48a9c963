//! A joint base: words find pictures before any pair was seen, each tower is a base of its own, and pairs are laid over it.

use std::path::Path;

use serde_json::Value;

use crate::run::{Ended, Place};

#[allow(dead_code, reason = "only what makes weights is used here")]
#[path = "../../../base/tests/it/made.rs"]
mod made;

/// Two vectors, each in half precision, of which one went through a scaling of its own.
const TOLERANCE: f64 = 3e-2;

/// A place with a cache of its own that holds the small CLIP of `reference/clip.py`, brought in as a hub lays it out.
struct Towers {
    place: Place,
    expected: Value,
}

impl Towers {
    fn new() -> Self {
        let place = Place::new();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../base/tests/data/clip");
        let read = |name: &str| std::fs::read(data.join(name)).unwrap();
        for name in ["config.json", "preprocessor_config.json", "tokenizer.json"] {
            place.write(&format!("tiny-clip/{name}"), read(name));
        }
        place.write("photos/a.png", read("picture.png"));
        let expected: Value = serde_json::from_slice(&read("expected.json")).unwrap();
        let shapes: Vec<(String, Vec<usize>)> = serde_json::from_value(expected["weights"].clone()).unwrap();
        let shapes = shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
        made::weights(shapes).save(&place.path("tiny-clip/model.safetensors")).unwrap();
        let towers = Self { place, expected };
        let imported = towers.run(&["base", "import", "tiny-clip"]).fine();
        assert!(imported.err.contains("Imported"), "{}", imported.err);
        towers
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let cache = self.place.path("cache");
        self.place
            .run_with(arguments, &[("DIANJING_CACHE", cache.to_str().unwrap()), ("DIANJING_OFFLINE", "1")])
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat()).fine().out).unwrap()
    }

    fn picture(&self) -> Vec<f64> {
        serde_json::from_value(self.expected["picture"].clone()).unwrap()
    }

    fn text(&self, at: usize) -> (String, Vec<f64>) {
        let text = &self.expected["texts"][at];
        (text["text"].as_str().unwrap().to_owned(), serde_json::from_value(text["joint"].clone()).unwrap())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn words_find_pictures_without_pairs_as_transformers_has_it() {
    let towers = Towers::new();
    let listed = towers.run(&["base", "list"]).fine();
    assert!(listed.out.contains("tiny-clip") && listed.out.contains("clip-vit-b32"), "{}", listed.out);
    let listed = towers.json(&["base", "list"]);
    let own = listed.as_array().unwrap().iter().find(|base| base["id"] == "tiny-clip");
    assert!(own.is_some_and(|base| base["here"] == true && base["default"] == false), "{listed}");
    let (words, read) = towers.text(0);
    let hits = towers.json(&["search", "photos", "--base", "tiny-clip", "--text", &words]);
    assert_eq!(hits[0]["id"], "a.png", "{hits}");
    let similarity = hits[0]["similarity"].as_f64().unwrap();
    assert!((similarity - dot(&towers.picture(), &read)).abs() < TOLERANCE, "{similarity}");

    towers.place.write("captions.csv", format!("caption\n{words}\n\"{}\"\n", towers.text(1).0));
    let hits = towers.json(&["search", "captions.csv", "--base", "tiny-clip", "--like", "photos/a.png"]);
    let of = |id: &str| {
        let hits = hits.as_array().unwrap();
        hits.iter().find(|hit| hit["id"] == id).unwrap()["similarity"].as_f64().unwrap()
    };
    for (row, at) in [("captions.csv:2", 0), ("captions.csv:3", 1)] {
        assert!((of(row) - dot(&towers.picture(), &towers.text(at).1)).abs() < TOLERANCE, "{hits}");
    }

    let texts = [0, 2, 3].map(|at| towers.text(at));
    let names = texts.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(",");
    let named = towers.json(&["search", "photos", "--base", "tiny-clip", "--names", &names]);
    let best =
        texts.iter().max_by(|(_, a), (_, b)| dot(&towers.picture(), a).total_cmp(&dot(&towers.picture(), b)));
    assert_eq!(named[0]["name"], best.unwrap().0.as_str(), "{named}");
}

#[test]
fn a_base_that_was_brought_in_and_is_damaged_is_not_said_to_be_unknown() {
    let towers = Towers::new();
    towers.place.write("cache/bases/tiny-clip/model.safetensors", b"short");
    let ended = towers.run(&["search", "photos", "--base", "tiny-clip", "--text", "x"]);
    assert!(ended.code == 1 && ended.err.contains("has 5 bytes"), "{}", ended.told());
}

#[test]
fn each_tower_is_a_base_of_its_own() {
    let towers = Towers::new();
    towers.place.pictures("forms", 14);
    let tuned = towers.run(&["tune", "forms", "--base", "tiny-clip"]).fine();
    assert!(tuned.err.contains("Bundle"), "{}", tuned.err);
    assert_eq!(
        towers.run(&["predict", "forms.djm", "forms/disc/01.png", "--json"]).fine().answers().len(),
        1
    );

    let mut rows = "text,label\n".to_owned();
    for number in 0..30 {
        let (kind, word) = if number % 2 == 0 { ("animal", "cat") } else { ("day", "word") };
        rows.push_str(&format!("the {word} of number {number},{kind}\n"));
    }
    towers.place.write("texts.csv", rows);
    towers.run(&["tune", "texts.csv", "--base", "tiny-clip"]).fine();
    let answers = towers.run(&["predict", "texts.djm", "texts.csv", "--json"]).fine().answers();
    assert_eq!(answers.len(), 30);
    let manifest = std::fs::read(towers.place.path("texts.djm")).unwrap();
    assert!(manifest.windows(14).any(|bytes| bytes == b"tiny-clip.text"), "the bundle names its tower");

    let refused = towers.run(&["tune", "texts.csv", "--base", "efficientnet-lite2"]);
    assert_ne!(refused.code, 0, "{}", refused.told());
}

#[test]
fn pairs_are_laid_over_a_joint_base_if_that_is_better() {
    let towers = Towers::new();
    let mut rows = "picture,caption\n".to_owned();
    for number in 0..90_u32 {
        let (colour, word) =
            [([220, 30, 30], "a cat"), ([20, 40, 230], "two dogs"), ([20, 210, 60], "the day")]
                [number as usize % 3];
        let bright = number / 3;
        let picture = image::RgbImage::from_fn(32, 32, |x, y| {
            let inside = (x + y) % 32 < 4 + bright;
            image::Rgb(if inside { colour } else { [240, 240, 235] })
        });
        let name = format!("pictures/{number}.png");
        towers.place.write(&name, b"");
        picture.save(towers.place.path(&name)).unwrap();
        rows.push_str(&format!("{name},{word} {}\n", "of ".repeat(bright as usize % 10)));
    }
    towers.place.write("pairs.csv", rows);
    let told = towers.json(&["align", "pairs.csv", "--base", "tiny-clip"]);
    // The weights are by chance, so the space is no space of anything: what pairs teach is better.
    assert_ne!(told["way"], "the base's own space, as it is", "{told}");
    let report = std::fs::read_to_string(towers.place.path("pairs.report.html")).unwrap();
    assert!(report.contains("own space, as it is"), "the report shows what was compared");
    let hits = towers.json(&["search", "pairs.djm", "pictures", "--text", "two dogs", "--top", "3"]);
    assert_eq!(hits.as_array().unwrap().len(), 3);

    // Too few to learn from are judged as they are, and unrelated ones share nothing; near copies count as one pair.
    let few: String =
        (0..12).map(|number| format!("pictures/{number}.png,{} day\n", number * 7 % 12)).collect();
    towers.place.write("few.csv", format!("picture,caption\n{few}"));
    let ended = towers.run(&["align", "few.csv", "--base", "tiny-clip"]);
    let is_told = ["share nothing", "at least 10"].iter().any(|words| ended.err.contains(words));
    assert!(ended.code != 0 && is_told, "{}", ended.told());
    let ended = towers.run(&["align", "few.csv", "--base", "minilm-l6-en"]);
    assert_ne!(ended.code, 0, "{}", ended.told());
    let both = towers.run(&["align", "few.csv", "--base", "tiny-clip", "--left-base", "tiny-clip"]);
    assert_eq!(both.code, 2, "{}", both.told());
    let none = towers.run(&["search", "--base", "tiny-clip", "--text", "x"]);
    assert_eq!(none.code, 2, "{}", none.told());
}
