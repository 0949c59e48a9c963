//! A quick model beside a person who labels: after each label it says how good it is, what it suggests, and what to label next.
//!
//! It is discriminant analysis on at most 256 columns, taught by five folds in turn ([`WhatIf`]), so that whatever it says of
//! an example it says without having seen its label. What [`tune`](fn@crate::tune) makes is better; this is there in a tenth of a second.

use curate::CurateError;
use curate::select::{self, Budget, Half, Halves, Pool};
use dataset::split::{self, Groups};
use dataset::{Dataset, Problem};
use evaluate::{Calibration, Estimate, metrics};
use linalg::neighbours::{Metric, knn_between};
use linalg::{Matrix, MatrixView, Seed, random};
use tune::what_if::WhatIf;

use crate::audit::joined;
use crate::features;
use crate::{Home, PipelineError, Run};

/// Folds that teach each other.
const FOLDS: usize = 5;
/// Up to here near copies are looked for, which are never dealt to different folds: beyond, the search takes longer than a person waits.
const MOST_COMPARED: usize = 20_000;
/// Labels of a class without which nothing is measured: fewer cannot be dealt to folds.
const LEAST_OF_CLASS: usize = 2;
/// Labels of drawn examples without which nothing is measured.
const LEAST_LABELS: usize = 10;

/// Examples that were looked at.
#[derive(Debug)]
pub struct Quick {
    /// `[n, d]`: the pooled vectors.
    x: Matrix,
    asked: WhatIf,
    /// `[n]`: rows as chance orders them, once and for all. Whoever labels from its beginning labels a fair draw.
    order: Vec<usize>,
    seed: Seed,
}

/// What the quick model says. All lists are `[n]`.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// Examples with a label.
    pub n_labelled: usize,
    /// Of those, the ones that chance picked.
    pub n_drawn: usize,
    /// Accuracy out of fold on those that chance picked; absent below ten of them, and while fewer than two classes have two examples.
    pub accuracy: Option<Estimate>,
    /// The accuracy of who always says the most common class, in [0, 1].
    pub chance: f64,
    /// The most probable class and its calibrated probability, of a model that was not taught by this example.
    pub suggestions: Vec<Option<(u32, f64)>>,
    /// The probability of the first class less that of the second, in [0, 1]; empty while there is no model.
    pub margins: Vec<f64>,
}

impl Quick {
    /// Looks at examples of one sense. Returns the places of those that could be looked at, and why others could not.
    ///
    /// # Errors
    /// When there is no base for them, or none of them can be looked at.
    pub fn look(
        home: &Home,
        data: Dataset,
        seed: u64,
        run: &Run<'_>,
    ) -> Result<(Self, Vec<usize>, Vec<Problem>), PipelineError> {
        let places: std::collections::HashMap<_, _> =
            data.examples.iter().enumerate().map(|(place, example)| (example.id.clone(), place)).collect();
        let base = home.base_for(None, &data, run)?;
        let table = features::table(home, &base, data, run)?;
        let kept = table.data.examples.iter().map(|example| places[&example.id]).collect();
        let seed = Seed(seed);
        let x = table.pooled().clone();
        let copies =
            if x.rows() <= MOST_COMPARED { curate::duplicates(x.view())?.components } else { Vec::new() };
        let groups = joined(table.data.examples.iter().map(|example| example.group.as_deref()), &copies);
        Ok((Self::of(x, &groups, seed), kept, table.problems))
    }

    fn of(x: Matrix, groups: &Groups, seed: Seed) -> Self {
        let asked = WhatIf::new(&x, &folds(groups, x.rows(), seed), seed);
        let mut order: Vec<usize> = (0..x.rows()).collect();
        random::shuffle(&mut order, &mut seed.derive("order").rng());
        Self { x, asked, order, seed }
    }

    /// How many examples there are.
    pub fn n(&self) -> usize {
        self.x.rows()
    }

    /// What the labels, `[n]`, teach. Accuracy is measured on those that are also `drawn`, `[n]`: labelled because chance picked them.
    pub fn judge(&self, labels: &[Option<u32>], drawn: &[bool]) -> Judged {
        let given: Vec<u32> = labels.iter().flatten().copied().collect();
        let counts = counts(&given);
        let most = counts.iter().copied().max().unwrap_or(0);
        let chance = if given.is_empty() { 0.0 } else { most as f64 / given.len() as f64 };
        let n_drawn = labels.iter().zip(drawn).filter(|(label, drawn)| label.is_some() && **drawn).count();
        let told = Judged { n_labelled: given.len(), n_drawn, chance, ..Judged::default() };
        if counts.iter().filter(|count| **count >= LEAST_OF_CLASS).count() < 2 {
            return Judged { suggestions: vec![None; self.n()], ..told };
        }
        let scores = self.asked.scores(labels);
        let calibration = calibration(scores.view(), labels);
        let mut judged = told;
        let mut correct = Vec::new();
        for (row, label) in labels.iter().enumerate() {
            let best = two_best(scores.row(row), &calibration);
            judged.suggestions.push(best.map(|[best, _]| best));
            judged.margins.push(best.map_or(0.0, |[(_, p), (_, q)]| (p - q).clamp(0.0, 1.0)));
            // Where nobody taught it, it was wrong.
            correct.extend(
                label.filter(|_| drawn[row]).map(|label| best.is_some_and(|[(first, _), _]| first == label)),
            );
        }
        judged.accuracy = (correct.len() >= LEAST_LABELS).then(|| metrics::accuracy(&correct));
        judged
    }

    /// What to label next, the most useful first: every second one is drawn at random, the others are what the model is unsure of, or,
    /// without one, what stands for many.
    pub fn next(
        &self,
        labels: &[Option<u32>],
        judged: &Judged,
        count: usize,
    ) -> Result<Vec<(usize, Half)>, PipelineError> {
        let mut known: Vec<bool> = labels.iter().map(Option::is_some).collect();
        let drawn: Vec<usize> =
            self.order.iter().copied().filter(|row| !known[*row]).take(count.div_ceil(2)).collect();
        drawn.iter().for_each(|row| known[*row] = true);
        let margins = (!judged.margins.is_empty()).then_some(judged.margins.as_slice());
        let n_classes = counts(&labels.iter().flatten().copied().collect::<Vec<_>>()).len();
        let n_classes = (n_classes > 1).then_some(n_classes);
        let pool = Pool { x: self.x.view(), known: &known, margins, n_classes };
        let method = select::suited(pool);
        let chosen =
            match select::select(pool, method, Budget::Examples(count / 2), Halves::Chosen, self.seed) {
                Ok(selection) => selection.picks.iter().map(|pick| pick.row).collect(),
                Err(CurateError::Empty { .. }) => Vec::new(),
                Err(error) => return Err(error.into()),
            };
        let mut next: Vec<(usize, Half)> = Vec::new();
        for place in 0..drawn.len().max(chosen.len()) {
            next.extend(chosen.get(place).map(|row| (*row, Half::Chosen)));
            next.extend(drawn.get(place).map(|row| (*row, Half::Random)));
        }
        Ok(next)
    }

    /// Where each example lies on a plane where like is beside like, `[n]` in the unit square. Takes seconds.
    pub fn map(&self) -> Vec<[f32; 2]> {
        curate::lay_out(self.x.view(), self.seed.derive("map"))
    }

    /// The examples most like one of them, itself first.
    pub fn similar(&self, row: usize, count: usize) -> Vec<usize> {
        let one = self.x.select_rows(&[row]);
        let found = knn_between(one.view(), self.x.view(), count.min(self.n()), Metric::Cosine);
        found.of(0).map(|(row, _)| row).collect()
    }
}

/// Folds that keep groups together; labels come later, so they cannot be dealt evenly.
fn folds(groups: &Groups, n: usize, seed: Seed) -> Vec<u8> {
    split::folds(&vec![0; n], &groups.numbers(), FOLDS, seed.derive("quick"))
}

fn counts(labels: &[u32]) -> Vec<usize> {
    let mut counts = vec![0; labels.iter().max().map_or(0, |most| *most as usize + 1)];
    labels.iter().for_each(|label| counts[*label as usize] += 1);
    counts
}

/// Fitted on the examples whose class the others taught.
fn calibration(scores: MatrixView<'_, f64>, labels: &[Option<u32>]) -> Calibration {
    let taught = |row: &usize| labels[*row].is_some_and(|label| scores.row(*row)[label as usize].is_finite());
    let rows: Vec<usize> = (0..labels.len()).filter(taught).collect();
    let given: Vec<u32> = rows.iter().filter_map(|row| labels[*row]).collect();
    // A class that nobody taught is out of the question, and finite all the same.
    let finite = scores.to_owned().select_rows(&rows).map(|score| score.max(UNTAUGHT));
    if rows.is_empty() { Calibration::Identity } else { Calibration::temperature(finite.view(), &given) }
}

/// What a class counts for that had no example in the other folds.
const UNTAUGHT: f64 = -1e6;

/// The two most probable classes.
fn two_best(scores: &[f64], calibration: &Calibration) -> Option<[(u32, f64); 2]> {
    if !scores.iter().any(|score| score.is_finite()) {
        return None;
    }
    let finite: Vec<f64> = scores.iter().map(|score| score.max(UNTAUGHT)).collect();
    let probs = calibration.probs(&finite);
    let mut classes: Vec<usize> = (0..probs.len()).collect();
    classes.sort_by(|a, b| probs[*b].total_cmp(&probs[*a]).then(a.cmp(b)));
    let of = |place: usize| classes.get(place).map_or((0, 0.0), |class| (*class as u32, probs[*class]));
    Some([of(0), of(1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two clouds, one after the other; every row a group of its own.
    fn clouds(n: usize) -> (Quick, Vec<Option<u32>>) {
        let mut rng = Seed(3).rng();
        let value = |at: usize| if at / 8 < n / 2 { 1.0 } else { -1.0 } + random::normal(&mut rng) as f32;
        let x = Matrix::from_vec(n, 8, (0..n * 8).map(value).collect());
        let groups = Groups::from_names((0..n).map(|_| None));
        (Quick::of(x, &groups, Seed(1)), (0..n).map(|row| Some(u32::from(row >= n / 2))).collect())
    }

    #[test]
    fn accuracy_is_measured_on_what_chance_picked() {
        let (quick, mut labels) = clouds(60);
        let drawn: Vec<bool> = (0..60).map(|row| row % 2 == 0).collect();
        let fair = quick.judge(&labels, &drawn);
        labels.iter_mut().step_by(30).for_each(|label| *label = None);
        let fewer = quick.judge(&labels, &drawn);
        assert_eq!((fair.n_labelled, fair.n_drawn, fewer.n_drawn), (60, 30, 28));
        let accuracy = fair.accuracy.expect("enough to measure");
        assert!(accuracy.n == 30 && accuracy.value > 0.9, "{accuracy:?}");
        let nine: Vec<bool> = (0..60).map(|row| (1..10).contains(&row)).collect();
        assert_eq!(quick.judge(&labels, &nine).accuracy, None, "nine are too few");
        assert_eq!(quick.judge(&[Some(0); 60], &drawn).accuracy, None, "one class is nothing to tell apart");
    }

    #[test]
    fn whoever_labels_the_random_half_labels_a_fair_draw() {
        let (quick, truth) = clouds(400);
        let mut labels = vec![None; 400];
        let mut blocks = [0; 10];
        for _ in 0..30 {
            let judged = quick.judge(&labels, &[false; 400]);
            let next = quick.next(&labels, &judged, 8).expect("there is more to label");
            assert_eq!(next.iter().filter(|(_, half)| *half == Half::Random).count(), 4);
            // Two labels between one queue and the next, as a person gives them.
            for (row, half) in next.into_iter().take(2) {
                labels[row] = truth[row];
                blocks[row / 40] += usize::from(half == Half::Random);
            }
        }
        assert_eq!(blocks.iter().sum::<usize>(), 30);
        assert!(blocks.iter().filter(|count| **count > 0).count() >= 8, "drawn from everywhere: {blocks:?}");
    }
}
