//! What the pixels of pictures show.

use base::prep;
use curate::faults::{self, Checked, Fault, Picture};
use dataset::{Content, Dataset};
use rayon::prelude::*;

use super::material::Material;
use crate::{PipelineError, Run};

/// Faults that pixels show.
const OF_PICTURES: [Fault; 11] = [
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

/// Measures every picture, `[n]`; nothing where nobody asks or there is none. They are decoded once more: features come from
/// the cache.
pub(super) fn measure(
    data: &Dataset,
    skip: &[Fault],
    run: &Run<'_>,
) -> Result<Vec<Option<Picture>>, PipelineError> {
    if OF_PICTURES.iter().all(|fault| skip.contains(fault)) {
        return Ok(vec![None; data.examples.len()]);
    }
    let measured = data
        .examples
        .par_iter()
        .map(|example| match &example.content {
            Content::Image(path) if !run.is_cancelled() => {
                let bytes = std::fs::read(path).ok()?;
                let picture = prep::decode(&bytes).ok()?;
                let measured = Picture::measure(picture.width(), picture.height(), picture.as_raw());
                Some(Picture { jpeg_quality: faults::jpeg_quality(&bytes), ..measured })
            }
            _ => None,
        })
        .collect();
    if run.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(measured) }
}

/// What that shows.
pub(super) fn check(measured: &[Option<Picture>], material: &Material) -> Vec<Checked> {
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
    checked.into_iter().filter(|checked| material.wants(checked.fault)).map(of_all).collect()
}
