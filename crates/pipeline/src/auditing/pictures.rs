//! What the pixels of pictures show.

use std::path::Path;

use base::prep;
use curate::Look;
use curate::faults::{self, Checked, Fault, Picture};
use dataset::{Content, Dataset};
use rayon::prelude::*;

use crate::{PipelineError, Run};

/// Faults that pixels show.
const OF_PICTURES: [Fault; 13] = [
    Fault::Leak,
    Fault::Duplicate,
    Fault::Dark,
    Fault::Bright,
    Fault::OddBrightness,
    Fault::Blurry,
    Fault::Upscaled,
    Fault::LowJpegQuality,
    Fault::Border,
    Fault::OddSize,
    Fault::OddAspectRatio,
    Fault::LowInformation,
    Fault::Grey,
];

/// What the pixels of every picture say, each `[n]`; nothing where nobody asks or there is none.
pub(super) struct Pictures {
    pub(super) measured: Vec<Option<Picture>>,
    pub(super) looks: Vec<Option<Look>>,
}

impl Pictures {
    pub(super) fn none(n: usize) -> Self {
        Self { measured: vec![None; n], looks: vec![None; n] }
    }
}

/// Measures every picture. They are decoded once more: features come from the cache.
pub(super) fn measure(data: &Dataset, skip: &[Fault], run: &Run<'_>) -> Result<Pictures, PipelineError> {
    let n = data.examples.len();
    if OF_PICTURES.iter().all(|fault| skip.contains(fault)) {
        return Ok(Pictures::none(n));
    }
    let of = |path: &Path| {
        let bytes = std::fs::read(path).ok()?;
        let picture = prep::decode(&bytes).ok()?;
        let (width, height, rgb) = (picture.width(), picture.height(), picture.as_raw());
        let measured = Picture::measure(width, height, rgb);
        let measured = Picture { jpeg_quality: faults::jpeg_quality(&bytes), ..measured };
        Some((measured, Look::of(width, height, rgb)))
    };
    let found = data.examples.par_iter().map(|example| match &example.content {
        Content::Image(path) if !run.is_cancelled() => of(path).unzip(),
        _ => (None, None),
    });
    let (measured, looks) = found.unzip();
    if run.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(Pictures { measured, looks }) }
}

/// What that shows.
pub(super) fn check(measured: &[Option<Picture>], skip: &[Fault]) -> Vec<Checked> {
    let rows: Vec<usize> = (0..measured.len()).filter(|row| measured[*row].is_some()).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let checked = faults::pictures(&measured.iter().flatten().copied().collect::<Vec<_>>());
    let of_all = |checked: Checked| {
        let mut scores = vec![None; measured.len()];
        rows.iter().zip(&checked.scores).for_each(|(row, score)| scores[*row] = *score);
        let flagged = checked.flagged.iter().map(|place| rows[*place]).collect();
        Checked { fault: checked.fault, scores, flagged }
    };
    checked.into_iter().filter(|checked| !skip.contains(&checked.fault)).map(of_all).collect()
}
