//! Copies of recordings, begun later, ended earlier, quieter, of another rate or in other noise: found as duplicates.

use std::path::Path;

use base::sound::{Recording, decode_whole, wav};
use linalg::{Seed, random};
use pipeline::Fault;

use super::copies::{Copy, Found};
use super::{class_of, files, name_of, put};

/// The folder of good data, below the data folder.
const SET: &str = "audio/esc10";
/// Copies of each kind.
const OF_EACH: usize = 12;
/// No clip there is longer.
const MOST_SECONDS: u64 = 60;

/// Makes a copy of samples of one channel at a rate, and says at which rate it is stored.
type Altering = fn(&[f32], u32, Seed) -> (Vec<f32>, u32);

/// What is done to a copy.
const KINDS: [(&str, Altering); 6] = [
    ("begun later", |samples, rate, _| (samples[samples.len() * 13 / 100..].to_vec(), rate)),
    ("ended earlier", |samples, rate, _| (samples[..samples.len() * 8 / 10].to_vec(), rate)),
    ("cut at both ends", |samples, rate, _| {
        (samples[samples.len() * 17 / 100..samples.len() * 91 / 100].to_vec(), rate)
    }),
    ("quieter 10 dB", |samples, rate, _| (samples.iter().map(|sample| sample * 0.316).collect(), rate)),
    ("half the rate", |samples, rate, _| {
        (samples.chunks_exact(2).map(|two| f32::midpoint(two[0], two[1])).collect(), rate / 2)
    }),
    ("noise of -30 dB", |samples, rate, seed| {
        let mut rng = seed.rng();
        let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32;
        let noise = 0.0316 * power.sqrt();
        (samples.iter().map(|sample| sample + noise * random::normal(&mut rng) as f32).collect(), rate)
    }),
];

/// Whether the floors are reached.
pub(super) fn print(data: &Path, work: &Path) -> anyhow::Result<bool> {
    let folder = work.join("recordings");
    let planted = plant(&data.join(SET), &folder)?;
    let found = Found::of(&planted, &folder, Fault::Duplicate)?;
    found.print("sounds", &KINDS.map(|(name, _)| name));
    Ok(found.holds())
}

/// All clips, and copies of some.
fn plant(source: &Path, folder: &Path) -> anyhow::Result<Vec<Copy>> {
    let mut originals = files(source)?;
    random::shuffle(&mut originals, &mut Seed(3).rng());
    for file in &originals {
        put(file, folder, &class_of(file), &name_of(file))?;
    }
    let copied = originals.iter().take(KINDS.len() * OF_EACH).enumerate();
    copied.map(|(place, file)| altered(file, place % KINDS.len(), folder, Seed(4).nth(place))).collect()
}

fn altered(file: &Path, kind: usize, folder: &Path, seed: Seed) -> anyhow::Result<Copy> {
    let Recording { channels, rate, .. } = decode_whole(&std::fs::read(file)?, MOST_SECONDS)?;
    let (samples, rate) = KINDS[kind].1(&channels[0], rate, seed);
    let samples: Vec<i16> =
        samples.iter().map(|sample| (sample * 32767.0).clamp(-32768.0, 32767.0) as i16).collect();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}-copy.wav");
    std::fs::write(folder.join(class_of(file)).join(&name), wav(&samples, rate))?;
    Ok(Copy { name, original: name_of(file), kind })
}
