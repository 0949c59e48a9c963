//! Emoji: the picture, its English and its Chinese name; which of eight categories?

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use dataset::Modality;
use image::{Rgb, RgbImage};
use linalg::{Seed, random};
use serde::Deserialize;

use super::Bench;
use crate::peer::Peer;
use crate::table::home;

/// The columns of its tables.
pub(super) const SENSES: [(&str, Modality); 3] =
    [("image", Modality::Image), ("english", Modality::Text), ("chinese", Modality::Text)];
const DRAWS: usize = 2;
/// What logistic regression in Python reached with another half of the emoji to learn from, by combination.
const BEFORE: [(&str, f64); 5] = [
    ("image", 0.735),
    ("english", 0.823),
    ("chinese", 0.786),
    ("image + english", 0.863),
    ("image + english + chinese", 0.863),
];
/// A model of all senses may be this much below one of some, asked by those.
const PATTERN: f64 = 0.01;
/// What three broken pictures of ten may cost.
const BROKEN: f64 = 0.02;
/// All senses may be this much below the best one.
const BELOW_BEST: f64 = 0.003;

#[derive(Deserialize)]
pub(super) struct Emoji {
    pub(super) image: String,
    pub(super) category: String,
    pub(super) caption_en: String,
    pub(super) caption_zh: String,
}

/// The folder of the pictures, and what is known of each.
pub(super) fn read(data: &Path) -> anyhow::Result<(PathBuf, Vec<Emoji>)> {
    let folder = std::path::absolute(data.join("multimodal/emoji_zh_en"))?;
    if !folder.exists() {
        bail!("the data is missing: `{}`", folder.display());
    }
    let text = std::fs::read_to_string(folder.join("items.jsonl"))?;
    let emoji = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    Ok((folder, emoji))
}

/// Prints the table, and tells whether every aim is reached on the mean.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print(data: &Path) -> anyhow::Result<bool> {
    let (folder, emoji) = read(data)?;
    let dir = std::env::temp_dir().join(format!("dianjing-senses-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let bench = Bench::new(home()?, dir.clone(), &SENSES);
    let combinations = bench.combinations();
    let (mut own, mut asked) = (vec![0.0; combinations.len()], vec![0.0; combinations.len()]);
    let peer = Peer::installed()?;
    let (mut broken, mut plain) = (0.0, vec![0.0; combinations.len()]);
    for draw in 0..DRAWS {
        let (train, test, hurt) = tables(&dir, &folder, &emoji, draw)?;
        let whole = bench.tune(&train, combinations.last().context("there is one")?, draw as u64)?;
        for (place, senses) in combinations.iter().enumerate() {
            asked[place] += bench.accuracy(&whole, &test, senses)? / DRAWS as f64;
            let model =
                if senses.len() == 3 { whole.clone() } else { bench.tune(&train, senses, draw as u64)? };
            own[place] += bench.accuracy(&model, &test, senses)? / DRAWS as f64;
        }
        broken += bench.accuracy(&whole, &hurt, &[0, 1, 2])? / DRAWS as f64;
        if let Some(peer) = &peer {
            for (senses, plain) in combinations.iter().zip(&mut plain) {
                *plain += bench.plain(peer, &train, &test, senses)? / DRAWS as f64;
            }
        }
    }
    std::fs::remove_dir_all(&dir)?;
    let mut good = true;
    println!("emoji, {} to learn from, as many to measure on, mean of {DRAWS} draws", emoji.len() / 2);
    println!(
        "{:<28} {:>9} {:>18} {:>12} {:>16}",
        "senses", "own model", "model of all asked", "scikit-learn", "on another half"
    );
    for (((senses, own), asked), plain) in combinations.iter().zip(&own).zip(&asked).zip(plain) {
        // The same examples say more than another half: those differ by two points.
        let plain = peer.is_some().then_some(plain);
        let name = bench.name(senses);
        let before = BEFORE.iter().find(|(combination, _)| *combination == name).map(|(_, before)| *before);
        let told = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{share:.3}"));
        println!("{name:<28} {own:>9.3} {asked:>18.3} {:>12} {:>16}", told(plain), told(before));
        good &= plain.or(before).is_none_or(|floor| *own >= floor) && *asked >= own - PATTERN;
    }
    let best = own[..3].iter().copied().fold(0.0, f64::max);
    let all = own[combinations.len() - 1];
    println!("all senses less the best one: {:+.3} (aim at least -{BELOW_BEST})", all - best);
    println!("30 % of the pictures broken: {broken:.3}, costs {:.3} (aim at most {BROKEN})", all - broken);
    Ok(good && all >= best - BELOW_BEST && all - broken <= BROKEN)
}

/// A random half to learn from, the other to measure on, and that one with three pictures of ten broken.
pub(super) fn tables(
    dir: &Path,
    folder: &Path,
    emoji: &[Emoji],
    draw: usize,
) -> anyhow::Result<(PathBuf, PathBuf, PathBuf)> {
    let mut rng = Seed(7).derive("emoji").nth(draw).rng();
    let mut order: Vec<usize> = (0..emoji.len()).collect();
    random::shuffle(&mut order, &mut rng);
    let (train, test) = order.split_at(emoji.len() / 2);
    let black = dir.join("black.png");
    RgbImage::new(64, 64).save(&black)?;
    let write = |name: &str, rows: &[usize], picture: &mut dyn FnMut(usize) -> String| {
        let path = dir.join(name);
        let mut table = csv::Writer::from_path(&path)?;
        table.write_record(["image", "english", "chinese", "label"])?;
        for row in rows {
            let Emoji { category, caption_en, caption_zh, .. } = &emoji[*row];
            table.write_record([&picture(*row), caption_en, caption_zh, category])?;
        }
        table.flush()?;
        Ok::<_, anyhow::Error>(path)
    };
    let mut whole = |row: usize| folder.join(&emoji[row].image).to_string_lossy().into_owned();
    let (train, whole_test) = (write("train.csv", train, &mut whole)?, write("test.csv", test, &mut whole)?);
    let mut hurt = |row: usize| match random::below(&mut rng, 20) {
        0..3 => black.to_string_lossy().into_owned(),
        3..6 => {
            let noise = dir.join(format!("noise-{row}.png"));
            let pixels =
                RgbImage::from_fn(64, 64, |_, _| Rgb([0; 3].map(|_: u8| random::below(&mut rng, 256) as u8)));
            pixels.save(&noise).expect("the folder was just written to");
            noise.to_string_lossy().into_owned()
        }
        _ => folder.join(&emoji[row].image).to_string_lossy().into_owned(),
    };
    let hurt = write("hurt.csv", test, &mut hurt)?;
    Ok((train, whole_test, hurt))
}
