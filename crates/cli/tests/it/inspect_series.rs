//! Inspectors of series: good traces alone, alarms for what is new, and words that do not speak of photos.

use std::fmt::Write as _;

use serde_json::Value;

use crate::run::Place;

/// A press stroke: force that rises and falls again, and a vibration; no two alike.
fn stroke(number: u32, fault: &str) -> String {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1_u32 << 24) - 0.5
    };
    let (height, turn) = (1.0 + 0.1 * noise(), 0.9 + 0.1 * noise());
    let mut text = "time,force,vibration\n".to_owned();
    for step in 0..300 {
        let share = f64::from(step) / 300.0;
        let mut force = height * (share * std::f64::consts::PI).sin().powi(2) + 0.02 * noise();
        let mut vibration = (f64::from(step) * turn).sin() + 0.4 * noise();
        match fault {
            // The sheet tears in the middle of the stroke.
            "torn" if (0.5..0.65).contains(&share) => force *= 0.3,
            // Something knocks all the time.
            "knocks" if step % 23 < 3 => vibration += 2.5,
            _ => {}
        }
        writeln!(text, "{:.3},{force:.4},{vibration:.4}", f64::from(step) * 0.002).unwrap();
    }
    text
}

/// A stroke of which the vibration was not recorded.
fn deaf(number: u32) -> String {
    stroke(number, "").lines().map(|row| row.rsplit_once(',').unwrap().0.to_owned() + "\n").collect()
}

fn rows(out: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(out).unwrap().as_array().unwrap().clone()
}

#[test]
fn good_series_alone_make_an_inspector_that_marks_what_is_new() {
    let place = Place::new();
    for number in 0..30 {
        place.write(&format!("good/{number:02}.csv"), stroke(number, ""));
    }
    place.write("good/notes.txt", "recorded on Monday");
    let ended = place.run(&["inspect", "good", "--false-alarms", "10%"]).fine();
    assert!(ended.err.contains("Learned 30 good series"), "{}", ended.err);
    assert!(ended.err.contains("at most 10 % of good parts alarm"), "{}", ended.err);
    assert!(ended.err.contains("new/*.csv") && !ended.err.contains("photo"), "{}", ended.err);
    let page = std::fs::read_to_string(place.path("good.report.html")).unwrap();
    assert!(page.contains("What to record next") && !page.contains("hotograph"));

    for number in 100..106 {
        place.write(&format!("new/fine{number}.csv"), stroke(number, ""));
        place.write(&format!("new/torn{number}.csv"), stroke(number, "torn"));
        place.write(&format!("new/knocks{number}.csv"), stroke(number, "knocks"));
    }
    place.write("new/deaf.csv", deaf(106));
    place.write("new/broken.csv", "");
    place.write("new/other.csv", "time,heat\n0,1\n1,2\n2,3\n");
    let ended = place.run(&["predict", "good.djm", "new", "--heatmaps", "heat", "--json"]).fine();
    let found = rows(&ended.out);
    let of = |kind: &str| -> Vec<&Value> {
        found.iter().filter(|row| row["id"].as_str().unwrap().contains(kind)).collect()
    };
    let alarms = |kind: &str| of(kind).iter().filter(|row| row["found"]["alarm"] == true).count();
    assert_eq!((of("torn").len(), alarms("torn"), alarms("knocks")), (6, 6, 6), "{}", ended.out);
    assert!(alarms("fine") <= 2, "{}", ended.out);
    assert_eq!(of("other")[0]["problem"]["kind"], "not-a-series");
    assert!(of("broken")[0]["found"].is_null());
    // A sensor that is missing is told, beside what is found all the same.
    assert_eq!(of("deaf")[0]["problem"]["kind"], "damaged-series");
    assert!(!of("deaf")[0]["found"].is_null() && of("fine").iter().all(|row| row["problem"].is_null()));
    // The force is marked where the sheet tears: in the upper strip, behind the middle.
    let map = image::open(place.path("heat/torn100.csv.map.png")).unwrap().to_luma16();
    let hottest = map.enumerate_pixels().max_by_key(|(.., value)| value.0[0]).unwrap();
    assert!((120..=230).contains(&hottest.0) && hottest.1 < 112, "{hottest:?} of {:?}", map.dimensions());

    // Where that is, is told in seconds of a sensor.
    let ended = place.run(&["predict", "good.djm", "new/torn100.csv"]).fine();
    assert!(ended.out.contains(" s force") && !ended.out.contains(" px"), "{}", ended.out);
    let ended = place.run_with(&["predict", "good.djm", "new"], &[("DIANJING_LANG", "zh")]).fine();
    assert!(ended.err.contains("条序列") && !ended.err.contains("照片"), "{}", ended.err);
    place.pictures("photos", 1);
    let ended = place.run(&["predict", "good.djm", "photos/disc/00.png", "--json"]);
    assert!(ended.out.contains("problem") && rows(&ended.out)[0]["found"].is_null(), "{}", ended.told());
}

#[test]
fn class_folders_and_tables_of_series_are_inspected_too() {
    let place = Place::new();
    for number in 0..12 {
        place.write(&format!("set/good/{number:02}.csv"), stroke(number, ""));
    }
    for number in 20..24 {
        place.write(&format!("set/torn/{number:02}.csv"), stroke(number, "torn"));
    }
    let ended = place.run(&["inspect", "set", "--false-alarms", "30%", "--out", "set.djm", "--json"]).fine();
    let made: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(made["good"]["photos"], 12, "{made}");
    let ended = place.run(&["evaluate", "set.djm", "set"]);
    assert!(ended.code != 0 && ended.err.contains("learned from every"), "{}", ended.told());

    let list: String = (0..12).map(|number| format!("set/good/{number:02}.csv\n")).collect();
    place.write("deaf.csv", deaf(106));
    place.write("list.csv", format!("trace\n{list}deaf.csv\n"));
    let ended = place.run(&["inspect", "list.csv", "--false-alarms", "30%"]).fine();
    assert!(ended.err.contains("deaf.csv") && ended.err.contains("`vibration`"), "{}", ended.err);
    place.write("none/a.csv", "not,numbers\nx,y\nz,w\n");
    place.write("none/b.csv", "");
    let ended = place.run(&["inspect", "none"]);
    assert!(ended.code != 0 && ended.err.contains("not one can be read"), "{}", ended.told());
}
