//! What the samples of sounds show.

use base::sound::{Decoder, Mixer, piece};
use curate::Fingerprint;
use curate::faults::{self, Checked, Fault, Sound};
use dataset::{Content, Dataset};
use rayon::prelude::*;

use super::checks;
use crate::{PipelineError, Run};

/// Faults that samples show.
const OF_SOUNDS: [Fault; 10] = [
    Fault::Leak,
    Fault::Duplicate,
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

/// What the samples of every sound say.
type Measured = (Vec<Option<Sound>>, Vec<Option<Fingerprint>>);

/// Measures every sound, each list `[n]`; nothing where nobody asks or there is none. They are decoded once more: features come from
/// the cache.
pub(super) fn measure(data: &Dataset, skip: &[Fault], run: &Run<'_>) -> Result<Measured, PipelineError> {
    let n = data.examples.len();
    if OF_SOUNDS.iter().all(|fault| skip.contains(fault)) {
        return Ok((vec![None; n], vec![None; n]));
    }
    let found = data.examples.par_iter().map(|example| match &example.content {
        Content::Sound(path) if !run.is_cancelled() => {
            Decoder::open(path).ok().and_then(|decoder| beginning(decoder, run)).unzip()
        }
        Content::Piece(path, span) if !run.is_cancelled() => {
            let measured =
                piece(path, *span).ok().and_then(|piece| beginning(Decoder::new(&piece.bytes).ok()?, run));
            // Pieces of one recording may share a part, and are no copies of each other.
            (measured.map(|(sound, _)| sound), None)
        }
        _ => (None, None),
    });
    let found = found.unzip();
    if run.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(found) }
}

/// Measures a sound, or its beginning: what lies beyond still counts as duration.
fn beginning(mut decoder: Decoder<'_>, run: &Run<'_>) -> Option<(Sound, Fingerprint)> {
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
    let measured = Sound::measure(&channels.iter().map(Vec::as_slice).collect::<Vec<_>>(), rate).ok()?;
    for channel in &mut channels {
        channel.truncate(Fingerprint::SECONDS as usize * rate as usize);
    }
    let mut mono = Vec::new();
    Mixer::default().mix(&channels, &mut mono);
    let fingerprint = Fingerprint::of(&mono, rate).ok()?;
    Some((Sound { duration: samples as f64 / f64::from(rate), ..measured }, fingerprint))
}

/// What that shows.
pub(super) fn check(measured: &[Option<Sound>], skip: &[Fault]) -> Vec<Checked> {
    checks::of_measured(measured, skip, faults::sounds)
}
