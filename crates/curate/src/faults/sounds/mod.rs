//! Recordings that hold less than they promise, by their samples alone (methods 4.10).

mod hum;
mod measure;

pub use measure::Sound;

use super::{Checked, Evidence, Fault, USUAL, middle_and_spread};

/// Share of clipped samples from which a recording is flagged.
const CLIPPED: f64 = 0.001;
/// Share of silent frames from which a recording is flagged. A sneeze in ten seconds of silence is a recording of a sneeze.
const SILENT: f64 = 0.98;
/// Decibels between loud and quiet frames below which a recording is noise.
const NOISY: f64 = 10.0;
/// Decibels by which hum must stand out.
const HUM: f64 = 12.0;
/// Decibels of the upper frequencies below which there is nothing.
const NOTHING: f64 = -70.0;
/// Mean of the samples from which a waveform is off its centre.
const OFFSET: f64 = 0.01;
/// Robust standard deviations of the logarithm from the median from which a duration is odd.
const ODD_DURATION: f64 = 5.0;
/// The least spread of that logarithm.
const LEAST_SPREAD: f64 = 0.1;
/// Fewer recordings say nothing about what is usual.
const FEWEST: usize = 10;

/// Every check of recordings, in the order of [`Fault::ALL`]. What a quarter of the recordings share is how the set is, but for
/// clipping and silence.
pub fn sounds(measured: &[Sound]) -> Vec<Checked> {
    let each = |score: &dyn Fn(&Sound) -> Option<f64>| measured.iter().map(score).collect::<Vec<_>>();
    let over = |value: f64, limit: f64| 1.0 / (1.0 + value / limit);
    let because = |value: fn(&Sound) -> Option<f64>, limit| {
        move |row: usize| Evidence::Limit { value: value(&measured[row]).unwrap_or_default(), limit }
    };
    let hum = |row: usize| {
        let (decibels, hertz) = measured[row].hum.unwrap_or_default();
        Evidence::Hum { decibels, limit: HUM, hertz }
    };
    let same = measured.iter().filter(|sound| sound.same_channels).count();
    let same = same as f64 / measured.len().max(1) as f64;
    vec![
        Checked::known_below(Fault::Clipped, each(&|sound| Some(over(sound.clipped, CLIPPED))), 0.5)
            .because(because(|sound| Some(sound.clipped), CLIPPED)),
        Checked::known_below(Fault::Silent, each(&|sound| Some(1.0 - sound.silent)), 1.0 - SILENT)
            .because(because(|sound| Some(sound.silent), SILENT)),
        Checked::below_unless_usual(
            Fault::Noisy,
            each(&|sound| sound.signal_to_noise.map(|decibels| (decibels / (2.0 * NOISY)).clamp(0.0, 1.0))),
            0.5,
        )
        .because(because(|sound| sound.signal_to_noise, NOISY)),
        Checked::below_unless_usual(
            Fault::Hum,
            each(&|sound| sound.hum.map(|(decibels, _)| over(decibels, HUM))),
            0.5,
        )
        .because(hum),
        Checked::below_unless_usual(
            Fault::Upsampled,
            each(&|sound| {
                sound
                    .upper_power
                    .map(|decibels| (decibels / (2.0 * NOTHING)).clamp(0.0, 1.0))
                    .map(|off| 1.0 - off)
            }),
            0.5,
        )
        .because(because(|sound| sound.upper_power, NOTHING)),
        Checked::below_unless_usual(Fault::DcOffset, each(&|sound| Some(over(sound.dc_offset, OFFSET))), 0.5)
            .because(because(|sound| Some(sound.dc_offset), OFFSET)),
        Checked::below_unless_usual(
            Fault::SameChannels,
            each(&|sound| Some(if sound.same_channels { 0.0 } else { 1.0 })),
            0.5,
        )
        .because(|_| Evidence::Limit { value: same, limit: USUAL }),
        odd_duration(measured),
    ]
}

fn odd_duration(measured: &[Sound]) -> Checked {
    let logs: Vec<f64> = measured.iter().map(|sound| sound.duration.max(1e-3).ln()).collect();
    let (middle, spread) = middle_and_spread(&logs).unwrap_or_default();
    let spread = spread.max(LEAST_SPREAD);
    let z = |log: &f64| (log - middle).abs() / spread;
    let scores = logs.iter().map(|log| 0.5_f64.powf(z(log) / ODD_DURATION)).collect();
    let checked = Checked::below(Fault::OddDuration, scores, if measured.len() < FEWEST { 0.0 } else { 0.5 });
    checked.because(|row| Evidence::Usual {
        value: measured[row].duration,
        usual: middle.exp(),
        limit: (middle + (ODD_DURATION * spread).copysign(logs[row] - middle)).exp(),
    })
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use linalg::{Seed, random};

    use super::*;
    use crate::CurateError;

    const RATE: u32 = 16_000;

    /// Two seconds of speech of sorts: tones that come and go, over quiet noise.
    fn speech(seed: u64) -> Vec<f32> {
        let mut rng = Seed(seed).rng();
        (0..2 * RATE)
            .map(|place| {
                let time = f64::from(place) / f64::from(RATE);
                let voice = (TAU * 3.0 * time).sin().max(0.0);
                let pitch = 130.0 + 20.0 * (TAU * 0.7 * time + seed as f64).sin();
                let tones: f64 =
                    [1.0, 2.0, 3.0, 7.0, 12.0].iter().map(|of| (TAU * of * pitch * time).sin() / of).sum();
                let noise = random::normal(&mut rng);
                (0.2 * voice * (tones + 0.2 * noise) + 0.002 * noise) as f32
            })
            .collect()
    }

    #[track_caller]
    fn check(of: impl Fn(&mut Vec<f32>), faults: &[Fault]) {
        let mut odd = speech(99);
        of(&mut odd);
        check_measured(Sound::measure(&[&odd], RATE).unwrap(), faults);
    }

    #[track_caller]
    fn check_measured(odd: Sound, faults: &[Fault]) {
        let mut all: Vec<Sound> =
            (0..15).map(|seed| Sound::measure(&[&speech(seed)], RATE).unwrap()).collect();
        all.push(odd);
        for checked in sounds(&all) {
            let expected: &[usize] = if faults.contains(&checked.fault) { &[15] } else { &[] };
            assert_eq!(checked.flagged, expected, "{:?} {odd:?}", checked.fault);
            assert!(checked.evidence.keys().eq(expected), "{:?}", checked.fault);
            assert!(checked.scores.iter().flatten().all(|score| (0.0..=1.0).contains(score)));
        }
    }

    fn hum(samples: &mut [f32], mains: f64) {
        for (place, sample) in samples.iter_mut().enumerate() {
            let time = place as f64 / f64::from(RATE);
            let tones: f64 = (1..=4).map(|of| (TAU * mains * f64::from(of) * time).sin()).sum();
            *sample += (0.05 * tones) as f32;
        }
    }

    #[test]
    fn each_fault_is_flagged_and_no_other() {
        check(|_| (), &[]);
        check(
            |samples| samples.iter_mut().for_each(|sample| *sample = (8.0 * *sample).clamp(-1.0, 1.0)),
            &[Fault::Clipped],
        );
        check(|samples| samples[200..].fill(0.0), &[Fault::Silent]);
        // A word in silence is a recording of a word.
        check(|samples| samples[8_000..].fill(0.0), &[]);
        check(|samples| samples.iter_mut().for_each(|sample| *sample += 0.03), &[Fault::DcOffset]);
        check(|samples| hum(samples, 50.0), &[Fault::Hum, Fault::Noisy]);
        check(|samples| hum(samples, 60.0), &[Fault::Hum, Fault::Noisy]);
        check(|samples| samples.extend((0..20).flat_map(speech)), &[Fault::OddDuration]);
    }

    #[test]
    fn noise_and_doubled_rates_are_found() {
        let mut rng = Seed(4).rng();
        let noise: Vec<f32> = (0..2 * RATE).map(|_| 0.1 * random::normal(&mut rng) as f32).collect();
        check_measured(Sound::measure(&[&noise], RATE).unwrap(), &[Fault::Noisy]);
        check_measured(Sound::measure(&[&doubled(&speech(5))], RATE).unwrap(), &[Fault::Upsampled]);
    }

    /// The first half at twice the sample rate, as a good resampler does it: a windowed sinc.
    fn doubled(slow: &[f32]) -> Vec<f32> {
        const REACH: usize = 64;
        let value = |place: usize| -> f32 {
            let from = (place / 2).saturating_sub(REACH);
            let of = |(at, sample): (usize, &f32)| {
                let off = place as f64 / 2.0 - (from + at) as f64;
                let window = (0.25 * TAU * off / (REACH + 1) as f64).cos().powi(2);
                let sinc = if off == 0.0 { 1.0 } else { (0.5 * TAU * off).sin() / (0.5 * TAU * off) };
                f64::from(*sample) * sinc * window
            };
            slow[from..(place / 2 + REACH + 1).min(slow.len())].iter().enumerate().map(of).sum::<f64>() as f32
        };
        (0..slow.len()).map(value).collect()
    }

    #[test]
    fn same_channels_are_odd_among_single_ones_and_measures_are_in_seconds() {
        let mut samples = speech(1);
        samples[..6_400].fill(0.0);
        let sound = Sound::measure(&[&samples, &samples], RATE).unwrap();
        check_measured(sound, &[Fault::SameChannels]);
        assert_eq!((sound.duration, sound.silent_start), (2.0, 0.4));
        let other: Vec<f32> = samples.iter().map(|sample| -sample).collect();
        assert!(!Sound::measure(&[&samples, &other], RATE).unwrap().same_channels);
    }

    #[test]
    fn bad_and_short_recordings_are_defined() {
        assert_eq!(Sound::measure(&[], RATE), Err(CurateError::Empty { what: "channels" }));
        assert_eq!(Sound::measure(&[&[]], RATE), Err(CurateError::Empty { what: "samples" }));
        assert!(matches!(Sound::measure(&[&[0.0], &[0.0, 1.0]], RATE), Err(CurateError::Shape { .. })));
        assert_eq!(Sound::measure(&[&[0.0, f32::NAN]], RATE), Err(CurateError::NotFinite { row: 1 }));
        let one = Sound::measure(&[&[0.5]], RATE).unwrap();
        assert_eq!((one.signal_to_noise, one.hum, one.upper_power), (None, None, None));
        let silence = Sound::measure(&[&vec![0.0; 40_000]], RATE).unwrap();
        assert_eq!((silence.silent, silence.upper_power, silence.signal_to_noise), (1.0, None, None));
        assert!(sounds(&[]).iter().all(|checked| checked.flagged.is_empty()));
        let faults: Vec<Fault> = sounds(&[]).into_iter().map(|checked| checked.fault).collect();
        assert!(faults.is_sorted() && faults.len() == 8);
    }
}
