//! Sounds at the door: learned from, predicted, looked through, voted on; damaged, empty and false ones are told.

use std::fs;

use serde_json::{Value, json as made};

use crate::run::{Ended, Place};

const RATE: u32 = 8_000;

/// A WAV file of 16 bits and one channel.
fn wav(samples: &[f32]) -> Vec<u8> {
    wav_as(16, 1, RATE, samples)
}

/// A WAV file of 8, 16 or 24 bits; all channels hold the same.
fn wav_as(bits: u16, channels: u16, rate: u32, samples: &[f32]) -> Vec<u8> {
    let block = channels * bits / 8;
    let bytes = u32::from(block) * samples.len() as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend([rate, u32::from(block) * rate].iter().flat_map(|word| word.to_le_bytes()));
    file.extend([block, bits].iter().flat_map(|word| word.to_le_bytes()));
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    for sample in samples {
        let whole = ((sample * 2_097_152_000.0) as i32).to_le_bytes();
        for _ in 0..channels {
            match bits {
                8 => file.push(whole[3] ^ 0x80),
                16 => file.extend(&whole[2..]),
                _ => file.extend(&whole[1..]),
            }
        }
    }
    file
}

/// A second of beeps or of hiss that comes and goes, the same for the same number.
fn sound(kind: &str, number: u32) -> Vec<f32> {
    let mut noise = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let sample = |i: u32| {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let time = i as f32 / RATE as f32;
        let hiss = noise as f32 / u32::MAX as f32 - 0.5;
        let swell = 0.5 + 0.4 * (time * (9.0 + number as f32)).sin();
        if kind == "beep" {
            let on = (time * (4.0 + number as f32 / 3.0)).fract() < 0.5;
            let tone = (time * std::f32::consts::TAU * (500.0 + 60.0 * number as f32)).sin();
            0.02 * hiss + if on { 0.4 * tone } else { 0.0 }
        } else {
            0.8 * swell * hiss
        }
    };
    (0..RATE).map(sample).collect()
}

fn sounds(place: &Place, folder: &str, numbers: std::ops::Range<u32>) {
    for kind in ["beep", "hiss"] {
        for number in numbers.clone() {
            place.write(&format!("{folder}/{kind}/{kind}{number:02}.wav"), wav(&sound(kind, number)));
        }
    }
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap()
}

#[test]
fn a_folder_of_sounds_becomes_a_bundle_that_hears() {
    let place = Place::new();
    sounds(&place, "parts", 0..8);
    place.write("parts/beep/empty.wav", "");
    place.write("parts/beep/photo.wav", "GIF89a, whatever the name says");
    place.write("parts/hiss/none.wav", wav(&[]));
    let cut = wav(&sound("beep", 3));
    place.write("parts/beep/cut.wav", &cut[..cut.len() / 2]);
    let tuned = place.run(&["tune", "parts", "--out", "parts.djm", "--report", "parts.html"]).fine();
    let told = &tuned.err;
    assert!(told.contains("Tuned on 17 examples"), "{told}");
    assert!(told.contains("empty.wav") && told.contains("photo.wav") && told.contains("none.wav"), "{told}");
    assert!(told.contains("cut.wav"), "{told}");
    // What was damaged is told by every run, also when all other features are kept.
    let again = place.run(&["tune", "parts", "--out", "parts.djm", "--report", "parts.html"]).fine();
    assert!(again.err.contains("cut.wav"), "{}", again.err);

    place.write("new/one.wav", wav(&sound("beep", 8)));
    place.write("new/two.wav", wav(&sound("hiss", 8)));
    let long = wav(&sound("hiss", 9));
    place.write("new/short.wav", &long[..long.len() - 4_000]);
    place.write("new/text.wav", "nothing to hear");
    let found = json(&place.run(&["predict", "parts.djm", "new", "--json"]).fine());
    let rows = found.as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["id"].as_str().unwrap().ends_with(name)).unwrap();
    assert_eq!(row("one.wav")["prediction"]["answer"]["name"], "beep");
    assert_eq!(row("two.wav")["prediction"]["answer"]["name"], "hiss");
    assert_eq!(row("short.wav")["prediction"]["answer"]["name"], "hiss");
    assert!(!row("short.wav")["problem"].is_null() && row("one.wav")["problem"].is_null(), "{found}");
    assert!(row("text.wav")["prediction"].is_null() && !row("text.wav")["problem"].is_null());
    let table = place.run(&["predict", "parts.djm", "new/short.wav"]).fine();
    assert!(table.out.contains("hiss"), "{}", table.out);

    // A bundle that hears is not asked about texts.
    place.write("notes.csv", "text\nthe lid is loose\n");
    let refused = place.run(&["predict", "parts.djm", "notes.csv"]);
    assert!(refused.code == 1 && refused.err.contains("takes sounds"), "{}", refused.told());
}

#[test]
fn sounds_of_every_depth_rate_and_length_are_heard() {
    let place = Place::new();
    sounds(&place, "parts", 0..6);
    let each =
        |samples: &[f32], times: usize| samples.iter().flat_map(|sample| vec![*sample; times]).collect();
    let wide: Vec<f32> = each(&sound("hiss", 6), 24);
    place.write("parts/beep/stereo.wav", wav_as(16, 2, RATE, &sound("beep", 6)));
    place.write("parts/beep/eight.wav", wav_as(8, 1, RATE, &sound("beep", 7)));
    place.write("parts/hiss/deep.wav", wav_as(24, 1, RATE, &sound("hiss", 7)));
    place.write("parts/hiss/wide.wav", wav_as(24, 6, 24 * RATE, &wide));
    place.write("parts/hiss/one.wav", wav(&[0.25]));
    let told = place.run(&["tune", "parts", "--out", "parts.djm", "--report", "parts.html"]).fine().err;
    assert!(told.contains("Tuned on 17 examples") && !told.contains(".wav:"), "{told}");
    let found = json(&place.run(&["predict", "parts.djm", "parts", "--json"]).fine());
    for row in found.as_array().unwrap() {
        let name = row["id"].as_str().unwrap();
        let kind = if name.contains("beep") { "beep" } else { "hiss" };
        let right = name.ends_with("one.wav") || row["prediction"]["answer"]["name"] == kind;
        assert!(right && row["problem"].is_null(), "{row}");
    }
}

#[test]
fn an_audit_hears_what_is_wrong() {
    let place = Place::new();
    sounds(&place, "parts", 0..8);
    place.write("parts/beep/silent.wav", wav(&vec![0.0; RATE as usize]));
    let loud: Vec<f32> = sound("beep", 9).iter().map(|sample| (sample * 9.0).clamp(-1.02, 1.02)).collect();
    place.write("parts/beep/clipped.wav", wav(&loud));
    place.write("parts/hiss/copy.wav", wav(&sound("hiss", 2)));
    let tones = |hertz: &[f32], noise: f32| -> Vec<f32> {
        let tone = |i: usize, hertz: &f32| (i as f32 / RATE as f32 * hertz * std::f32::consts::TAU).sin();
        let quiet = sound("hiss", 10);
        (0..RATE as usize)
            .map(|i| noise * quiet[i] + 0.1 * hertz.iter().map(|hertz| tone(i, hertz)).sum::<f32>())
            .collect()
    };
    place.write("parts/beep/hum.wav", wav(&tones(&[50.0, 100.0, 150.0, 200.0, 250.0], 0.05)));
    place.write("parts/beep/low.wav", wav(&tones(&[311.0, 440.0, 523.0], 0.0)));
    place.write("parts/hiss/twice.wav", wav_as(16, 2, RATE, &sound("hiss", 11)));
    let found = json(&place.run(&["audit", "parts", "--report", "audit.html", "--json"]).fine());
    let page = fs::read_to_string(place.path("audit.html")).unwrap();
    assert!(page.contains("data:image/jpeg"), "sounds are drawn");
    assert!(page.contains("<audio controls") && page.contains("media-src data:"), "sounds can be heard");
    let flagged = |fault: &str| {
        let findings = found["findings"].as_array().unwrap().iter();
        let named = findings.filter(|finding| finding["fault"] == fault);
        named.map(|finding| finding["ids"].to_string()).collect::<Vec<_>>().join(" ")
    };
    assert!(flagged("silent").contains("silent.wav"), "{found}");
    assert!(flagged("clipped").contains("clipped.wav"), "{found}");
    assert!(flagged("duplicate").contains("copy.wav"), "{found}");
    assert!(flagged("hum").contains("hum.wav"), "{found}");
    assert!(flagged("upsampled").contains("low.wav"), "{found}");
    assert!(flagged("same_channels").contains("twice.wav"), "{found}");
}

#[test]
fn a_model_votes_on_sounds_with_the_annotators() {
    let place = Place::new();
    sounds(&place, "clips", 0..8);
    let mut votes = "item,annotator,label\n".to_owned();
    for kind in ["beep", "hiss"] {
        for number in 0..8 {
            for annotator in ["ann", "bob", "cy"] {
                let wrong = annotator == "cy" && number % 2 == 0;
                let label = if wrong == (kind == "beep") { "hiss" } else { "beep" };
                votes += &format!("{kind}{number:02},{annotator},{label}\n");
            }
        }
    }
    votes += "beep99,ann,beep\n";
    place.write("votes.csv", votes);
    place.write("clips/hiss/unheard.wav", wav(&sound("hiss", 40)));
    let ended = place.run(&["consensus", "votes.csv", "--examples", "clips", "--ask", "18", "--json"]).fine();
    let found = json(&ended);
    let evidence = found["evidence"].as_array().unwrap();
    let methods: Vec<&str> = evidence.iter().map(|part| part["method"].as_str().unwrap()).collect();
    assert!(methods.contains(&"model") && methods.contains(&"crowd"), "{methods:?}");
    for item in found["items"].as_array().unwrap() {
        assert!(item["item"].as_str().unwrap().starts_with(item["label"].as_str().unwrap()), "{item}");
    }
    assert!(ended.err.contains("says nothing about 1 of 17 items"), "{}", ended.err);
    let unheard: Vec<&Value> = found["questions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|question| question["item"] == "hiss/unheard.wav")
        .collect();
    assert!(unheard.len() == 1 && unheard[0]["annotator"].is_string(), "{}", found["questions"]);
    let asked = json(
        &place.run(&["consensus", "votes.csv", "--examples", "clips", "--method", "model", "--json"]).fine(),
    );
    assert!(asked["method"] == "model" && asked["evidence"] == made!([]), "{asked}");
    place.write("other/a.wav", wav(&sound("beep", 1)));
    for elsewhere in ["votes.csv", "other"] {
        let refused = place.run(&["consensus", "votes.csv", "--examples", elsewhere]);
        assert!(
            refused.code == 1 && refused.err.contains("no item of the votes is called like"),
            "{}",
            refused.told()
        );
    }
}

#[test]
fn good_sounds_alone_make_an_inspector_that_marks_what_is_new() {
    let place = Place::new();
    for number in 0..24 {
        place.write(&format!("good/{number:02}.wav"), wav(&sound("hiss", number)));
    }
    place.write("good/notes.txt", "recorded on Monday");
    let ended = place.run(&["inspect", "good", "--false-alarms", "10%", "--json"]).fine();
    assert!(
        ended.err.contains("Learned 24 good recordings") && !ended.err.contains("photo"),
        "{}",
        ended.err
    );
    let page = std::fs::read_to_string(place.path("good.report.html")).unwrap();
    assert!(page.contains("What to record next") && !page.contains("photo<") && !page.contains("hotograph"));
    // The same hiss with a whistle in the middle of it.
    let whistle = |number: u32| -> Vec<f32> {
        let tone = |i: usize| if (3000..5000).contains(&i) { 0.5 * (i as f32 * 1.9).sin() } else { 0.0 };
        sound("hiss", number).iter().enumerate().map(|(i, sample)| sample + tone(i)).collect()
    };
    for number in 40..44 {
        place.write(&format!("new/fine{number}.wav"), wav(&sound("hiss", number)));
        place.write(&format!("new/whistle{number}.wav"), wav(&whistle(number)));
    }
    place.write("new/letter.txt", "not a sound");
    let ended = place.run(&["predict", "good.djm", "new", "--heatmaps", "heat", "--json"]).fine();
    let rows = json(&ended);
    let of = |kind: &str| -> Vec<f64> {
        let rows = rows.as_array().unwrap().iter();
        let rows = rows.filter(|row| row["id"].as_str().unwrap().contains(kind));
        rows.map(|row| row["found"]["score"].as_f64().unwrap()).collect()
    };
    let (fine, odd) = (of("fine"), of("whistle"));
    assert_eq!((fine.len(), odd.len()), (4, 4));
    let most = fine.iter().copied().fold(f64::MIN, f64::max);
    assert!(odd.iter().all(|score| *score > most), "{fine:?} {odd:?}");
    assert!(place.path("heat").read_dir().unwrap().count() >= 8);
    // A photo is nothing for it.
    place.pictures("photos", 1);
    let ended = place.run(&["predict", "good.djm", "photos/disc/00.png", "--json"]);
    assert_eq!(json(&ended)[0]["problem"]["kind"], "other-kind", "{}", ended.told());
}

/// Half a minute of beeps and hiss in turns, with where each begins and ends.
fn long(number: u32) -> (Vec<f32>, Vec<(f64, f64, &'static str)>) {
    let (mut samples, mut spans) = (Vec::new(), Vec::new());
    for turn in 0..8 {
        let kind = if (turn + number).is_multiple_of(2) { "beep" } else { "hiss" };
        let start = samples.len() as f64 / f64::from(RATE);
        for _ in 0..3 {
            samples.extend(sound(kind, 8 * number + turn));
        }
        spans.push((start, samples.len() as f64 / f64::from(RATE), kind));
    }
    (samples, spans)
}

/// Three such recordings, and the table of their pieces.
fn machines(place: &Place) -> String {
    let mut table = "file,start,end,label\n".to_owned();
    for number in 0..3 {
        let (samples, spans) = long(number);
        place.write(&format!("machine{number}.wav"), wav(&samples));
        for (start, end, kind) in spans {
            table += &format!("machine{number}.wav,{:.1},{:.1},{kind}\n", start + 0.4, end - 0.6);
        }
    }
    table
}

#[test]
fn rows_with_start_and_end_are_pieces_and_longer_sounds_are_told_in_stretches() {
    let place = Place::new();
    let table = machines(&place);
    place.write("pieces.csv", &table);
    let bad = "machine0.wav,4,3,beep\nmachine1.wav,1:02,1:04,hiss\nmachine2.wav,23,99,beep\nmachine2.wav,40,,hiss\n";
    place.write("with-bad.csv", table + bad);
    let tuned = place.run(&["tune", "with-bad.csv", "--out", "m.djm", "--report", "m.html"]).fine();
    let told = &tuned.err;
    assert!(told.contains("Tuned on 24 examples"), "{told}");
    assert!(told.contains("from `4` to `3` is no piece of a sound"), "{told}");
    assert!(told.contains("from `1:02` to `1:04` is no piece"), "{told}");
    assert!(told.contains("goes on to 99.00 s and the sound ends at 24.00 s"), "{told}");
    assert!(told.contains("goes on to 40.00 s") && told.contains("machine2.wav"), "{told}");
    let chinese = place.run_with(&["predict", "m.djm", "with-bad.csv"], &[("DIANJING_LANG", "zh")]).fine();
    let told = &chinese.out;
    assert!(told.contains("声音在 24.00 秒结束") && told.contains("不是一段声音"), "{told}");

    // Rows of a table are answered as pieces.
    let found = json(&place.run(&["predict", "m.djm", "pieces.csv", "--json"]).fine());
    assert_eq!(found.as_array().unwrap().len(), 24);
    // A file is told in stretches, each near where its kind really begins and ends.
    let (samples, spans) = long(3);
    place.write("new/long.wav", wav(&samples));
    place.write("new/short.wav", wav(&samples[..2 * RATE as usize]));
    let found = json(&place.run(&["predict", "m.djm", "new", "--json"]).fine());
    let of = |name: &str| -> Vec<&Value> {
        found.as_array().unwrap().iter().filter(|row| row["id"].as_str().unwrap().ends_with(name)).collect()
    };
    let stretches = of("long.wav");
    assert_eq!(stretches.len(), spans.len(), "{found}");
    for (row, (start, end, kind)) in stretches.iter().zip(&spans) {
        assert_eq!(row["prediction"]["answer"]["name"], *kind);
        let told = [0, 1].map(|at| row["seconds"][at].as_f64().unwrap());
        assert!(
            (told[0] - start).abs() <= 1.01 && (told[1] - end).abs() <= 1.01,
            "{told:?} is {start} to {end}"
        );
    }
    assert!(of("short.wav").len() == 1 && of("short.wav")[0]["seconds"].is_null(), "{found}");
    let shown = place.run(&["predict", "m.djm", "new/long.wav"]).fine();
    assert!(shown.out.contains("long.wav, 0.0-"), "{}", shown.out);
    // Measured on pieces; what no piece can be is told there as well.
    let measured = place.run(&["evaluate", "m.djm", "pieces.csv"]).fine();
    assert!(measured.err.contains("24 examples"), "{}", measured.told());
    // An inspector of the whole files would learn what is in none of the pieces.
    let refused = place.run(&["inspect", "pieces.csv"]);
    assert!(refused.code == 1 && refused.err.contains("is a piece of a sound"), "{}", refused.told());
}

#[test]
fn an_audit_of_pieces_mends_the_table_and_keeps_the_times() {
    let place = Place::new();
    let table = machines(&place);
    // The same piece as the first row's.
    place.write("pieces.csv", table + "machine0.wav,0.40,2.4,beep\n");
    place.run(&["audit", "pieces.csv", "--report", "audit.html", "--out", "findings.json"]).fine();
    let found: Value = serde_json::from_slice(&fs::read(place.path("findings.json")).unwrap()).unwrap();
    let copies =
        found["findings"].as_array().unwrap().iter().filter(|finding| finding["fault"] == "duplicate");
    assert_eq!(copies.count(), 1, "{found}");
    place.run(&["apply", "findings.json", "--accept", "duplicate", "--out", "second.csv"]).fine();
    let second = fs::read_to_string(place.path("second.csv")).unwrap();
    assert!(second.starts_with("sound,start,end,label,group"), "{second}");
    assert!(second.contains("machine1.wav,0.4,2.4,hiss,machine1.wav"), "{second}");
    assert_eq!(second.lines().count(), 1 + 24, "{second}");
    let tuned = place.run(&["tune", "second.csv", "--out", "m.djm"]).fine();
    assert!(tuned.err.contains("Tuned on 24 examples"), "{}", tuned.err);
}
