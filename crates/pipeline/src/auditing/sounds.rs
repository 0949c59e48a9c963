//! What the samples of sounds show.

use base::sound::{Decoder, piece};
use curate::faults::{self, Checked, Fault, Sound};
use dataset::{Content, Dataset};
use rayon::prelude::*;

use super::checks;
use crate::{PipelineError, Run};

/// Faults that samples show.
const OF_SOUNDS: [Fault; 8] = [
    Fault::Clipped,
    Fault::Silent,
    Fault::Noisy,
    Fault::Hum,
    Fault::Upsampled,
    Fault::DcOffset,
    Fault::SameChannels,
    Fault::OddDuration,
];
/// Samples of all channels together that are measured: three minutes at 44.1 kHz. Of a longer recording it is the beginning.
const MEASURED: usize = 1 << 23;

/// What the samples of every sound say, `[n]`; nothing where nobody asks or there is none. They are decoded once more: features
/// come from the cache.
pub(super) fn measure(
    data: &Dataset,
    skip: &[Fault],
    run: &Run<'_>,
) -> Result<Vec<Option<Sound>>, PipelineError> {
    if OF_SOUNDS.iter().all(|fault| skip.contains(fault)) {
        return Ok(vec![None; data.examples.len()]);
    }
    let found = data.examples.par_iter().map(|example| match &example.content {
        Content::Sound(path) if !run.is_cancelled() => beginning(Decoder::open(path).ok()?, run),
        Content::Piece(path, span) if !run.is_cancelled() => {
            beginning(Decoder::new(&piece(path, *span).ok()?.bytes).ok()?, run)
        }
        _ => None,
    });
    let found = found.collect();
    if run.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(found) }
}

/// Measures a sound, or its beginning: what lies beyond still counts as duration.
fn beginning(mut decoder: Decoder<'_>, run: &Run<'_>) -> Option<Sound> {
    let rate = decoder.rate();
    let most = MEASURED / decoder.n_channels().max(1);
    let mut channels: Vec<Vec<f32>> = vec![Vec::new(); decoder.n_channels()];
    let mut samples = 0_u64;
    while let Ok(Some(block)) = decoder.next_block() {
        if run.is_cancelled() {
            return None;
        }
        samples += block.first()?.len() as u64;
        for (channel, more) in channels.iter_mut().zip(block) {
            let room = most - channel.len();
            channel.extend_from_slice(&more[..more.len().min(room)]);
        }
    }
    let channels: Vec<&[f32]> = channels.iter().map(Vec::as_slice).collect();
    let measured = Sound::measure(&channels, rate).ok()?;
    Some(Sound { duration: samples as f64 / f64::from(rate), ..measured })
}

/// What that shows.
pub(super) fn check(measured: &[Option<Sound>], skip: &[Fault]) -> Vec<Checked> {
    checks::of_measured(measured, skip, faults::sounds)
}
