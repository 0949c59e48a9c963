//! What is measured of one recording.

use super::hum::hum;
use crate::CurateError;
use crate::spectrum;

/// Share of full scale from which a sample is at the limit.
const FULL: f32 = 0.99;
/// Samples at the limit in a row that are clipping, not a peak.
const RUN: usize = 3;
/// Length of the frames whose loudness is measured, in seconds.
const FRAME: f64 = 0.025;
/// Loudness below which a frame is silent, in decibels of full scale.
const SILENT: f64 = -50.0;
/// Loudness that is given to digital silence, in decibels of full scale.
const FLOOR: f64 = -120.0;
/// Values of the pieces whose spectrum is taken.
const PIECE: usize = 1024;
/// Where the upper part of the spectrum begins, as a share of the highest frequency.
const UPPER: f64 = 0.55;
/// Channels cancel each other where their mean has less than this share of their power.
const CANCELLED: f64 = 0.01;
/// Channels that differ by no more than this are the same.
const SAME: f32 = 1e-6;

/// What is measured of one recording. A value is `None` where the recording is too short or too silent to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sound {
    /// In seconds.
    pub duration: f64,
    /// Share of the samples at full scale, three or more in a row, of the channel with most.
    pub clipped: f64,
    /// Share of the frames of 25 ms below -50 decibels of full scale.
    pub silent: f64,
    /// Seconds of such frames at the beginning.
    pub silent_start: f64,
    /// And at the end.
    pub silent_end: f64,
    /// Largest mean of a channel, without its sign, as a share of full scale.
    pub dc_offset: f64,
    /// How much louder the loudest tenth of the frames is than the quietest, in decibels.
    pub signal_to_noise: Option<f64>,
    /// How far the hum of the mains stands out, in decibels, and its frequency in hertz, 50 or 60.
    pub hum: Option<(f64, u32)>,
    /// Power in the upper 45 % of the frequencies as a share of all, in decibels.
    pub upper_power: Option<f64>,
    /// Whether there are several channels, and all hold the same.
    pub same_channels: bool,
}

impl Sound {
    /// Measures a recording: at least one channel, all of the same length, full scale at 1; `sample_rate` in hertz. Values above full
    /// scale, as some formats have them, are at the limit too.
    ///
    /// # Errors
    /// When there is no channel or no sample, channels differ in length, the sample rate is zero, or a sample is not finite (the row
    /// is its place).
    pub fn measure(channels: &[&[f32]], sample_rate: u32) -> Result<Self, CurateError> {
        let first = *channels.first().ok_or(CurateError::Empty { what: "channels" })?;
        if first.is_empty() || sample_rate == 0 {
            return Err(CurateError::Empty { what: "samples" });
        }
        for channel in channels {
            if channel.len() != first.len() {
                let (got, expected) = (channel.len(), first.len());
                return Err(CurateError::Shape { what: "samples of a channel", got, expected });
            }
            if let Some(row) = channel.iter().position(|sample| !sample.is_finite()) {
                return Err(CurateError::NotFinite { row });
            }
        }
        let heard = heard(channels);
        let length = ((FRAME * f64::from(sample_rate)).round() as usize).max(1);
        let loudness: Vec<f64> = heard.chunks(length).map(decibels).collect();
        let seconds = |frames: usize| ((frames * length).min(heard.len())) as f64 / f64::from(sample_rate);
        let is_silent = |frame: &&f64| **frame < SILENT;
        let silent = loudness.iter().filter(is_silent).count();
        Ok(Self {
            duration: heard.len() as f64 / f64::from(sample_rate),
            clipped: channels.iter().map(|channel| clipped(channel)).fold(0.0, f64::max),
            silent: silent as f64 / loudness.len() as f64,
            silent_start: seconds(loudness.iter().take_while(is_silent).count()),
            silent_end: seconds(loudness.iter().rev().take_while(is_silent).count()),
            dc_offset: channels.iter().map(|channel| offset(channel)).fold(0.0, f64::max),
            signal_to_noise: signal_to_noise(&loudness),
            hum: hum(&heard, sample_rate),
            upper_power: if silent == loudness.len() { None } else { upper_power(&heard) },
            same_channels: channels.len() > 1 && channels.iter().all(|channel| is_same(channel, first)),
        })
    }
}

/// The mean of the channels, or the loudest where they cancel each other, as where one microphone is wired the wrong way round.
fn heard(channels: &[&[f32]]) -> Vec<f64> {
    let mean = (0..channels[0].len()).map(|place| {
        channels.iter().map(|channel| f64::from(channel[place])).sum::<f64>() / channels.len() as f64
    });
    let mean: Vec<f64> = mean.collect();
    let power = |samples: &mut dyn Iterator<Item = f64>| samples.map(|sample| sample * sample).sum::<f64>();
    let powers: Vec<f64> =
        channels.iter().map(|channel| power(&mut channel.iter().map(|sample| f64::from(*sample)))).collect();
    let usual = powers.iter().sum::<f64>() / powers.len() as f64;
    if power(&mut mean.iter().copied()) >= CANCELLED * usual {
        return mean;
    }
    let loudest = (0..powers.len()).fold(0, |best, at| if powers[at] > powers[best] { at } else { best });
    channels[loudest].iter().map(|sample| f64::from(*sample)).collect()
}

fn clipped(channel: &[f32]) -> f64 {
    let runs = channel.chunk_by(|a, b| (a.abs() >= FULL) == (b.abs() >= FULL));
    let at_limit: usize = runs.filter(|run| run[0].abs() >= FULL && run.len() >= RUN).map(<[f32]>::len).sum();
    at_limit as f64 / channel.len() as f64
}

fn offset(channel: &[f32]) -> f64 {
    (channel.iter().map(|sample| f64::from(*sample)).sum::<f64>() / channel.len() as f64).abs()
}

fn is_same(a: &[f32], b: &[f32]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= SAME)
}

/// Loudness of a frame in decibels of full scale, without its mean.
fn decibels(frame: &[f64]) -> f64 {
    let mean = frame.iter().sum::<f64>() / frame.len() as f64;
    let power = frame.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / frame.len() as f64;
    (10.0 * power.log10()).max(FLOOR)
}

/// The ninth decile of the loudness above the first; `None` with fewer than ten frames, or when even the loud ones are silent.
fn signal_to_noise(loudness: &[f64]) -> Option<f64> {
    let mut sorted = loudness.to_vec();
    sorted.sort_by(f64::total_cmp);
    let decile = |tenths: usize| sorted[tenths * (sorted.len() - 1) / 10];
    (sorted.len() >= 10 && decile(9) >= SILENT).then(|| decile(9) - decile(1))
}

/// The power of the upper frequencies, over all whole pieces.
fn upper_power(mean: &[f64]) -> Option<f64> {
    let (mut all, mut upper) = (0.0, 0.0);
    for piece in mean.chunks_exact(PIECE) {
        let power = spectrum::power(piece);
        all += power.iter().sum::<f64>();
        upper += power[(UPPER * (PIECE / 2) as f64) as usize..].iter().sum::<f64>();
    }
    (all > 0.0).then(|| (10.0 * (upper / all).log10()).max(FLOOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_cancel_each_other_are_no_silence() {
        let tone: Vec<f32> = (0..8000).map(|at| 0.4 * (at as f32 * 0.3).sin()).collect();
        let turned: Vec<f32> = tone.iter().map(|value| -0.5 * value).collect();
        let alone = Sound::measure(&[&tone], 8000).unwrap();
        let opposed: Vec<f32> = tone.iter().map(|value| -value).collect();
        let both = Sound::measure(&[&tone, &opposed], 8000).unwrap();
        assert_eq!((both.silent, both.upper_power), (0.0, alone.upper_power));
        // What is left of two that do not cancel each other wholly is the mean.
        let left = Sound::measure(&[&tone, &turned], 8000).unwrap();
        assert_eq!(left.silent, 0.0);
        assert_eq!(Sound::measure(&[&[0.0; 800], &[0.0; 800]], 8000).unwrap().silent, 1.0);
    }
}
