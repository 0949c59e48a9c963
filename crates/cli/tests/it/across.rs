//! Across two senses: pairs teach, then words find pictures, pictures find words, and names are given.

use serde_json::Value;

use crate::run::Place;

const COLOURS: [(&str, [u8; 3]); 6] = [
    ("red", [200, 30, 30]),
    ("green", [30, 160, 60]),
    ("blue", [40, 60, 200]),
    ("yellow", [230, 210, 40]),
    ("black", [15, 15, 15]),
    ("white", [245, 245, 245]),
];
const FORMS: [&str; 3] = ["disc", "stripes", "checks"];

/// A picture of a form in a colour, and what it is called.
fn drawn(number: u32) -> (image::RgbImage, String) {
    let (colour, ink) = COLOURS[number as usize % COLOURS.len()];
    let form = FORMS[number as usize / COLOURS.len() % FORMS.len()];
    let shift = number / 18;
    let picture = image::RgbImage::from_fn(64, 64, |x, y| {
        let (dx, dy) = (x as i32 - 28 - shift as i32, y as i32 - 34 + shift as i32);
        let inside = match form {
            "disc" => dx * dx + dy * dy < 380 + 20 * shift as i32,
            "stripes" => ((x + shift) / 6).is_multiple_of(2),
            _ => ((x + shift) / 9 + (y + shift) / 9).is_multiple_of(2),
        };
        let paper = 120 + (number * 13 % 40) as u8;
        image::Rgb(if inside { ink } else { [paper, paper, paper + 20] })
    });
    (picture, format!("{colour} {form}"))
}

/// A table of pairs, a few of them wrong, and the bundle made of it.
fn aligned(wrong: bool) -> (Place, Value) {
    let place = Place::new();
    let mut rows = "picture,caption\n".to_owned();
    for number in 0..108 {
        let (picture, caption) = drawn(number);
        let name = format!("pictures/{number}.png");
        place.write(&name, b"");
        picture.save(place.path(&name)).unwrap();
        let caption = if wrong && number % 27 == 5 { drawn(number + 7).1 } else { caption };
        rows.push_str(&format!("{name},{caption}\n"));
    }
    place.write("pairs.csv", rows);
    let ended = place.run(&["align", "pairs.csv", "--json"]).fine();
    assert!(ended.err.contains("Aligned picture and caption from 108 pairs"), "{}", ended.err);
    (place, serde_json::from_str(&ended.out).unwrap())
}

#[test]
fn words_find_pictures_and_pictures_words() {
    let (place, told) = aligned(false);
    assert!(
        told["recall_at_10"]["value"].as_f64().unwrap() > 2.0 * told["chance"].as_f64().unwrap(),
        "{told}"
    );
    assert!(place.path("pairs.report.html").exists());
    for number in 200..218 {
        let (picture, _) = drawn(number);
        place.write(&format!("new/{number}.png"), b"");
        picture.save(place.path(&format!("new/{number}.png"))).unwrap();
    }
    let of = |hit: &Value| {
        let number = hit["id"].as_str().unwrap().trim_end_matches(".png").parse().unwrap();
        drawn(number).1
    };
    let search = ["search", "pairs.djm", "new", "--text", "yellow stripes", "--top", "1", "--json"];
    let hits: Value = serde_json::from_str(&place.run(&search).fine().out).unwrap();
    assert_eq!(hits.as_array().unwrap().iter().map(of).collect::<Vec<_>>(), ["yellow stripes"], "{hits}");

    place.write("captions.csv", "caption\nred disc\nblack stripes\nblue checks\nwhite disc\n");
    let (picture, caption) = drawn(226);
    assert_eq!(caption, "black stripes");
    picture.save(place.path("asked.png")).unwrap();
    let search = ["search", "pairs.djm", "captions.csv", "--like", "asked.png", "--top", "1", "--json"];
    let hits: Value = serde_json::from_str(&place.run(&search).fine().out).unwrap();
    assert_eq!(hits[0]["id"], "captions.csv:3", "{hits}");

    let names = FORMS.map(|form| format!("green {form}")).join(",");
    let ended = place.run(&["search", "pairs.djm", "new", "--names", &names, "--json"]).fine();
    let named: Value = serde_json::from_str(&ended.out).unwrap();
    let right =
        named.as_array().unwrap().iter().filter(|row| {
            of(row).split(' ').next_back() == row["name"].as_str().unwrap().split(' ').next_back()
        });
    assert!(right.count() > 9, "of 18: {named}");

    // Files of one name in two folders are told apart.
    place.write("other/200.png", std::fs::read(place.path("new/200.png")).unwrap());
    let ended = place.run(&["search", "pairs.djm", "new", "other", "--names", &names, "--json"]).fine();
    let named: Value = serde_json::from_str(&ended.out).unwrap();
    let ids: Vec<&str> = named.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    for id in ["new/200.png", "other/200.png"] {
        assert_eq!(ids.iter().filter(|found| **found == id).count(), 1, "{id} in {ids:?}");
    }
}

#[test]
fn wrong_pairs_are_told_and_what_shares_nothing_is_refused() {
    let (place, told) = aligned(true);
    let wrong: Vec<String> =
        told["wrong"].as_array().unwrap().iter().map(|pair| pair[0].as_str().unwrap().to_owned()).collect();
    let planted = [7, 34, 61, 88].map(|row| format!("pairs.csv:{row}"));
    let found = planted.iter().filter(|row| wrong.contains(row)).count();
    assert!(found >= 2 && wrong.len() <= 16, "{wrong:?}");

    let unrelated: String =
        (0..108).map(|number| format!("pictures/{number}.png,order {}\n", number * 7919 % 1000)).collect();
    place.write("unrelated.csv", format!("picture,caption\n{unrelated}"));
    let ended = place.run(&["align", "unrelated.csv"]);
    assert!(ended.code != 0 && ended.err.contains("share nothing"), "{}", ended.told());
    place.write("few.csv", "picture,caption\npictures/1.png,green disc\npictures/2.png,blue disc\n");
    let ended = place.run(&["align", "few.csv"]);
    assert!(ended.code != 0 && ended.err.contains("at least 50"), "{}", ended.told());
    place.write("one.csv", "picture,label\npictures/1.png,x\n");
    let ended = place.run(&["align", "one.csv"]);
    assert!(ended.code != 0 && ended.err.contains("--left"), "{}", ended.told());
    let ended = place.run(&["search", "pairs.djm", "pictures"]);
    assert!(ended.code == 2 && ended.err.contains("--text"), "{}", ended.told());
    let ended = place.run(&["predict", "pairs.djm", "pictures"]);
    assert!(ended.code != 0 && ended.err.contains("ranks what goes together"), "{}", ended.told());
}

#[test]
fn names_of_files_that_cannot_be_read_are_no_texts_to_align() {
    let place = Place::new();
    let rows: String = (0..40).map(|number| format!("IMG_{number}.heic,{}\n", drawn(number).1)).collect();
    place.write("pairs.csv", format!("photo,note\n{rows}"));
    for arguments in [&["--left", "photo", "--right", "note"][..], &[]] {
        let ended = place.run(&[&["align", "pairs.csv"], arguments].concat());
        assert!(ended.code != 0 && ended.err.contains("column `photo` of"), "{}", ended.told());
        assert!(ended.err.contains("names files of an unknown kind (.heic)"), "{}", ended.told());
    }
    let ended = place.run_with(&["align", "pairs.csv"], &[("DIANJING_LANG", "zh")]);
    assert!(ended.err.contains("“photo”列指向的文件类型未知（.heic）"), "{}", ended.told());
}

#[test]
fn nothing_is_searched_for_by_no_words() {
    let place = Place::new();
    for arguments in [["--text", " "], ["--names", ","]] {
        let ended = place.run(&[&["search", "pairs.djm", "pictures"], &arguments[..]].concat());
        assert!(ended.code != 0 && ended.err.contains(arguments[0]), "{}", ended.told());
    }
}
