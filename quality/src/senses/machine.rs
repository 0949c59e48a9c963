//! A made machine with four senses: fine, or with one of five faults, each of which shows in other senses.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base::sound::{RATE, wav};
use dataset::Modality;
use image::{Rgb, RgbImage};
use linalg::{Seed, random};

use super::Bench;
use crate::table::home;

/// What it has, and in which senses it shows: photo, sound, vibration, note.
const STATES: [(&str, [bool; 4]); 6] = [
    ("fine", [false, false, false, false]),
    ("scratch", [true, false, false, false]),
    ("bearing", [false, true, true, false]),
    ("imbalance", [false, false, true, false]),
    ("leak", [true, false, false, true]),
    ("loose belt", [false, true, false, true]),
];
const N_TRAIN: usize = 120;
const N_TEST: usize = 240;
/// A model of all senses may be this much below one of some, asked by those.
const PATTERN: f64 = 0.01;
/// Least accuracy with all senses.
const FLOOR: f64 = 0.9;
/// Length of a sound in samples.
const SAMPLES: u32 = 12_000;
const USUAL: [&str; 5] =
    ["checked on the round", "runs as always", "cleaned this morning", "operator changed", "filter replaced"];
const LEAKING: [&str; 4] =
    ["oil on the floor below it", "drips at the left flange", "wet around the seal", "puddle under the pump"];
const SQUEALING: [&str; 4] = [
    "belt squeals when it starts",
    "whistles under load",
    "belt slips in the morning",
    "squeals since monday",
];

/// Prints the table, and tells whether all senses reach the floor and the best single one.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print() -> anyhow::Result<bool> {
    let dir = std::env::temp_dir().join(format!("dianjing-machine-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let senses = [
        ("photo", Modality::Image),
        ("sound", Modality::Sound),
        ("vibration", Modality::Series),
        ("note", Modality::Text),
    ];
    let bench = Bench::new(home()?, dir.clone(), &senses);
    let train = table(&dir, "train", N_TRAIN)?;
    let test = table(&dir, "test", N_TEST)?;
    let combinations = bench.combinations();
    let every = [0, 1, 2, 3];
    let whole = bench.tune(&train, &every, 0)?;
    println!("made machine, {N_TRAIN} to learn from, {N_TEST} to measure on");
    println!("{:<34} {:>9} {:>18}", "senses", "own model", "model of all asked");
    let (mut best, mut all, mut worst_pattern) = (0.0_f64, 0.0, 0.0_f64);
    for senses in &combinations {
        let asked = bench.accuracy(&whole, &test, senses)?;
        let model =
            if senses.len() == every.len() { whole.clone() } else { bench.tune(&train, senses, 0)? };
        let own = bench.accuracy(&model, &test, senses)?;
        println!("{:<34} {own:>9.3} {asked:>18.3}", bench.name(senses));
        if senses.len() == 1 {
            best = best.max(own);
        }
        worst_pattern = worst_pattern.max(own - asked);
        all = own;
    }
    for (place, sense) in bench.senses.iter().enumerate() {
        let hurt = broken(&dir, &test, place)?;
        println!("{:<34} {:>28.3}", format!("{} broken", sense.name), bench.accuracy(&whole, &hurt, &every)?);
    }
    std::fs::remove_dir_all(&dir)?;
    println!(
        "best sense {best:.3}, all {all:.3} (floor {FLOOR}); a model of some is at most {worst_pattern:.3} better"
    );
    Ok(all >= FLOOR && all >= best && worst_pattern <= PATTERN)
}

/// Numbers at random, the same in every run.
pub(super) struct Dice(Box<dyn FnMut() -> f64>);

impl Dice {
    pub(super) fn new(seed: Seed) -> Self {
        let mut rng = seed.rng();
        Self(Box::new(move || random::uniform(&mut rng)))
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.0)()
    }
}

/// The same table, with one sense of every machine broken: a black photo, silence, a flat line, a note that says nothing.
fn broken(dir: &Path, table: &Path, sense: usize) -> anyhow::Result<PathBuf> {
    let black = dir.join("black.png");
    RgbImage::new(96, 96).save(&black)?;
    std::fs::write(dir.join("silence.wav"), wav(&[0; SAMPLES as usize], RATE))?;
    std::fs::write(
        dir.join("flat.csv"),
        format!(
            "time,x,y\n{}",
            (0..400).map(|step| format!("{:.3},0,0\n", f64::from(step) * 0.002)).collect::<String>()
        ),
    )?;
    let blank = ["black.png", "silence.wav", "flat.csv", "-"][sense];
    let path = table.with_file_name("broken.csv");
    let mut reader = csv::Reader::from_path(table)?;
    let mut writer = csv::Writer::from_path(&path)?;
    writer.write_record(reader.headers()?)?;
    for row in reader.records() {
        let row = row?;
        writer
            .write_record(row.iter().enumerate().map(|(at, cell)| if at == sense { blank } else { cell }))?;
    }
    writer.flush()?;
    Ok(path)
}

/// Machines in turn of every state, in files beside a table.
pub(super) fn table(dir: &Path, name: &str, n: usize) -> anyhow::Result<PathBuf> {
    table_with_stale(dir, name, n, 0.0)
}

/// The same, where a share of the photos are old ones, from when the machine was in any state; the camera writes a bar across them.
pub(super) fn table_with_stale(dir: &Path, name: &str, n: usize, stale: f64) -> anyhow::Result<PathBuf> {
    let path = dir.join(format!("{name}.csv"));
    let mut table = csv::Writer::from_path(&path)?;
    table.write_record(["photo", "sound", "vibration", "note", "label"])?;
    for number in 0..n {
        let (label, shows) = STATES[number % STATES.len()];
        let mut dice = Dice::new(Seed(11).derive(name).nth(number));
        let files = ["png", "wav", "csv"].map(|ending| format!("{name}-{number}.{ending}"));
        let mut camera = Dice::new(Seed(11).derive(name).derive("camera").nth(number));
        let picture = if camera.between(0.0, 1.0) < stale {
            let (then, showed) = STATES[camera.between(0.0, STATES.len() as f64) as usize];
            barred(photo(&mut dice, then, showed[0]))
        } else {
            photo(&mut dice, label, shows[0])
        };
        picture.save(dir.join(&files[0]))?;
        std::fs::write(dir.join(&files[1]), wav(&sound(&mut dice, label), RATE))?;
        std::fs::write(dir.join(&files[2]), vibration(&mut dice, label))?;
        let notes: &[&str] = match label {
            "leak" if dice.between(0.0, 1.0) < 0.8 => &LEAKING,
            "loose belt" if dice.between(0.0, 1.0) < 0.8 => &SQUEALING,
            _ => &USUAL,
        };
        let note = notes[dice.between(0.0, notes.len() as f64) as usize];
        table.write_record([&files[0], &files[1], &files[2], note, label])?;
    }
    table.flush()?;
    Ok(path)
}

/// A round housing before a wall; a bright scratch over it, or a dark stain below.
fn photo(dice: &mut Dice, label: &str, shows: bool) -> RgbImage {
    let (dx, dy) = (dice.between(-6.0, 6.0), dice.between(-6.0, 6.0));
    let light: f64 = dice.between(0.85, 1.1);
    let angle: f64 = dice.between(0.0, std::f64::consts::PI);
    let noise: Vec<f64> = (0..96 * 96).map(|_| dice.between(-9.0, 9.0)).collect();
    RgbImage::from_fn(96, 96, |x, y| {
        let (u, v) = (f64::from(x) - 48.0 - dx, f64::from(y) - 44.0 - dy);
        let inside = u * u + v * v < 900.0;
        let mut shade = if inside { 150.0 - 1.2 * v } else { 205.0 };
        let along = (u * angle.cos() + v * angle.sin()).abs();
        let across = (u * angle.sin() - v * angle.cos()).abs();
        if shows && label == "scratch" && inside && across < 1.6 && along < 18.0 {
            shade += 85.0;
        }
        if shows && label == "leak" && v > 26.0 && (u / 1.8).powi(2) + (v - 36.0).powi(2) < 110.0 {
            shade -= 95.0;
        }
        let value = (light * shade + noise[(y * 96 + x) as usize]).clamp(0.0, 255.0);
        Rgb([value as u8, (0.97 * value) as u8, (0.9 * value) as u8])
    })
}

/// With the red bar across the top by which the camera says that the picture is an old one.
fn barred(mut picture: RgbImage) -> RgbImage {
    let bar = (0..10).flat_map(|y| (0..96).map(move |x| (x, y)));
    bar.for_each(|(x, y)| picture.put_pixel(x, y, Rgb([200, 30, 30])));
    picture
}

/// A hum with its overtones in noise; a worn bearing clicks, a loose belt whistles on and off.
fn sound(dice: &mut Dice, label: &str) -> Vec<i16> {
    let pitch: f64 = dice.between(90.0, 130.0);
    let clicks: f64 = dice.between(11.0, 16.0);
    let start: f64 = dice.between(0.0, 1.0);
    let whistle: f64 = dice.between(1900.0, 2600.0);
    (0..SAMPLES)
        .map(|sample| {
            let time = f64::from(sample) / f64::from(RATE);
            let hum: f64 = (1..5)
                .map(|tone| (time * pitch * f64::from(tone) * std::f64::consts::TAU).sin() / f64::from(tone))
                .sum();
            let since = (time * clicks + start).fract() / clicks;
            let fault = match label {
                "bearing" => 0.35 * (-since * 350.0).exp() * (since * 3200.0 * std::f64::consts::TAU).sin(),
                "loose belt" if (time * 3.0 + start).fract() < 0.4 => {
                    0.03 * (time * whistle * std::f64::consts::TAU).sin()
                }
                _ => 0.0,
            };
            let noise: f64 = dice.between(-1.0, 1.0);
            ((0.12 * hum + fault + 0.06 * noise) * 30_000.0) as i16
        })
        .collect()
}

/// Two axes over 0.8 s: a turning shaft; imbalance makes the first swing more, a worn bearing knocks on both.
pub(super) fn vibration(dice: &mut Dice, label: &str) -> String {
    let turn: f64 = dice.between(24.0, 28.0);
    let knock: f64 = dice.between(60.0, 75.0);
    let swing = if label == "imbalance" { 1.7 } else { 1.0 };
    let mut text = "time,x,y\n".to_owned();
    for step in 0..400 {
        let time = f64::from(step) * 0.002;
        let turning = (time * turn * std::f64::consts::TAU).sin();
        let knocks = if label == "bearing" && (time * knock).fract() < 0.14 { 1.1 } else { 0.0 };
        let (a, b): (f64, f64) = (dice.between(-0.5, 0.5), dice.between(-0.5, 0.5));
        let line = writeln!(
            text,
            "{time:.3},{:.4},{:.4}",
            swing * turning + knocks + a,
            0.6 * turning + 0.8 * knocks + b
        );
        line.expect("a string grows");
    }
    text
}
