//! An inspector as a whole: learned from 400 good tiles, and asked about a photo of one megapixel.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, ensure};
use bundle::Form;
use dataset::{InspectionOptions, ReadOptions};
use image::imageops::FilterType;
use pipeline::{Home, InspectRequest, InspectionSource, Lang, Orientation, Run, inspect_photos};

use crate::Told;
use crate::ours::{home, measure, once};

/// Good parts that are learned from.
const GOOD: usize = 400;
/// Sides of the photo that is asked about, and how many there are.
const SIDES: (u32, u32) = (1160, 904);
const PHOTOS: usize = 8;

/// Good parts a second, the report written.
pub(crate) fn learn(data: &Path) -> anyhow::Result<Told> {
    let dir = tempfile::tempdir()?;
    once(GOOD, || learned(data, dir.path()).map(drop))
}

/// Photos of a megapixel a second, among others: bundle and base are open. The memory told is that of learning, which comes before.
pub(crate) fn look(data: &Path) -> anyhow::Result<Told> {
    let dir = tempfile::tempdir()?;
    let (home, bundle) = learned(data, dir.path())?;
    let never = AtomicBool::new(false);
    let run = Run::new(&|_| {}, &never);
    let predictor = home.open_inspector(&bundle, &run)?;
    let photo = image::open(first(&data.join("defect/magnetic_tile/test"))?)?;
    let folder = dir.path().join("photos");
    std::fs::create_dir(&folder)?;
    for number in 0..PHOTOS {
        let large = photo.resize_exact(SIDES.0 + number as u32, SIDES.1, FilterType::CatmullRom);
        large.to_rgb8().save(folder.join(format!("{number}.png")))?;
    }
    measure(PHOTOS, || {
        let rows = inspect_photos(
            &predictor,
            std::slice::from_ref(&folder),
            &ReadOptions::default(),
            None,
            &run,
            &|_, _| Ok(()),
        )?;
        ensure!(rows.iter().all(|row| row.found.is_some()), "every photo is judged");
        Ok(())
    })
}

/// An inspector of all good tiles; defects are neither learned from nor measured on.
fn learned(data: &Path, dir: &Path) -> anyhow::Result<(Home, PathBuf)> {
    let (home, out) = (home()?, dir.join("tiles.djm"));
    let request = InspectRequest {
        source: InspectionSource::At {
            path: data.join("defect/magnetic_tile/train"),
            read: InspectionOptions::default(),
        },
        base: None,
        out: out.clone(),
        form: Form::File,
        report: dir.join("tiles.html"),
        lang: Lang::En,
        false_alarms: 0.05,
        confidence: 0.95,
        miss_cost: None,
        defect_share: 0.01,
        mm_per_pixel: None,
        smallest_defect: None,
        orientation: Orientation::FindOut,
        without_background: false,
        detectors: None,
        seed: 0,
        created: String::new(),
    };
    let made = pipeline::inspect(&home, &request, &Run::new(&|_| {}, &AtomicBool::new(false)))?;
    ensure!(made.n_good.0 == GOOD, "{} good parts are learned from", made.n_good.0);
    Ok((home, out))
}

/// The first file of the first folder.
fn first(dir: &Path) -> anyhow::Result<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let path = paths.into_iter().next().with_context(|| format!("nothing in {}", dir.display()))?;
    if path.is_dir() { first(&path) } else { Ok(path) }
}
