//! A sound as 320 numbers, for learning without a network: what any network has to be better than.

use linalg::Matrix;

use super::BANDS;

/// Numbers that a sound becomes.
pub const STATISTICS: usize = 4 * BANDS;

/// Sums up the frames of one sound, in memory that does not grow with its length.
#[derive(Debug, Clone)]
pub struct Statistics {
    n_frames: u64,
    last: [f64; BANDS],
    values: [Moments; BANDS],
    steps: [Moments; BANDS],
}

/// Mean and sum of squared deviations so far (Welford 1962), and the sum without signs.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    mean: f64,
    squares: f64,
    magnitude: f64,
}

impl Moments {
    fn add(&mut self, value: f64, n: u64) {
        let off = value - self.mean;
        self.mean += off / n as f64;
        self.squares += off * (value - self.mean);
        self.magnitude += value.abs();
    }
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            n_frames: 0,
            last: [0.0; BANDS],
            values: [Moments::default(); BANDS],
            steps: [Moments::default(); BANDS],
        }
    }
}

impl Statistics {
    /// Takes the next frames of [`LogMel::log_mel`](super::LogMel::log_mel), `[t, 80]`; pieces of a sound one after the other, without
    /// overlap.
    pub fn add(&mut self, log_mel: &Matrix) {
        for row in 0..log_mel.rows() {
            self.n_frames += 1;
            for (band, value) in log_mel.row(row).iter().enumerate() {
                let value = f64::from(*value);
                self.values[band].add(value, self.n_frames);
                if self.n_frames > 1 {
                    self.steps[band].add(value - self.last[band], self.n_frames - 1);
                }
                self.last[band] = value;
            }
        }
    }

    /// `[320]`, four numbers for each of 80 bands: all means; then all standard deviations over time; then those of the difference
    /// between a frame and the one before; then the means of that difference without its sign. One frame has no deviations and no
    /// differences: they are zero. `None` without a frame.
    pub fn finish(&self) -> Option<Vec<f32>> {
        let n = self.n_frames;
        let deviation = |moments: &Moments, n: u64| (moments.squares / n as f64).sqrt() as f32;
        let n_steps = n.checked_sub(1)?.max(1);
        let means = self.values.iter().map(|moments| moments.mean as f32);
        let deviations = self.values.iter().map(|moments| deviation(moments, n));
        let step_deviations = self.steps.iter().map(|moments| deviation(moments, n_steps));
        let step_sizes = self.steps.iter().map(|moments| (moments.magnitude / n_steps as f64) as f32);
        Some(means.chain(deviations).chain(step_deviations).chain(step_sizes).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(rows: usize) -> Matrix {
        let mut frames = Matrix::zeros(rows, BANDS);
        for row in 0..rows {
            for (band, value) in frames.row_mut(row).iter_mut().enumerate() {
                *value = ((row * 31 + band * 7) % 17) as f32 - 8.0;
            }
        }
        frames
    }

    #[test]
    fn equals_the_definition() {
        let frames = made(50);
        let mut statistics = Statistics::default();
        statistics.add(&frames);
        let got = statistics.finish().unwrap();
        for band in [0, 41, 79] {
            let x: Vec<f64> = (0..50).map(|row| f64::from(frames.row(row)[band])).collect();
            let steps: Vec<f64> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
            let deviation = |x: &[f64]| {
                (x.iter().map(|value| (value - mean(x)).powi(2)).sum::<f64>() / x.len() as f64).sqrt()
            };
            let sizes: Vec<f64> = steps.iter().map(|step| step.abs()).collect();
            let expected = [mean(&x), deviation(&x), deviation(&steps), mean(&sizes)];
            for (part, expected) in expected.into_iter().enumerate() {
                assert!(
                    (f64::from(got[part * BANDS + band]) - expected).abs() < 1e-6,
                    "part {part}, band {band}"
                );
            }
        }
    }

    #[test]
    fn pieces_equal_the_whole() {
        let frames = made(50);
        let (mut whole, mut pieces) = (Statistics::default(), Statistics::default());
        whole.add(&frames);
        for row in 0..50 {
            let mut piece = Matrix::zeros(1, BANDS);
            piece.row_mut(0).copy_from_slice(frames.row(row));
            pieces.add(&piece);
        }
        assert_eq!(whole.finish(), pieces.finish());
    }

    #[test]
    fn one_frame_does_not_vary_and_none_is_nothing() {
        let mut statistics = Statistics::default();
        assert_eq!(statistics.finish(), None);
        statistics.add(&made(1));
        let got = statistics.finish().unwrap();
        assert_eq!(got.len(), STATISTICS);
        assert!(got[0] != 0.0 && got[BANDS..].iter().all(|value| *value == 0.0));
    }
}
