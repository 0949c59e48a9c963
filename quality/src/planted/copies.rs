//! Copies of photos, compressed, made smaller, cut at the rim, brighter or darker: found as duplicates, and as leaks where they lie
//! in the test part.

use std::collections::BTreeSet;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, RgbImage};
use linalg::{Seed, random};
use pipeline::Fault;

use super::{class_of, files, look, name_of, put};

/// The folders of good data, below the data folder, and whether the floor holds: tiles were photographed more than once.
const SETS: [(&str, bool); 2] =
    [("classification/clothing/train", true), ("defect/magnetic_tile/train", false)];
/// Copies of each kind.
const OF_EACH: usize = 12;
const FLOOR: f64 = 0.95;

/// Makes a copy, and says in which quality it is stored.
type Altering = fn(&RgbImage) -> (RgbImage, u8);

/// What is done to a copy.
const KINDS: [(&str, Altering); 6] = [
    ("jpeg 50", |picture| (picture.clone(), 50)),
    ("size 0.7", |picture| (scaled(picture, 0.7), 92)),
    ("size 0.5", |picture| (scaled(picture, 0.5), 92)),
    ("cut to 95 %", |picture| (cut(picture), 92)),
    ("brighter 10 %", |picture| (gained(picture, 1.1), 92)),
    ("darker 10 %", |picture| (gained(picture, 0.9), 92)),
];

fn scaled(picture: &RgbImage, by: f32) -> RgbImage {
    let to = |side: u32| ((side as f32 * by) as u32).max(1);
    image::imageops::resize(picture, to(picture.width()), to(picture.height()), FilterType::Triangle)
}

fn cut(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (left, top) = (width / 40, height / 40);
    image::imageops::crop_imm(picture, left, top, width - 2 * left, height - 2 * top).to_image()
}

fn gained(picture: &RgbImage, by: f32) -> RgbImage {
    let mut picture = picture.clone();
    picture.iter_mut().for_each(|value| *value = (f32::from(*value) * by).round().min(255.0) as u8);
    picture
}

fn write(picture: &RgbImage, quality: u8, path: &Path) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(picture.clone())
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    Ok(std::fs::write(path, bytes)?)
}

/// Both faults on every set; whether the floors are reached.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print(data: &Path, work: &Path) -> anyhow::Result<bool> {
    let mut good = true;
    println!(
        "{:<24} {:>8} {:>8} {:>10}  found of each kind; sets without a copy",
        "copies in", "planted", "recall", "precision"
    );
    for (set, holds) in SETS {
        for leaks in [false, true] {
            let folder = work.join(format!("{}-{leaks}", set.replace('/', "-")));
            let planted = plant(&data.join(set), &folder, leaks)?;
            let found = Found::of(&planted, &folder, if leaks { Fault::Leak } else { Fault::Duplicate })?;
            let name =
                format!("{}{}", set.split('/').nth(1).unwrap_or(set), if leaks { ", leaks" } else { "" });
            found.print(&name, &KINDS.map(|(name, _)| name));
            good &= !holds || found.holds();
        }
    }
    Ok(good)
}

/// How the audit dealt with copies.
pub(super) struct Found {
    recall: f64,
    /// Of the sets that hold a copy those that hold nothing but copies of one original, and itself.
    precision: f64,
    /// `[kind]`: how many were found, and planted.
    of_kind: Vec<(usize, usize)>,
    /// Sets without any planted copy: what was taken or stored twice, or mistakes.
    others: usize,
}

impl Found {
    /// Looks through a folder that holds these copies and their originals.
    pub(super) fn of(planted: &[Copy], folder: &Path, fault: Fault) -> anyhow::Result<Self> {
        let audit = look(folder, &[fault])?;
        let sets: Vec<BTreeSet<String>> = audit
            .findings
            .iter()
            .filter(|finding| finding.fault == fault)
            .map(|finding| finding.ids.iter().map(|id| name_of(Path::new(id))).collect())
            .collect();
        let n_kinds = planted.iter().map(|copy| copy.kind + 1).max().unwrap_or_default();
        let (mut of_kind, mut pure, mut holding) = (vec![(0, 0); n_kinds], 0_usize, 0_usize);
        for copy in planted {
            let found = sets.iter().any(|set| set.contains(&copy.name) && set.contains(&copy.original));
            let (n_found, n) = &mut of_kind[copy.kind];
            (*n_found, *n) = (*n_found + usize::from(found), *n + 1);
        }
        for set in &sets {
            let originals: BTreeSet<&String> = set
                .iter()
                .map(|name| {
                    planted.iter().find(|copy| copy.name == *name).map_or(name, |copy| &copy.original)
                })
                .collect();
            if set.iter().any(|name| planted.iter().any(|copy| copy.name == *name)) {
                holding += 1;
                pure += usize::from(originals.len() == 1);
            }
        }
        Ok(Self {
            recall: of_kind.iter().map(|(found, _)| found).sum::<usize>() as f64 / planted.len() as f64,
            precision: pure as f64 / holding.max(1) as f64,
            of_kind,
            others: sets.len() - holding,
        })
    }

    pub(super) fn holds(&self) -> bool {
        self.recall >= FLOOR && self.precision >= FLOOR
    }

    #[allow(clippy::print_stdout, reason = "printing is what this program is for")]
    pub(super) fn print(&self, set: &str, kinds: &[&str]) {
        let of_kind = kinds.iter().zip(&self.of_kind).map(|(name, (found, n))| format!("{name} {found}/{n}"));
        println!(
            "{set:<24} {:>8} {:>8.3} {:>10.3}  {}; {}",
            self.of_kind.iter().map(|(_, n)| n).sum::<usize>(),
            self.recall,
            self.precision,
            of_kind.collect::<Vec<_>>().join(", "),
            self.others
        );
    }
}

pub(super) struct Copy {
    pub(super) name: String,
    pub(super) original: String,
    pub(super) kind: usize,
}

/// All photos, and copies of some; as leaks the copies lie in a test part, beside as many photos that are nobody's copy.
fn plant(source: &Path, folder: &Path, leaks: bool) -> anyhow::Result<Vec<Copy>> {
    let mut originals = files(source)?;
    random::shuffle(&mut originals, &mut Seed(3).rng());
    let count = KINDS.len() * OF_EACH;
    let part = |name: &str| if leaks { folder.join(name) } else { folder.to_owned() };
    for (place, file) in originals.iter().enumerate() {
        let to = if place < 2 * count && place >= count { "test" } else { "train" };
        put(file, &part(to), &class_of(file), &name_of(file))?;
    }
    let mut planted = Vec::new();
    for (place, file) in originals.iter().take(count).enumerate() {
        planted.push(altered(file, place % KINDS.len(), &part("test"))?);
    }
    Ok(planted)
}

fn altered(file: &Path, kind: usize, folder: &Path) -> anyhow::Result<Copy> {
    let (picture, quality) = KINDS[kind].1(&image::open(file)?.to_rgb8());
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}-copy.jpg");
    let class = folder.join(class_of(file));
    std::fs::create_dir_all(&class)?;
    write(&picture, quality, &class.join(&name))?;
    Ok(Copy { name, original: name_of(file), kind })
}
