//! What the pixels of pictures show.

use std::path::Path;

use base::prep;
use curate::Look;
use curate::faults::{self, Checked, Fault, Picture};
use dataset::{Content, Dataset};
use rayon::prelude::*;

use super::checks;
use crate::{PipelineError, Run};

/// Faults that pixels show.
const OF_PICTURES: [Fault; 14] = [
    Fault::Leak,
    Fault::Duplicate,
    Fault::Dark,
    Fault::Bright,
    Fault::OddBrightness,
    Fault::Blurry,
    Fault::Upscaled,
    Fault::LowJpegQuality,
    Fault::Border,
    Fault::ExifTurned,
    Fault::OddSize,
    Fault::OddAspectRatio,
    Fault::LowInformation,
    Fault::Grey,
];

/// What the pixels of every picture say.
type Measured = (Vec<Option<Picture>>, Vec<Option<Look>>);

/// Measures every picture, each list `[n]`; nothing where nobody asks or there is none. They are decoded once more: features come
/// from the cache.
pub(super) fn measure(data: &Dataset, skip: &[Fault], run: &Run<'_>) -> Result<Measured, PipelineError> {
    let n = data.examples.len();
    if OF_PICTURES.iter().all(|fault| skip.contains(fault)) {
        return Ok((vec![None; n], vec![None; n]));
    }
    let of = |path: &Path| {
        let bytes = std::fs::read(path).ok()?;
        let picture = prep::decode(&bytes).ok()?;
        let (width, height, rgb) = (picture.width(), picture.height(), picture.as_raw());
        let measured = Picture::measure(width, height, rgb);
        let measured = Picture {
            jpeg_quality: faults::jpeg_quality(&bytes),
            orientation: faults::exif_orientation(&bytes),
            ..measured
        };
        Some((measured, Look::of(width, height, rgb)))
    };
    let found = data.examples.par_iter().map(|example| match &example.content {
        Content::Image(path) if !run.is_cancelled() => of(path).unzip(),
        _ => (None, None),
    });
    let found = found.unzip();
    if run.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(found) }
}

/// What that shows.
pub(super) fn check(measured: &[Option<Picture>], skip: &[Fault]) -> Vec<Checked> {
    checks::of_measured(measured, skip, faults::pictures)
}
