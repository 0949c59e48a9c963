//! Whether predictions come from a model that has seen the labels: it agrees with nearly all of them, the wrong ones as well, and finds nothing.

use super::Note;
use super::multilabel::JudgedSets;
use super::regression::JudgedNumbers;

/// From this many examples on, a model that hardly ever disagrees is remarkable.
const REMARKABLE_FROM: usize = 50;
/// Share of the labels that such a model still contradicts, and at least one label: training rarely ends at none.
const CONTRADICTED: f64 = 0.005;
/// Mean probability, of the labels it agrees with, above which an agreeing model has probably seen them.
const SEEN_ABOVE: f64 = 0.98;
/// The median residual, over the median distance of the numbers from their middle, below which they are predicted too well.
const EXACT: f64 = 0.01;
/// Similar examples that contradict this share of the labels more than the model does show that the labels are not that easy.
const NOT_EASY: f64 = 0.01;
/// And this many labels.
const NOT_EASY_LABELS: usize = 3;
/// The numbers of similar examples are that many times as far off where numbers are not that easy.
const NOT_EASY_RESIDUAL: f64 = 10.0;

/// A note when `contradicted` of `n` labels are so few, and the mean probability of the others so high, that the model has seen them.
pub(super) fn of_labels(n: usize, contradicted: usize, mean_self_confidence: f64) -> Option<Note> {
    let few = contradicted as f64 <= (CONTRADICTED * n as f64).max(1.0);
    (n >= REMARKABLE_FROM && few && mean_self_confidence > SEEN_ABOVE)
        .then_some(Note::FitsTooWell { mean_self_confidence, contradicted })
}

/// Whether labels are so easy that an honest model may agree with nearly all of them: similar examples do as well.
pub fn are_easy(n: usize, by_model: usize, by_neighbours: usize) -> bool {
    by_neighbours <= by_model + NOT_EASY_LABELS.max((NOT_EASY * n as f64) as usize)
}

impl JudgedSets<'_> {
    /// `[n]`: whether the probabilities find another set right than the given one.
    pub fn contradicted(&self) -> Vec<bool> {
        self.class_scores().iter_rows().map(|row| row.iter().any(|score| *score < 0.5)).collect()
    }

    /// What makes the findings less certain: whether the model has seen the sets. Of each set the least probable label counts.
    pub fn note(&self) -> Option<Note> {
        let scores = self.class_scores();
        let least = scores.iter_rows().map(|row| row.iter().copied().fold(1.0, f64::min));
        let agreed: Vec<f64> = least.filter(|least| *least >= 0.5).collect();
        let mean = agreed.iter().sum::<f64>() / agreed.len().max(1) as f64;
        of_labels(scores.rows(), scores.rows() - agreed.len(), mean)
    }
}

impl JudgedNumbers<'_> {
    /// The median residual, over the median distance of the given numbers from their middle.
    pub fn relative_residual(self) -> f64 {
        let (residual, spread) = self.residual_and_spread();
        if spread > 0.0 { residual / spread } else { f64::INFINITY }
    }

    /// What makes the findings less certain: whether the model has seen the numbers.
    pub fn note(self) -> Option<Note> {
        let relative_residual = self.relative_residual();
        (self.n() >= REMARKABLE_FROM && relative_residual < EXACT)
            .then_some(Note::PredictsTooWell { relative_residual })
    }
}

/// Whether numbers are so easy that an honest model may predict them nearly exactly: similar examples tell them as well. Both are
/// [`JudgedNumbers::relative_residual`].
pub fn are_easy_numbers(by_model: f64, by_neighbours: f64) -> bool {
    by_neighbours <= NOT_EASY_RESIDUAL * by_model.max(EXACT / NOT_EASY_RESIDUAL)
}

#[cfg(test)]
mod tests {
    use linalg::Matrix;

    use super::super::Judged;
    use super::*;

    /// The note about 200 labels of two classes, of which `wrong` are contradicted and the others have probability `p`.
    fn of_classes(p: f64, wrong: usize) -> Option<Note> {
        let labels: Vec<u32> = (0..200).map(|row| row % 2).collect();
        let rows: Vec<[f64; 2]> = (0..200)
            .map(|row| if (row % 2 == 0) == (row >= wrong) { [p, 1.0 - p] } else { [1.0 - p, p] })
            .collect();
        Judged::new(&labels, Matrix::from_rows(&rows).view()).unwrap().notes().pop()
    }

    #[test]
    fn a_model_that_has_seen_the_labels_is_noted_though_it_misses_one() {
        for wrong in [0, 1] {
            let Some(Note::FitsTooWell { contradicted, mean_self_confidence }) = of_classes(0.999, wrong)
            else {
                panic!("{wrong} contradicted")
            };
            assert!(contradicted == wrong && (mean_self_confidence - 0.999).abs() < 1e-9);
        }
        assert_eq!((of_classes(0.9, 0), of_classes(0.999, 8)), (None, None));
    }

    #[test]
    fn of_sets_the_least_probable_label_counts() {
        let sets: Vec<Vec<u32>> =
            (0..80).map(|row| if row % 3 == 0 { vec![0, 1] } else { vec![1] }).collect();
        let note = |p: f64, wrong: usize| {
            let rows: Vec<[f64; 2]> = (0..80)
                .map(|row| [if (row % 3 == 0) == (row >= wrong) { p } else { 1.0 - p }, 0.999])
                .collect();
            JudgedSets::new(&sets, Matrix::from_rows(&rows).view()).unwrap().note()
        };
        assert!(matches!(note(0.995, 0), Some(Note::FitsTooWell { contradicted: 0, .. })));
        assert!(matches!(note(0.995, 1), Some(Note::FitsTooWell { contradicted: 1, .. })));
        assert_eq!((note(0.9, 0), note(0.995, 5)), (None, None));
    }

    #[test]
    fn numbers_predicted_to_the_digit_are_noted() {
        let numbers: Vec<f64> = (0..80).map(f64::from).collect();
        let note = |off: f64| {
            let predicted: Vec<f64> = numbers.iter().map(|y| y + off * (y * 7.0).sin()).collect();
            JudgedNumbers::new(&numbers, &predicted).unwrap().note()
        };
        assert!(matches!(note(0.01), Some(Note::PredictsTooWell { .. })));
        assert_eq!(note(2.0), None);
        assert_eq!(JudgedNumbers::new(&[3.0; 80], &[3.0; 80]).unwrap().note(), None);
    }

    #[test]
    fn what_similar_examples_tell_as_well_is_easy() {
        assert!(are_easy(200, 0, 3) && !are_easy(200, 0, 10));
        assert!(are_easy(1000, 2, 12) && !are_easy(1000, 2, 13));
        assert!(are_easy_numbers(0.004, 0.03) && !are_easy_numbers(0.0, 0.2));
    }
}
