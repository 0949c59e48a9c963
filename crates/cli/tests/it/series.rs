//! Series of sensors as examples: folders of tables, other columns, other rates, and what is no series.

use crate::run::Place;

/// A table of two sensors over time: a worn part hums faster, and knocks.
fn machine(place: &Place, name: &str, worn: bool, number: usize, n_steps: usize) {
    let row = |step: usize| {
        let time = step as f64 * 0.01;
        let pitch = if worn { 1.4 } else { 0.8 };
        let knock = if worn && (step + 7 * number) % 40 < 2 { 1.5 } else { 0.0 };
        // A little disorder that is the same in every run.
        let noise = ((step * 37 + number * 101) % 97) as f64 / 97.0 - 0.5;
        let hum = (step as f64 * pitch + number as f64).sin() + knock + 0.5 * noise;
        format!("{time:.2},{hum:.4},{:.4}\n", 20.0 + 0.01 * step as f64 + noise)
    };
    place.write(name, format!("time,vibration,temperature\n{}", (0..n_steps).map(row).collect::<String>()));
}

fn tuned() -> Place {
    let place = Place::new();
    for number in 0..8 {
        machine(&place, &format!("machine/fine/{number}.csv"), false, number, 300 + 20 * number);
        machine(&place, &format!("machine/worn/{number}.csv"), true, number, 300 + 20 * number);
    }
    // One series with two labels is shown in the report.
    std::fs::copy(place.path("machine/fine/0.csv"), place.path("machine/worn/copy.csv")).unwrap();
    place.write("machine/worn/words.csv", "time,vibration\n0,high\n1,low\n");
    // What the machine was doing is no sensor, and costs no series.
    let state = |name: &str| {
        let text = std::fs::read_to_string(place.path(name)).unwrap();
        text.lines()
            .enumerate()
            .map(|(row, line)| format!("{line},{}\n", if row == 0 { "state" } else { "busy" }))
            .collect::<String>()
    };
    place.write("machine/fine/0.csv", state("machine/fine/0.csv"));
    let ended = place.run(&["tune", "machine"]).fine();
    assert!(ended.err.contains("Tuned on 17 examples"), "{}", ended.err);
    assert!(ended.err.contains("`state` holds text only and is left out"), "{}", ended.err);
    assert!(ended.err.contains("words.csv: this is not a series that can be read"), "{}", ended.err);
    place
}

#[test]
fn tables_in_class_folders_teach_and_single_tables_are_answered() {
    let place = tuned();
    let report = std::fs::read_to_string(place.path("machine.report.html")).unwrap();
    assert!(report.contains("data:image/jpeg;base64,"), "drawings of the sensors");
    machine(&place, "new/a.csv", true, 31, 350);
    machine(&place, "new/b.csv", false, 32, 500);
    // Columns in another order, one more, and without the clock.
    let text = std::fs::read_to_string(place.path("new/a.csv")).unwrap();
    let turned: String = text
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{},7,{}\n", cells[2], cells[1])
        })
        .collect();
    place.write("new/c.csv", turned.replacen(",7,", ",lamp,", 1));
    let ended = place.run(&["predict", "machine.djm", "new", "--json"]).fine();
    assert_eq!(ended.answers(), ["worn", "fine", "worn"]);
    let ended = place.run(&["predict", "machine.djm", "new/b.csv", "--json"]).fine();
    assert_eq!(ended.answers(), ["fine"]);

    place.write("list.csv", "trace,label\nnew/a.csv,worn\nnew/b.csv,fine\n");
    let ended = place.run(&["evaluate", "machine.djm", "list.csv", "--json"]).fine();
    let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told["n"], 2, "{}", ended.out);
}

#[test]
fn a_number_is_learned_from_series() {
    let place = Place::new();
    // How fast a shaft turns, in turns a second; the table says it with a little error.
    let shaft = |name: &str, turns: f64, number: usize| {
        let row = |step: usize| {
            let noise = ((step * 37 + number * 101) % 97) as f64 / 97.0 - 0.5;
            let time = step as f64 * 0.01;
            format!("{time:.2},{:.4}\n", (time * turns * std::f64::consts::TAU).sin() + 0.8 * noise)
        };
        place.write(name, format!("time,force\n{}", (0..400).map(row).collect::<String>()));
    };
    let list = |part: &str, n: usize| {
        let row = |number: usize| {
            let turns = 4.0 + 6.0 * ((number * 29 + part.len()) % n) as f64 / n as f64;
            let name = format!("{part}/{number}.csv");
            shaft(&name, turns, number);
            format!("{name},{:.2}\n", turns + 0.02 * (number % 3) as f64)
        };
        place.write(&format!("{part}.csv"), format!("trace,turns\n{}", (0..n).map(row).collect::<String>()));
    };
    list("train", 48);
    list("fresh", 17);
    place.run(&["tune", "train.csv", "--label", "turns", "--out", "turns.djm"]).fine();
    let ended = place.run(&["evaluate", "turns.djm", "fresh.csv", "--label", "turns", "--json"]).fine();
    let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let measures = told["measures"].as_array().unwrap();
    let mae = measures.iter().find(|measure| measure["metric"] == "mae").unwrap();
    // Guessing the middle is off by 1.5.
    assert!(mae["estimate"]["value"].as_f64().unwrap() < 0.3, "{told}");
}

#[test]
fn what_is_no_series_is_told_and_what_was_set_right_too() {
    let place = tuned();
    place.write("bad/empty.csv", "");
    place.write("bad/other.csv", "pressure\n1\n2\n3\n");
    place.write("bad/short.csv", "time,vibration,temperature\n0,1,2\n");
    let ended = place.run(&["predict", "machine.djm", "bad", "--json"]);
    assert_eq!(ended.answers(), ["not-a-series"; 3], "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("none of the sensors vibration, temperature"), "{}", ended.out);
    // Named one by one, one of them costs its own row only.
    place.write("bad/header.csv", "time,vibration,temperature\n");
    let named = ["predict", "machine.djm", "machine/fine/1.csv", "bad/header.csv", "bad/empty.csv", "--json"];
    let ended = place.run(&named).fine();
    assert_eq!(ended.answers(), ["fine", "not-a-series", "not-a-series"], "{}", ended.out);
    place.write("words/a/1.csv", "time,state\n0,idle\n1,busy\n");
    place.write("words/b/2.csv", "time,state\n0,idle\n1,busy\n");
    let ended = place.run(&["tune", "words"]);
    assert!(
        ended.code != 0 && ended.err.contains("not one can be read; the first problem"),
        "{}",
        ended.told()
    );
    assert!(ended.err.contains("column `state` holds text (`idle`)"), "{}", ended.told());

    machine(&place, "odd/a.csv", true, 3, 320);
    let text = std::fs::read_to_string(place.path("odd/a.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut broken: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    broken[50] = broken[50].replace(broken[50].split(',').nth(1).unwrap(), "ERROR");
    place.write("odd/a.csv", broken.join("\n"));
    let ended = place.run(&["predict", "machine.djm", "odd"]).fine();
    assert!(ended.out.contains("worn") && ended.out.contains("`ERROR`"), "{}", ended.out);
    let onnx = place.run(&["export", "machine.djm", "--onnx", "m.onnx"]);
    assert!(onnx.code != 0 && onnx.err.contains("steps of a series"), "{}", onnx.told());
}

#[test]
fn an_audit_tells_broken_sensors() {
    let place = Place::new();
    for number in 0..16 {
        let kind = if number % 2 == 0 { "fine" } else { "worn" };
        machine(&place, &format!("set/{kind}/{number:02}.csv"), kind == "worn", number, 300);
    }
    let change = |name: &str, change: &dyn Fn(usize, &str) -> String| {
        let text = std::fs::read_to_string(place.path(name)).unwrap();
        let lines = text.lines().enumerate().map(|(row, line)| format!("{}\n", change(row, line)));
        place.write(name, lines.collect::<String>());
    };
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let only = |row: usize, line: &str, new: &dyn Fn(Vec<String>) -> String| {
        if row == 0 { line.to_owned() } else { new(cells(line)) }
    };
    change("set/fine/00.csv", &|row, line| only(row, line, &|cells| format!("{},{},20", cells[0], cells[1])));
    change("set/worn/01.csv", &|row, line| {
        only(row, line, &|cells| {
            let value = if (100..130).contains(&row) { "3.5" } else { cells[1].as_str() };
            format!("{},{value},{}", cells[0], cells[2])
        })
    });
    change("set/fine/02.csv", &|row, line| {
        only(row, line, &|cells| {
            if row % 4 == 0 { format!("{},,{}", cells[0], cells[2]) } else { cells.join(",") }
        })
    });
    change("set/worn/03.csv", &|row, line| {
        only(row, line, &|cells| {
            let time: f64 = cells[0].parse().unwrap();
            format!("{:.2},{},{}", if row > 150 { time + 100.0 } else { time }, cells[1], cells[2])
        })
    });
    change("set/worn/05.csv", &|row, line| {
        only(row, line, &|cells| {
            let value = if row > 160 { "0.25" } else { cells[1].as_str() };
            format!("{},{value},{}", cells[0], cells[2])
        })
    });
    let ended = place.run(&["audit", "set", "--report", "audit.html", "--json"]).fine();
    let found: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let flagged = |fault: &str| {
        let findings = found["findings"].as_array().unwrap().iter();
        let named = findings.filter(|finding| finding["fault"] == fault);
        let mut ids: Vec<String> = named.map(|finding| finding["ids"].to_string()).collect();
        ids.sort();
        ids
    };
    for (fault, files) in [
        // One all the time, one from the middle on.
        ("flat_sensor", &["fine/00.csv", "worn/05.csv"][..]),
        ("saturated_sensor", &["worn/01.csv"]),
        ("missing_sensor", &["fine/02.csv"]),
        ("clock_jumps", &["worn/03.csv"]),
    ] {
        assert_eq!(
            flagged(fault),
            files.iter().map(|file| format!("[\"{file}\"]")).collect::<Vec<_>>(),
            "{fault}"
        );
    }
}
