//! What the frames of videos show.

use base::video::{Ffmpeg, glimpses};
use curate::faults::{self, Checked, Fault, Video};
use dataset::{Content, Dataset};
use rayon::prelude::*;

use super::checks;
use crate::{PipelineError, Run};

/// Faults that frames show.
const OF_VIDEOS: [Fault; 3] = [Fault::BlackFrames, Fault::Frozen, Fault::RepeatedFrames];

/// What the frames of every video say, `[n]`; nothing where nobody asks or there is none. They are decoded once more: features
/// come from the cache.
pub(super) fn measure(
    data: &Dataset,
    skip: &[Fault],
    run: &Run<'_>,
) -> Result<Vec<Option<Video>>, PipelineError> {
    if OF_VIDEOS.iter().all(|fault| skip.contains(fault)) {
        return Ok(vec![None; data.examples.len()]);
    }
    let ffmpeg = Ffmpeg::until(run.cancel_flag());
    let found = data.examples.par_iter().map(|example| match &example.content {
        Content::Video(path) if !run.is_cancelled() => {
            let frames = glimpses(&ffmpeg, path).ok()?;
            Video::measure(&frames.iter().map(Vec::as_slice).collect::<Vec<_>>()).ok()
        }
        _ => None,
    });
    let found = found.collect();
    if run.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(found) }
}

/// What that shows.
pub(super) fn check(measured: &[Option<Video>], skip: &[Fault]) -> Vec<Checked> {
    checks::of_measured(measured, skip, faults::videos)
}
