//! From findings to a new revision: what is accepted is done, in a new file, and nothing else is touched.

use crate::run::Place;

/// Discs and stripes with three wrong labels and one copy; gives the findings.
fn audited(place: &Place) -> serde_json::Value {
    place.pictures("d", 14);
    for number in ["02", "05"] {
        std::fs::rename(
            place.path(&format!("d/disc/{number}.png")),
            place.path(&format!("d/stripes/x{number}.png")),
        )
        .unwrap();
    }
    std::fs::copy(place.path("d/stripes/07.png"), place.path("d/stripes/copy.png")).unwrap();
    place.run(&["audit", "d", "--base", "efficientnet-lite0", "--out", "findings.json"]).fine();
    serde_json::from_slice(&std::fs::read(place.path("findings.json")).unwrap()).unwrap()
}

fn numbers(found: &serde_json::Value, fault: &str) -> Vec<u64> {
    let findings = found["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["fault"] == fault)
        .filter_map(|finding| finding["number"].as_u64())
        .collect()
}

#[test]
fn accepted_findings_become_a_revision_and_the_data_stay() {
    let place = Place::new();
    let found = audited(&place);
    let advised = |advice: &serde_json::Value| advice["action"] == "relabel" && advice["n"] == 2;
    assert!(found["advice"].as_array().unwrap().iter().any(advised), "{}", found["advice"]);
    let labels = numbers(&found, "label");
    assert_eq!(labels.len(), 2, "{found}");
    let applied = place.run(&[
        "apply",
        "findings.json",
        "--accept",
        "label,duplicate",
        "--base",
        "efficientnet-lite0",
        "--out",
        "second.csv",
        "--json",
    ]);
    let applied = applied.fine();
    let revision: serde_json::Value = serde_json::from_str(&applied.out).unwrap();
    assert_eq!(
        (revision["n"].as_u64(), revision["changes"].as_array().unwrap().len()),
        (Some(28), 3),
        "{revision}"
    );
    assert!(revision["realised"]["value"].is_number() && revision["predicted"]["low"].is_number());
    assert!(applied.err.contains("2 labels changed, 1 examples taken out, 28 left"), "{}", applied.err);
    // The old data are as they were, the new ones are right, and go where data go.
    assert!(place.path("d/stripes/x02.png").exists() && place.path("d/stripes/copy.png").exists());
    let table = std::fs::read_to_string(place.path("second.csv")).unwrap();
    assert!(table.contains("d/stripes/x02.png,disc") && !table.contains("copy.png"), "{table}");
    let again = place.run(&["audit", "second.csv", "--base", "efficientnet-lite0", "--json"]).fine();
    let again: serde_json::Value = serde_json::from_str(&again.out).unwrap();
    assert!(numbers(&again, "label").is_empty() && numbers(&again, "duplicate").is_empty(), "{again}");
    assert!(place.path("second.csv.revision.json").exists());
}

#[test]
fn what_cannot_be_applied_is_told_and_nothing_is_written() {
    let place = Place::new();
    let found = audited(&place);
    let count = found["findings"].as_array().unwrap().len();
    let apply = |accept: &str| {
        place.run(&[
            "apply",
            "findings.json",
            "--accept",
            accept,
            "--base",
            "efficientnet-lite0",
            "--out",
            "new.csv",
        ])
    };
    let told = apply("999");
    assert!(
        told.code == 1 && told.err.contains(&format!("no finding 999; there are {count}")),
        "{}",
        told.err
    );
    assert!(apply("everything").err.contains("names no findings"));
    let first = numbers(&found, "label")[0];
    let told = apply(&format!("{first}="));
    assert!(
        told.code == 1 && told.err.contains(&format!("finding {first} needs a decision")),
        "{}",
        told.err
    );
    apply(&format!("{first}=\"ring, thin\"")).fine();
    let table = std::fs::read_to_string(place.path("new.csv")).unwrap();
    assert!(table.contains(",\"ring, thin\","), "{table}");
    assert!(apply("label").err.contains("a revision is never written over"));
    std::fs::remove_file(place.path("new.csv")).unwrap();
    assert!(
        apply("label").err.contains("new.csv.revision.json` is already there"),
        "what was done then stays"
    );
    std::fs::remove_file(place.path("new.csv.revision.json")).unwrap();
    std::fs::remove_file(place.path("d/disc/00.png")).unwrap();
    assert!(apply("label").err.contains("not those that were audited"));
    assert!(!place.path("new.csv").exists());
    let chinese =
        place.run_with(&["apply", "d", "--accept", "1", "--out", "n.csv"], &[("DIANJING_LANG", "zh")]);
    assert!(chinese.code == 1 && chinese.err.contains("无法读取"), "{}", chinese.err);
}

#[test]
fn the_last_word_counts_and_nothing_that_was_known_is_lost() {
    let place = Place::new();
    place.pictures("d", 14);
    let mut table = "image,label,annotator,\"size, mm\"\n".to_owned();
    for kind in ["disc", "stripes"] {
        for row in 0..14 {
            let label = if (kind, row) == ("disc", 2) { "stripes" } else { kind };
            table.push_str(&format!("d/{kind}/{row:02}.png,{label},ann,{row}\n"));
        }
    }
    // Two that are the same and have no label, and one that cannot be read.
    let slope = image::RgbImage::from_fn(48, 48, |x, y| image::Rgb([(5 * x) as u8, (3 * y) as u8, 90]));
    slope.save(place.path("d/copy.png")).unwrap();
    slope.save(place.path("d/again.png")).unwrap();
    place.write("d/broken.png", b"\x89PNG\r\n\x1a\nno more");
    table.push_str("d/copy.png,,ann,1\nd/again.png,,ann,1\nd/broken.png,disc,ann,1\n");
    place.write("parts.csv", table);
    let base = ["--base", "efficientnet-lite0"];
    place.run(&["audit", "parts.csv", base[0], base[1], "--out", "findings.json"]).fine();
    let found: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.path("findings.json")).unwrap()).unwrap();
    let wrong = numbers(&found, "label");
    assert_eq!(wrong.len(), 1, "{found}");
    let back = format!("{}=stripes", wrong[0]);
    let accept = format!("label,duplicate,{back}");
    place
        .run(&["apply", "findings.json", "--accept", &accept, base[0], base[1], "--out", "second.csv"])
        .fine();
    let second = std::fs::read_to_string(place.path("second.csv")).unwrap();
    assert!(second.starts_with("image,label,\"size, mm\",annotator,id\n"), "{second}");
    assert!(second.contains("d/disc/02.png,stripes,2,ann,parts.csv:4"), "{second}");
    let copies = ["copy.png", "again.png"];
    assert_eq!(copies.iter().filter(|name| second.contains(*name)).count(), 1, "{second}");
    assert!(crate::run::names(place.dir.path()).iter().all(|name| !name.contains("draft")));
}
