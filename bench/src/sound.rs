//! Sounds: frames of a minute, and files to features.

use std::io::Write as _;
use std::path::Path;

use anyhow::ensure;
use base::open::Input;
use base::sound::{LogMel, RATE, wav};
use dataset::{Example, ReadOptions};

use crate::Told;
use crate::ours::{base, features, measure, once};

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
    let mel = LogMel::default();
    measure(SECONDS, || {
        let frames = mel.log_mel(&samples);
        ensure!(frames.rows() > 0, "a minute has frames");
        Ok(())
    })
}

/// One file of ten minutes, and one of three hours, to features with Whisper-base; seconds of sound a second. Memory must not grow with the
/// length.
pub(crate) fn ten_minutes(_data: &Path) -> anyhow::Result<Told> {
    one_file(600)
}

pub(crate) fn three_hours(_data: &Path) -> anyhow::Result<Told> {
    one_file(3 * 3600)
}

fn one_file(seconds: usize) -> anyhow::Result<Told> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("long.wav");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    let n = seconds * RATE as usize;
    // Sizes of the file and of its samples stand at these places.
    let mut header = wav(&[], RATE);
    header[4..8].copy_from_slice(&(36 + 2 * n as u32).to_le_bytes());
    header[40..44].copy_from_slice(&(2 * n as u32).to_le_bytes());
    file.write_all(&header)?;
    for at in 0..n {
        let time = at as f32 / RATE as f32;
        let loud = if (time * 0.7).fract() < 0.4 { 0.4 } else { 0.05 };
        let sample = loud * (std::f32::consts::TAU * (220.0 + 30.0 * (time * 0.1).sin()) * time).sin();
        file.write_all(&((32_000.0 * sample) as i16).to_le_bytes())?;
    }
    file.flush()?;
    let base = base("whisper-base")?;
    once(seconds, || {
        let embedded = base.embed_and_tell(&Input::SoundFile(path))?;
        ensure!(embedded.damage.is_none(), "the file is whole");
        Ok(())
    })
}

/// Files of ESC-10 to features with Whisper-base; seconds of sound a second.
pub(crate) fn files(data: &Path) -> anyhow::Result<Told> {
    let (clips, _) = dataset::read(&data.join("audio/esc10"), &ReadOptions::default())?;
    let examples: Vec<&Example> = clips.examples.iter().take(CLIPS).collect();
    features("whisper-base", &examples, CLIP_SECONDS)
}
