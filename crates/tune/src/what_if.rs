//! What a head would answer if the labels were otherwise: the quick way to say what a change of the data is worth (methods 1.2).

use linalg::{Matrix, Seed, random_projection};

use crate::gda::Gda;
use crate::views::{centred_and_scaled, divided, n_folds, usual_ridge};

/// Columns that are looked at; of more, as many random sums. What a change brings shows in those as well.
const COLUMNS: usize = 256;

/// Rows that can be asked what heads say of them that were taught by other folds.
#[derive(Debug)]
pub struct WhatIf {
    x: Matrix<f64>,
    folds: Vec<u8>,
}

impl WhatIf {
    /// Of the rows of `x`, `[n, d]`, finite; `folds` is `[n]`.
    pub fn new(x: &Matrix, folds: &[u8], seed: Seed) -> Self {
        assert_eq!(x.rows(), folds.len(), "every row is in a fold");
        let scaled = centred_and_scaled(x);
        let few =
            if scaled.cols() > COLUMNS { random_projection(scaled.view(), COLUMNS, seed) } else { scaled };
        Self { x: few.map(f64::from), folds: folds.to_vec() }
    }

    /// The class that discriminant analysis gives each row, taught by the rows of other folds that have a label; `None` where
    /// fewer than two classes are left to teach it. `labels` is `[n]`.
    pub fn answers(&self, labels: &[Option<u32>]) -> Vec<Option<u32>> {
        assert_eq!(self.folds.len(), labels.len(), "every row has a label, or none");
        let mut answers = vec![None; labels.len()];
        for fold in 0..n_folds(&self.folds) {
            let (held, rest) = divided(&self.folds, fold);
            let taught: Vec<usize> = rest.into_iter().filter(|row| labels[*row].is_some()).collect();
            let given: Vec<u32> = taught.iter().filter_map(|row| labels[*row]).collect();
            let mut classes = given.clone();
            classes.sort_unstable();
            classes.dedup();
            if classes.len() < 2 {
                continue;
            }
            // Classes are numbered anew: each has a row.
            let numbers: Vec<u32> = given.iter().map(|class| place(&classes, *class)).collect();
            let gda = Gda::new(self.x.select_rows(&taught).view(), &numbers, classes.len());
            let linear = gda.linear(usual_ridge(&gda, taught.len()));
            let scores = linalg::matmul_nt(self.x.select_rows(&held).view(), linear.weight.view());
            for (row, scores) in held.iter().zip(scores.iter_rows()) {
                let of = |class: &usize| scores[*class] + linear.bias[*class];
                let best = (0..classes.len()).max_by(|a, b| of(a).total_cmp(&of(b)).then(b.cmp(a)));
                answers[*row] = best.map(|best| classes[best]);
            }
        }
        answers
    }
}

fn place(classes: &[u32], class: u32) -> u32 {
    classes.partition_point(|other| *other < class) as u32
}

#[cfg(test)]
mod tests {
    use linalg::random;

    use super::*;

    /// Three clouds in 300 dimensions, folds dealt in turn.
    fn clouds(n: usize) -> (Matrix, Vec<Option<u32>>, Vec<u8>) {
        let mut rng = Seed(5).rng();
        let value = |at: usize| {
            let (row, col) = (at / 300, at % 300);
            let centre = if col % 3 == row % 3 { 0.35 } else { 0.0 };
            (centre + random::normal(&mut rng)) as f32
        };
        let x = Matrix::from_vec(n, 300, (0..n * 300).map(value).collect());
        let labels = (0..n).map(|row| Some((row % 3) as u32)).collect();
        (x, labels, (0..n).map(|row| (row / 3 % 5) as u8).collect())
    }

    fn right(answers: &[Option<u32>]) -> usize {
        (0..answers.len()).filter(|row| answers[*row] == Some((row % 3) as u32)).count()
    }

    #[test]
    fn wrong_labels_cost_and_missing_ones_cost_less() {
        let (x, labels, folds) = clouds(240);
        let asked = WhatIf::new(&x, &folds, Seed(1));
        let clean = right(&asked.answers(&labels));
        let wrong = |row: usize| row.is_multiple_of(4);
        let turned: Vec<Option<u32>> = (0..240)
            .map(|row| labels[row].map(|label| if wrong(row) { (label + 1) % 3 } else { label }))
            .collect();
        let left_out: Vec<Option<u32>> = (0..240).map(|row| labels[row].filter(|_| !wrong(row))).collect();
        let (turned, left_out) = (right(&asked.answers(&turned)), right(&asked.answers(&left_out)));
        assert!(clean > 200, "{clean}");
        assert!(turned < left_out && left_out <= clean + 3, "{turned} {left_out} {clean}");
    }

    #[test]
    fn one_class_teaches_nothing() {
        let (x, _, folds) = clouds(30);
        let asked = WhatIf::new(&x, &folds, Seed(1));
        assert_eq!(asked.answers(&[Some(1); 30]), [None; 30]);
        assert_eq!(asked.answers(&[None; 30]), [None; 30]);
    }
}
