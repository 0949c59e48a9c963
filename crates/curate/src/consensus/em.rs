//! The step that all methods by EM share: new beliefs from what each vote speaks for.

use linalg::Matrix;
use rayon::prelude::*;

use super::Votes;

/// Rounds end when the beliefs in an example moved by no more than this, on average.
pub(super) const STILL: f64 = 1e-4;

/// Replaces every example's beliefs by the softmax of what `evidence` writes into a row of zeros; by how much they moved, on
/// average over examples.
pub(super) fn update(
    votes: &Votes,
    posterior: &mut Matrix<f64>,
    evidence: impl Fn(usize, &mut [f64]) + Sync,
) -> f64 {
    let k = votes.n_classes();
    let moved: Vec<f64> = posterior
        .data_mut()
        .par_chunks_mut(k)
        .enumerate()
        .map_init(
            || vec![0.0; k],
            |z, (example, row)| {
                z.fill(0.0);
                evidence(example, z);
                let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                z.iter_mut().for_each(|value| *value = (*value - largest).exp());
                let sum: f64 = z.iter().sum();
                let mut moved = 0.0;
                for (old, new) in row.iter_mut().zip(z.iter()) {
                    moved += (*old - new / sum).abs();
                    *old = new / sum;
                }
                moved
            },
        )
        .collect();
    moved.iter().sum::<f64>() / moved.len().max(1) as f64
}
