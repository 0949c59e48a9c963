//! What the files of examples show besides their features: pixels of pictures, samples of sounds, frames of videos, sensors of series.

use curate::faults::{Checked, Fault, Picture, SeriesState, Sound, Video};
use curate::{Fingerprint, Look};
use dataset::Dataset;

use super::{pictures, series, sounds, videos};
use crate::{PipelineError, Run};

/// All lists are `[n]`; an example has what its kind shows.
pub(super) struct Media {
    pub(super) pictures: Vec<Option<Picture>>,
    pub(super) looks: Vec<Option<Look>>,
    pub(super) sounds: Vec<Option<Sound>>,
    pub(super) fingerprints: Vec<Option<Fingerprint>>,
    videos: Vec<Option<Video>>,
    series: Vec<Option<SeriesState>>,
}

impl Media {
    pub(super) fn none(n: usize) -> Self {
        Self {
            pictures: vec![None; n],
            looks: vec![None; n],
            sounds: vec![None; n],
            fingerprints: vec![None; n],
            videos: vec![None; n],
            series: vec![None; n],
        }
    }

    /// Reads the files once more.
    pub(super) fn measure(data: &Dataset, skip: &[Fault], run: &Run<'_>) -> Result<Self, PipelineError> {
        let (pictures, looks) = pictures::measure(data, skip, run)?;
        let (sounds, fingerprints) = sounds::measure(data, skip, run)?;
        Ok(Self {
            pictures,
            looks,
            sounds,
            fingerprints,
            videos: videos::measure(data, skip, run)?,
            series: series::measure(data, skip, run)?,
        })
    }

    /// What they show.
    pub(super) fn check(&self, skip: &[Fault]) -> Vec<Checked> {
        [
            pictures::check(&self.pictures, skip),
            sounds::check(&self.sounds, skip),
            videos::check(&self.videos, skip),
            series::check(&self.series, skip),
        ]
        .concat()
    }
}
