//! Inspectors of videos: good clips alone, alarms for what looks or moves otherwise, and when it does.

use std::process::Command;

use serde_json::Value;

use crate::run::Place;

/// Two seconds of a swinging arm, a block that no two clips show at the same phase, pace or height.
fn swing(place: &Place, name: &str, number: u32, fault: &str) {
    std::fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
    let share = |step: u32| f64::from((number * step) % 17) / 17.0;
    let (phase, pace, height) =
        (std::f64::consts::TAU * share(5), 1.0 + 0.04 * share(3), 40.0 + 6.0 * share(7));
    // From 1.0 to 1.5 s the arm does not move; without that its own time is the clip's.
    let time = if fault == "stalls" { "(t-max(0,min(t-1.0,0.5)))" } else { "t" };
    let colour = if fault == "wrong" { "0xd02020" } else { "0x2040c0" };
    let x = format!("66+50*sin({phase:.3}+{:.4}*{time})", std::f64::consts::TAU * pace);
    let flash = if fault == "flashes" {
        ",drawbox=x=0:y=0:w=iw:h=ih:color=white@0.6:t=fill:enable='between(t,0.7,0.8)'"
    } else {
        ""
    };
    let scene = format!(
        "color=c=0xb0b0b0:s=160x120:r=20:d=2[g];color=c={colour}:s=28x28:r=20:d=2[s];[g][s]overlay=x='{x}':y={height:.0}\
         {flash},noise=alls=4:allf=t:all_seed={number}"
    );
    let run = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &scene, "-pix_fmt", "yuv420p", name])
        .current_dir(place.dir.path())
        .output();
    let run = run.expect("ffmpeg is installed: `apt install ffmpeg`");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

fn rows(out: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(out).unwrap().as_array().unwrap().clone()
}

/// Whether some marked region lies within this time, give or take what a cell and a frame stand for.
fn is_marked(row: &Value, start: f64, end: f64) -> bool {
    let regions = row["found"]["regions"].as_array().unwrap().iter();
    let mut spans = regions.map(|region| [0, 1].map(|at| region["seconds"][at].as_f64().unwrap()));
    spans.any(|span| span[0] < end && span[1] > start)
}

#[test]
fn good_clips_alone_make_an_inspector_that_says_when_something_is_wrong() {
    let place = Place::new();
    for number in 0..24 {
        let ending = ["mp4", "mov", "mkv", "avi"][number as usize % 4];
        swing(&place, &format!("good/{number:02}.{ending}"), number, "");
    }
    place.write("good/notes.txt", "filmed on Monday");
    let ended = place.run(&["inspect", "good", "--false-alarms", "15%"]).fine();
    assert!(ended.err.contains("Learned 24 good clips"), "{}", ended.err);
    assert!(ended.err.contains("at most 15 % of good parts alarm"), "{}", ended.err);
    assert!(ended.err.contains("new/*.mp4") && !ended.err.contains("photo"), "{}", ended.err);
    let page = std::fs::read_to_string(place.path("good.report.html")).unwrap();
    assert!(page.contains("What to film next") && !page.contains("hotograph"));

    for number in 100..104 {
        for fault in ["fine", "wrong", "stalls", "flashes"] {
            swing(&place, &format!("new/{fault}{number}.mp4"), number, fault);
        }
    }
    place.write("new/broken.mp4", "no video at all");
    place.write("new/empty.mp4", "");
    let ended = place.run(&["predict", "good.djm", "new", "--heatmaps", "heat", "--json"]).fine();
    let found = rows(&ended.out);
    let of = |kind: &str| -> Vec<&Value> {
        found.iter().filter(|row| row["id"].as_str().unwrap().contains(kind)).collect()
    };
    let alarms = |kind: &str| of(kind).iter().filter(|row| row["found"]["alarm"] == true).count();
    assert_eq!((alarms("wrong"), alarms("stalls"), alarms("flashes")), (4, 4, 4), "{}", ended.out);
    assert!(alarms("fine") <= 1, "{}", ended.out);
    assert!(of("stalls").iter().all(|row| is_marked(row, 1.0, 1.5)), "{}", ended.out);
    assert!(of("flashes").iter().all(|row| is_marked(row, 0.6, 0.9)), "{}", ended.out);
    assert_eq!(of("broken")[0]["problem"]["kind"], "not-a-video");
    assert_eq!(of("empty")[0]["problem"]["kind"], "empty-file");
    assert!(place.path("heat/stalls100.mp4.heat.png").exists());

    let ended = place.run(&["predict", "good.djm", "new/stalls101.mp4"]).fine();
    assert!(ended.out.contains(" s") && ended.err.contains("1 clip: 1 alarm"), "{}", ended.told());
    let ended = place.run_with(&["predict", "good.djm", "new"], &[("DIANJING_LANG", "zh")]).fine();
    assert!(ended.err.contains("段视频") && !ended.err.contains("照片"), "{}", ended.err);
    // A clip nine times as long as the usual one, and a file of another kind.
    place.pictures("photos", 1);
    let ended = place.run(&["predict", "good.djm", "photos/disc/00.png", "--json"]);
    assert_eq!(rows(&ended.out)[0]["problem"]["kind"], "other-kind", "{}", ended.told());

    let nowhere = place.path("").to_string_lossy().into_owned();
    for words in [&["predict", "good.djm", "new/fine100.mp4"][..], &["inspect", "good"]] {
        let ended = place.run_with(words, &[("PATH", &nowhere)]);
        assert!(ended.code == 1 && ended.err.contains("`apt install ffmpeg`"), "{}", ended.told());
    }
}

#[test]
fn clips_of_which_none_can_be_read_and_a_single_one_are_told() {
    let place = Place::new();
    place.write("none/a.mp4", "no video");
    place.write("none/b.mp4", "");
    let ended = place.run(&["inspect", "none"]);
    assert!(ended.code != 0 && ended.err.contains("not a video that can be read"), "{}", ended.told());

    swing(&place, "one/a.mp4", 1, "");
    let ended = place.run(&["inspect", "one"]).fine();
    assert!(ended.err.contains("Learned 1 good clip"), "{}", ended.err);

    // A table of paths, with a kind of defect.
    let mut list = "video,label\n".to_owned();
    for number in 0..8 {
        swing(&place, &format!("clips/{number}.mp4"), number, "");
        list += &format!("clips/{number}.mp4,good\n");
    }
    swing(&place, "clips/wrong.mp4", 9, "wrong");
    list += "clips/wrong.mp4,colour\n";
    place.write("list.csv", list);
    let ended = place.run(&["inspect", "list.csv", "--false-alarms", "30%", "--json"]).fine();
    let made: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(made["good"]["photos"], 8, "{made}");
}
