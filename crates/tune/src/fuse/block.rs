//! One sense in the coordinates in which its own shrunken covariance is the identity.

use linalg::decompose::row_space;
use linalg::logits::{fit_scale, log_softmax};
use linalg::{Matrix, matmul, matmul_nt};

use super::{FuseInput, Sense};
use crate::gda::Gda;
use crate::{TuneConfig, TuneError};

/// Below this many rows a scale has a prior (methods 6.1).
const PRIOR_BELOW: usize = 100;

/// One sense of the rows that have it.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The place of each row of the input among those below.
    places: Vec<Option<usize>>,
    /// What each row is off its class mean, `[n_m, r]`, and the class means, `[k, r]`.
    pub(crate) off: Matrix<f64>,
    pub(crate) means: Matrix<f64>,
    /// Rows of each class, `[k]`.
    pub(crate) counts: Vec<usize>,
    /// From centred features to these coordinates, `[r, d]`, and the centre, `[d]`.
    map: Matrix<f64>,
    centre: Vec<f64>,
    /// Rows less classes: turns scatter into covariance.
    pub(crate) degrees: f64,
}

impl Block {
    /// Of those of `rows` that have the sense. The shrinkage is the one with the least leave-one-out log-loss.
    pub(crate) fn new(input: &FuseInput<'_>, sense: &Sense<'_>, rows: &[usize]) -> Result<Self, TuneError> {
        let features = sense.features.ok_or_else(|| no_features(sense))?;
        let there: Vec<usize> = rows.iter().copied().filter(|row| sense.present[*row]).collect();
        let labels: Vec<u32> = there.iter().map(|row| input.labels[*row]).collect();
        if let Some(class) = (0..input.n_classes as u32).find(|class| !labels.contains(class)) {
            return Err(TuneError::UnseenClass { sense: sense.name.to_owned(), class });
        }
        let (x, centre, length) = centred(&features.select_rows(&there).map(f64::from));
        let space = row_space(x.view());
        let gda = Gda::new(space.coordinates.view(), &labels, input.n_classes);
        let ridge = best_ridge(&gda, &labels);
        let mut places = vec![None; input.n()];
        there.iter().enumerate().for_each(|(place, row)| places[*row] = Some(place));
        let basis = space.basis.map(|value| value / length);
        Ok(Self::at(&gda, ridge, &labels).with_map(&basis, centre, places))
    }

    /// At a ridge, in the coordinates the data came in.
    pub(crate) fn at(gda: &Gda, ridge: f64, labels: &[u32]) -> Self {
        let (mut off, means, map) = gda.whitened(ridge);
        let mut counts = vec![0; means.rows()];
        for (row, label) in labels.iter().enumerate() {
            counts[*label as usize] += 1;
            off.row_mut(row).iter_mut().zip(means.row(*label as usize)).for_each(|(x, mean)| *x -= mean);
        }
        let centre = vec![0.0; map.cols()];
        let places = (0..labels.len()).map(Some).collect();
        Self { places, off, means, counts, map, centre, degrees: gda.degrees() }
    }

    fn with_map(mut self, basis: &Matrix<f64>, centre: Vec<f64>, places: Vec<Option<usize>>) -> Self {
        self.map = matmul(self.map.view(), basis.view());
        Self { centre, places, ..self }
    }

    /// Number of coordinates.
    pub(crate) fn dims(&self) -> usize {
        self.means.cols()
    }

    /// The place of a row of the input, where it has this sense.
    pub(crate) fn place(&self, row: usize) -> Option<usize> {
        self.places[row]
    }

    /// Scores in these coordinates as scores of features: weights, `[k, d]`, and biases, `[k]`, from weights `[k, r]`.
    ///
    /// The bias holds what this sense adds to `-m_k P m_k / 2`.
    pub(crate) fn linear(&self, weight: &Matrix<f64>) -> (Matrix<f64>, Vec<f64>) {
        let on_features = matmul(weight.view(), self.map.view());
        let bias = (0..weight.rows())
            .map(|class| {
                -0.5 * dot(weight.row(class), self.means.row(class))
                    - dot(on_features.row(class), &self.centre)
            })
            .collect();
        (on_features, bias)
    }
}

fn no_features(sense: &Sense<'_>) -> TuneError {
    TuneError::Columns { what: sense.name.to_owned(), got: 0, expected: 1 }
}

/// Centred and divided by the root of the mean squared length, with the centre and that length.
pub(crate) fn centred(x: &Matrix<f64>) -> (Matrix<f64>, Vec<f64>, f64) {
    let (mut x, n) = (x.clone(), x.rows() as f64);
    let mut centre = vec![0.0; x.cols()];
    for row in x.iter_rows() {
        centre.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / n);
    }
    for row in 0..x.rows() {
        x.row_mut(row).iter_mut().zip(&centre).for_each(|(value, mean)| *value -= mean);
    }
    let square = x.data().iter().map(|value| value * value).sum::<f64>() / n;
    let length = if square > 0.0 { square.sqrt() } else { 1.0 };
    x.data_mut().iter_mut().for_each(|value| *value /= length);
    (x, centre, length)
}

/// The ridge with the least leave-one-out log-loss at its best scale.
///
/// Where no row can be left out, the strongest shrinkage is the safest.
fn best_ridge(gda: &Gda, labels: &[u32]) -> f64 {
    let ridges = TuneConfig::default()
        .shrinkages
        .into_iter()
        .map(|strength| (strength * gda.trace() / (labels.len().max(2) - 1) as f64).max(1e-9));
    let tried = ridges.map(|ridge| {
        let scores = gda.leave_one_out(ridge);
        let kept: Vec<u32> =
            labels.iter().zip(&scores).filter(|(_, row)| row.is_some()).map(|(label, _)| *label).collect();
        let scores: Vec<Vec<f64>> = scores.into_iter().flatten().collect();
        (ridge, scaled_loss(&Matrix::from_rows(&scores), &kept).1)
    });
    // The last of equals: with nothing left out all losses are infinite.
    let best = tried.reduce(|best, next| if next.1 <= best.1 { next } else { best });
    best.expect("the grid of shrinkages is not empty").0
}

/// The best scale of some logits and their mean log-loss at it; 1 and infinity without rows.
pub(crate) fn scaled_loss(logits: &Matrix<f64>, labels: &[u32]) -> (f64, f64) {
    if labels.is_empty() {
        return (1.0, f64::INFINITY);
    }
    let scale = fit_scale(logits.view(), labels, labels.len() < PRIOR_BELOW);
    let loss = |(row, label): (&[f64], &u32)| {
        -log_softmax(&row.iter().map(|value| scale * value).collect::<Vec<_>>())[*label as usize]
    };
    (scale, logits.iter_rows().zip(labels).map(loss).sum::<f64>() / labels.len() as f64)
}

/// The coordinates of some rows of the block off their class means, `[rows, r]`.
pub(crate) fn offs(block: &Block, rows: &[usize]) -> Matrix<f64> {
    let places: Vec<usize> = rows.iter().filter_map(|row| block.place(*row)).collect();
    block.off.select_rows(&places)
}

/// Means of one block through a factor's columns: `[k, r]` times `[D, r]` transposed.
pub(crate) fn through(values: &Matrix<f64>, columns: &Matrix<f64>) -> Matrix<f64> {
    matmul_nt(values.view(), columns.view())
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
