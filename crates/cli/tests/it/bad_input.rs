//! Bad input gets a clear error that names the file, the row and what to do.

use insta::assert_snapshot;

use crate::run::{Place, names};

#[test]
fn a_path_that_does_not_exist() {
    assert_snapshot!(Place::new().run(&["tune", "nowhere"]).told(), @r"
    exit 2
    error: `nowhere` does not exist
    hint: check the path
    ");
}

#[test]
fn an_empty_folder() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    assert_snapshot!(place.run(&["tune", "empty"]).told(), @r"
    exit 1
    error: `empty` holds no pictures, texts or tables
    hint: put pictures into one folder per class, or pass a CSV, JSONL or Parquet file
    ");
}

#[test]
fn one_class() {
    let place = Place::new();
    place.write("parts/good/a.png", "not looked at yet");
    assert_snapshot!(place.run(&["tune", "parts"]).told(), @r"
    exit 1
    error: `parts` has only one class, `good`; telling things apart needs at least two
    hint: add examples of a second class, such as `good` and `defect`
    ");
}

#[test]
fn a_table_without_the_label_column() {
    let place = Place::new();
    place.write("tickets.csv", "text,intent\nhello there,greet\n");
    assert_snapshot!(place.run(&["tune", "tickets.csv", "--label", "label"]).told(), @r"
    exit 2
    error: `tickets.csv` has no column `label`; it has `text`, `intent`
    hint: correct the name; names are compared exactly
    ");
}

#[test]
fn a_table_without_rows() {
    let place = Place::new();
    place.write("tickets.csv", "text,intent\n");
    assert_snapshot!(place.run(&["tune", "tickets.csv"]).told(), @r"
    exit 1
    error: `tickets.csv` has no rows below its header
    hint: check that the file was saved
    ");
}

#[test]
fn no_base_and_no_network() {
    let place = Place::new();
    place.pictures("parts", 2);
    let ended = place.run(&["tune", "parts", "--offline", "--cache", "cache"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("efficientnet-lite2") && ended.err.contains("base import"), "{}", ended.err);
}

#[test]
fn what_is_no_bundle() {
    let place = Place::new();
    place.write("x.djm", "hello");
    let ended = place.run(&["verify", "x.djm"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.starts_with("error: `x.djm` is not a bundle"), "{}", ended.err);
}

#[test]
fn a_share_that_is_none() {
    let place = Place::new();
    assert_snapshot!(place.run(&["tune", "parts", "--errors", "5"]).told(), @r"
    exit 2
    error: --errors 5 is not between 0 and 1; 0.05 means one wrong answer in twenty
    ");
}

#[test]
fn messages_are_chinese_for_a_chinese_reader() {
    let place = Place::new();
    let ended = place.run_with(&["--help"], &[("DIANJING_LANG", "zh")]).fine();
    assert!(ended.out.contains("用带标注的样本做出小模型"), "{}", ended.out);
    assert_snapshot!(place.run_with(&["tune", "nowhere"], &[("DIANJING_LANG", "zh")]).told(), @r"
    exit 2
    错误：“nowhere”不存在
    提示：请检查路径
    ");
    place.write("tickets.csv", "text,intent\nhello there,greet\n");
    let ended = place.run_with(&["tune", "tickets.csv", "--label", "x"], &[("DIANJING_LANG", "zh")]);
    assert_snapshot!(ended.told(), @r"
    exit 2
    错误：“tickets.csv”没有“x”列；现有列：text、intent
    提示：请更正列名；列名须完全一致
    ");
}

#[test]
fn a_folder_with_broken_files_is_tuned_all_the_same() {
    let place = Place::new();
    place.pictures("parts", 12);
    place.write("parts/disc/zero.png", "");
    place.write("parts/disc/letter.jpg", "Dear customer");
    let half = std::fs::read(place.path("parts/disc/00.png")).unwrap();
    place.write("parts/stripes/half.png", &half[..half.len() / 2]);
    let ended = place.run(&["tune", "parts", "--base", "efficientnet-lite0", "--json"]).fine();
    for told in [
        "zero.png: the file is empty",
        "letter.jpg: this is not a picture (it holds text)",
        "half.png: the picture is damaged",
    ] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
    let result: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (result["examples"].as_u64(), result["problems"].as_array().map(Vec::len)),
        (Some(24), Some(3))
    );
    assert_eq!(names(place.dir.path()), ["parts", "parts.djm", "parts.report.html"]);
}

#[test]
fn a_wrong_path_in_row_57_is_named() {
    let place = Place::new();
    place.pictures("pictures", 30);
    let row = |index: u32| {
        let kind = if index.is_multiple_of(2) { "disc" } else { "stripes" };
        let name = if index == 55 { "gone".to_owned() } else { format!("{:02}", index / 2) };
        format!("pictures/{kind}/{name}.png,{kind}\n")
    };
    place.write("parts.csv", "image,label\n".to_owned() + &(0..60).map(row).collect::<String>());
    let ended = place.run(&["tune", "parts.csv", "--base", "efficientnet-lite0"]).fine();
    assert!(
        ended.err.contains("parts.csv:57, column `image`: `pictures/stripes/gone.png` does not exist"),
        "{}",
        ended.err
    );
}

#[test]
fn nothing_of_the_users_is_written_over() {
    let place = Place::new();
    place.pictures("parts", 2);
    place.write("keep/precious.txt", "mine");
    place.write("table.csv", "text,label\n");
    for out in ["parts", "keep", "table.csv", "."] {
        let ended = place.run(&["tune", "parts", "--out", out]);
        assert_eq!(ended.code, 2, "{out}: {}", ended.err);
    }
    assert_eq!(names(place.dir.path()), ["keep", "parts", "table.csv"]);
    assert_eq!(names(&place.path("keep")), ["precious.txt"]);
}

#[test]
fn a_manifest_that_was_changed() {
    let place = Place::new();
    place.pictures("parts", 6);
    place.run(&["tune", "parts", "--base", "efficientnet-lite0", "--out", "model"]).fine();
    place.run(&["verify", "model"]).fine();
    let manifest = std::fs::read_to_string(place.path("model/manifest.toml")).unwrap();
    place.write("model/manifest.toml", manifest.replace("disc", "disk"));
    for verb in [&["verify", "model"][..], &["predict", "model", "parts/disc/00.png"]] {
        let ended = place.run(verb);
        assert_eq!(ended.code, 1);
        assert!(ended.err.starts_with("error: `manifest.toml` in `model` was changed"), "{}", ended.err);
    }
}

#[test]
fn settings_from_the_environment_are_read_as_people_write_them() {
    let place = Place::new();
    for (value, offline) in [("1", "true"), ("true", "true"), ("0", "false"), ("", "false")] {
        let shown = place.run_with(&["config", "show"], &[("DIANJING_OFFLINE", value)]).fine();
        let line = shown.out.lines().find(|line| line.contains("offline")).unwrap();
        assert!(line.contains(offline), "{value}: {line}");
    }
    for threads in ["0", "100000"] {
        assert_eq!(place.run(&["config", "show", "--threads", threads]).code, 2, "{threads}");
    }
}

#[test]
fn skipped_lines_are_no_failure_but_nobody_is_sure_of_them() {
    let place = Place::new();
    let row = |index: usize| format!("{} number {index},{}\n", ["card", "refund"][index % 2], index % 2);
    place.write("t.csv", "text,label\n".to_owned() + &(0..24).map(row).collect::<String>());
    place.run(&["tune", "t.csv", "--base", "minilm-l6-en"]).fine();
    place.write("new.csv", "text\nmy card\n\"\"\nmy refund\n\"\"\n");
    assert_eq!(place.run(&["predict", "t.djm", "new.csv"]).code, 0);
    assert_eq!(place.run(&["predict", "t.djm", "new.csv", "--fail-on-unsure"]).code, 3);
    place.write("empty.csv", "text\n\"\"\n");
    assert_eq!(place.run(&["predict", "t.djm", "empty.csv"]).code, 1);
}

#[test]
fn a_key_that_was_mistyped_overwrites_no_other() {
    let place = Place::new();
    place.pictures("parts.v2", 6);
    place.run(&["tune", "parts.v2", "--base", "efficientnet-lite0"]).fine();
    // What follows a dot in a folder's name is part of the name.
    assert_eq!(names(place.dir.path()), ["parts.v2", "parts.v2.djm", "parts.v2.report.html"]);
    place.write("me.pub", "somebody's");
    assert_snapshot!(place.run(&["sign", "parts.v2.djm", "--key", "me.key"]).told(), @r"
    exit 2
    error: there is no secret key `me.key`, but `me.pub` exists; correct --key, or name a new one
    ");
    assert_eq!(std::fs::read_to_string(place.path("me.pub")).unwrap(), "somebody's");
}
