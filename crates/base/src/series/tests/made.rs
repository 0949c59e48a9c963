//! Series whose classes differ in one thing each.

use std::f64::consts::TAU;

use linalg::Seed;
use linalg::random::{below, normal, uniform};

use super::{Channel, Series};

/// A set of series.
pub(super) struct Made {
    pub name: &'static str,
    pub n_classes: usize,
    one: fn(Seed, usize) -> Vec<Vec<f64>>,
}

const PER_CLASS: usize = 20;

impl Made {
    /// To learn from and to measure on, with labels.
    pub(super) fn parts(&self) -> [(Vec<Series>, Vec<usize>); 2] {
        ["train", "test"].map(|part| {
            let seed = Seed(1).derive(self.name).derive(part);
            let labels: Vec<usize> =
                (0..self.n_classes * PER_CLASS).map(|place| place % self.n_classes).collect();
            let made =
                labels.iter().enumerate().map(|(place, label)| series((self.one)(seed.nth(place), *label)));
            (made.collect(), labels)
        })
    }
}

fn series(channels: Vec<Vec<f64>>) -> Series {
    let named = |(place, values): (usize, Vec<f64>)| Channel {
        name: place.to_string(),
        values: values.into_iter().map(|value| value as f32).collect(),
    };
    Series { channels: channels.into_iter().enumerate().map(named).collect(), times: None, rate: None }
}

/// Sine, square and sawtooth of one size, of any phase and of several frequencies.
pub(super) const WAVES: Made = Made {
    name: "waves",
    n_classes: 3,
    one: |seed, class| {
        let rng = &mut seed.rng();
        let (phase, step) = (uniform(rng), 0.02 + 0.03 * uniform(rng));
        let form = |part: f64| match class {
            0 => (TAU * part).sin(),
            1 => 0.7 * (0.5 - part).signum(),
            _ => 1.2 * (2.0 * part - 1.0),
        };
        vec![(0..200).map(|t| form((phase + step * f64::from(t)).fract()) + 0.6 * normal(rng)).collect()]
    },
};

/// A bump that is round, or steep on its left, or double, somewhere in noise.
pub(super) const BUMPS: Made = Made {
    name: "bumps",
    n_classes: 3,
    one: |seed, class| {
        let rng = &mut seed.rng();
        let start = below(rng, 260);
        let form = |t: usize| {
            let x = (t as f64 - start as f64) / 19.5 - 1.0;
            match class {
                _ if x.abs() > 1.0 => 0.0,
                0 => 1.8 * (-8.0 * x * x).exp(),
                1 => {
                    if x < -0.6 {
                        0.0
                    } else {
                        1.2 * (1.0 - x)
                    }
                }
                _ => 1.8 * (-40.0 * (x.abs() - 0.5).powi(2)).exp(),
            }
        };
        vec![(0..300).map(|t| form(t) + 0.35 * normal(rng)).collect()]
    },
};

/// Tones a twelfth apart under noise of their size.
pub(super) const TONES: Made = Made {
    name: "tones",
    n_classes: 3,
    one: |seed, class| {
        let rng = &mut seed.rng();
        let (frequency, phase) = ([0.06, 0.065, 0.07][class], TAU * uniform(rng));
        vec![(0..250).map(|t| (TAU * frequency * f64::from(t) + phase).sin() + 0.7 * normal(rng)).collect()]
    },
};

/// A tone that rises or falls.
pub(super) const CHIRPS: Made = Made {
    name: "chirps",
    n_classes: 2,
    one: |seed, class| {
        let rng = &mut seed.rng();
        let phase = TAU * uniform(rng);
        let tone = |t: i32| {
            let t = f64::from(if class == 0 { t } else { 249 - t }) / 250.0;
            (TAU * (8.0 * t + 10.0 * t * t) + phase).sin()
        };
        vec![(0..250).map(|t| tone(t) + 0.7 * normal(rng)).collect()]
    },
};

/// Impacts that ring, one every 80, 100 or 125 steps and the stronger the rarer, in noise.
pub(super) const IMPACTS: Made = Made {
    name: "impacts",
    n_classes: 3,
    one: |seed, class| {
        let rng = &mut seed.rng();
        let period = [80.0, 100.0, 125.0][class];
        let mut values: Vec<f64> = (0..2048).map(|_| normal(rng)).collect();
        let mut at = period * uniform(rng);
        while at < 2048.0 {
            for (age, value) in values[at as usize..].iter_mut().take(40).enumerate() {
                *value += 0.3 * period.sqrt() * (-(age as f64) / 8.0).exp() * (TAU * 0.31 * age as f64).sin();
            }
            at += period * (1.0 + 0.01 * normal(rng));
        }
        vec![values]
    },
};

/// Two channels with one tone, the second behind the first by an angle.
pub(super) const LAGS: Made = Made {
    name: "lags",
    n_classes: 3,
    one: |seed, class| {
        let rng = &mut seed.rng();
        let (step, phase, lag) = (0.25 + 0.1 * uniform(rng), TAU * uniform(rng), [0.4, 0.9, 1.4][class]);
        let mut channel = |lag: f64| -> Vec<f64> {
            (0..200).map(|t| (step * f64::from(t) + phase - lag).sin() + 0.5 * normal(rng)).collect()
        };
        vec![channel(0.0), channel(lag)]
    },
};
