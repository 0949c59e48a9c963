//! Sounds: frames of a minute, and files to features.

use std::path::Path;

use anyhow::ensure;
use base::sound::{LogMel, RATE};
use dataset::{Example, ReadOptions};

use crate::Told;
use crate::ours::{features, measure};

/// A minute.
const SECONDS: usize = 60;
/// Clips that are timed, of five seconds each.
const CLIPS: usize = 40;
const CLIP_SECONDS: usize = 5;

/// Log-mel frames of a minute at 16 kHz; seconds of sound a second.
pub(crate) fn log_mel(_data: &Path) -> anyhow::Result<Told> {
    let sample = |at: usize| {
        let time = at as f32 / RATE as f32;
        0.3 * (std::f32::consts::TAU * (200.0 + 50.0 * time) * time).sin()
    };
    let samples: Vec<f32> = (0..SECONDS * RATE as usize).map(sample).collect();
    let mut mel = LogMel::default();
    measure(SECONDS, || {
        let frames = mel.log_mel(&samples);
        ensure!(frames.rows() > 0, "a minute has frames");
        Ok(())
    })
}

/// Files of ESC-10 to features with Whisper-base; seconds of sound a second.
pub(crate) fn files(data: &Path) -> anyhow::Result<Told> {
    let (clips, _) = dataset::read(&data.join("audio/esc10"), &ReadOptions::default())?;
    let examples: Vec<&Example> = clips.examples.iter().take(CLIPS).collect();
    features("whisper-base", &examples, CLIP_SECONDS)
}
