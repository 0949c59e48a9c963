//! What a head would answer if the labels were otherwise: the quick way to say what a change of the data is worth (methods 1.2).

use linalg::decompose::{cholesky, solve_lower, solve_lower_transposed};
use linalg::{Matrix, Seed, matmul_nt, matmul_tn, random_projection};
use rayon::prelude::*;

use crate::gda::class_means;
use crate::views::{centred_and_scaled, divided, n_folds};

/// Columns that are looked at; of more, as many random sums. What a change brings shows in those as well.
const COLUMNS: usize = 256;
/// The least ridge, as a share of the trace of all products: below it rounding decides.
const LEAST: f64 = 1e-9;

/// Rows that can be asked what heads say of them that were taught by other folds.
///
/// The sum of all products of columns does not depend on the labels, so it is made once; other labels cost class means and one
/// factorisation a fold.
#[derive(Debug)]
pub struct WhatIf {
    x: Matrix<f64>,
    folds: Vec<u8>,
    /// Of the rows of each fold, `[d, d]`.
    products: Vec<Matrix<f64>>,
}

/// A fold with the rows that are asked and those that teach.
struct Lesson {
    held: Vec<usize>,
    taught: Vec<usize>,
    /// The taught classes, ascending.
    classes: Vec<u32>,
    /// `[taught]`: places in `classes`.
    numbers: Vec<u32>,
}

impl WhatIf {
    /// Of the rows of `x`, `[n, d]`, finite; `folds` is `[n]`.
    pub fn new(x: &Matrix, folds: &[u8], seed: Seed) -> Self {
        assert_eq!(x.rows(), folds.len(), "every row is in a fold");
        let scaled = centred_and_scaled(x);
        let few =
            if scaled.cols() > COLUMNS { random_projection(scaled.view(), COLUMNS, seed) } else { scaled };
        let x = few.map(f64::from);
        let of = |fold| products(&x, &divided(folds, fold).0);
        Self { products: (0..n_folds(folds)).map(of).collect(), folds: folds.to_vec(), x }
    }

    /// The class that discriminant analysis gives each row, taught by the rows of other folds that have a label; `None` where
    /// fewer than two classes are left to teach it. `labels` is `[n]`.
    pub fn answers(&self, labels: &[Option<u32>]) -> Vec<Option<u32>> {
        assert_eq!(self.folds.len(), labels.len(), "every row has a label, or none");
        let lessons: Vec<Lesson> =
            (0..n_folds(&self.folds)).filter_map(|fold| Lesson::new(&self.folds, fold, labels)).collect();
        let found: Vec<Vec<u32>> = lessons.par_iter().map(|lesson| self.ask(lesson)).collect();
        let mut answers = vec![None; labels.len()];
        for (lesson, found) in lessons.iter().zip(found) {
            lesson.held.iter().zip(found).for_each(|(row, class)| answers[*row] = Some(class));
        }
        answers
    }

    /// The class of each held row.
    fn ask(&self, lesson: &Lesson) -> Vec<u32> {
        let taught = self.x.select_rows(&lesson.taught);
        let (means, counts) = class_means(taught.view(), &lesson.numbers, lesson.classes.len());
        let mut scatter = self.taught_products(lesson);
        let least = LEAST * trace(&scatter);
        for (mean, count) in means.iter_rows().zip(&counts) {
            for (row, value) in mean.iter().enumerate() {
                let share = *count as f64 * value;
                scatter.row_mut(row).iter_mut().zip(mean).for_each(|(sum, other)| *sum -= share * other);
            }
        }
        let ridge = (trace(&scatter) / lesson.taught.len().saturating_sub(1).max(1) as f64).max(least);
        // Examples that are all the same tell nothing apart, at any scale.
        let ridge = if ridge > 0.0 { ridge } else { 1.0 };
        (0..scatter.rows()).for_each(|at| scatter.row_mut(at)[at] += ridge);
        let factor = cholesky(scatter.view()).expect("a scatter with a ridge above rounding is positive");
        let mut weight = means.clone();
        for class in 0..weight.rows() {
            solve_lower(factor.view(), weight.row_mut(class));
            solve_lower_transposed(factor.view(), weight.row_mut(class));
        }
        let half = |(weight, mean): (&[f64], &[f64])| {
            -0.5 * weight.iter().zip(mean).map(|(w, m)| w * m).sum::<f64>()
        };
        let bias: Vec<f64> = weight.iter_rows().zip(means.iter_rows()).map(half).collect();
        let scores = matmul_nt(self.x.select_rows(&lesson.held).view(), weight.view());
        let best = |scores: &[f64]| {
            let of = |class: &usize| scores[*class] + bias[*class];
            let best = (0..bias.len()).max_by(|a, b| of(a).total_cmp(&of(b)).then(b.cmp(a)));
            lesson.classes[best.expect("there are two classes or more")]
        };
        scores.iter_rows().map(best).collect()
    }

    /// Those of the rows that teach: of all in the other folds, less those without a label, whichever are fewer.
    fn taught_products(&self, lesson: &Lesson) -> Matrix<f64> {
        let fold = self.folds[lesson.held[0]];
        let mut teaches = vec![false; self.folds.len()];
        lesson.taught.iter().for_each(|row| teaches[*row] = true);
        let silent: Vec<usize> =
            (0..self.folds.len()).filter(|row| self.folds[*row] != fold && !teaches[*row]).collect();
        if silent.len() > lesson.taught.len() {
            return products(&self.x, &lesson.taught);
        }
        let mut sum = products(&self.x, &silent);
        sum.data_mut().iter_mut().for_each(|value| *value = -*value);
        for (_, of) in (0..).zip(&self.products).filter(|(other, _)| *other != fold) {
            sum.data_mut().iter_mut().zip(of.data()).for_each(|(sum, value)| *sum += value);
        }
        sum
    }
}

impl Lesson {
    /// `None` where nobody is asked or fewer than two classes teach.
    fn new(folds: &[u8], fold: u8, labels: &[Option<u32>]) -> Option<Self> {
        let (held, rest) = divided(folds, fold);
        let taught: Vec<usize> = rest.into_iter().filter(|row| labels[*row].is_some()).collect();
        let given: Vec<u32> = taught.iter().filter_map(|row| labels[*row]).collect();
        let mut classes = given.clone();
        classes.sort_unstable();
        classes.dedup();
        // Classes are numbered anew: each has a row.
        let numbers = given.iter().map(|class| place(&classes, *class)).collect();
        (!held.is_empty() && classes.len() > 1).then_some(Self { held, taught, classes, numbers })
    }
}

fn products(x: &Matrix<f64>, rows: &[usize]) -> Matrix<f64> {
    let rows = x.select_rows(rows);
    matmul_tn(rows.view(), rows.view())
}

fn trace(square: &Matrix<f64>) -> f64 {
    (0..square.rows()).map(|at| square.row(at)[at]).sum()
}

fn place(classes: &[u32], class: u32) -> u32 {
    classes.partition_point(|other| *other < class) as u32
}

#[cfg(test)]
mod tests {
    use linalg::random;

    use super::*;
    use crate::gda::Gda;
    use crate::views::usual_ridge;

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
    fn answers_are_those_of_discriminant_analysis() {
        let (x, mut labels, folds) = clouds(120);
        labels.iter_mut().step_by(7).for_each(|label| *label = None);
        let asked = WhatIf::new(&x, &folds, Seed(1));
        let answers = asked.answers(&labels);
        for fold in 0..5 {
            let (held, rest) = divided(&folds, fold);
            let taught: Vec<usize> = rest.into_iter().filter(|row| labels[*row].is_some()).collect();
            let given: Vec<u32> = taught.iter().filter_map(|row| labels[*row]).collect();
            let gda = Gda::new(asked.x.select_rows(&taught).view(), &given, 3);
            let linear = gda.linear(usual_ridge(&gda, taught.len()));
            for row in held {
                let score = |class: usize| {
                    let products = linear.weight.row(class).iter().zip(asked.x.row(row)).map(|(w, x)| w * x);
                    products.sum::<f64>() + linear.bias[class]
                };
                let best = (0..3).max_by(|a, b| score(*a).total_cmp(&score(*b)));
                assert_eq!(answers[row], best.map(|best| best as u32));
            }
        }
    }

    #[test]
    fn equal_rows_are_defined() {
        let same = Matrix::from_vec(10, 3, vec![1.0; 30]);
        let labels: Vec<Option<u32>> = (0..10).map(|row| Some(row % 2)).collect();
        let folds: Vec<u8> = (0..10).map(|row| row / 2).collect();
        assert_eq!(WhatIf::new(&same, &folds, Seed(1)).answers(&labels), [Some(0); 10]);
    }

    #[test]
    fn one_class_teaches_nothing() {
        let (x, _, folds) = clouds(30);
        let asked = WhatIf::new(&x, &folds, Seed(1));
        assert_eq!(asked.answers(&[Some(1); 30]), [None; 30]);
        assert_eq!(asked.answers(&[None; 30]), [None; 30]);
    }
}
