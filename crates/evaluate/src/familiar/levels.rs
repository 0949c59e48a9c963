//! Columns whose size says something by itself, such as how loud a sensor is.
//!
//! Among hundreds of columns that are brought to length 1 together, one that is three times as large is not noticed. So each of a few is
//! compared with what it is in every class, in units of its spread within classes, and the farthest one counts.

use linalg::MatrixView;
use serde::{Deserialize, Serialize};

/// Turns a median absolute deviation into the standard deviation of a normal distribution.
const TO_DEVIATION: f64 = 1.4826;
/// Least spread of a column. Of the deviation of a sensor, which is told as 0.35 times its logarithm, that is three hundredths; of its mean,
/// told by the inverse hyperbolic sine, also 0.03 of its unit where it is below 1.
const LEAST_SPREAD: f64 = 0.01;
/// Both distances of so many of a hundred familiar examples are below the same number.
const WITHIN: usize = 90;
/// Standard deviations that so many values of a normal distribution are within.
const DEVIATIONS: f64 = 1.645;

/// What is usual of some columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Levels {
    /// Which they are, at least one.
    columns: Vec<usize>,
    /// Class by class: the median of each column.
    middles: Vec<Vec<f64>>,
    /// Deviation of each column from its class's median, above 0.
    spreads: Vec<f64>,
    /// What brings distances to the size of those of the whole.
    weight: f64,
}

impl Levels {
    /// From the rows named of `x`, `[n, d]`, and their classes; `strata` is `[n]`.
    pub(super) fn fit(x: MatrixView<'_>, rows: &[usize], strata: &[u32], columns: &[usize]) -> Self {
        let mut classes: Vec<u32> = rows.iter().map(|row| strata[*row]).collect();
        classes.sort_unstable();
        classes.dedup();
        let of_class = |class: u32, column: usize| -> Vec<f64> {
            let rows = rows.iter().filter(|row| strata[**row] == class);
            rows.map(|row| f64::from(x.row(*row)[column])).collect()
        };
        let middle = |class: &u32| columns.iter().map(|column| median(of_class(*class, *column))).collect();
        let middles: Vec<Vec<f64>> = classes.iter().map(middle).collect();
        let spread = |(place, column): (usize, &usize)| {
            let apart = classes.iter().zip(&middles).flat_map(|(class, middles)| {
                of_class(*class, *column).into_iter().map(|value| (value - middles[place]).abs())
            });
            let apart: Vec<f64> = apart.collect();
            // A sensor that is off in some recordings costs itself, not the others: the median alone would not see it.
            (within(apart.clone()) / DEVIATIONS).max(TO_DEVIATION * median(apart)).max(LEAST_SPREAD)
        };
        let spreads = columns.iter().enumerate().map(spread).collect();
        Self { columns: columns.to_vec(), middles, spreads, weight: 1.0 }
    }

    /// Finds the weight from distances of held-out examples, each by the whole and by levels.
    pub(super) fn weigh(&mut self, held_out: &[(f64, f64)]) {
        let whole = within(held_out.iter().map(|(whole, _)| *whole).collect());
        let levels = within(held_out.iter().map(|(_, levels)| *levels).collect());
        // Levels that stay within their least spread have no size of their own: one spread is then as far as the whole is.
        self.weight = whole / levels.max(1.0);
    }

    pub(super) fn weight(&self) -> f64 {
        self.weight
    }

    /// The largest squared deviation, in spreads, of a column from its median in the class where that is least.
    pub(super) fn distance(&self, x: &[f32]) -> f64 {
        let from = |middles: &Vec<f64>| {
            let columns = self.columns.iter().zip(middles).zip(&self.spreads);
            columns
                .map(|((column, middle), spread)| ((f64::from(x[*column]) - middle) / spread).powi(2))
                .fold(0.0, f64::max)
        };
        self.middles.iter().map(from).fold(f64::INFINITY, f64::min)
    }

    /// Whether what came from a file can be used on rows of so many columns.
    pub(super) fn fits(&self, dim: usize) -> bool {
        let count = self.columns.len();
        count > 0
            && self.columns.iter().all(|column| *column < dim)
            && !self.middles.is_empty()
            && self.middles.iter().all(|middles| middles.len() == count)
            && self.spreads.len() == count
            && self.spreads.iter().all(|spread| *spread > 0.0)
            && self.weight >= 0.0
    }
}

/// What [`WITHIN`] of a hundred values are at most; of at least one.
fn within(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * WITHIN).div_ceil(100) - 1]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n => f64::midpoint(values[(n - 1) / 2], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Matrix, Seed, random};

    use crate::OodDetector;

    /// Series of two classes in 120 columns: level 1 and level 3, of which a share is chance, in the last column.
    fn series_of(n: usize, louder: f64, chance: f64, seed: u64) -> (Matrix<f32>, Vec<u32>) {
        let mut rng = Seed(seed).rng();
        let mut rows = Vec::new();
        for row in 0..n {
            let mut values: Vec<f32> = (0..119)
                .map(|at| (f64::from(u8::from(at % 7 == row % 2)) + 0.3 * random::normal(&mut rng)) as f32)
                .collect();
            let level = [1.0_f64, 3.0][row % 2] * louder * (1.0 + chance * random::normal(&mut rng)).max(0.1);
            values.push((0.35 * level.ln()) as f32);
            rows.push(values);
        }
        (Matrix::from_rows(&rows), (0..n as u32).map(|row| row % 2).collect())
    }

    fn series(n: usize, louder: f64, seed: u64) -> (Matrix<f32>, Vec<u32>) {
        series_of(n, louder, 0.1, seed)
    }

    fn learned((x, classes): (Matrix<f32>, Vec<u32>), levels: &[usize]) -> OodDetector {
        let groups: Vec<u32> = (0..x.rows() as u32).collect();
        OodDetector::fit(x.view(), &classes, &OodDetector::folds(&groups, Seed(1)), levels).unwrap()
    }

    fn detector(levels: &[usize]) -> OodDetector {
        learned(series(80, 1.0, 1), levels)
    }

    fn strange(detector: &OodDetector, louder: f64, below: f64) -> usize {
        let (x, _) = series(200, louder, 2);
        x.iter_rows().filter(|row| detector.p_value(row) < below).count()
    }

    #[test]
    fn a_level_that_no_class_has_is_strange_however_usual_the_rest_is() {
        let (with, without) = (detector(&[119]), detector(&[]));
        for louder in [0.1, 10.0] {
            assert!(strange(&with, louder, 0.05) > 190, "{louder}: {}", strange(&with, louder, 0.05));
            assert!(strange(&without, louder, 0.05) < 100, "{louder}: {}", strange(&without, louder, 0.05));
        }
    }

    #[test]
    fn usual_examples_are_no_stranger_for_it() {
        let usual = strange(&detector(&[119]), 1.0, 0.1);
        assert!((4..40).contains(&usual), "{usual} of 200 below 0.1");
    }

    #[test]
    fn levels_that_hardly_differ_leave_room_for_rounding() {
        let detector = learned(series_of(80, 1.0, 1e-5, 1), &[119]);
        let strange = |louder: f64| {
            let (x, _) = series_of(200, louder, 1e-5, 2);
            x.iter_rows().filter(|row| detector.p_value(row) < 0.05).count()
        };
        assert!(strange(1.001) < 25, "{}", strange(1.001));
        assert!(strange(9.0) > 190, "{}", strange(9.0));
    }

    #[test]
    fn a_sensor_that_is_sometimes_off_does_not_hide_the_others() {
        let with_heater = |n: usize, louder: f64, seed: u64| {
            let (mut x, classes) = series(n, louder, seed);
            (0..n).for_each(|row| x.row_mut(row)[118] = if row % 5 < 2 { -10.5 } else { 0.3 });
            (x, classes)
        };
        let detector = learned(with_heater(80, 1.0, 1), &[118, 119]);
        let (x, _) = with_heater(200, 10.0, 2);
        let strange = x.iter_rows().filter(|row| detector.p_value(row) < 0.05).count();
        assert!(strange > 190, "{strange}");
    }

    #[test]
    fn what_a_file_says_of_levels_is_checked() {
        let detector = detector(&[119]);
        let (structure, tensors) = detector.to_tensors();
        assert_eq!(OodDetector::from_tensors(&structure, &tensors).unwrap().to_tensors().0, structure);
        for (key, wrong) in [
            ("columns", "[]"),
            ("columns", "[120]"),
            ("spreads", "[0.0]"),
            ("middles", "[]"),
            ("weight", "-1.0"),
        ] {
            let mut damaged = structure.clone();
            damaged["levels"][key] = serde_json::from_str(wrong).unwrap();
            assert!(OodDetector::from_tensors(&damaged, &tensors).is_err(), "{key}");
        }
    }
}
