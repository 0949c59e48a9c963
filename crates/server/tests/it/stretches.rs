//! A model of pieces tells the stretches of a sound that is longer, and the doubtful ones come back as work, and others are suggested as marks.

use std::cell::Cell;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::{Value, json};
use server::Way;
use testkit::Client;

use crate::pieces::{RATE, exported, machine, recordings, table};
use crate::running::{folder, start};
use crate::together::counted;

/// Requests with long sounds that one base has under way at a time.
const UNDER_WAY: usize = 20;

/// The same, with something between the sixth and the tenth second that nobody has taught.
fn disturbed(seed: u32) -> Vec<u8> {
    let (mut sound, mut state) = (machine(16, 9), seed);
    for at in 6 * RATE..10 * RATE {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let place = 44 + 2 * at as usize;
        sound[place..place + 2].copy_from_slice(&state.to_le_bytes()[2..]);
    }
    sound
}

#[test]
fn a_model_of_pieces_tells_the_stretches_of_what_is_longer() {
    let (_dir, data) = folder();
    let bundle = bundle_of_pieces();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let model = brought(&owner, &bundle);
    let at = format!("/v1/models/{model}/predict");
    let answers = asked(&owner, &at, &[machine(2, 7), machine(12, 7), b"x".to_vec(), machine(2, 8)]);
    let answer = |place: usize| answers[place]["answer"].clone();
    assert_eq!(
        (answer(0), answer(1), answer(2), answer(3)),
        (json!("low"), json!(null), json!(null), json!("low"))
    );
    assert!(answers[2]["problem"].as_str().is_some_and(|told| told.contains("not a sound")), "{answers}");
    assert_eq!((answers[0]["stretches"].clone(), answers[1]["problem"].clone()), (json!([]), json!(null)));
    let stretches = answers[1]["stretches"].as_array().expect("a list");
    let same = on_the_command_line(&bundle, &machine(12, 7));
    assert!(same.len() >= 6, "two tones take turns six times: {same:?}");
    let told: Vec<_> = stretches.iter().map(|one| (one["seconds"].clone(), one["answer"].clone())).collect();
    let expected: Vec<_> = same.iter().map(|(seconds, answer, _)| (json!(seconds), json!(answer))).collect();
    assert_eq!(told, expected);
    for (one, (_, _, confidence)) in stretches.iter().zip(&same) {
        let told = one["confidence"].as_f64().expect("a probability");
        assert!(
            (told - confidence).abs() < 1e-9 && one["probs"][0]["probability"] == one["confidence"],
            "{one}"
        );
    }
}

#[test]
fn stretches_are_told_under_a_name_and_counted_and_the_open_protocol_says_where() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let model = brought(&owner, &bundle_of_pieces());
    assert_eq!(owner.send("PUT", "/v1/deployments/turns", &json!({ "model": model })).status, 200);
    let long = machine(12, 9);
    let form = [
        b"--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"monday.wav\"\r\n\r\n"
            .as_slice(),
        &long,
        b"\r\n--edge--\r\n",
    ];
    let kind = Some("multipart/form-data; boundary=edge");
    let told = owner.ask("POST", "/v1/predict/turns", kind, &form.concat()).body["predictions"][0].clone();
    assert_eq!(told["name"], "monday.wav", "{told}");
    let n_stretches = told["stretches"].as_array().expect("a list").len();
    assert!(n_stretches >= 6, "{told}");
    let monitor = owner.get("/v1/deployments/turns/monitor").body;
    let counted = monitor["days"][0]["answers"].as_array().expect("answers").iter();
    let counted: u64 = counted.map(|answer| answer["count"].as_u64().expect("a count")).sum();
    assert_eq!(counted, n_stretches as u64, "{monitor}");
    assert_eq!(
        monitor["drift"]["n"], 0,
        "neighbours in one sound are no inputs that come by chance: {monitor}"
    );

    let infer = |sound: &[u8]| {
        let tensor = json!({ "name": "input", "datatype": "BYTES", "shape": [1], "data": [base64(sound)] });
        owner.post("/v2/models/turns/infer", &json!({ "inputs": [tensor] }))
    };
    assert_eq!(infer(&machine(2, 7)).body["outputs"][0]["data"], json!(["low"]));
    let refused = infer(&long);
    assert_eq!(refused.status, 422, "{refused:?}");
    let [message, hint] = ["message", "hint"].map(|part| refused.body[part].as_str().expect("words"));
    assert!(message.contains("one for each input") && hint.contains("/v1/predict/{name}"), "{refused:?}");
}

/// What is said of the stretches of a sound that is called so.
fn heard(owner: &Client, name: &str, sound: &[u8]) -> Value {
    let head =
        format!("--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    let form = [head.as_bytes(), sound, b"\r\n--edge--\r\n"].concat();
    let told = owner.ask("POST", "/v1/predict/turns", Some("multipart/form-data; boundary=edge"), &form);
    told.body["predictions"][0]["stretches"].clone()
}

#[test]
fn doubtful_stretches_of_a_long_sound_come_back_with_their_place_in_time() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let model = brought(&owner, &bundle_of_pieces());
    let dataset = testkit::id(&owner.post("/v1/datasets", &json!({ "name": "doubts" })));
    let deploy = |collects: Value| {
        let told =
            owner.send("PUT", "/v1/deployments/turns", &json!({ "model": model, "collects": collects }));
        assert_eq!(told.status, 200, "{told:?}");
    };
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let back = || owner.get(&at("/examples?limit=100")).body["examples"].as_array().expect("a list").clone();
    let ask = |name: &str, sound: &[u8]| heard(&owner, name, sound);
    deploy(json!(null));
    // Nothing is promised of what few examples taught: then the unusual and the unsure are doubtful.
    let is_doubtful = |one: &&Value| {
        assert_eq!(one["verdict"], "unproven", "{one}");
        one["confidence"].as_f64() < Some(0.75) || one["familiarity"].as_f64() < Some(0.05)
    };
    let told = ask("monday.wav", &disturbed(1));
    let told = told.as_array().expect("stretches");
    let doubtful: Vec<Value> = told.iter().filter(is_doubtful).map(|one| one["seconds"].clone()).collect();
    assert!(!doubtful.is_empty() && doubtful.len() < told.len(), "{told:?}");
    let is_odd = |from: &Value, to: &Value| from.as_f64() < Some(8.0) && to.as_f64() > Some(8.0);
    assert!(doubtful.iter().any(|seconds| is_odd(&seconds[0], &seconds[1])), "{told:?}");
    assert_eq!(back().len(), 0, "nobody asked for them");
    deploy(json!(dataset));
    ask("monday.wav", &disturbed(1));
    let came = owner.until(|| Some(back()).filter(|back| back.len() == doubtful.len()));
    for (example, seconds) in came.iter().zip(&doubtful) {
        let piece = &example["piece"];
        assert_eq!((&piece["file"], &example["label"]), (&json!("monday.wav"), &json!(null)), "{example}");
        let [start, end] = [0, 1].map(|at| seconds[at].as_f64().expect("seconds"));
        assert!(piece["start"] == json!(start) && piece["end"] == json!(end), "{piece} {seconds}");
        let content = format!("/v1/examples/{}/content", example["id"].as_str().expect("an id"));
        let cut = base::sound::decode_whole(&owner.get(&content).bytes, 20).expect("a sound");
        let samples = ((end - start) * f64::from(RATE)).round();
        assert!((cut.channels[0].len() as f64 - samples).abs() <= 1.0, "{piece}: {}", cut.channels[0].len());
    }
    let rows = exported(&owner, &dataset);
    assert!(
        rows.iter().all(|row| row["file"] == "monday.wav" && row["group"] == rows[0]["group"]),
        "{rows:?}"
    );
    // The same does not come twice, whatever it is called.
    ask("tuesday.wav", &disturbed(1));
    ask("wednesday.wav", &disturbed(2));
    let other = |one: &Value| {
        let piece = &one["piece"];
        piece["file"] == "wednesday.wav" && is_odd(&piece["start"], &piece["end"])
    };
    let all = owner.until(|| Some(back()).filter(|back| back.iter().any(other)));
    let of = |name: &str| all.iter().filter(|one| one["piece"]["file"] == name).count();
    assert_eq!((of("monday.wav"), of("tuesday.wav")), (doubtful.len(), 0));
    assert!(of("wednesday.wav") < doubtful.len(), "where both sound the same it came already: {all:?}");
    let n_collected = || owner.get("/v1/deployments").body["deployments"][0]["n_collected"].clone();
    owner.until(|| (n_collected() == back().len()).then_some(()));
}

#[test]
fn more_pieces_than_a_request_may_have_are_refused_before_they_are_looked_at() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let model = brought(&owner, &bundle_of_pieces());
    // Longer than an hour, in few bytes.
    let day = base::sound::wav(&vec![0; 4_000 * 100], 100);
    let before = counted(&owner).0;
    let answers = asked(&owner, &format!("/v1/models/{model}/predict"), &[day, machine(4, 1)]);
    let looked_at = counted(&owner).0 - before;
    assert!((2..10).contains(&looked_at), "{looked_at}: those of the short one, and none of the other");
    let problem = answers[0]["problem"].as_str().expect("words");
    assert!(
        problem.contains("more than 4096 pieces of 1.8 s") && answers[0]["stretches"] == json!([]),
        "{answers}"
    );
    assert!(answers[1]["stretches"].as_array().is_some_and(|stretches| !stretches.is_empty()), "{answers}");
}

#[test]
fn nobody_waits_for_the_long_sounds_of_those_who_left() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let at = format!("/v1/models/{}/predict", brought(&owner, &bundle_of_pieces()));
    let hour = base::sound::wav(&vec![0; 3_600 * 100], 100);
    let body = json!({ "inputs": [{ "sound": base64(&hour) }] }).to_string();
    let (host, cookie) =
        (server.address.trim_start_matches("http://"), owner.header("cookie").expect("a session"));
    let head = format!(
        "POST {at} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nx-dianjing: 1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let before = counted(&owner).0;
    // One more than may be under way: the last to come is asked to try again.
    let mut left = [(); UNDER_WAY + 1].map(|()| {
        let mut connection = TcpStream::connect(host).expect("it listens");
        connection.set_read_timeout(Some(Duration::from_millis(5))).expect("set");
        connection
            .write_all(head.as_bytes())
            .and_then(|()| connection.write_all(body.as_bytes()))
            .expect("sent");
        connection
    });
    let mut heard = [0; 4096];
    let refused = loop {
        let told = left.iter_mut().find_map(|one| one.read(&mut heard).ok());
        if let Some(length) = told {
            break String::from_utf8_lossy(&heard[..length]).into_owned();
        }
    };
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"), "{refused}");
    assert_eq!(asked(&owner, &at, &[machine(2, 7)])[0]["answer"], "low", "what is short waits for no turn");
    drop(left);
    let long = json!({ "inputs": [{ "sound": base64(&machine(4, 1)) }] });
    let answered = owner.until(|| Some(owner.post(&at, &long)).filter(|told| told.status == 200));
    let stretches = &answered.body["predictions"][0]["stretches"];
    assert!(stretches.as_array().is_some_and(|all| !all.is_empty()), "{answered:?}");
    // Nothing more is looked at: the count stands still, and far from what all of them are.
    let (last, stands) = (Cell::new(0), Cell::new(0));
    owner.until(|| {
        let now = counted(&owner).0;
        stands.set(if last.replace(now) == now { stands.get() + 1 } else { 0 });
        (stands.get() == 20).then_some(())
    });
    let looked_at = last.get() - before;
    assert!(looked_at < UNDER_WAY as u64 * 4_000 / 2, "{looked_at} pieces were looked at");
}

#[test]
fn a_model_in_the_shadow_looks_no_long_sound_through() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let bundle = bundle_of_pieces();
    let [model, shadow] = [brought(&owner, &bundle), brought(&owner, &bundle)];
    let deployed = json!({ "model": model, "shadow": shadow });
    assert_eq!(owner.send("PUT", "/v1/deployments/turns", &deployed).status, 200);
    let before = counted(&owner).0;
    let at = format!("/v1/models/{model}/predict");
    asked(&owner, &at, &[machine(12, 9)]);
    let of_long = counted(&owner).0 - before;
    assert!(of_long > 10, "{of_long}");
    asked(&owner, "/v1/predict/turns", &[machine(12, 9), machine(2, 7)]);
    let compared = || owner.get("/v1/deployments/turns/monitor").body["shadow"]["n"] == 1;
    owner.until(|| compared().then_some(()));
    assert_eq!(counted(&owner).0 - before, 2 * of_long + 2, "the shadow was asked about the short one alone");
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn asked(owner: &Client, at: &str, sounds: &[Vec<u8>]) -> Value {
    let inputs: Vec<_> = sounds.iter().map(|bytes| json!({ "sound": base64(bytes) })).collect();
    owner.post(at, &json!({ "inputs": inputs })).body["predictions"].clone()
}

fn brought(owner: &Client, bundle: &[u8]) -> String {
    let brought = owner.ask("POST", "/v1/models?name=turns", Some("application/octet-stream"), bundle);
    assert_eq!(brought.status, 200, "{brought:?}");
    brought.body["id"].as_str().expect("an id").to_owned()
}

/// What `dianjing predict` says of a sound: each stretch with its answer and how sure that is.
fn on_the_command_line(bundle: &[u8], sound: &[u8]) -> Vec<([f64; 2], String, f64)> {
    let dir = tempfile::tempdir().expect("a folder");
    let [model, file] = ["m.djm", "long.wav"].map(|name| dir.path().join(name));
    std::fs::write(&model, bundle).expect("written");
    std::fs::write(&file, sound).expect("written");
    let (home, run_on) = (pipeline::Home::by_default().expect("a home"), AtomicBool::new(false));
    let run = pipeline::Run::new(&|_| (), &run_on);
    let predictor = home.open_bundle(&model, &run).expect("it opens");
    let rows =
        pipeline::predict(&predictor, &[file], &dataset::ReadOptions::default(), &run).expect("answers");
    let stretch = |row: pipeline::PredictedRow| {
        let prediction = row.prediction.expect("an answer");
        (
            row.seconds.expect("times"),
            prediction.answer.to_string(),
            prediction.confidence.expect("of a class"),
        )
    };
    rows.into_iter().map(stretch).collect()
}

/// What `dianjing tune` makes of a table of pieces.
fn bundle_of_pieces() -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a folder");
    for file in 0..4 {
        std::fs::write(dir.path().join(format!("{file}.wav")), machine(12, file)).expect("written");
    }
    std::fs::write(dir.path().join("pieces.csv"), table(4)).expect("written");
    let request = pipeline::TuneRequest {
        source: pipeline::Source::at(dir.path().join("pieces.csv")),
        base: None,
        out: dir.path().join("m.djm"),
        form: bundle::Form::File,
        report: dir.path().join("m.html"),
        lang: pipeline::Lang::En,
        target_error: 0.05,
        words: false,
        seed: 0,
        created: String::new(),
    };
    let home = pipeline::Home::by_default().expect("a home");
    let run_on = AtomicBool::new(false);
    pipeline::tune(&home, &request, &pipeline::Run::new(&|_| (), &run_on)).expect("it can be learned");
    std::fs::read(dir.path().join("m.djm")).expect("it was written")
}

#[test]
fn stretches_that_a_model_of_the_data_set_hears_are_suggested_as_marks() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("line", &recordings(4, table(4)));
    let at = |path: &str| format!("/v1/datasets/{dataset}{path}");
    owner.bring_into(&dataset, &[("night.wav".to_owned(), machine(12, 7))]);
    let night = owner.get(&at("/examples?q=night")).body["examples"][0].clone();
    let example = format!("/v1/examples/{}", night["id"].as_str().expect("an id"));
    let suggested = || owner.get(&format!("{example}/suggested-marks")).body;
    assert_eq!(suggested(), json!({ "model": null, "marks": [] }), "there is no model yet");
    let tuned = owner.wait(&testkit::id(&owner.post(&at("/tune"), &json!({}))));
    let model = tuned["result"]["model"].as_str().unwrap_or_else(|| panic!("{tuned}"));
    let before = counted(&owner).0;
    let told = suggested();
    let looked_at = counted(&owner).0;
    assert!(looked_at > before, "it is looked through");
    assert_eq!(told["model"]["id"], model, "{told}");
    let marks: Vec<&Value> =
        told["marks"].as_array().expect("marks").iter().map(|one| &one["mark"]).collect();
    assert!(marks.len() >= 6, "two tones take turns six times: {told}");
    for (number, mark) in marks.iter().enumerate() {
        let class = ["low", "high"][number % 2];
        assert_eq!((&mark["shape"], &mark["class"]), (&json!("segment"), &json!(class)), "{told}");
        assert_eq!(mark["suggested_by"], model);
        let middle =
            (mark["start"].as_f64().expect("seconds") + mark["end"].as_f64().expect("seconds")) / 2.0;
        assert_eq!((middle / 2.0) as usize % 2, number % 2, "that is where it is: {told}");
    }
    assert!(
        told["marks"].as_array().expect("marks").iter().all(|one| one["confidence"].as_f64() > Some(0.5))
    );
    assert_eq!(owner.get(&example).body["marks"], json!([]), "nobody accepted anything");
    // What is accepted is a mark, and not suggested again; it is not looked through once more for that.
    let kept = owner.send("PUT", &format!("{example}/marks"), &json!({ "marks": [marks[0], marks[1]] }));
    assert_eq!(kept.status, 200, "{kept:?}");
    let left = suggested()["marks"].as_array().expect("marks").clone();
    assert!(left.iter().map(|one| &one["mark"]).eq(marks[2..].iter().copied()), "{left:?}");
    assert_eq!(counted(&owner).0, looked_at);
    // Of a piece, which is no longer than what the model learned from, there is nothing to suggest.
    let piece = owner.get(&at("/examples?state=labelled")).body["examples"][0]["id"].clone();
    let piece = owner.get(&format!("/v1/examples/{}/suggested-marks", piece.as_str().expect("an id"))).body;
    assert_eq!(piece["marks"], json!([]), "{piece}");
}
