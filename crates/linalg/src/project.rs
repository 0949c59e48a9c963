//! Fewer dimensions by chance: sparse random signs keep distances about as they are (methods 0.8).

use crate::random::uniform;
use crate::{Matrix, MatrixView, Seed, matmul};

/// `x`, `[n, d]`, in `dims` dimensions: each is a sum of a third of the columns with random signs.
///
/// Squared distances keep their expectation and vary by a share of about `sqrt(2 / dims)`. Source: Achlioptas 2003,
/// "Database-friendly random projections".
pub fn random_projection(x: MatrixView<'_>, dims: usize, seed: Seed) -> Matrix {
    let mut rng = seed.rng();
    let strength = (3.0 / dims.max(1) as f64).sqrt() as f32;
    let mut sign = || {
        let draw = uniform(&mut rng);
        if draw < 1.0 / 6.0 {
            strength
        } else if draw < 2.0 / 6.0 {
            -strength
        } else {
            0.0
        }
    };
    let signs = Matrix::from_vec(x.cols(), dims, (0..x.cols() * dims).map(|_| sign()).collect());
    matmul(x, signs.view())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random, squared_distance};

    #[test]
    fn distances_are_about_as_they_were() {
        let mut rng = Seed(1).rng();
        let x = Matrix::from_vec(40, 300, (0..40 * 300).map(|_| random::normal(&mut rng) as f32).collect());
        let short = random_projection(x.view(), 128, Seed(2));
        assert_eq!((short.rows(), short.cols()), (40, 128));
        let ratio = |row: usize| {
            squared_distance(short.row(row), short.row(0)) / squared_distance(x.row(row), x.row(0))
        };
        let ratios: Vec<f32> = (1..40).map(ratio).collect();
        assert!(ratios.iter().all(|ratio| (0.5..1.7).contains(ratio)), "{ratios:?}");
        // All share row 0, whose error they have in common.
        assert!((ratios.iter().sum::<f32>() / 39.0 - 1.0).abs() < 0.2, "{ratios:?}");
        assert_ne!(short, random_projection(x.view(), 128, Seed(3)));
    }
}
