//! Which labels are probably wrong, and how many: a limit that each data set sets for itself (methods 3.3).
//!
//! Every class has two typical probabilities: `t`, the mean over the examples that have it, and `w`, the mean over those that
//! do not. A label is flagged when its probability is nearer, in the logarithm, to `w` than to `t`, and another class is more
//! probable. Nothing is tuned: with a vague model `t` and `w` approach each other and the limit falls to where only plain
//! contradictions are left, with a sure one it rises. Of fewer than ten labels none is flagged, and none of a class with fewer than
//! three.

use super::filter::ranked;
use super::judged::{FEWEST, FEWEST_OF_CLASS, Judged, Note, argmax, class_counts};

/// Examples by which the mean of a small class is pulled to the mean of all (methods 3.2).
const PULL: f64 = 5.0;
/// Share of the mean probability of a class, over the examples that have it, from which several views agree on it.
const AGREED: f64 = 0.7;
/// Share of a class that may be flagged before that is noted: a class doubted wholesale is one the model does not know.
const DOUBTED: f64 = 0.3;
/// Keeps logarithms and quotients defined.
const SMALLEST: f64 = 1e-12;

/// How every label looks by the probabilities alone.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelErrors {
    /// `[n]`: 0 = surely wrong, 1 = surely right. The order is that of self-confidence with the classes made comparable.
    pub scores: Vec<f64>,
    /// Probably wrong labels, most suspicious first.
    pub flagged: Vec<usize>,
    /// `[n]`: the most probable class but the given one; the given one where there is no other.
    pub suggested: Vec<u32>,
    /// What about the input or the result asks for caution.
    pub notes: Vec<Note>,
}

impl LabelErrors {
    /// Share of all labels that are flagged.
    pub fn share(&self) -> f64 {
        self.flagged.len() as f64 / self.scores.len() as f64
    }
}

/// What probability is typical of a class.
struct Typical {
    /// Of examples that have it.
    own: f64,
    /// Of examples that have another.
    others: f64,
}

impl Typical {
    /// Halfway between the two, in the logarithm.
    fn limit(&self) -> f64 {
        (self.own * self.others).sqrt()
    }
}

/// What is said of the class of every example, in whatever form.
pub(super) trait Believed {
    /// `[n]`, each below [`Believed::n_classes`].
    fn labels(&self) -> &[u32];
    /// k.
    fn n_classes(&self) -> usize;
    /// That an example has a class.
    fn probability(&self, row: usize, class: u32) -> f64;
    /// The most probable class; the first of equals.
    fn predicted(&self, row: usize) -> u32;
    /// The most probable class but the given one; the given one where there is no other.
    fn best_other(&self, row: usize) -> u32;
    /// `[k]`: the probabilities of all examples together.
    fn sums(&self) -> Vec<f64>;
    /// `[n]`: the probabilities of an example, times `weights`, `[k]`, together.
    fn weighed(&self, weights: &[f64]) -> Vec<f64>;
    /// What about it makes findings less certain.
    fn notes(&self) -> Vec<Note>;
    /// The probability of the given label.
    fn self_confidence(&self, row: usize) -> f64 {
        self.probability(row, self.labels()[row])
    }
}

impl Believed for Judged<'_> {
    fn labels(&self) -> &[u32] {
        Judged::labels(*self)
    }

    fn n_classes(&self) -> usize {
        Judged::n_classes(*self)
    }

    fn probability(&self, row: usize, class: u32) -> f64 {
        self.probs().row(row)[class as usize]
    }

    fn predicted(&self, row: usize) -> u32 {
        Judged::predicted(*self, row)
    }

    fn best_other(&self, row: usize) -> u32 {
        let given = Judged::labels(*self)[row];
        let mut probs = self.probs().row(row).to_vec();
        probs[given as usize] = -1.0;
        if probs.len() > 1 { argmax(&probs) as u32 } else { given }
    }

    fn sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; Judged::n_classes(*self)];
        for row in self.probs().iter_rows() {
            sums.iter_mut().zip(row).for_each(|(sum, p)| *sum += p);
        }
        sums
    }

    fn weighed(&self, weights: &[f64]) -> Vec<f64> {
        let of = |row: &[f64]| row.iter().zip(weights).map(|(p, weight)| p * weight).sum();
        self.probs().iter_rows().map(of).collect()
    }

    fn notes(&self) -> Vec<Note> {
        Judged::notes(*self)
    }
}

/// Finds the labels that are probably wrong, by one model.
pub fn label_errors(judged: Judged<'_>) -> LabelErrors {
    errors(&judged, 0.0)
}

/// The same by the mean of several views, as of [`fused`](super::views::fused): they must agree on what the label should be. An
/// example that is only unlike others of its class is doubted by every view, for another class by each.
pub fn label_errors_by_views(judged: Judged<'_>) -> LabelErrors {
    errors(&judged, AGREED)
}

/// `known` is the share of what is typical of the other class that its probability must have.
pub(super) fn errors(believed: &impl Believed, known: f64) -> LabelErrors {
    let (labels, n) = (believed.labels(), believed.labels().len());
    let counts = class_counts(labels, believed.n_classes());
    let typical = typical(believed, &counts);
    let scores = evened_self_confidence(believed, &typical);
    let doubted = |row: usize| {
        let (given, other) = (labels[row] as usize, believed.predicted(row));
        n >= FEWEST
            && counts[given] >= FEWEST_OF_CLASS
            && other as usize != given
            && believed.self_confidence(row) < typical[given].limit()
            && believed.probability(row, other) >= known * typical[other as usize].own
    };
    let mask: Vec<bool> = (0..n).map(doubted).collect();
    let suggested = (0..n).map(|row| believed.best_other(row)).collect();
    let mut notes = believed.notes();
    let flagged = ranked(&mask, &scores);
    notes.extend(doubted_classes(labels, believed.n_classes(), &flagged));
    LabelErrors { flagged, scores, suggested, notes }
}

/// `[k]`: the typical probabilities of each class, of which there are so many examples.
fn typical(believed: &impl Believed, counts: &[usize]) -> Vec<Typical> {
    let (labels, all) = (believed.labels(), believed.sums());
    let mut own = vec![0.0; counts.len()];
    (0..labels.len()).for_each(|row| own[labels[row] as usize] += believed.self_confidence(row));
    let global = own.iter().sum::<f64>() / labels.len() as f64;
    let of_class = |(class, count): (usize, &usize)| {
        let others = labels.len() - count;
        Typical {
            own: (own[class] + PULL * global) / (*count as f64 + PULL),
            others: if others == 0 { 0.0 } else { (all[class] - own[class]).max(0.0) / others as f64 },
        }
    };
    counts.iter().enumerate().map(of_class).collect()
}

/// `[n]`: the probability of the given label after each class's were divided by its own scale, the geometric mean of what is
/// typical of it and of its limit.
fn evened_self_confidence(believed: &impl Believed, typical: &[Typical]) -> Vec<f64> {
    let weights: Vec<f64> =
        typical.iter().map(|class| 1.0 / (class.own * class.limit()).sqrt().max(SMALLEST)).collect();
    let score = |(row, sum): (usize, f64)| {
        believed.self_confidence(row) * weights[believed.labels()[row] as usize] / sum
    };
    believed.weighed(&weights).into_iter().enumerate().map(score).collect()
}

/// The classes of which so much is flagged that it asks for caution. `labels` is `[n]`, each below `n_classes`; `flagged` are rows.
pub fn doubted_classes(labels: &[u32], n_classes: usize, flagged: &[usize]) -> Vec<Note> {
    let (mut all, mut doubted) = (vec![0_usize; n_classes], vec![0_usize; n_classes]);
    labels.iter().for_each(|label| all[*label as usize] += 1);
    flagged.iter().for_each(|row| doubted[labels[*row] as usize] += 1);
    let note = |class: usize| {
        let share = doubted[class] as f64 / all[class].max(1) as f64;
        (share > DOUBTED).then_some(Note::DoubtedClass { class: class as u32, share })
    };
    (0..n_classes).filter_map(note).collect()
}

#[cfg(test)]
mod tests {
    use linalg::{Matrix, Seed, random};

    use super::*;

    /// A model that knows the truth with varying certainty; every `every`-th label was turned into the next class.
    fn made(n: usize, k: usize, every: usize) -> (Vec<u32>, Matrix<f64>) {
        let mut rng = Seed(9).rng();
        let mut probs = Matrix::zeros(n, k);
        let mut labels = Vec::new();
        for row in 0..n {
            let truth = row % k;
            let mut z: Vec<f64> = (0..k).map(|_| random::normal(&mut rng)).collect();
            z[truth] += 4.0 + 3.0 * random::uniform(&mut rng);
            probs.row_mut(row).copy_from_slice(&linalg::logits::softmax(&z));
            labels.push(((truth + usize::from(row % every == 0)) % k) as u32);
        }
        (labels, probs)
    }

    #[test]
    fn planted_errors_are_flagged_and_little_else() {
        for (k, every) in [(2, 10), (5, 7), (40, 21)] {
            let (labels, probs) = made(840, k, every);
            let found = label_errors(Judged::new(&labels, probs.view()).unwrap());
            let right = found.flagged.iter().filter(|row| **row % every == 0).count();
            let planted = 840_usize.div_ceil(every);
            assert!(right as f64 >= 0.95 * planted as f64, "{k}: {right} of {planted}");
            assert!(
                right as f64 >= 0.85 * found.flagged.len() as f64,
                "{k}: {right} of {}",
                found.flagged.len()
            );
        }
    }

    #[test]
    fn views_that_do_not_agree_on_another_class_flag_nothing() {
        let rows: Vec<[f64; 3]> = (0..60)
            .map(|row| match row {
                0 => [0.04, 0.5, 0.46],
                1 => [0.04, 0.92, 0.04],
                row => [[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]][row % 3],
            })
            .collect();
        let labels: Vec<u32> = (0..60).map(|row| if row < 2 { 0 } else { row % 3 }).collect();
        let probs = Matrix::from_rows(&rows);
        let judged = Judged::new(&labels, probs.view()).unwrap();
        assert_eq!(label_errors(judged).flagged.len(), 2);
        assert_eq!(label_errors_by_views(judged).flagged, [1]);
    }

    #[test]
    fn of_few_labels_and_of_classes_with_few_none_is_flagged() {
        // The last example has the second class and looks like the first.
        #[track_caller]
        fn check(of_first: usize, of_second: usize, flagged: usize) {
            let n = of_first + of_second;
            let labels: Vec<u32> = (0..n).map(|row| u32::from(row >= of_first)).collect();
            let sure = |row: usize| if row + 1 < n { labels[row] == 0 } else { true };
            let rows: Vec<[f64; 2]> =
                (0..n).map(|row| if sure(row) { [0.95, 0.05] } else { [0.05, 0.95] }).collect();
            let probs = Matrix::from_rows(&rows);
            let found = label_errors(Judged::new(&labels, probs.view()).unwrap());
            assert_eq!(found.flagged.len(), flagged, "{of_first} {of_second}");
        }
        check(5, 5, 1);
        check(5, 4, 0);
        check(17, 3, 1);
        check(18, 2, 0);
    }

    #[test]
    fn renaming_the_classes_changes_nothing() {
        let (labels, probs) = made(120, 3, 6);
        let renamed: Vec<u32> = labels.iter().map(|label| (label + 1) % 3).collect();
        let rows: Vec<[f64; 3]> = probs.iter_rows().map(|row| [row[2], row[0], row[1]]).collect();
        let a = label_errors(Judged::new(&labels, probs.view()).unwrap());
        let b = label_errors(Judged::new(&renamed, Matrix::from_rows(&rows).view()).unwrap());
        assert_eq!(a.flagged, b.flagged);
    }

    #[test]
    fn one_example_one_class_and_a_doubted_class_are_defined() {
        let one = Matrix::from_rows(&[[1.0]]);
        let found = label_errors(Judged::new(&[0], one.view()).unwrap());
        assert_eq!((found.flagged.len(), &found.scores[..], &found.suggested[..]), (0, &[1.0][..], &[0][..]));
        let rows: Vec<[f64; 2]> =
            (0..40).map(|row| if row < 36 { [0.95, 0.05] } else { [0.02, 0.98] }).collect();
        let labels: Vec<u32> = (0..40).map(|row| u32::from(row >= 33)).collect();
        let probs = Matrix::from_rows(&rows);
        let found = label_errors(Judged::new(&labels, probs.view()).unwrap());
        assert!(
            found.notes.iter().any(|note| matches!(note, Note::DoubtedClass { class: 1, .. })),
            "{found:?}"
        );
    }
}
