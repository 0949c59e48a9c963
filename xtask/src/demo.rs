//! Writes the demo's data: small grey pictures of clothes from Debian's `dataset-fashion-mnist` (MIT), cut to what a
//! person with little data has.
//!
//! The package holds IDX files: a big-endian header (magic, counts), then bytes. They are read here and written as PNG in
//! class folders, which is how a person's own pictures would lie.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use image::GrayImage;

/// The classes, in the order of the data set's label numbers.
pub const CLASSES: [&str; 10] = [
    "t-shirt_top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle_boot",
];

const PACKAGE: &str = "dataset-fashion-mnist";
const INSTALLED: &str = "usr/share/datasets/fashion-mnist";
const TUNE_PER_CLASS: usize = 20;
const HELD_OUT_PER_CLASS: usize = 50;

/// Writes `DIR/fashion` (20 per class, from the training file) and `DIR/fashion-held-out` (50 per class, from the
/// test file). What is already there is kept.
pub fn write(dir: &Path) -> Result<()> {
    let wanted = [("fashion", "train", TUNE_PER_CLASS), ("fashion-held-out", "t10k", HELD_OUT_PER_CLASS)];
    for (name, part, per_class) in wanted {
        let out = dir.join(name);
        if out.is_dir() {
            eprintln!("{} is there", out.display());
            continue;
        }
        let idx = find(dir)?;
        let images = unpack(&idx.join(format!("{part}-images-idx3-ubyte.gz")))?;
        let labels = unpack(&idx.join(format!("{part}-labels-idx1-ubyte.gz")))?;
        let n = write_folders(&images, &labels, per_class, &out)?;
        eprintln!("Wrote {n} pictures to {}", out.display());
    }
    Ok(())
}

/// The folder with the four IDX files: where the package is installed, else downloaded and opened below `dir`.
fn find(dir: &Path) -> Result<PathBuf> {
    let opened = dir.join("package");
    for place in [Path::new("/").join(INSTALLED), opened.join(INSTALLED)] {
        if place.join("train-images-idx3-ubyte.gz").is_file() {
            return Ok(place);
        }
    }
    download(dir, &opened).with_context(|| {
        format!(
            "cannot get the demo's pictures (Debian package `{PACKAGE}`)\n\
             hint: `apt-get install {PACKAGE}`, or use your own pictures: `make demo DATA=./parts` with one folder per class"
        )
    })?;
    Ok(opened.join(INSTALLED))
}

/// Downloads the package as the user (no root needed) and opens it aside, so that a half-opened one is never used.
fn download(dir: &Path, opened: &Path) -> Result<()> {
    let scratch = dir.join("package.partial");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    fs::create_dir_all(&scratch)?;
    eprintln!("Downloading {PACKAGE} (31 MB)");
    if run("apt-get", &["-qq", "download", PACKAGE], &scratch).is_err() {
        // A machine without package lists needs them first, and only root may fetch them.
        run("apt-get", &["-qq", "update"], &scratch)?;
        run("apt-get", &["-qq", "download", PACKAGE], &scratch)?;
    }
    let package = fs::read_dir(&scratch)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get left no package")?;
    run("dpkg-deb", &["--extract", &package.to_string_lossy(), "open"], &scratch)?;
    fs::rename(scratch.join("open"), opened)?;
    fs::remove_dir_all(&scratch)?;
    Ok(())
}

fn run(program: &str, arguments: &[&str], dir: &Path) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(fs::canonicalize(dir)?)
        .status()
        .with_context(|| format!("cannot run `{program}`"))?;
    ensure!(status.success(), "`{program} {}` failed", arguments.join(" "));
    Ok(())
}

fn unpack(path: &Path) -> Result<Idx> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(File::open(path)?)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot unpack `{}`", path.display()))?;
    Idx::parse(&bytes).with_context(|| format!("cannot read `{}`", path.display()))
}

/// One IDX file of bytes: its shape and its values.
#[derive(Debug, PartialEq, Eq)]
pub struct Idx {
    /// `[n]` for labels, `[n, height, width]` for pictures.
    pub shape: Vec<usize>,
    /// Row-major.
    pub bytes: Vec<u8>,
}

impl Idx {
    /// Reads the header (two zero bytes, 8 for "unsigned byte", the number of axes, then each axis as big-endian `u32`)
    /// and checks that the values fill the shape.
    pub fn parse(data: &[u8]) -> Result<Self> {
        let [0, 0, 8, axes, ..] = *data else { bail!("not an IDX file of bytes") };
        let start = 4 + 4 * usize::from(axes);
        let header = data.get(4..start).context("the header is cut off")?;
        let shape: Vec<usize> = header
            .chunks_exact(4)
            .map(|axis| axis.iter().fold(0, |value, &byte| value << 8 | usize::from(byte)))
            .collect();
        let bytes = data[start..].to_vec();
        let expected = shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis));
        ensure!(expected == Some(bytes.len()), "shape {shape:?} does not fit {} values", bytes.len());
        Ok(Self { shape, bytes })
    }
}

/// Writes the first `per_class` pictures of each class as `out/CLASS/ROW.png`; the folder appears whole. Returns how many.
pub fn write_folders(images: &Idx, labels: &Idx, per_class: usize, out: &Path) -> Result<usize> {
    let &[n, height, width] = images.shape.as_slice() else { bail!("pictures have three axes") };
    ensure!(labels.shape == [n], "{n} pictures but labels of shape {:?}", labels.shape);
    let partial = out.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    let mut written = [0; CLASSES.len()];
    for (row, (pixels, &label)) in images.bytes.chunks_exact(height * width).zip(&labels.bytes).enumerate() {
        let class = usize::from(label);
        let name = CLASSES.get(class).with_context(|| format!("row {row} has label {label}"))?;
        if written[class] == per_class {
            continue;
        }
        let folder = partial.join(name);
        fs::create_dir_all(&folder)?;
        let picture = GrayImage::from_raw(u32::try_from(width)?, u32::try_from(height)?, pixels.to_vec());
        picture.context("pixels fill the picture")?.save(folder.join(format!("{row:05}.png")))?;
        written[class] += 1;
    }
    fs::rename(&partial, out)?;
    Ok(written.iter().sum())
}
