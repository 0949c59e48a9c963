//! Learning curves: what more labels would bring (methods 5.8).
//!
//! `error(n) = a + b n^-c` with `a, b >= 0` and `c` in [0.1, 1.5], by weighted least squares on a grid of `c`. Plain power laws
//! promise too little for many more labels, so nothing is said beyond four times what was measured.

use linalg::{Seed, random};
use serde::{Deserialize, Serialize};

use crate::Estimate;
use crate::estimate::quantile;

/// Bootstrap draws behind the band.
const DRAWS: usize = 500;
/// The curve is not followed beyond this multiple of the largest size measured.
const REACH: f64 = 4.0;

/// The error of one model fitted on one random subset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveDraw {
    /// Number of labels.
    pub n: usize,
    /// Share of wrong answers, in [0, 1].
    pub error: f64,
}

/// A fitted curve with the curves of its bootstrap draws.
#[derive(Debug, Clone)]
pub struct LearningCurve {
    law: Law,
    redrawn: Vec<Law>,
    largest: f64,
    measured: Vec<(usize, Estimate)>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Law {
    floor: f64,
    height: f64,
    power: f64,
}

impl Law {
    fn at(self, n: f64) -> f64 {
        (self.floor + self.height * n.powf(-self.power)).clamp(0.0, 1.0)
    }
}

impl LearningCurve {
    /// Fits; `None` with fewer than three sizes.
    pub fn fit(draws: &[CurveDraw], seed: Seed) -> Option<Self> {
        let mut sizes: Vec<usize> = draws.iter().map(|draw| draw.n).collect();
        sizes.sort_unstable();
        sizes.dedup();
        if sizes.len() < 3 {
            return None;
        }
        let by_size: Vec<(usize, Vec<f64>)> = sizes
            .iter()
            .map(|size| (*size, draws.iter().filter(|draw| draw.n == *size).map(|draw| draw.error).collect()))
            .collect();
        let mut rng = seed.derive("curve").rng();
        let redraw = |errors: &[f64], rng: &mut _| {
            (0..errors.len()).map(|_| errors[random::below(rng, errors.len())]).collect()
        };
        let redrawn = (0..DRAWS)
            .map(|_| {
                fit_law(&by_size.iter().map(|(n, errors)| (*n, redraw(errors, &mut rng))).collect::<Vec<_>>())
            })
            .collect();
        let measured = by_size.iter().map(|(n, errors)| (*n, spread(errors))).collect();
        Some(Self { law: fit_law(&by_size), redrawn, largest: sizes[sizes.len() - 1] as f64, measured })
    }

    /// Measured accuracy at each size: mean, and the 10 and 90 percentiles of the draws.
    pub fn measured(&self) -> &[(usize, Estimate)] {
        &self.measured
    }

    /// Expected accuracy with `n` labels and its 80 % band; `None` beyond four times the measured size.
    pub fn accuracy_at(&self, n: usize) -> Option<Estimate> {
        let size = n as f64;
        if size > REACH * self.largest {
            return None;
        }
        let mut draws: Vec<f64> = self.redrawn.iter().map(|law| 1.0 - law.at(size)).collect();
        draws.sort_by(f64::total_cmp);
        Some(Estimate {
            value: 1.0 - self.law.at(size),
            low: quantile(&draws, 0.1),
            high: quantile(&draws, 0.9),
            n,
        })
    }

    /// The least number of labels whose expected accuracy reaches `target`, if it lies within reach.
    pub fn labels_needed(&self, target: f64) -> Option<usize> {
        let reach = (REACH * self.largest) as usize;
        let enough = |n: usize| 1.0 - self.law.at(n as f64) >= target;
        if !enough(reach) {
            return None;
        }
        // The curve only falls: bisect.
        let (mut low, mut high) = (1, reach);
        while low < high {
            let middle = usize::midpoint(low, high);
            if enough(middle) { high = middle } else { low = middle + 1 }
        }
        Some(low)
    }
}

fn spread(errors: &[f64]) -> Estimate {
    let mut accuracies: Vec<f64> = errors.iter().map(|error| 1.0 - error).collect();
    accuracies.sort_by(f64::total_cmp);
    let value = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    Estimate { value, low: quantile(&accuracies, 0.1), high: quantile(&accuracies, 0.9), n: errors.len() }
}

/// Weighted least squares over a grid of powers, closed form for the other two.
fn fit_law(by_size: &[(usize, Vec<f64>)]) -> Law {
    let points: Vec<(f64, f64, f64)> = by_size
        .iter()
        .map(|(n, errors)| {
            let count = errors.len() as f64;
            let mean = errors.iter().sum::<f64>() / count;
            let variance = errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>() / count;
            // A size whose draws happen to agree is still not known exactly.
            (*n as f64, mean, count / (variance + 1e-4))
        })
        .collect();
    (2..=30)
        .map(|step| law_with_power(&points, 0.05 * f64::from(step)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .expect("the grid of powers is not empty")
        .0
}

fn law_with_power(points: &[(f64, f64, f64)], power: f64) -> (Law, f64) {
    let (mut w, mut wx, mut wy, mut wxx, mut wxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (n, error, weight) in points {
        let x = n.powf(-power);
        w += weight;
        wx += weight * x;
        wy += weight * error;
        wxx += weight * x * x;
        wxy += weight * x * error;
    }
    let determinant = w * wxx - wx * wx;
    let height = (w * wxy - wx * wy) / determinant;
    let (floor, height) = match ((wy - height * wx) / w, height) {
        (_, height) if height <= 0.0 => (wy / w, 0.0),
        (floor, _) if floor < 0.0 => (0.0, wxy / wxx),
        both => both,
    };
    let law = Law { floor, height, power };
    let misfit = points
        .iter()
        .map(|(n, error, weight)| weight * (floor + height * n.powf(-power) - error).powi(2))
        .sum();
    (law, misfit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(noise: f64) -> Vec<CurveDraw> {
        let mut rng = Seed(3).rng();
        let law = |n: usize| 0.05 + 0.9 * (n as f64).powf(-0.5);
        [20, 40, 80, 160, 240]
            .iter()
            .flat_map(|n| {
                (0..12)
                    .map(|_| CurveDraw { n: *n, error: law(*n) + noise * random::normal(&mut rng) })
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn a_known_law_is_found_and_followed() {
        let curve = LearningCurve::fit(&draws(0.01), Seed(1)).unwrap();
        let truth = 1.0 - (0.05 + 0.9 * 480_f64.powf(-0.5));
        let expected = curve.accuracy_at(480).unwrap();
        assert!((expected.value - truth).abs() < 0.015, "{expected:?} {truth}");
        assert!(expected.low <= expected.value && expected.value <= expected.high);
        assert!(curve.accuracy_at(10_000).is_none());
    }

    #[test]
    fn labels_needed_lie_where_the_curve_crosses() {
        let curve = LearningCurve::fit(&draws(0.0), Seed(1)).unwrap();
        let needed = curve.labels_needed(0.9).unwrap();
        assert!((250..420).contains(&needed), "{needed}");
        assert_eq!(curve.labels_needed(0.9999), None);
    }

    #[test]
    fn a_flat_or_rising_error_gives_a_flat_curve() {
        let draws: Vec<CurveDraw> =
            [10, 20, 40].iter().map(|n| CurveDraw { n: *n, error: 0.001 * *n as f64 }).collect();
        let curve = LearningCurve::fit(&draws, Seed(1)).unwrap();
        let (now, later) = (curve.accuracy_at(40).unwrap().value, curve.accuracy_at(160).unwrap().value);
        assert!((now - later).abs() < 1e-9);
        assert!(LearningCurve::fit(&draws[..2], Seed(1)).is_none());
    }
}
