//! The same of labels that are sets, and of numbers: linear heads of which one factorisation a fold serves every column.
//!
//! The scatter of all rows is that within the two classes of a label and that between them, so discriminant analysis of each label
//! needs no factorisation of its own (Sherman and Morrison 1950, Ann. Math. Stat. 21, 124).

use linalg::decompose::{cholesky, solve_lower, solve_lower_transposed};
use linalg::{Matrix, matmul_tn};
use rayon::prelude::*;

use super::{Fold, LEAST, WhatIf, ridge_of, trace};

/// Fewest rows that teach anything.
const FEWEST: usize = 2;

/// What a head says of a row.
type Answering<T> = Box<dyn Fn(&[f64]) -> T>;

/// Labelled rows with what they should be told, `[n, t]`, and whether they are labelled, `[n]`.
struct Targets {
    values: Matrix<f64>,
    labelled: Vec<bool>,
}

/// What labelled rows sum up to.
struct Sums {
    n: usize,
    /// `[d]`
    x: Vec<f64>,
    /// `[t]`
    y: Vec<f64>,
    /// `[t, d]`
    both: Matrix<f64>,
    /// Of all pairs of columns, `[d, d]`.
    products: Matrix<f64>,
}

/// A linear head of every column of the targets.
struct Head {
    n: usize,
    /// `[d]`
    mean: Vec<f64>,
    /// `[t]`: means of the targets.
    usual: Vec<f64>,
    /// `[t, d]`: how far each target goes with each column.
    with: Matrix<f64>,
    /// `[t, d]`: the same over the scatter of all rows.
    weight: Matrix<f64>,
}

impl WhatIf {
    /// The labels, of `k`, that discriminant analysis of each gives every row, ascending, taught by the rows of other folds that are
    /// labelled; `None` where fewer than two are. `labels` is `[n]`, each a set.
    pub fn sets(&self, labels: &[Option<Vec<u32>>], k: usize) -> Vec<Option<Vec<u32>>> {
        let mut values = Matrix::zeros(self.n, k);
        for (row, set) in labels.iter().enumerate() {
            set.iter().flatten().for_each(|class| values.row_mut(row)[*class as usize] = 1.0);
        }
        let targets = Targets { values, labelled: labels.iter().map(Option::is_some).collect() };
        self.told(&targets, &|head: &Head| {
            let questions: Vec<Question> = (0..k).map(|class| head.question(class)).collect();
            Box::new(move |x| {
                (0..).zip(&questions).filter(|(_, asked)| asked.says_yes(x)).map(|(class, _)| class).collect()
            })
        })
    }

    /// The number that ridge regression gives every row, taught as in [`WhatIf::sets`]. `labels` is `[n]`, finite.
    pub fn numbers(&self, labels: &[Option<f64>]) -> Vec<Option<f64>> {
        let values = labels.iter().map(|label| label.unwrap_or(0.0)).collect();
        let targets = Targets {
            values: Matrix::from_vec(self.n, 1, values),
            labelled: labels.iter().map(Option::is_some).collect(),
        };
        self.told(&targets, &|head: &Head| {
            let (weight, at) =
                (head.weight.row(0).to_vec(), head.usual[0] - dot(head.weight.row(0), &head.mean));
            Box::new(move |x| at + dot(&weight, x))
        })
    }

    /// What heads of the other folds say of each row.
    fn told<T: Clone + Send>(
        &self,
        targets: &Targets,
        said: &(dyn Fn(&Head) -> Answering<T> + Sync),
    ) -> Vec<Option<T>> {
        assert_eq!(self.n, targets.labelled.len(), "every row has a label, or none");
        let sums: Vec<Sums> = self.folds.par_iter().map(|fold| fold.linear_sums(targets)).collect();
        let ask = |place: usize| {
            let head = said(&Head::of(Sums::others(&sums, place))?);
            Some(self.folds[place].x.iter_rows().map(head).collect::<Vec<T>>())
        };
        let found: Vec<Option<Vec<T>>> = (0..self.folds.len()).into_par_iter().map(ask).collect();
        let mut told = vec![None; self.n];
        for (fold, found) in self.folds.iter().zip(found) {
            let found = found.into_iter().flatten();
            fold.rows.iter().zip(found).for_each(|(row, found)| told[*row] = Some(found));
        }
        told
    }
}

impl Fold {
    fn linear_sums(&self, targets: &Targets) -> Sums {
        let taught: Vec<usize> =
            (0..self.rows.len()).filter(|place| targets.labelled[self.rows[*place]]).collect();
        let rows: Vec<usize> = taught.iter().map(|place| self.rows[*place]).collect();
        let (x, y) = (self.x.select_rows(&taught), targets.values.select_rows(&rows));
        Sums {
            n: taught.len(),
            x: sums_of_columns(&x),
            y: sums_of_columns(&y),
            both: matmul_tn(y.view(), x.view()),
            products: self.products_of(&|row| targets.labelled[row]),
        }
    }
}

impl Sums {
    /// Of all folds but one.
    fn others(folds: &[Self], left_out: usize) -> Self {
        let Self { x, y, both, products, .. } = &folds[left_out];
        let mut all = Self {
            n: 0,
            x: vec![0.0; x.len()],
            y: vec![0.0; y.len()],
            both: Matrix::zeros(both.rows(), both.cols()),
            products: Matrix::zeros(products.rows(), products.cols()),
        };
        let add =
            |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(sum, value)| *sum += value);
        for (_, fold) in folds.iter().enumerate().filter(|(place, _)| *place != left_out) {
            all.n += fold.n;
            add(&mut all.x, &fold.x);
            add(&mut all.y, &fold.y);
            add(all.both.data_mut(), fold.both.data());
            add(all.products.data_mut(), fold.products.data());
        }
        all
    }
}

impl Head {
    /// `None` of too few rows.
    fn of(taught: Sums) -> Option<Self> {
        let Sums { n, x, y, both: mut with, products: mut scatter } = taught;
        if n < FEWEST {
            return None;
        }
        let over = |sums: Vec<f64>| sums.into_iter().map(|sum| sum / n as f64).collect::<Vec<f64>>();
        let (sum, least) = (x.clone(), LEAST * trace(&scatter));
        let (mean, usual) = (over(x), over(y));
        let without =
            |row: &mut [f64], share: f64| row.iter_mut().zip(&sum).for_each(|(to, sum)| *to -= share * sum);
        usual.iter().enumerate().for_each(|(target, usual)| without(with.row_mut(target), *usual));
        mean.iter().enumerate().for_each(|(column, mean)| without(scatter.row_mut(column), *mean));
        let ridge = ridge_of(&scatter, least, n);
        (0..scatter.rows()).for_each(|at| scatter.row_mut(at)[at] += ridge);
        let factor = cholesky(scatter.view()).expect("a scatter with a ridge above rounding is positive");
        let mut weight = with.clone();
        for target in 0..weight.rows() {
            solve_lower(factor.view(), weight.row_mut(target));
            solve_lower_transposed(factor.view(), weight.row_mut(target));
        }
        Some(Self { n, mean, usual, with, weight })
    }

    /// Whether a row has this label.
    fn question(&self, class: usize) -> Question {
        let n = self.n as f64;
        let (with, without) = (self.usual[class], 1.0 - self.usual[class]);
        // Half an example decides where all have it, or none.
        if with * n < 0.5 || without * n < 0.5 {
            return Question {
                weight: vec![0.0; self.mean.len()],
                at: if with > without { 1.0 } else { -1.0 },
            };
        }
        // The difference of the means times `pairs` is what goes with the label.
        let pairs = n * with * without;
        let left = 1.0 - dot(self.with.row(class), self.weight.row(class)) / pairs;
        let scale = (n - 2.0).max(1.0) / (pairs * left);
        let weight: Vec<f64> = self.weight.row(class).iter().map(|weight| scale * weight).collect();
        let middle = self.mean.iter().zip(self.with.row(class));
        let middle: Vec<f64> =
            middle.map(|(mean, with_it)| mean + (without - with) / 2.0 * with_it / pairs).collect();
        let at = (with / without).ln() - dot(&weight, &middle);
        Question { weight, at }
    }
}

/// One label's logarithm of odds.
struct Question {
    /// `[d]`
    weight: Vec<f64>,
    at: f64,
}

impl Question {
    fn says_yes(&self, x: &[f64]) -> bool {
        dot(&self.weight, x) + self.at > 0.0
    }
}

fn sums_of_columns(x: &Matrix<f64>) -> Vec<f64> {
    let mut sums = vec![0.0; x.cols()];
    for row in x.iter_rows() {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sums
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;
    use crate::gda::Gda;
    use crate::views::divided;

    const N: usize = 150;

    /// Rows of six numbers of which the first says label 0, the second label 1; and folds dealt in turn.
    fn rows() -> (Matrix, Vec<Option<Vec<u32>>>, Vec<u8>) {
        let mut rng = Seed(3).rng();
        let x = Matrix::from_vec(N, 6, (0..N * 6).map(|_| random::normal(&mut rng) as f32).collect());
        let set = |row: &[f32]| {
            (0..2).filter(|class| row[*class as usize] > 0.4 * f32::from(*class as u8)).collect()
        };
        let labels = x.iter_rows().map(|row| Some(set(row))).collect();
        (x, labels, (0..N).map(|row| (row % 5) as u8).collect())
    }

    #[test]
    fn each_label_is_told_as_discriminant_analysis_of_two_classes_tells_it() {
        let (x, mut labels, folds) = rows();
        labels.iter_mut().step_by(7).for_each(|label| *label = None);
        let asked = WhatIf::new(&x, &folds, Seed(1));
        let told = asked.sets(&labels, 3);
        let scaled = crate::views::centred_and_scaled(&x).map(f64::from);
        for (fold, class) in (0..5).flat_map(|fold| (0..2).map(move |class| (fold, class))) {
            let (held, rest) = divided(&folds, fold);
            let taught: Vec<usize> = rest.into_iter().filter(|row| labels[*row].is_some()).collect();
            let has = |row: &usize| u32::from(labels[*row].as_ref().is_some_and(|set| set.contains(&class)));
            let given: Vec<u32> = taught.iter().map(has).collect();
            let some = scaled.select_rows(&taught);
            let gda = Gda::new(some.view(), &given, 2);
            // The ridge is that of all rows, for every label.
            let n = taught.len() as f64;
            let means = sums_of_columns(&some).into_iter().map(|sum| sum / n).collect::<Vec<_>>();
            let spread: f64 = some
                .iter_rows()
                .flatten()
                .zip(means.iter().cycle())
                .map(|(x, mean)| (x - mean).powi(2))
                .sum();
            let linear = gda.linear(spread / (n - 1.0));
            let share = given.iter().sum::<u32>() as f64 / n;
            for row in held {
                let score =
                    |class: usize| dot(linear.weight.row(class), scaled.row(row)) + linear.bias[class];
                let odds = score(1) - score(0) + (share / (1.0 - share)).ln();
                assert_eq!(told[row].as_ref().unwrap().contains(&class), odds > 0.0, "{row} {class} {odds}");
            }
        }
        let wrong = (0..N).filter(|row| told[*row] != labels[*row] && labels[*row].is_some()).count();
        assert!(wrong < N / 4, "{wrong}");
        assert!(told.iter().flatten().all(|set| !set.contains(&2)), "nobody has the third label");
    }

    #[test]
    fn a_label_that_all_have_is_told_of_all() {
        let (x, _, folds) = rows();
        let asked = WhatIf::new(&x, &folds, Seed(1));
        assert_eq!(asked.sets(&vec![Some(vec![1]); N], 2), vec![Some(vec![1]); N]);
    }

    #[test]
    fn numbers_are_told_by_ridge_regression() {
        let (x, _, folds) = rows();
        let y: Vec<Option<f64>> =
            x.iter_rows().map(|row| Some(f64::from(3.0 * row[0] - row[4] + 10.0))).collect();
        let asked = WhatIf::new(&x, &folds, Seed(1));
        let off = |told: &[Option<f64>]| {
            let off = told.iter().zip(&y).map(|(told, y)| (told.unwrap() - y.unwrap()).powi(2)).sum::<f64>();
            (off / N as f64).sqrt()
        };
        let clean = off(&asked.numbers(&y));
        let turned: Vec<Option<f64>> =
            (0..N).map(|row| if row % 6 == 0 { y[row].map(|y| y + 20.0) } else { y[row] }).collect();
        let without: Vec<Option<f64>> = (0..N).map(|row| y[row].filter(|_| row % 6 > 0)).collect();
        let (turned, without) = (off(&asked.numbers(&turned)), off(&asked.numbers(&without)));
        assert!(clean < 0.3 && without < 0.35 && turned > 1.0, "{clean} {without} {turned}");
    }

    #[test]
    fn one_row_teaches_nothing() {
        let (x, _, folds) = rows();
        let asked = WhatIf::new(&x, &folds, Seed(1));
        let mut one = vec![None; N];
        one[0] = Some(4.0);
        assert_eq!(asked.numbers(&one), vec![None; N]);
        assert_eq!(asked.sets(&vec![None; N], 2), vec![None; N]);
    }
}
