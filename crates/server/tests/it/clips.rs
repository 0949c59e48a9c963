//! Clips of a machine that runs well become an inspector that says which clip alarms, and when in it.

use std::process::Command;

use base64::Engine as _;
use serde_json::{Value, json};
use server::Way;
use testkit::id;

use crate::running::{folder, start};

/// Two seconds of a swinging block, each at its own phase, pace and height; a faulty one has another colour in its second half.
fn swing(number: u32, faulty: bool) -> Vec<u8> {
    let share = |step: u32| f64::from((number * step) % 17) / 17.0;
    let (phase, pace, height) =
        (std::f64::consts::TAU * share(5), 1.0 + 0.04 * share(3), 40.0 + 6.0 * share(7));
    let fault = if faulty { ",drawbox=x=0:y=0:w=iw:h=ih:color=red@0.5:t=fill:enable='gt(t,1)'" } else { "" };
    let x = format!("66+50*sin({phase:.3}+{:.4}*t)", std::f64::consts::TAU * pace);
    let scene = format!(
        "color=c=0xb0b0b0:s=160x120:r=20:d=2[g];color=c=0x2040c0:s=28x28:r=20:d=2[s];[g][s]overlay=x='{x}':y={height:.0}\
         {fault},noise=alls=4:allf=t:all_seed={number}"
    );
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("clip.mp4");
    let run = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", &scene, "-pix_fmt", "yuv420p"])
        .arg(&path)
        .output()
        .expect("ffmpeg is installed: `apt install ffmpeg`");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    std::fs::read(path).expect("it was written")
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A faulty clip alarms in its second half and a good one does not; what is no video says so.
#[track_caller]
fn check(predictions: &Value) {
    let [faulty, good, broken] = [0, 1, 2].map(|place| predictions[place].clone());
    let inspected = faulty["inspected"].clone();
    assert_eq!(
        (inspected["alarm"].clone(), good["inspected"]["alarm"].clone()),
        (json!(true), json!(false)),
        "{faulty} {good}"
    );
    let number = |of: &Value, name: &str| of["inspected"][name].as_f64().expect("a number");
    assert!(number(&faulty, "score") > number(&faulty, "threshold"), "{inspected}");
    assert!(number(&faulty, "p_value") < number(&good, "p_value"), "{faulty} {good}");
    let mut times =
        inspected["regions"].as_array().expect("regions").iter().map(|region| region["seconds"].clone());
    assert!(times.any(|seconds| seconds[1].as_f64().is_some_and(|end| end > 1.0)), "{inspected}");
    let problem = broken["problem"].as_str().expect("words");
    assert!(
        problem.contains("not a video") && !problem.contains(".tmp") && broken["inspected"].is_null(),
        "{broken}"
    );
}

#[test]
fn good_clips_become_an_inspector_that_says_which_clip_alarms_and_when() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let mut files: Vec<_> =
        (0..16).map(|number| (format!("clips/good/{number}.mp4"), swing(number, false))).collect();
    files.extend((20..22).map(|number| (format!("clips/red/{number}.mp4"), swing(number, true))));
    let dataset = owner.bring("clips", &files);
    assert_eq!(owner.get(&format!("/v1/datasets/{dataset}")).body["inspects"], true);
    let tuned = owner
        .wait(&id(&owner.post(&format!("/v1/datasets/{dataset}/tune"), &json!({ "false_alarms": 0.2 }))));
    let model = tuned["result"]["model"].as_str().unwrap_or_else(|| panic!("{tuned}"));
    let told = owner.get(&format!("/v1/models/{model}")).body;
    assert_eq!((&told["kind"], &told["modality"]), (&json!("inspector"), &json!("video")), "{told}");
    assert!(owner.get(&format!("/v1/models/{model}/report?lang=zh")).text.contains("误报"));

    let inputs: Vec<Value> = [swing(40, true), swing(41, false), b"no video".to_vec()]
        .iter()
        .map(|clip| json!({ "video": base64(clip) }))
        .collect();
    let asked = json!({ "inputs": inputs });
    let answer =
        owner.post(&format!("/v1/models/{model}/predict?heat=1"), &asked).body["predictions"].clone();
    check(&answer);
    let overlay = answer[0]["inspected"]["overlay"].as_str().expect("a picture");
    assert!(overlay.starts_with("data:image/jpeg;base64,"), "{overlay}");

    // Brought in again it says the same under a name, and takes nothing else.
    let bundle = owner.get(&format!("/v1/models/{model}/bundle")).bytes;
    let brought = owner.ask("POST", "/v1/models?name=again", Some("application/octet-stream"), &bundle);
    assert_eq!(owner.send("PUT", "/v1/deployments/swing", &json!({ "model": id(&brought) })).status, 200);
    check(&owner.post("/v1/predict/swing", &asked).body["predictions"]);
    let photo = json!({ "inputs": [{ "image": base64(b"no photo") }] });
    let other = owner.post("/v1/predict/swing", &photo).body["predictions"][0]["problem"].clone();
    assert!(other.as_str().is_some_and(|told| told.contains("videos")), "{other}");
}
