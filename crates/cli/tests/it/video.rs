//! Clips, made with `ffmpeg` itself: which way a square goes, and files that are no clips or only part of one.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base::prep::PrepError;
use base::video::{Ffmpeg, VideoError, frames, glimpses};

use crate::run::Place;

/// Runs `ffmpeg` in the place; `make test` installs it where it is missing.
fn ffmpeg(place: &Place, arguments: &[&str]) {
    let run = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments)
        .current_dir(place.dir.path())
        .output();
    let run = run.expect("ffmpeg is installed: `apt install ffmpeg`");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Two seconds of a square that crosses from one side to the other, at a height of its own.
fn crossing(place: &Place, name: &str, to_the_right: bool, height: u32, more: &[&str]) {
    std::fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
    let x = if to_the_right { "4+56*t" } else { "124-56*t" };
    let scene = format!(
        "color=c=0xdddddd:s=160x120:r=10:d=2[g];color=c=0x2040c0:s=28x28:r=10:d=2[s];[g][s]overlay=x={x}:y={height}"
    );
    ffmpeg(place, &[&["-f", "lavfi", "-i", &scene], more, &[name]].concat());
}

/// A bundle that tells right from left.
fn tuned() -> Place {
    let place = Place::new();
    for (number, ending) in ["mp4", "mov", "mkv", "avi", "mp4", "mpg", "mp4", "m4v"].iter().enumerate() {
        let height = 5 + 11 * number as u32;
        crossing(&place, &format!("clips/right/{number}.{ending}"), true, height, &["-r", "25"]);
        crossing(&place, &format!("clips/left/{number}.{ending}"), false, height, &["-r", "25"]);
    }
    // The same clip with two labels is shown in the report.
    std::fs::copy(place.path("clips/right/0.mp4"), place.path("clips/left/copy.mp4")).unwrap();
    let ended = place.run(&["tune", "clips"]).fine();
    assert!(ended.err.contains("Tuned on 17 examples"), "{}", ended.err);
    assert!(ended.err.contains("Next: dianjing predict clips.djm new/*.mp4"), "{}", ended.err);
    place
}

#[test]
fn clips_teach_which_way_things_go_and_bad_files_are_told() {
    let place = tuned();
    let report = std::fs::read_to_string(place.path("clips.report.html")).unwrap();
    assert!(report.contains("data:image/jpeg;base64,"), "strips of frames");
    crossing(&place, "new/-i.mp4", true, 33, &[]);
    crossing(&place, "new/http:left.webm", false, 61, &["-pix_fmt", "yuv420p"]);
    // Colours of its own: the usual few would cover the scene with dots.
    let colours = ["-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none"];
    crossing(&place, "new/moving.gif", true, 70, &colours);
    // A frame rate that varies: every third frame of the middle is left out.
    let vary = ["-vf", "select='not(between(n,5,12)*mod(n,3))'", "-vsync", "vfr"];
    crossing(&place, "new/varying.mkv", false, 20, &vary);
    let good = ["new/-i.mp4", "new/http:left.webm", "new/moving.gif", "new/varying.mkv"];
    let ended = place.run(&[&["predict", "clips.djm", "--json"], &good[..]].concat()).fine();
    assert_eq!(ended.answers(), ["right", "left", "right", "left"]);

    crossing(&place, "bad/whole.mp4", true, 33, &["-movflags", "faststart"]);
    let whole = std::fs::read(place.path("bad/whole.mp4")).unwrap();
    place.write("bad/cut.mp4", &whole[..whole.len() * 6 / 10]);
    crossing(&place, "bad/table-last.mp4", true, 33, &[]);
    let table_last = std::fs::read(place.path("bad/table-last.mp4")).unwrap();
    place.write("bad/table-last.mp4", &table_last[..table_last.len() / 2]);
    place.write("bad/text.mp4", "not a video at all, whatever it is called\n");
    place.write("bad/list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nwhole.mp4\n#EXT-X-ENDLIST\n");
    place.write("bad/empty.mp4", "");
    ffmpeg(&place, &["-f", "lavfi", "-i", "sine=d=1", "bad/sound.mp4"]);
    let bad = ["cut", "table-last", "text", "list", "empty", "sound"].map(|name| format!("bad/{name}.mp4"));
    let bad: Vec<&str> = bad.iter().map(String::as_str).collect();
    let ended = place.run(&[&["predict", "clips.djm", "--json"], &bad[..]].concat());
    let expected =
        ["broken-video", "broken-video", "not-a-video", "not-a-video", "empty-file", "not-a-video"];
    assert_eq!(ended.answers(), expected, "{}{}", ended.out, ended.err);
}

#[test]
fn without_ffmpeg_the_message_says_how_to_get_it() {
    let place = Place::new();
    place.write("clips/a/1.mp4", "not looked at");
    place.write("clips/b/2.mp4", "not looked at either");
    let nowhere = place.path("").to_string_lossy().into_owned();
    let ended = place.run_with(&["tune", "clips"], &[("PATH", &nowhere)]);
    assert!(ended.code == 1 && ended.err.contains("`apt install ffmpeg`"), "{}", ended.told());
    let ended = place.run_with(&["tune", "clips"], &[("PATH", &nowhere), ("DIANJING_LANG", "zh")]);
    assert!(ended.code == 1 && ended.err.contains("未安装“ffprobe”"), "{}", ended.told());
    let ended = place.run_with(&["doctor"], &[("PATH", &nowhere)]);
    assert!(ended.out.contains("`ffmpeg` is not installed"), "{}", ended.out);
}

#[test]
fn frames_come_from_the_whole_length_and_only_once_each() {
    let place = Place::new();
    let programs = Ffmpeg::default();
    let n_frames = |scene: &str, name: &str| {
        ffmpeg(&place, &["-f", "lavfi", "-i", scene, name]);
        frames(&programs, &place.path(name)).unwrap().frames.len()
    };
    assert_eq!(n_frames("testsrc=s=64x48:r=10:d=4", "short.mp4"), 8);
    assert_eq!(n_frames("testsrc=s=64x48:r=10:d=12", "longer.mp4"), 16);
    // Key frames every 25 s at this rate are too few: all is decoded.
    assert_eq!(n_frames("testsrc=s=64x48:r=10:d=70", "few-keys.mp4"), 16);
    assert_eq!(n_frames("color=c=red:s=64x48:r=10:d=4", "still.mp4"), 1);
    assert_eq!(n_frames("testsrc=s=64x48:r=1:d=1", "one.mkv"), 1);
    let watched = frames(&programs, &place.path("short.mp4")).unwrap();
    assert_eq!(watched.frames[0].dimensions(), (64, 48));
    assert_eq!(watched, frames(&programs, &place.path("short.mp4")).unwrap());
}

#[test]
fn a_long_video_that_was_cut_off_is_told_as_a_short_one_is() {
    let place = Place::new();
    let programs = Ffmpeg::default();
    for (name, seconds) in [("short.mkv", 20), ("long.mkv", 100)] {
        // A key frame a second, so that the long one is looked at by them.
        let scene = format!("testsrc=s=64x48:r=10:d={seconds}");
        ffmpeg(&place, &["-f", "lavfi", "-i", &scene, "-g", "10", name]);
        frames(&programs, &place.path(name)).unwrap();
        let bytes = std::fs::read(place.path(name)).unwrap();
        let cut = format!("cut-{name}");
        place.write(&cut, &bytes[..bytes.len() / 2]);
        let error = frames(&programs, &place.path(&cut)).unwrap_err();
        assert!(matches!(error, VideoError::File(PrepError::BrokenVideo { .. })), "{name}: {error}");
        assert!(error.to_string().contains(&format!("of {seconds}.0 s")), "{error}");
    }
}

#[test]
fn a_video_that_takes_too_long_is_given_up() {
    let place = Place::new();
    ffmpeg(&place, &["-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=2", "clip.mp4"]);
    let hurried = Ffmpeg { limit: Duration::ZERO, ..Ffmpeg::default() };
    let error = frames(&hurried, &place.path("clip.mp4")).unwrap_err();
    assert!(matches!(error, VideoError::File(PrepError::SlowVideo { limit_seconds: 0 })), "{error}");
}

#[test]
fn a_stop_ends_what_is_being_decoded() {
    let place = Place::new();
    // Nobody writes into it, so that whoever reads it waits for ever.
    let endless = place.path("endless.mp4");
    assert!(Command::new("mkfifo").arg(&endless).status().unwrap().success());
    let cancel = AtomicBool::new(false);
    let programs = Ffmpeg::until(&cancel);
    let begun = Instant::now();
    let error = thread::scope(|scope| {
        let watched = scope.spawn(|| glimpses(&programs, &endless).unwrap_err());
        thread::sleep(Duration::from_millis(300));
        cancel.store(true, Ordering::Relaxed);
        watched.join().unwrap()
    });
    assert!(matches!(error, VideoError::Stopped), "{error}");
    assert!(begun.elapsed() < programs.limit, "it was the time limit that ended it");
}

#[test]
fn an_audit_tells_black_and_frozen_clips() {
    let place = Place::new();
    for number in 0..8 {
        crossing(&place, &format!("set/right/{number}.mp4"), true, 5 + 11 * number, &[]);
        crossing(&place, &format!("set/left/{number}.mp4"), false, 5 + 11 * number, &[]);
    }
    ffmpeg(&place, &["-f", "lavfi", "-i", "color=c=black:s=160x120:r=10:d=2", "set/right/black.mp4"]);
    ffmpeg(&place, &["-f", "lavfi", "-i", "color=c=0x2040c0:s=160x120:r=10:d=2", "set/left/frozen.mp4"]);
    let ended = place.run(&["audit", "set", "--report", "audit.html", "--json"]).fine();
    let found: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let flagged = |fault: &str| {
        let findings = found["findings"].as_array().unwrap().iter();
        let named = findings.filter(|finding| finding["fault"] == fault);
        named.map(|finding| finding["ids"].to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(flagged("black_frames"), "[\"right/black.mp4\"]");
    assert!(
        flagged("frozen").contains("left/frozen.mp4") && !flagged("frozen").contains("left/1.mp4"),
        "{found}"
    );
}
