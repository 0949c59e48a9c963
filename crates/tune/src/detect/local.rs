//! A memory that knows how far apart good patches lie at each place: distances are told in units of what is usual there.
//!
//! Good parts vary much in some respects and hardly in others: the same distance is nothing beside a brushed edge and an
//! alarm on a flat face. So features are first brought to the scales on which good patches vary (whitening), and then the
//! distance to each remembered patch is divided by a power of that patch's own distance to patches of **other** photos, as in
//! local outlier factors (Breunig et al. 2000). The nearest by this measure decides.

use std::ops::Range;

use linalg::decompose::eigh;
use linalg::{Matrix, MatrixView, Seed, k_centre, matmul_nt, random, random_projection};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::TuneError;
use crate::detect::bank::Bank;
use crate::detect::patches::{check_asked, check_finite};
use crate::detect::stored::{self, Tensors, damaged};
use crate::detect::usual::usual_distances;

/// Patches that are drawn to learn how features vary; the bank is a coreset of them.
const DRAWN: usize = 20_000;
/// Dimensions in which the coreset is chosen, by a random projection: whitened patches lie about as far apart in all of them.
const CHOSEN_IN: usize = 32;
/// Directions that are kept at most.
const MOST_DIRECTIONS: usize = 400;
/// Added to every variance, as a share of the mean variance: directions in which good patches hardly vary must not rule.
const SHRINKAGE: f64 = 0.01;
/// Queries that are compared at a time.
const BLOCK: usize = 512;

/// How a memory compares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalConfig {
    /// Most patches that are remembered, at least 1.
    pub bank: usize,
    /// Whether features are turned and scaled to equal variance in every direction, or only scaled column by column.
    pub whiten: bool,
    /// Power of the usual distance that distances are divided by: 0 for not at all, 1 for ratios. In [0, 1].
    pub power: f32,
}

/// Remembered good patches with their usual distances.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalMemory {
    mean: Vec<f32>,
    /// `[m, d]`: what brings a feature, less the mean, to the scales of good patches.
    map: Matrix,
    /// `[b, m]`.
    bank: Bank,
    /// `[b]`: squared distances are multiplied by this.
    weight: Vec<f32>,
    /// `[b]`: squared lengths of the bank's rows.
    square: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    dim: usize,
}

impl LocalMemory {
    /// Learns from some columns of photos, each given by its patches `[n_i, d]`. The seed decides which patches are drawn.
    ///
    /// With a single photo the usual distances are those to its other patches.
    ///
    /// Errors: no patches, columns that are not there, values that are not finite or, scaled, too large for half precision.
    pub fn fit(
        photos: &[MatrixView<'_>],
        columns: Range<usize>,
        config: &LocalConfig,
        seed: Seed,
    ) -> Result<Self, TuneError> {
        let (drawn, of) = draw(photos, columns, seed)?;
        let scale = Scales::learn(&drawn, config.whiten);
        let count = config.bank.clamp(1, drawn.rows());
        let drawn = scale.apply(drawn.view());
        let picks = coreset(&drawn, count, seed);
        let bank = Bank::rounded(&drawn.select_rows(&picks))?;
        let square = squares(&bank.widened());
        let usual = usual_distances(&drawn, &picks, &of);
        let weight = usual.iter().map(|usual| usual.powf(-2.0 * config.power)).collect();
        Ok(Self { mean: scale.mean, map: scale.map, bank, weight, square })
    }

    /// The suspicion of each patch, `[n, d]`: 0 for one that is remembered, about 1 where a whitened feature is one usual
    /// distance from everything.
    ///
    /// Errors: another number of columns, values that are not finite.
    pub fn scores(&self, x: MatrixView<'_>) -> Result<Vec<f32>, TuneError> {
        check_asked(x, self.mean.len())?;
        let bank = self.bank.widened();
        let mut scores = Vec::with_capacity(x.rows());
        let rows: Vec<usize> = (0..x.rows()).collect();
        for rows in rows.chunks(BLOCK) {
            let block = MatrixView::new(
                rows.len(),
                x.cols(),
                &x.data()[rows[0] * x.cols()..][..rows.len() * x.cols()],
            );
            let z = scaled(block, &self.mean, &self.map);
            let products = matmul_nt(z.view(), bank.view());
            let nearest = |row: usize| {
                let length: f32 = z.row(row).iter().map(|value| value * value).sum();
                let best = self.nearest(products.row(row), length);
                // The winner's distance is computed anew: a difference of large squares has lost its digits.
                let apart = linalg::squared_distance(z.row(row), bank.row(best));
                (apart * self.weight[best]).sqrt()
            };
            scores.par_extend((0..rows.len()).into_par_iter().map(nearest));
        }
        Ok(scores)
    }

    /// The row of the bank with the smallest weighted distance; the first of equal ones.
    fn nearest(&self, products: &[f32], length: f32) -> usize {
        const LANES: usize = 16;
        let mut least = [f32::INFINITY; LANES];
        let mut at = [0_u32; LANES];
        let blocks = products.chunks(LANES).zip(self.square.chunks(LANES)).zip(self.weight.chunks(LANES));
        for (block, ((product, square), weight)) in blocks.enumerate() {
            for (lane, product) in product.iter().enumerate() {
                let apart = (length + square[lane] - 2.0 * product) * weight[lane];
                if apart < least[lane] {
                    least[lane] = apart;
                    at[lane] = block as u32;
                }
            }
        }
        let place = |lane: usize| at[lane] as usize * LANES + lane;
        (0..LANES.min(products.len()))
            .min_by(|a, b| least[*a].total_cmp(&least[*b]).then(place(*a).cmp(&place(*b))))
            .map_or(0, place)
    }

    /// Subtracted from each feature vector, `[d]`.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// `[m, d]`: what brings a feature, less the mean, to the scales of good patches.
    pub fn map(&self) -> &Matrix {
        &self.map
    }

    /// What is remembered, `[b, m]`.
    pub fn bank(&self) -> &Bank {
        &self.bank
    }

    /// Squared distances to each row of the bank are multiplied by this, `[b]`.
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// Number of columns of the features.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Number of patches that are remembered.
    pub fn len(&self) -> usize {
        self.bank.rows()
    }

    /// Whether none is; never so.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Structure and tensors, for storing beside the bank.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let tensors = Tensors::from([
            ("mean".to_owned(), (vec![self.mean.len()], self.mean.clone())),
            ("map".to_owned(), stored::tensor(&self.map)),
            ("weight".to_owned(), (vec![self.weight.len()], self.weight.clone())),
        ]);
        (serde_json::to_value(Stored { dim: self.dim() }).expect("a size is a whole number"), tensors)
    }

    /// The reverse of [`LocalMemory::to_tensors`]; everything that came from a file is checked.
    pub fn from_tensors(
        structure: &serde_json::Value,
        tensors: &Tensors,
        bank: Bank,
    ) -> Result<Self, TuneError> {
        let Stored { dim } = stored::structure(structure)?;
        let map = stored::matrix(tensors, "map")?;
        if dim == 0 || map.cols() != dim || bank.cols() != map.rows() {
            return Err(damaged("the bank and what leads to it do not fit together"));
        }
        let weight = stored::vector(tensors, "weight", bank.rows())?;
        let square = squares(&bank.widened());
        Ok(Self { mean: stored::vector(tensors, "mean", dim)?, map, bank, weight, square })
    }
}

/// Draws patches, each photo's as likely as any other's, in random order; and which photo each is from.
fn draw(
    photos: &[MatrixView<'_>],
    columns: Range<usize>,
    seed: Seed,
) -> Result<(Matrix, Vec<u32>), TuneError> {
    let mut places: Vec<(u32, u32)> = Vec::new();
    for (photo, patches) in (0..).zip(photos) {
        if patches.cols() < columns.end {
            return Err(TuneError::PatchColumns { got: patches.cols(), expected: columns.end });
        }
        places.extend((0..patches.rows()).map(|row| (photo, row as u32)));
    }
    if places.is_empty() || columns.is_empty() {
        return Err(TuneError::Empty);
    }
    random::shuffle(&mut places, &mut seed.derive("patches").rng());
    places.truncate(DRAWN);
    let row = |(photo, row): &(u32, u32)| &photos[*photo as usize].row(*row as usize)[columns.clone()];
    let drawn = Matrix::from_rows(&places.iter().map(row).collect::<Vec<&[f32]>>());
    check_finite(drawn.view())?;
    Ok((drawn, places.iter().map(|(photo, _)| *photo).collect()))
}

/// What brings features to the scales of good patches.
struct Scales {
    mean: Vec<f32>,
    map: Matrix,
}

impl Scales {
    fn learn(x: &Matrix, whiten: bool) -> Self {
        let (n, d) = (x.rows() as f64, x.cols());
        let mut mean = vec![0.0_f64; d];
        x.iter_rows().for_each(|row| add(&mut mean, row.iter().map(|value| f64::from(*value) / n)));
        let mut deviation = vec![0.0_f64; d];
        for row in x.iter_rows() {
            add(
                &mut deviation,
                row.iter().zip(&mean).map(|(value, mean)| (f64::from(*value) - mean).powi(2) / n),
            );
        }
        let inverse: Vec<f64> = deviation.iter().map(|variance| 1.0 / (variance.sqrt() + 1e-6)).collect();
        let map = if whiten {
            whitening(x, &mean, &inverse)
        } else {
            let mut map = Matrix::zeros(d, d);
            inverse
                .iter()
                .enumerate()
                .for_each(|(column, scale)| map.row_mut(column)[column] = *scale as f32);
            map
        };
        Self { mean: mean.into_iter().map(|value| value as f32).collect(), map }
    }

    fn apply(&self, x: MatrixView<'_>) -> Matrix {
        scaled(x, &self.mean, &self.map)
    }
}

/// The directions of the standardised features, strongest first, each divided by its standard deviation.
fn whitening(x: &Matrix, mean: &[f64], inverse: &[f64]) -> Matrix {
    let (n, d) = (x.rows() as f64, x.cols());
    let mut standard = Matrix::<f32>::zeros(x.rows(), d);
    for (row, from) in x.iter_rows().enumerate() {
        for (column, to) in standard.row_mut(row).iter_mut().enumerate() {
            *to = ((f64::from(from[column]) - mean[column]) * inverse[column]) as f32;
        }
    }
    let covariance = linalg::matmul_tn(standard.view(), standard.view()).map(|value| f64::from(value) / n);
    let (values, vectors) = eigh(covariance.view());
    let kept = d.min(MOST_DIRECTIONS);
    let values: Vec<f64> = values.iter().map(|value| value.max(1e-6)).collect();
    let usual = values.iter().sum::<f64>() / d as f64;
    let mut map = Matrix::zeros(kept, d);
    // Eigenvalues ascend.
    for (row, from) in (0..d).rev().take(kept).enumerate() {
        let scale = 1.0 / (values[from] + SHRINKAGE * usual).sqrt();
        for (column, to) in map.row_mut(row).iter_mut().enumerate() {
            *to = (vectors.row(from)[column] * inverse[column] * scale) as f32;
        }
    }
    map
}

fn add(sum: &mut [f64], values: impl Iterator<Item = f64>) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

/// `map (x - mean)` for each row.
fn scaled(x: MatrixView<'_>, mean: &[f32], map: &Matrix) -> Matrix {
    let mut centred = Matrix::zeros(x.rows(), x.cols());
    for (row, from) in x.iter_rows().enumerate() {
        let to = centred.row_mut(row).iter_mut();
        to.zip(from.iter().zip(mean)).for_each(|(to, (value, mean))| *to = value - mean);
    }
    matmul_nt(centred.view(), map.view())
}

/// Squared lengths of rows.
pub(super) fn squares(bank: &Matrix) -> Vec<f32> {
    bank.iter_rows().map(|row| row.iter().map(|value| value * value).sum()).collect()
}

/// Rows that are near all others: what is rare among good patches is remembered as well as what is common.
fn coreset(drawn: &Matrix, count: usize, seed: Seed) -> Vec<usize> {
    if count == drawn.rows() {
        return (0..count).collect();
    }
    let shorter = (drawn.cols() > CHOSEN_IN)
        .then(|| random_projection(drawn.view(), CHOSEN_IN, seed.derive("projection")));
    k_centre(shorter.as_ref().unwrap_or(drawn).view(), count, 0).picks
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: LocalConfig = LocalConfig { bank: 300, whiten: true, power: 0.5 };

    /// Photos whose patches vary ten times more in one column than in the others, in two places.
    fn photos(count: usize, seed: u64) -> Vec<Matrix> {
        let mut rng = Seed(seed).rng();
        let mut patch = |row: usize, column: usize| {
            let spread = if column == 0 { 10.0 } else { 1.0 };
            let place = if row.is_multiple_of(2) { 0.0 } else { 30.0 };
            (place + spread * random::normal(&mut rng)) as f32
        };
        (0..count)
            .map(|_| Matrix::from_vec(40, 6, (0..240).map(|at| patch(at / 6, at % 6)).collect()))
            .collect()
    }

    fn fit(photos: &[Matrix], config: &LocalConfig) -> LocalMemory {
        let views: Vec<MatrixView<'_>> = photos.iter().map(Matrix::view).collect();
        LocalMemory::fit(&views, 0..photos[0].cols(), config, Seed(3)).unwrap()
    }

    #[test]
    fn what_leaves_a_quiet_direction_is_more_suspicious_than_what_leaves_a_loud_one() {
        let memory = fit(&photos(8, 1), &CONFIG);
        let asked = Matrix::from_rows(&[
            [0.0_f32; 6],
            [12.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 12.0, 0.0, 0.0, 0.0, 0.0],
        ]);
        let scores = memory.scores(asked.view()).unwrap();
        assert!(scores[2] > 2.0 * scores[1] && scores[1] < 2.0 * scores[0].max(1.0), "{scores:?}");
    }

    #[test]
    fn what_is_rare_among_good_patches_is_remembered() {
        let mut photos = photos(8, 7);
        photos[3].row_mut(11).fill(-60.0);
        let views: Vec<MatrixView<'_>> = photos.iter().map(Matrix::view).collect();
        let config = LocalConfig { bank: 60, ..CONFIG };
        for seed in 0..6 {
            let memory = LocalMemory::fit(&views, 0..6, &config, Seed(seed)).unwrap();
            assert_eq!(memory.len(), 60);
            let scores = memory.scores(photos[3].view()).unwrap();
            assert!(scores[11] < 0.1, "{scores:?}");
        }
    }

    #[test]
    fn the_nearest_is_that_of_a_plain_search() {
        let memory = fit(&photos(4, 2), &LocalConfig { bank: 101, ..CONFIG });
        let asked = photos(1, 9).remove(0);
        let bank = memory.bank.widened();
        let z = scaled(asked.view(), &memory.mean, &memory.map);
        for (row, score) in memory.scores(asked.view()).unwrap().iter().enumerate() {
            let apart = |b: usize| {
                let square: f64 =
                    z.row(row).iter().zip(bank.row(b)).map(|(a, b)| f64::from(a - b).powi(2)).sum();
                (square * f64::from(memory.weight[b])).sqrt()
            };
            let least = (0..memory.len()).map(apart).fold(f64::INFINITY, f64::min);
            assert!((f64::from(*score) - least).abs() < 1e-3 * least.max(1.0), "{score} {least}");
        }
    }

    #[test]
    fn it_is_stored_whole_and_a_batch_equals_its_rows() {
        let memory = fit(&photos(3, 4), &CONFIG);
        let (structure, tensors) = memory.to_tensors();
        assert_eq!(LocalMemory::from_tensors(&structure, &tensors, memory.bank.clone()).unwrap(), memory);
        let asked = photos(1, 5).remove(0);
        let together = memory.scores(asked.view()).unwrap();
        for (row, score) in together.iter().enumerate() {
            assert_eq!(memory.scores(asked.select_rows(&[row]).view()).unwrap(), [*score]);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        assert_eq!(pool.install(|| fit(&photos(3, 4), &CONFIG)), memory);
    }

    #[test]
    fn degenerate_photos_are_defined() {
        let same = vec![Matrix::from_vec(5, 2, vec![1.0; 10]); 3];
        let memory = fit(&same, &CONFIG);
        assert_eq!(memory.scores(same[0].view()).unwrap(), [0.0; 5]);
        let one = photos(1, 6);
        assert!(fit(&one, &CONFIG).scores(one[0].view()).unwrap().iter().all(|score| score.is_finite()));
        let single = [Matrix::from_vec(1, 2, vec![1.0, 2.0])];
        assert_eq!(fit(&single, &CONFIG).scores(single[0].view()).unwrap(), [0.0]);
        assert_eq!(LocalMemory::fit(&[], 0..1, &CONFIG, Seed(0)), Err(TuneError::Empty));
        let broken = Matrix::from_vec(1, 1, vec![f32::NAN]);
        assert!(LocalMemory::fit(&[broken.view()], 0..1, &CONFIG, Seed(0)).is_err());
    }
}
