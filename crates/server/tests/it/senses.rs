//! Videos, series, and several senses of one thing: the same way as photos, from what is dropped to what answers over HTTP.

use std::fmt::Write as _;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use server::Way;
use testkit::{Client, Told, id, photo};

use crate::running::{folder, start};

type Files = Vec<(String, Vec<u8>)>;

/// What `ffmpeg` makes of a scene, with a tone where `tone` is asked for.
fn clip(scene: &str, more: &[&str], ending: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(format!("clip.{ending}"));
    let run = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", scene])
        .args(more)
        .arg(&path)
        .output()
        .expect("ffmpeg is installed: `apt install ffmpeg`");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    std::fs::read(path).expect("it was written")
}

/// A square that crosses from one side to the other, at a height of its own.
fn crossing(to_the_right: bool, number: u32) -> Vec<u8> {
    let (x, y) = (if to_the_right { "4+56*t" } else { "124-56*t" }, 5 + 9 * number);
    let scene = format!(
        "color=c=0xdddddd:s=160x120:r=10:d=2[g];color=c=0x2040c0:s=28x28:r=10:d=2[s];[g][s]overlay=x={x}:y={y}"
    );
    clip(&scene, &["-f", "lavfi", "-i", "sine=d=2", "-pix_fmt", "yuv420p", "-shortest"], "mp4")
}

/// A sensor that swings fast or slowly, with another one beside it.
fn trace(fast: bool, number: u32) -> Vec<u8> {
    let mut rows = "time,vibration,force\n".to_owned();
    for step in 0..240_u32 {
        let pitch = if fast { 0.9 } else { 0.3 };
        let noise = f64::from((step * 37 + number * 101) % 97) / 97.0 - 0.5;
        let value = (f64::from(step) * pitch + f64::from(number)).sin() + 0.6 * noise;
        writeln!(rows, "{:.2},{value:.4},{:.3}", f64::from(step) * 0.01, noise + 2.0).expect("a text");
    }
    rows.into_bytes()
}

/// A form with these parts.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let part = |(name, file, bytes): &(&str, Option<&str>, &[u8])| {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let head = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        [head.as_bytes(), bytes, b"\r\n"].concat()
    };
    let parts: Vec<Vec<u8>> = parts.iter().map(part).collect();
    [parts.concat(), b"--edge--\r\n".to_vec()].concat()
}

fn ask(client: &Client, path: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Told {
    client.ask("POST", path, Some("multipart/form-data; boundary=edge"), &form(parts))
}

fn header<'t>(told: &'t Told, name: &str) -> Option<&'t str> {
    told.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Looked at, with labels learned from beside who gives them.
#[track_caller]
fn looked(owner: &Client, dataset: &str) -> Value {
    let live = format!("/v1/datasets/{dataset}/live");
    owner.until(|| {
        let told = owner.get(&live);
        assert_eq!(told.status, 200, "{told:?}");
        assert_ne!(told.body["state"], "failed", "{told:?}");
        (told.body["state"] == "ready").then_some(told.body)
    })
}

/// What could not be used.
fn problems(owner: &Client, dataset: &str) -> String {
    owner.get(&format!("/v1/datasets/{dataset}/problems")).text
}

fn named(owner: &Client, dataset: &str, name: &str) -> Value {
    let found = owner.get(&format!("/v1/datasets/{dataset}/examples?q={name}")).body;
    assert_eq!(found["total"], 1, "{found}");
    found["examples"][0].clone()
}

fn of(example: &Value, what: &str) -> String {
    format!("/v1/examples/{}/{what}", example["id"].as_str().expect("an id"))
}

/// Looks through, tunes, and lets the model answer under a name.
#[track_caller]
fn deployed(owner: &Client, dataset: &str, name: &str) -> Value {
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let audited = owner.wait(&id(&owner.post(&at("/audit"), &json!({}))));
    assert_eq!(audited["state"], "done", "{audited}");
    assert!(!owner.get(&at("/worklist")).body["checks"].as_array().expect("checks").is_empty());
    let tuned = owner.wait(&id(&owner.post(&at("/tune"), &json!({ "name": name }))));
    assert_eq!(tuned["state"], "done", "{tuned}");
    let model = tuned["result"]["model"].as_str().expect("a model").to_owned();
    let report = owner.get(&format!("/v1/models/{model}/report?lang=zh"));
    assert!(report.text.contains("准确率"), "the report is Chinese");
    let put = owner.send("PUT", &format!("/v1/deployments/{name}"), &json!({ "model": model }));
    assert_eq!(put.status, 200, "{put:?}");
    owner.get(&format!("/v1/models/{model}")).body
}

/// An export with its files, brought in again as another data set.
#[track_caller]
fn out_and_in(owner: &Client, dataset: &str, format: &str) -> Value {
    let sent = owner.get(&format!("/v1/datasets/{dataset}/export?format={format}&files=1"));
    assert_eq!(sent.status, 200, "{}", sent.text);
    let again = owner.bring(format, &[("set.zip".into(), sent.bytes)]);
    owner.get(&format!("/v1/datasets/{again}")).body
}

/// Thumbnails, the strip, the whole and parts of it; what is no video is never told to be one.
#[track_caller]
fn videos_are_sent(owner: &Client, dataset: &str, first_bytes: &[u8]) {
    let first = named(owner, dataset, "right/0.mp4");
    for path in ["thumbnail", "thumbnail?strip=1"] {
        let picture = owner.get(&of(&first, path));
        assert_eq!((picture.status, header(&picture, "content-type")), (200, Some("image/jpeg")), "{path}");
    }
    let whole = owner.get(&of(&first, "content"));
    assert_eq!(
        (header(&whole, "content-type"), header(&whole, "accept-ranges")),
        (Some("video/mp4"), Some("bytes"))
    );
    assert!(whole.bytes == first_bytes);
    let part = owner.with("range", "bytes=100-199").get(&of(&first, "content"));
    let place = format!("bytes 100-199/{}", whole.bytes.len());
    assert_eq!((part.status, header(&part, "content-range")), (206, Some(place.as_str())));
    assert!(part.bytes == whole.bytes[100..200]);
    assert_eq!(owner.with("range", "bytes=99999999-").get(&of(&first, "content")).status, 416);
    let page = owner.get(&of(&named(owner, dataset, "page.mp4"), "content"));
    assert_eq!(header(&page, "content-type"), Some("application/octet-stream"), "no page is told to be one");
    assert_eq!(owner.get(&of(&named(owner, dataset, "only-sound.mp4"), "thumbnail?strip=1")).status, 404);
}

#[test]
fn videos_go_from_a_folder_to_a_url() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let mut files: Files = Vec::new();
    for number in 0..8 {
        files.push((format!("clips/right/{number}.mp4"), crossing(true, number)));
        files.push((format!("clips/left/{number}.mp4"), crossing(false, number)));
    }
    files.push(("clips/unlabelled/new.mp4".into(), crossing(true, 9)));
    files.push(("clips/unlabelled/only-sound.mp4".into(), clip("sine=d=1", &[], "mp4")));
    files.push(("clips/unlabelled/page.mp4".into(), b"<!doctype html><script>alert(1)</script>".to_vec()));
    let dataset = owner.bring("clips", &files);
    let told = owner.get(&format!("/v1/datasets/{dataset}")).body;
    assert_eq!(
        (&told["modality"], &told["n_examples"], &told["n_labelled"]),
        (&json!("video"), &json!(19), &json!(16)),
        "{told}"
    );

    videos_are_sent(&owner, &dataset, &files[0].1);

    looked(&owner, &dataset);
    let told = problems(&owner, &dataset);
    assert!(told.contains("only-sound.mp4") && told.contains("page.mp4"), "{told}");
    let new = named(&owner, &dataset, "new.mp4");
    let put = format!("/v1/examples/{}/marks", new["id"].as_str().expect("an id"));
    let mark = json!([{ "class": "a", "shape": "box", "x": 1.0, "y": 1.0, "width": 2.0, "height": 1.0 }]);
    assert_eq!(
        owner.send("PUT", &put, &json!({ "marks": mark })).status,
        422,
        "a video has no place for a box"
    );
    let labels = format!("/v1/datasets/{dataset}/labels");
    owner.post(&labels, &json!({ "example": new["id"], "label": "right" }));

    let model = deployed(&owner, &dataset, "ways");
    assert_eq!((&model["modality"], &model["n_examples"]), (&json!("video"), &json!(17)), "{model}");
    let (left, sound) = (crossing(false, 10), clip("sine=d=1", &[], "mp4"));
    let clips = [("file", Some("new.mp4"), &left[..]), ("file", Some("tone.mp4"), &sound[..])];
    let answers = ask(&owner, "/v1/predict/ways", &clips);
    assert_eq!(answers.body["predictions"][0]["answer"], "left", "{answers:?}");
    let problem = answers.body["predictions"][1]["problem"].as_str().expect("a problem");
    assert!(!problem.contains("/tmp"), "{problem}");
    let told = owner.post("/v1/predict/ways", &json!({ "inputs": [{ "video": STANDARD.encode(&left) }] }));
    assert_eq!(told.body["predictions"][0]["answer"], "left", "{told:?}");
    assert_eq!(owner.get("/v1/deployments/ways/monitor").body["days"][0]["n_requests"], 2);

    let formats = owner.get(&format!("/v1/datasets/{dataset}/export/formats")).text;
    assert!(formats.contains("videos are not pictures"), "{formats}");
    for format in ["csv", "jsonl", "parquet", "label-studio", "folders"] {
        let again = out_and_in(&owner, &dataset, format);
        assert_eq!(
            (&again["modality"], &again["n_labelled"]),
            (&json!("video"), &json!(17)),
            "{format}: {again}"
        );
    }
}

/// A table that comes alone to a data set of series is a series.
#[track_caller]
fn one_more_series(owner: &Client, dataset: &str) {
    let upload = id(&owner.post(&format!("/v1/datasets/{dataset}/uploads"), &json!({})));
    let put = format!("/v1/uploads/{upload}/file?path=new.csv");
    owner.ask("PUT", &put, Some("application/octet-stream"), &trace(true, 40));
    let came = owner.wait(&id(&owner.post(&format!("/v1/uploads/{upload}/finish"), &json!({}))));
    assert_eq!(came["result"]["n_examples"], 1, "{came}");
}

#[test]
fn series_go_from_a_folder_to_a_url() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let mut files: Files = Vec::new();
    for number in 0..10 {
        files.push((format!("machine/fast/{number}.csv"), trace(true, number)));
        files.push((format!("machine/slow/{number}.csv"), trace(false, number)));
    }
    files.push((
        "machine/slow/words.csv".into(),
        b"time,vibration\n0.1,loud\n0.2,louder\n0.3,quiet\n".to_vec(),
    ));
    let dataset = owner.bring("machine", &files);
    let told = owner.get(&format!("/v1/datasets/{dataset}")).body;
    assert_eq!((&told["modality"], &told["n_examples"]), (&json!("series"), &json!(21)), "{told}");

    let first = named(&owner, &dataset, "fast/0.csv");
    let course = owner.get(&of(&first, "series")).body;
    assert_eq!(
        (&course["n_steps"], &course["channels"][0]["name"]),
        (&json!(240), &json!("vibration")),
        "{course}"
    );
    assert!((course["rate"].as_f64().expect("a clock") - 100.0).abs() < 0.1);
    assert_eq!(course["channels"][1]["values"].as_array().map(Vec::len), Some(240));
    assert_eq!(header(&owner.get(&of(&first, "thumbnail")), "content-type"), Some("image/jpeg"));
    assert_eq!(header(&owner.get(&of(&first, "content")), "content-type"), Some("application/octet-stream"));
    let words = owner.get(&of(&named(&owner, &dataset, "words.csv"), "series"));
    assert!(words.status == 422 && words.text.contains("vibration"), "{words:?}");

    looked(&owner, &dataset);
    assert!(problems(&owner, &dataset).contains("words.csv"));
    one_more_series(&owner, &dataset);
    let new = named(&owner, &dataset, "new.csv");
    owner.post(&format!("/v1/datasets/{dataset}/labels"), &json!({ "example": new["id"], "label": "fast" }));
    looked(&owner, &dataset);

    let model = deployed(&owner, &dataset, "speed");
    assert_eq!((&model["modality"], &model["base"]), (&json!("series"), &json!("series-kernels")), "{model}");
    let (fast, bad) = (trace(true, 77), b"time,vibration\n0,loud\n1,quiet\n");
    let answers =
        ask(&owner, "/v1/predict/speed", &[("file", Some("a.csv"), &fast), ("file", Some("b.csv"), bad)]);
    assert_eq!(answers.body["predictions"][0]["answer"], "fast", "{answers:?}");
    assert!(answers.body["predictions"][1]["problem"].as_str().is_some_and(|told| !told.contains("/tmp")));
    let json = json!({ "inputs": [{ "series": STANDARD.encode(&fast) }] });
    assert_eq!(owner.post("/v1/predict/speed", &json).body["predictions"][0]["answer"], "fast");
    let tensor =
        json!({ "name": "input", "datatype": "BYTES", "shape": [1], "data": [STANDARD.encode(&fast)] });
    let inferred = owner.post("/v2/models/speed/infer", &json!({ "inputs": [tensor] }));
    assert_eq!(inferred.body["outputs"][0]["data"], json!(["fast"]), "{inferred:?}");

    let formats = owner.get(&format!("/v1/datasets/{dataset}/export/formats")).text;
    assert!(formats.contains("it holds no series"), "{formats}");
    for format in ["csv", "jsonl", "parquet", "folders"] {
        let again = out_and_in(&owner, &dataset, format);
        assert_eq!(
            (&again["modality"], &again["n_labelled"]),
            (&json!("series"), &json!(22)),
            "{format}: {again}"
        );
    }
}

/// A table of machines with a photo, a trace and a note each; the photo tells one half of the class, the trace the other.
fn machines(n: u32) -> (Vec<Value>, Files) {
    let (mut rows, mut files): (Vec<Value>, Files) = (Vec::new(), Vec::new());
    for number in 0..n {
        let (dirty, slow) = (number / 2 % 2 == 1, number % 2 == 1);
        let colour = if dirty { [70, 50, 30] } else { [150, 150, 210] };
        files.push((format!("set/photos/{number}.png"), photo(colour, number)));
        files.push((format!("set/traces/{number}.csv"), trace(!slow, number)));
        let label =
            format!("{} {}", if dirty { "dirty" } else { "clean" }, if slow { "slow" } else { "fast" });
        let note =
            ["looks as always", "a customer called about it", "checked on the round"][number as usize % 3];
        rows.push(json!({ "photo": format!("photos/{number}.png"), "trace": format!("traces/{number}.csv"), "note": note, "label": label }));
    }
    (rows, files)
}

fn lines(rows: &[Value]) -> Vec<u8> {
    rows.iter().map(|row| format!("{row}\n")).collect::<String>().into_bytes()
}

/// Which senses of which row are there, and what each of them sends.
#[track_caller]
fn senses_are_sent(owner: &Client, dataset: &str) {
    let [all, lost, without] = ["parts.jsonl:1", "parts.jsonl:8", "parts.jsonl:11"].map(|name| {
        let page = owner.get(&format!("/v1/datasets/{dataset}/examples?limit=50")).body;
        let examples = page["examples"].as_array().expect("examples").clone();
        let example = examples.into_iter().find(|example| example["name"] == name).expect("a row");
        example["senses"].as_array().expect("senses").len()
    });
    assert_eq!([all, lost, without], [3, 2, 2]);

    let example = named(owner, dataset, "parts.jsonl:40");
    assert_eq!(header(&owner.get(&of(&example, "thumbnail")), "content-type"), Some("image/jpeg"));
    assert_eq!(header(&owner.get(&of(&example, "content?sense=photo")), "content-type"), Some("image/png"));
    assert_eq!(owner.get(&of(&example, "content?sense=note")).text, "looks as always");
    assert_eq!(owner.get(&of(&example, "series?sense=trace")).body["n_steps"], 240);
    assert_eq!(owner.get(&of(&example, "content?sense=smell")).status, 404);
    assert_eq!(
        owner.get(&format!("/v1/datasets/{dataset}/examples?q=customer")).body["total"],
        13,
        "texts are searched"
    );
}

/// Whatever is there is asked about; what is missing is told, and what is unknown refused.
#[track_caller]
fn senses_are_asked(owner: &Client) {
    let (dirty, slow) = (photo([70, 50, 30], 90), trace(false, 90));
    let both = [("photo", Some("p.png"), &dirty[..]), ("trace", Some("t.csv"), &slow[..])];
    let told = ask(owner, "/v1/predict/machines", &both).body["predictions"][0].clone();
    assert_eq!(told["answer"], "dirty slow", "{told}");
    let share = |told: &Value, sense: &str| {
        let senses = told["senses"].as_array().expect("senses").clone();
        senses.into_iter().find(|share| share["sense"] == sense).expect("it takes this one")
    };
    assert!(share(&told, "trace")["share"].as_f64().expect("a share") > 0.1, "{told}");
    let alone = json!({ "inputs": [{ "photo": STANDARD.encode(&dirty) }, { "photo": "bm8=" }] });
    let told = owner.post("/v1/predict/machines", &alone).body["predictions"].clone();
    assert_eq!(share(&told[0], "trace")["present"], false, "{told}");
    assert!(told[0]["answer"].as_str().is_some_and(|answer| answer.starts_with("dirty")), "{told}");
    assert!(
        told[1]["answer"].is_null() && told[1]["problem"].as_str().is_some_and(|text| text.contains("photo")),
        "{told}"
    );
    let other = owner.post("/v1/predict/machines", &json!({ "inputs": [{ "smell": "x" }] }));
    assert!(other.status == 422 && other.text.contains("photo, trace"), "{other:?}");
    assert_eq!(owner.post("/v2/models/machines/infer", &json!({ "inputs": [] })).status, 409);
    assert_eq!(owner.get("/v1/deployments/machines/monitor").body["days"][0]["n_requests"], 2);
    // How each is seen is watched where it is there, and written down by the hundred.
    let many = vec![json!({ "photo": STANDARD.encode(&dirty), "trace": STANDARD.encode(&slow) }); 100];
    assert_eq!(owner.post("/v1/predict/machines", &json!({ "inputs": many })).status, 200);
    let seen = || owner.get("/v1/deployments/machines/monitor").body["drift"]["seen"].clone();
    let seen = owner.until(|| Some(seen()).filter(|seen| seen["n"] == 102));
    let told = |one: &Value| format!("{} {} {}", one["sense"], one["n"], one["changed"]);
    let told: Vec<String> = seen["senses"].as_array().expect("each sense").iter().map(told).collect();
    assert_eq!(told, [r#""note" 0 false"#, r#""photo" 102 false"#, r#""trace" 101 false"#], "{seen}");
}

#[test]
fn several_senses_go_from_a_table_to_a_url() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    several_senses(&server.owner());
}

/// From a table to a URL, and out and in again.
pub(crate) fn several_senses(owner: &Client) {
    let (mut rows, mut files) = machines(40);
    rows[5]["photo"] = json!("photos/lost.png");
    rows[6]["photo"] = json!("../../secret.png");
    rows[7]["photo"] = json!("/etc/hostname");
    rows[10].as_object_mut().expect("a row").remove("trace");
    rows[11]["label"] = json!("");
    files.push(("set/parts.jsonl".into(), lines(&rows)));
    // The only table of the folder that was dropped, with folders beside it.
    let dataset = owner.bring("machines", &files);
    let told = owner.get(&format!("/v1/datasets/{dataset}")).body;
    assert_eq!(
        (&told["modality"], &told["n_examples"], &told["n_labelled"]),
        (&json!("senses"), &json!(40), &json!(39)),
        "{told}"
    );
    let kinds: Vec<String> = told["senses"]
        .as_array()
        .expect("senses")
        .iter()
        .map(|sense| format!("{}: {}", sense["name"], sense["modality"]))
        .collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    let left_out = problems(owner, &dataset);
    for lost in ["lost.png", "secret.png", "hostname"] {
        assert!(left_out.contains(lost), "{lost}: {left_out}");
    }
    senses_are_sent(owner, &dataset);

    looked(owner, &dataset);
    let open = owner.get(&format!("/v1/datasets/{dataset}/queue")).body["examples"][0].clone();
    owner.post(
        &format!("/v1/datasets/{dataset}/labels"),
        &json!({ "example": open["id"], "label": "dirty slow" }),
    );
    let model = deployed(owner, &dataset, "machines");
    assert_eq!((&model["modality"], &model["n_examples"]), (&json!("senses"), &json!(40)), "{model}");
    assert!(model["senses"].as_array().is_some_and(|senses| senses.len() >= 2), "{model}");

    senses_are_asked(owner);
    let example = named(owner, &dataset, "parts.jsonl:40");
    crate::history::senses_have_teachers(owner, &example, &model);
    for format in ["csv", "jsonl", "parquet"] {
        let again = out_and_in(owner, &dataset, format);
        let counts = [&again["modality"], &again["n_examples"], &again["n_labelled"], &again["n_problems"]];
        assert_eq!(counts, [&json!("senses"), &json!(40), &json!(40), &json!(0)], "{format}: {again}");
    }
    let formats = owner.get(&format!("/v1/datasets/{dataset}/export/formats")).text;
    assert!(formats.contains("it holds no examples of several senses"), "{formats}");
}

#[test]
fn a_table_reaches_no_file_outside_of_what_was_sent() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    // Of somebody else, on the same machine.
    let secret = data.parent().expect("a folder").join("secret.png");
    std::fs::write(&secret, photo([1, 2, 3], 3)).expect("a file");
    let table = format!("image,label\na.png,x\nb.png,y\n../secret.png,x\n{},y\n", secret.display());
    let files = vec![
        ("set/a.png".into(), photo([9, 9, 9], 1)),
        ("set/b.png".into(), photo([9, 9, 90], 2)),
        ("set/metadata.csv".into(), table.into_bytes()),
    ];
    let dataset = owner.bring("sly", &files);
    let told = owner.get(&format!("/v1/datasets/{dataset}")).body;
    assert_eq!((&told["n_examples"], &told["n_problems"]), (&json!(2), &json!(2)), "{told}");
    assert!(problems(&owner, &dataset).contains("outside"), "{}", problems(&owner, &dataset));
}

/// Half a second of a machine that hums, and of one that also rattles.
fn hum(rattles: bool, number: u32) -> Vec<u8> {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(7);
    let mut samples = Vec::new();
    for step in 0..8000_u32 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(state >> 16) / 65536.0 - 0.5;
        let time = f64::from(step) / 16_000.0;
        let tone = (time * 440.0 * std::f64::consts::TAU).sin() * 0.3;
        let rattle = if rattles && step % 800 < 120 {
            (time * 5200.0 * std::f64::consts::TAU).sin() * 0.5
        } else {
            0.0
        };
        samples.extend((((tone + 0.05 * noise + rattle) * 30_000.0) as i16).to_le_bytes());
    }
    let mut wav =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data".to_vec();
    wav[4..8].copy_from_slice(&(36 + samples.len() as u32).to_le_bytes());
    wav.extend((samples.len() as u32).to_le_bytes());
    wav.extend(samples);
    wav
}

#[test]
fn sounds_of_good_parts_make_an_inspector() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let mut files: Files = (0..24).map(|n| (format!("pumps/good/{n}.wav"), hum(false, n))).collect();
    files.extend((0..5).map(|n| (format!("pumps/rattle/{n}.wav"), hum(true, 100 + n))));
    let dataset = owner.bring("pumps", &files);
    assert_eq!(owner.get(&format!("/v1/datasets/{dataset}")).body["inspects"], true);
    let tuned = owner.wait(&id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({}))));
    assert_eq!(tuned["state"], "done", "{tuned}");
    let model = tuned["result"]["model"].as_str().expect("a model").to_owned();
    let told = owner.get(&format!("/v1/models/{model}")).body;
    assert_eq!((&told["kind"], &told["modality"]), (&json!("inspector"), &json!("sound")), "{told}");
    let (bad, good) = (hum(true, 300), hum(false, 300));
    let sounds = [
        ("file", Some("bad.wav"), &bad[..]),
        ("file", Some("good.wav"), &good[..]),
        ("file", Some("x.wav"), b"x"),
        ("file", Some("cut.wav"), &good[..good.len() * 3 / 4]),
    ];
    let answers =
        ask(&owner, &format!("/v1/models/{model}/predict?heat=1"), &sounds).body["predictions"].clone();
    assert_eq!(
        (&answers[0]["inspected"]["alarm"], &answers[1]["inspected"]["alarm"]),
        (&json!(true), &json!(false)),
        "{answers}"
    );
    let overlay = answers[0]["inspected"]["overlay"].as_str().expect("a picture");
    assert!(overlay.starts_with("data:image/jpeg"));
    assert!(answers[2]["problem"].as_str().is_some_and(|problem| !problem.contains("/tmp")), "{answers}");
    // What was cut off is told beside what is found in the rest.
    assert!(answers[3]["problem"].is_string() && answers[3]["inspected"]["score"].is_f64(), "{answers}");
}
