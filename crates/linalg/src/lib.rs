//! Dense row-major matrices, decompositions, exact nearest neighbours and seeded randomness, no I/O.
//!
//! Two promises hold for everything here. The result does not depend on how many threads work on it: loops are split
//! over outputs, never over a sum. And a row of a product depends only on that row of the left factor, so a batch equals
//! its rows one by one.

mod coreset;
pub mod decompose;
mod kmeans;
mod lanes;
pub mod logits;
mod matrix;
mod nearby;
mod nearest;
pub mod neighbours;
mod product;
mod project;
pub mod random;
mod screen;
mod search;
mod sieve;
mod sift;
pub mod sparse;

pub use coreset::{Coreset, k_centre, k_centre_from};
pub use kmeans::{Clusters, kmeans, kmeans_once, kmeans_weighted};
pub use lanes::squared_distance;
pub use matrix::{Matrix, MatrixView};
pub use nearest::{Cell, Hit, Limits, NearestIndex, Sides};
pub use neighbours::{Metric, Neighbours, knn, knn_between};
pub use product::{Number, matmul, matmul_nt, matmul_tn};
pub use project::random_projection;
pub use random::Seed;
pub use sparse::CsrMatrix;

/// The inner product of two vectors of equal length, summed in `f64` in a fixed order.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    debug_assert_eq!(a.len(), b.len());
    // Eight running sums let the compiler use vector registers; their number is part of the result's definition.
    let mut sums = [0.0_f64; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (a, b) in a8.iter().zip(b8) {
        for lane in 0..8 {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    let pairs = [sums[0] + sums[4], sums[1] + sums[5], sums[2] + sums[6], sums[3] + sums[7]];
    (pairs[0] + pairs[2]) + (pairs[1] + pairs[3]) + rest
}
