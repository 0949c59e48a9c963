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
    error: `empty` holds no pictures, texts, sounds, videos, series or tables
    hint: put pictures, texts, sounds, videos or series into one folder per class, or pass a CSV, JSONL or Parquet file
    ");
}

#[test]
fn one_class() {
    let place = Place::new();
    place.write("parts/red/a.png", "not looked at yet");
    assert_snapshot!(place.run(&["tune", "parts"]).told(), @r"
    exit 1
    error: `parts` has only one class, `red`; telling things apart needs at least two
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

#[test]
fn nothing_is_written_over_that_the_program_did_not_write() {
    let place = Place::new();
    place.pictures("parts", 6);
    place.run(&["tune", "parts", "--base", "efficientnet-lite0"]).fine();
    // The same again replaces what the first run wrote.
    place.run(&["tune", "parts", "--base", "efficientnet-lite0"]).fine();
    place.run(&["export", "parts.djm", "--onnx", "graph.onnx"]).fine();
    place.run(&["export", "parts.djm", "--onnx", "graph.onnx"]).fine();
    place.write("mine.tar", "precious");
    place.write("mine.onnx", "precious");
    place.write("mine.djm", "precious");
    place.write("mine.html", "precious");
    for arguments in [
        &["base", "export", "efficientnet-lite0", "--out", "mine.tar"][..],
        &["export", "parts.djm", "--onnx", "mine.onnx"],
        &["export", "parts.djm", "--onnx", "parts.djm"],
        &["tune", "parts", "--out", "mine.djm"],
        &["tune", "parts", "--report", "mine.html"],
    ] {
        let ended = place.run(arguments);
        assert!(ended.code == 2 && ended.err.contains("is already there"), "{arguments:?}: {}", ended.err);
    }
    for name in ["mine.tar", "mine.onnx", "mine.djm", "mine.html"] {
        assert_eq!(std::fs::read_to_string(place.path(name)).unwrap(), "precious");
    }
}

#[test]
fn texts_for_a_base_of_pictures() {
    let place = Place::new();
    place.write("t.csv", "text,label\nhello there,a\ngood bye,b\n");
    let ended = place.run(&["tune", "t.csv", "--base", "efficientnet-lite0"]);
    let told: Vec<&str> = ended.err.lines().filter(|line| !line.starts_with("note")).collect();
    assert_snapshot!(told.join("\n"), @r"
    error: base `efficientnet-lite0` takes pictures, but the data holds texts
    hint: pass data of that kind, or name another base with --base
    ");
}

#[test]
fn classes_the_bundle_does_not_know_are_named() {
    let place = Place::new();
    place.pictures("parts", 6);
    place.run(&["tune", "parts", "--base", "efficientnet-lite0"]).fine();
    place.pictures("new", 3);
    std::fs::rename(place.path("new/disc"), place.path("new/ring")).unwrap();
    let ended = place.run(&["evaluate", "parts.djm", "new"]).fine();
    assert!(ended.err.contains("the bundle does not know ring"), "{}", ended.err);
}

#[test]
fn a_bundle_of_a_newer_program_or_another_base() {
    let place = Place::new();
    place.pictures("parts", 6);
    place.run(&["tune", "parts", "--base", "efficientnet-lite0", "--out", "model"]).fine();
    let manifest = std::fs::read_to_string(place.path("model/manifest.toml")).unwrap();
    // Newer programs may add what this one has never heard of; the number is read first.
    place.write("model/manifest.toml", manifest.replace("format = 4", "format = 99\nnews = \"from afar\""));
    assert_snapshot!(place.run(&["predict", "model", "parts"]).told(), @r"
    exit 1
    error: `model` has format 99; this program reads up to 4
    hint: install a newer Dianjing
    ");
    // A base of the same name with other weights: another hash in a manifest that is whole in itself.
    let hash = manifest.lines().find_map(|line| line.strip_prefix("hash = ")).unwrap().trim_matches('"');
    let other = manifest.replace(hash, &"0".repeat(hash.len()));
    let stamp = std::fs::read_to_string(place.path("model/created.toml")).unwrap();
    let before = store::Hash::of(manifest.as_bytes()).to_string();
    let after = store::Hash::of(other.as_bytes()).to_string();
    assert!(stamp.contains(&before), "{stamp}");
    place.write("model/created.toml", stamp.replace(&before, &after));
    place.write("model/manifest.toml", other);
    let ended = place.run(&["predict", "model", "parts"]);
    assert!(
        ended.code == 1
            && ended.err.starts_with("error: the bundle needs base `efficientnet-lite0` with hash 0000"),
        "{}",
        ended.err
    );
}

#[test]
fn lines_from_stdin_are_named_by_their_number() {
    let place = Place::new();
    let row = |index: usize| format!("{} number {index},{}\n", ["card", "refund"][index % 2], index % 2);
    place.write("t.csv", "text,label\n".to_owned() + &(0..24).map(row).collect::<String>());
    place.run(&["tune", "t.csv", "--base", "minilm-l6-en"]).fine();
    let ended = place.run_on(b"my card\n\nmy refund", &["predict", "t.djm", "-", "--json"]).fine();
    let rows: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let ids: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["-:1", "-:3", "-:2"]);
    assert_eq!(rows[2]["problem"]["kind"], "empty-cell");
}

#[test]
fn mistaken_commands_are_told_in_chinese() {
    let told = |arguments: &[&str]| Place::new().run_with(arguments, &[("DIANJING_LANG", "zh")]).told();
    assert_snapshot!(told(&["tune", "parts", "--lable", "x"]), @r"
    exit 2
    错误：没有参数“--lable”
    提示：是否想用“--label”？
    更多说明：加上 --help
    ");
    assert_snapshot!(told(&["verify", "nowhere.djm"]), @r"
    exit 1
    错误：无法读取“nowhere.djm”：No such file or directory (os error 2)
    ");
    assert_snapshot!(told(&["base", "pull", "nobase"]), @r"
    exit 2
    错误：没有名为“nobase”的底座；已知：bge-small-zh、clip-vit-b32、clip-vit-l14-openai、dinov2-small、efficientnet-lite0、efficientnet-lite2、efficientnet-lite2-video、minilm-l6-en、multilingual-e5-small、multilingual-e5-small-full、use-multilingual、whisper-base
    提示：dianjing base list 列出所有底座
    ");
    assert_snapshot!(told(&["tune", "parts", "--errors", "5"]), @r"
    exit 2
    错误：--errors 5 不在 0 和 1 之间；0.05 表示二十个答案中至多一个错误
    ");
}

#[test]
fn what_only_looks_like_a_bundle_is_not_replaced() {
    let place = Place::new();
    place.pictures("parts", 2);
    place.write("project/manifest.toml", "name = \"mine\"\n");
    place.write("project/thesis.txt", "precious");
    place.write("notes.djm", "see manifest.toml");
    for out in ["project", "notes.djm"] {
        let ended = place.run(&["tune", "parts", "--out", out]);
        assert!(ended.code == 2 && ended.err.contains("is already there"), "{out}: {}", ended.err);
    }
    assert_eq!(names(&place.path("project")), ["manifest.toml", "thesis.txt"]);
}

#[test]
fn a_secret_key_is_not_called_like_a_public_one() {
    let place = Place::new();
    place.pictures("parts", 6);
    place.run(&["tune", "parts", "--base", "efficientnet-lite0"]).fine();
    let ended = place.run(&["sign", "parts.djm", "--key", "me.pub"]);
    assert!(ended.code == 2 && ended.err.contains("is the name of a public key"), "{}", ended.err);
    assert!(!place.path("me.pub").exists());
}

#[test]
fn with_too_few_examples_nothing_is_promised() {
    let place = Place::new();
    place.pictures("parts", 6);
    place.run(&["tune", "parts", "--base", "efficientnet-lite0"]).fine();
    let ended = place.run(&["predict", "parts.djm", "parts/disc/00.png", "gone.png"]).fine();
    assert!(
        ended.out.contains("unproven") && ended.out.contains("`gone.png` does not exist"),
        "{}",
        ended.out
    );
    assert!(ended.err.contains("too few examples to promise"), "{}", ended.err);
    assert_eq!(place.run(&["predict", "parts.djm", "parts", "--fail-on-unsure"]).code, 3);
}

#[test]
fn odd_tables_and_variables() {
    let place = Place::new();
    place.write("nul.csv", b"text,intent\n\0\0\0\0\n\0\0\n");
    let ended = place.run(&["tune", "nul.csv"]);
    assert!(ended.code == 1 && !ended.err.contains("problem: \n"), "{}", ended.err);
    place.write("t.csv", "text,intent\nhello,a\nbye,b\n");
    assert_snapshot!(place.run(&["tune", "t.csv", "--text", "intent", "--label", "intent"]).told(), @r"
    exit 1
    error: column `intent` of `t.csv` cannot be both the content and the label
    hint: name another column with --label
    ");
    for variable in ["DIANJING_THREADS", "DIANJING_ENGINE", "DIANJING_CACHE"] {
        place.run_with(&["config", "show"], &[(variable, "")]).fine();
    }
}
