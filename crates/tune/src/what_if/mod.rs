//! What a head would answer if the labels were otherwise: the quick way to say what a change of the data is worth (methods 1.2).

use linalg::decompose::{cholesky, solve_lower, solve_lower_transposed};
use linalg::{Matrix, Seed, matmul_nt, matmul_tn, random_projection};
use rayon::prelude::*;

use crate::views::{centred_and_scaled, divided, n_folds};

mod linear;

/// Columns that are looked at; of more, as many random sums. What a change brings shows in those as well.
const COLUMNS: usize = 256;
/// Most scores that are looked at at once.
const MOST_SCORES: usize = 4_000_000;
/// The least ridge, as a share of the trace of all products: below it rounding decides.
const LEAST: f64 = 1e-9;

/// Rows that can be asked what heads say of them that were taught by other folds.
///
/// The sum of all products of columns does not depend on the labels, so it is made once; other labels cost class means and one
/// factorisation a fold.
#[derive(Debug)]
pub struct WhatIf {
    n: usize,
    folds: Vec<Fold>,
}

/// The rows of one fold.
#[derive(Debug)]
struct Fold {
    rows: Vec<usize>,
    /// `[rows, d]`
    x: Matrix<f64>,
    /// Of all pairs of columns, `[d, d]`.
    products: Matrix<f64>,
}

/// What labelled rows sum up to.
struct Sums {
    /// `[k, d]`
    of_class: Matrix<f64>,
    /// `[k]`
    counts: Vec<usize>,
    /// Of all pairs of columns, `[d, d]`.
    products: Matrix<f64>,
}

impl WhatIf {
    /// Of the rows of `x`, `[n, d]`, finite; `folds` is `[n]`.
    pub fn new(x: &Matrix, folds: &[u8], seed: Seed) -> Self {
        assert_eq!(x.rows(), folds.len(), "every row is in a fold");
        let scaled = centred_and_scaled(x);
        let few =
            if scaled.cols() > COLUMNS { random_projection(scaled.view(), COLUMNS, seed) } else { scaled };
        let fold = |fold: u8| {
            let rows = divided(folds, fold).0;
            let x = few.select_rows(&rows).map(f64::from);
            Fold { products: matmul_tn(x.view(), x.view()), rows, x }
        };
        Self { n: x.rows(), folds: (0..n_folds(folds)).map(fold).collect() }
    }

    /// The class that discriminant analysis gives each row, taught by the rows of other folds that have a label; `None` where
    /// fewer than two classes are left to teach it. `labels` is `[n]`.
    pub fn answers(&self, labels: &[Option<u32>]) -> Vec<Option<u32>> {
        let best = |fold: &Fold, taught: &Sums| fold.best(taught);
        let mut answers = vec![None; self.n];
        for (fold, found) in self.folds.iter().zip(self.ask(labels, &best)) {
            fold.rows.iter().zip(found).for_each(|(row, found)| answers[*row] = found);
        }
        answers
    }

    /// What discriminant analysis makes of each row and class, `[n, k]`, taught as in [`WhatIf::answers`]: the largest is the
    /// answer, and their softmax the probabilities of a model that is too sure of itself. A class that nobody taught has minus
    /// infinity.
    pub fn scores(&self, labels: &[Option<u32>]) -> Matrix<f64> {
        let mut scores = Matrix::zeros(labels.len(), n_classes(labels));
        for (fold, found) in self.folds.iter().zip(self.ask(labels, &|fold, taught| fold.scores(taught))) {
            fold.rows
                .iter()
                .zip(found.iter_rows())
                .for_each(|(row, found)| scores.row_mut(*row).copy_from_slice(found));
        }
        scores
    }

    /// What each fold says that is taught by the labels of all others.
    fn ask<T: Send>(&self, labels: &[Option<u32>], say: &(dyn Fn(&Fold, &Sums) -> T + Sync)) -> Vec<T> {
        assert_eq!(self.n, labels.len(), "every row has a label, or none");
        let k = n_classes(labels);
        let sums: Vec<Sums> = self.folds.par_iter().map(|fold| fold.sums(labels, k)).collect();
        let of = |place: usize| say(&self.folds[place], &Sums::others(&sums, place));
        (0..self.folds.len()).into_par_iter().map(of).collect()
    }
}

fn n_classes(labels: &[Option<u32>]) -> usize {
    labels.iter().flatten().max().map_or(0, |class| *class as usize + 1)
}

/// A linear head of the classes that somebody taught.
struct Head {
    classes: Vec<usize>,
    /// `[classes, d]`
    weight: Matrix<f64>,
    bias: Vec<f64>,
}

impl Fold {
    fn sums(&self, labels: &[Option<u32>], k: usize) -> Sums {
        let mut of_class = Matrix::zeros(k, self.x.cols());
        let mut counts = vec![0; k];
        for (place, row) in self.rows.iter().enumerate() {
            let Some(class) = labels[*row] else { continue };
            counts[class as usize] += 1;
            let to = of_class.row_mut(class as usize);
            to.iter_mut().zip(self.x.row(place)).for_each(|(sum, value)| *sum += value);
        }
        Sums { of_class, counts, products: self.products_of(&|row| labels[row].is_some()) }
    }

    /// Of all pairs of columns, of the rows that are labelled: those of all less those of the others where these are fewer.
    fn products_of(&self, is_labelled: &dyn Fn(usize) -> bool) -> Matrix<f64> {
        let (labelled, silent): (Vec<usize>, Vec<usize>) =
            (0..self.rows.len()).partition(|place| is_labelled(self.rows[*place]));
        let of = |places: &[usize]| {
            let x = self.x.select_rows(places);
            matmul_tn(x.view(), x.view())
        };
        if silent.len() > labelled.len() {
            return of(&labelled);
        }
        let mut products = self.products.clone();
        products.data_mut().iter_mut().zip(of(&silent).data()).for_each(|(sum, value)| *sum -= value);
        products
    }

    /// The scores of each row, `[rows, k]`, taught by what others sum up to; none is finite where that is fewer than two classes.
    fn scores(&self, taught: &Sums) -> Matrix<f64> {
        let (n, k) = (self.rows.len(), taught.counts.len());
        let mut told = Matrix::from_vec(n, k, vec![f64::NEG_INFINITY; n * k]);
        let Some(head) = Head::of(taught) else { return told };
        for (row, scores) in head.scores(&self.x).iter_rows().enumerate() {
            head.classes.iter().zip(scores).for_each(|(class, score)| told.row_mut(row)[*class] = *score);
        }
        told
    }

    /// The class of each row with the largest score. Of very many classes no table of all is made.
    fn best(&self, taught: &Sums) -> Vec<Option<u32>> {
        let Some(head) = Head::of(taught) else { return vec![None; self.rows.len()] };
        let at_once = (MOST_SCORES / head.classes.len()).max(1);
        let all: Vec<usize> = (0..self.rows.len()).collect();
        let first_of_largest = |scores: &[f64]| {
            let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(b.cmp(a)));
            best.map(|place| head.classes[place] as u32)
        };
        let some = |rows: &[usize]| -> Vec<Option<u32>> {
            head.scores(&self.x.select_rows(rows)).iter_rows().map(first_of_largest).collect()
        };
        all.chunks(at_once).flat_map(some).collect()
    }
}

impl Head {
    /// `None` of fewer than two classes.
    fn of(taught: &Sums) -> Option<Self> {
        let classes: Vec<usize> =
            (0..taught.counts.len()).filter(|class| taught.counts[*class] > 0).collect();
        if classes.len() < 2 {
            return None;
        }
        let mut means = taught.of_class.select_rows(&classes);
        let mut scatter = taught.products.clone();
        let n: usize = taught.counts.iter().sum();
        for (place, class) in classes.iter().enumerate() {
            let count = taught.counts[*class] as f64;
            let mean = means.row_mut(place);
            mean.iter_mut().for_each(|value| *value /= count);
            for (row, value) in mean.iter().enumerate() {
                let share = count * value;
                scatter.row_mut(row).iter_mut().zip(&*mean).for_each(|(sum, other)| *sum -= share * other);
            }
        }
        let ridge = ridge_of(&scatter, LEAST * trace(&taught.products), n);
        (0..scatter.rows()).for_each(|at| scatter.row_mut(at)[at] += ridge);
        let factor = cholesky(scatter.view()).expect("a scatter with a ridge above rounding is positive");
        let mut weight = means.clone();
        for place in 0..weight.rows() {
            solve_lower(factor.view(), weight.row_mut(place));
            solve_lower_transposed(factor.view(), weight.row_mut(place));
        }
        let half = |(weight, mean): (&[f64], &[f64])| {
            -0.5 * weight.iter().zip(mean).map(|(w, m)| w * m).sum::<f64>()
        };
        let bias = weight.iter_rows().zip(means.iter_rows()).map(half).collect();
        Some(Self { classes, weight, bias })
    }

    /// `[rows, classes]`.
    fn scores(&self, x: &Matrix<f64>) -> Matrix<f64> {
        let mut scores = matmul_nt(x.view(), self.weight.view());
        for row in 0..scores.rows() {
            scores.row_mut(row).iter_mut().zip(&self.bias).for_each(|(score, bias)| *score += bias);
        }
        scores
    }
}

impl Sums {
    /// Of all folds but one.
    fn others(folds: &[Self], left_out: usize) -> Self {
        let first = &folds[left_out];
        let mut all = Self {
            of_class: Matrix::zeros(first.of_class.rows(), first.of_class.cols()),
            counts: vec![0; first.counts.len()],
            products: Matrix::zeros(first.products.rows(), first.products.cols()),
        };
        let add = |to: &mut Matrix<f64>, from: &Matrix<f64>| {
            to.data_mut().iter_mut().zip(from.data()).for_each(|(sum, value)| *sum += value);
        };
        for (_, fold) in folds.iter().enumerate().filter(|(place, _)| *place != left_out) {
            add(&mut all.of_class, &fold.of_class);
            add(&mut all.products, &fold.products);
            all.counts.iter_mut().zip(&fold.counts).for_each(|(sum, count)| *sum += count);
        }
        all
    }
}

/// What is added to the diagonal of a scatter of `n` rows: their variance, all columns together; at least what is given, and something
/// where examples that are all the same tell nothing apart.
fn ridge_of(scatter: &Matrix<f64>, least: f64, n: usize) -> f64 {
    let ridge = (trace(scatter) / n.saturating_sub(1).max(1) as f64).max(least);
    if ridge > 0.0 { ridge } else { 1.0 }
}

fn trace(square: &Matrix<f64>) -> f64 {
    (0..square.rows()).map(|at| square.row(at)[at]).sum()
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
            let few = random_projection(centred_and_scaled(&x).view(), COLUMNS, Seed(1)).map(f64::from);
            let gda = Gda::new(few.select_rows(&taught).view(), &given, 3);
            let linear = gda.linear(usual_ridge(&gda, taught.len()));
            for row in held {
                let score = |class: usize| {
                    let products = linear.weight.row(class).iter().zip(few.row(row)).map(|(w, x)| w * x);
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
