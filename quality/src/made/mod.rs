//! Made sets for defect inspection: drawn pictures whose masks are exact, so that a miss is never the mask's fault.
//!
//! Start at [`write()`]. Four products that share nothing: machined parts lying as they fell, woven cloth, printed labels, cast
//! surfaces. A picture with a defect is drawn twice, with and without it; the mask is where the two differ.

mod artwork;
mod canvas;
mod cast;
mod difference;
mod font;
mod label;
mod lines;
mod parts;
mod random;
mod weave;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::GrayImage;
use rayon::prelude::*;

use canvas::Canvas;
use difference::mask;
use random::Dice;

/// What cameras on machines write when they do not write PNG.
const JPEG_QUALITY: u8 = 93;
/// Throws of a defect before giving up.
const TRIES: u64 = 200;
/// As many pictures as a small factory has on the first day: 148 a set, and 136 of cast surfaces.
const MADE: Counts = Counts { train_good: 60, test_good: 40, per_defect: 12 };
/// Another seed is another set; floors hold for this one.
const MADE_SEED: u64 = 1;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Milled plates in any place and direction; colour, 640 x 640.
    Parts,
    /// Woven cloth; colour, 1024 x 768.
    Weave,
    /// Printed labels in nearly the same place; colour, 640 x 480.
    Label,
    /// Cast surfaces; grey, 300 x 400.
    Cast,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Parts, Self::Weave, Self::Label, Self::Cast];

    /// The name of its folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parts => "parts",
            Self::Weave => "weave",
            Self::Label => "label",
            Self::Cast => "cast",
        }
    }
}

/// How many pictures a set has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Good ones to learn from.
    pub(crate) train_good: usize,
    /// Good ones to measure on.
    pub(crate) test_good: usize,
    /// With a defect, of each kind of defect.
    pub(crate) per_defect: usize,
}

/// A product that can be drawn with and without a defect.
trait Product {
    /// The kinds of defect.
    type Flaw: Copy + Send + Sync + 'static;
    /// With the names of their folders.
    const FLAWS: &'static [(&'static str, Self::Flaw)];
    /// What a picture is saved as.
    const SAVED_AS: SavedAs;

    /// Draws a picture. The same seed gives the same picture, but for the defect.
    fn draw(seed: u64, flaw: Option<(Self::Flaw, u64)>) -> Canvas;
}

/// How pictures are stored.
#[derive(Clone, Copy)]
enum SavedAs {
    ColourJpeg,
    ColourPng,
    GreyPng,
}

/// Writes every kind of set below a folder.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn write_all(dir: &Path) -> anyhow::Result<()> {
    for kind in Kind::ALL {
        let folder = dir.join(kind.name());
        write(kind, &folder, MADE, MADE_SEED)?;
        println!("{}", folder.display());
    }
    Ok(())
}

/// Writes a set of this kind in the layout of MVTec AD below `dir`. The same seed gives the same bytes.
pub(crate) fn write(kind: Kind, dir: &Path, counts: Counts, seed: u64) -> anyhow::Result<()> {
    match kind {
        Kind::Parts => write_set::<parts::Parts>(dir, counts, seed),
        Kind::Weave => write_set::<weave::Weave>(dir, counts, seed),
        Kind::Label => write_set::<label::Label>(dir, counts, seed),
        Kind::Cast => write_set::<cast::Cast>(dir, counts, seed),
    }
}

fn write_set<P: Product>(dir: &Path, counts: Counts, seed: u64) -> anyhow::Result<()> {
    let good = [("train", counts.train_good), ("test", counts.test_good)];
    for (part, count) in good {
        let folder = made_folder(dir.join(part).join("good"))?;
        (0..count).into_par_iter().try_for_each(|nth| {
            let seed = picture_seed(seed, part, nth);
            save::<P>(&P::draw(seed, None), &folder, nth)
        })?;
    }
    for &(name, flaw) in P::FLAWS {
        let folder = made_folder(dir.join("test").join(name))?;
        let masks = made_folder(dir.join("ground_truth").join(name))?;
        (0..counts.per_defect).into_par_iter().try_for_each(|nth| {
            let (picture, mask) = with_flaw::<P>(picture_seed(seed, name, nth), flaw)
                .with_context(|| format!("`{name}` {nth} cannot be drawn so that it is seen"))?;
            let path = masks.join(format!("{nth:03}_mask.png"));
            mask.save(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
            save::<P>(&picture, &folder, nth)
        })?;
    }
    Ok(())
}

fn picture_seed(seed: u64, purpose: &str, nth: usize) -> u64 {
    Dice::new(Dice::new(seed, purpose).seed() ^ nth as u64, "picture").seed()
}

fn made_folder(folder: PathBuf) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    Ok(folder)
}

fn save<P: Product>(picture: &Canvas, folder: &Path, nth: usize) -> anyhow::Result<()> {
    let (picture, ending) = match P::SAVED_AS {
        SavedAs::ColourJpeg => (picture.colour(), "jpg"),
        SavedAs::ColourPng => (picture.colour(), "png"),
        SavedAs::GreyPng => (picture.grey(), "png"),
    };
    let path = folder.join(format!("{nth:03}.{ending}"));
    let failed = || format!("cannot write `{}`", path.display());
    if ending == "png" {
        return picture.save(&path).with_context(failed);
    }
    let file = std::io::BufWriter::new(fs::File::create(&path).with_context(failed)?);
    image::codecs::jpeg::JpegEncoder::new_with_quality(file, JPEG_QUALITY)
        .encode_image(&picture)
        .with_context(failed)
}

/// Throws the defect until it is large and strong enough to be seen, and small enough to be one. `None` when none is.
fn with_flaw<P: Product>(seed: u64, flaw: P::Flaw) -> Option<(Canvas, GrayImage)> {
    let good = P::draw(seed, None);
    (0..TRIES).find_map(|attempt| {
        let bad = P::draw(seed, Some((flaw, seed ^ attempt)));
        let mask = mask(&good, &bad)?;
        Some((bad, mask))
    })
}

#[cfg(test)]
mod tests {
    use base::prep::{decode, decode_mask};
    use dataset::{InspectionOptions, Role, Verdict, read_inspection};

    use super::*;

    const FEW: Counts = Counts { train_good: 1, test_good: 1, per_defect: 1 };

    #[test]
    fn every_set_is_read_whole_and_its_masks_fit() {
        let dir = tempfile::tempdir().unwrap();
        for kind in Kind::ALL {
            let root = dir.path().join(kind.name());
            write(kind, &root, FEW, 3).unwrap();
            let (set, problems) = read_inspection(&root, &InspectionOptions::default()).unwrap();
            assert!(problems.is_empty(), "{problems:?}");
            assert_eq!(set.with_role(Role::Learn).count(), 1);
            for example in &set.examples {
                let size = decode(&fs::read(&example.path).unwrap()).unwrap().dimensions();
                assert_eq!(example.mask.is_some(), example.verdict != Verdict::Good, "{}", example.id);
                let Some(mask) = &example.mask else { continue };
                let mask = decode_mask(&fs::read(mask).unwrap()).unwrap();
                assert_eq!(mask.check(size), Ok(()));
                let marked = mask.inside.iter().filter(|inside| **inside).count() as f64;
                // Closing adds a little to the share that was asked for.
                assert!((0.0002..0.04).contains(&(marked / mask.inside.len() as f64)), "{}", example.id);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = |name: &str, seed: u64| {
            write(Kind::Cast, &dir.path().join(name), FEW, seed).unwrap();
            ["train/good/000.png", "test/crack/000.png", "ground_truth/crack/000_mask.png"]
                .map(|file| fs::read(dir.path().join(name).join(file)).unwrap())
        };
        let first = bytes("a", 3);
        assert_eq!(first, bytes("b", 3));
        assert!(first.iter().zip(bytes("c", 4)).all(|(a, b)| *a != b));
    }
}
