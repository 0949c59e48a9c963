//! A quick model beside a person who labels: after each label it says how good it is, what it suggests, and what to label next.
//!
//! Whatever it says of an example it says without having seen its answer, and its near copies' and group's neither; of more than
//! 20,000 examples near copies are not looked for and may teach each other, so that it finds itself too good. It looks at no more than
//! 256 columns (`columns.rs`). What [`tune`](fn@crate::tune) makes is better; this is there in a tenth of a second.
//!
//! | answers | model | how good | in |
//! |---|---|---|---|
//! | one class of several | discriminant analysis, leaving groups out | accuracy | `classes.rs` |
//! | any number of labels | ridge for each, leaving groups out, with Platt's map | share of labels right | `sets.rs` |
//! | a number | ridge, leaving groups out, with conformal intervals | mean absolute error | `numbers.rs` |

mod answers;
mod classes;
mod columns;
mod discriminant;
mod lesson;
mod linear;
mod numbers;
mod sets;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::OnceLock;

use curate::CurateError;
use curate::select::{self, Budget, Half, Halves, Pool};
use dataset::split::{self, Groups};
use dataset::{Dataset, Modality, Problem};
use linalg::neighbours::{Metric, knn_between};
use linalg::{Matrix, Seed};

pub use answers::{Answers, Judged, Says};

use crate::audit::joined;
use crate::features;
use crate::senses::whole::{self, Part};
use crate::{Home, PipelineError, Run};

/// Folds whose scores tell each other what probabilities they mean.
const FOLDS: usize = 5;
/// Up to here near copies are looked for, which never teach each other: beyond, the search takes longer than a person waits, only the
/// user's groups are kept together, and where there are copies what is measured is too good.
const MOST_COMPARED: usize = 20_000;
/// Answers of a kind (a class, a label that is there, one that is not) without which nothing is said: fewer cannot be dealt to folds.
const LEAST_OF_KIND: usize = 2;
/// Answers about drawn examples without which nothing is measured.
const LEAST_LABELS: usize = 10;

/// Examples that were looked at.
#[derive(Debug)]
pub struct Quick {
    /// Catalogue id of the base; of several senses those of all.
    base: String,
    /// Of each sense, where it stands among the columns.
    parts: Vec<Part>,
    /// `[n, d]`: the pooled vectors.
    x: Matrix,
    /// `[n]`: near copies and the user's groups.
    groups: Vec<u32>,
    /// `[n]`: groups are in one fold. Answers come later, so folds cannot be dealt evenly.
    folds: Vec<u8>,
    /// As the models see them, `[n, d]`.
    columns: OnceLock<Matrix<f64>>,
    /// `[n]`: rows as chance orders them, once and for all. Whoever labels from its beginning labels a fair draw.
    order: Vec<usize>,
    seed: Seed,
}

impl Quick {
    /// Looks at examples; several senses are taken side by side. `order`, `[n]`, has their places as chance orders them. Returns the places of
    /// those that could be looked at, and why others could not.
    ///
    /// # Errors
    /// When there is no base for them, or none of them can be looked at.
    pub fn look(
        home: &Home,
        data: Dataset,
        order: &[usize],
        seed: u64,
        run: &Run<'_>,
    ) -> Result<(Self, Vec<usize>, Vec<Problem>), PipelineError> {
        let places: HashMap<_, _> =
            data.examples.iter().enumerate().map(|(place, example)| (example.id.clone(), place)).collect();
        let (table, parts) = if data.modality == Modality::Senses {
            whole::look(home, data, run)?
        } else {
            let base = home.base_for(None, &data, run)?;
            let table = features::table(home, &base, data, run)?;
            let columns = 0..table.pooled().cols();
            (table, vec![Part { sense: String::new(), base: base.id().to_owned(), columns }])
        };
        let kept: Vec<usize> = table.data.examples.iter().map(|example| places[&example.id]).collect();
        let rows: HashMap<usize, usize> = kept.iter().enumerate().map(|(row, place)| (*place, row)).collect();
        let order = order.iter().filter_map(|place| rows.get(place).copied()).collect();
        let seed = Seed(seed);
        let x = table.pooled().clone();
        let copies =
            if x.rows() <= MOST_COMPARED { curate::duplicates(x.view())?.components } else { Vec::new() };
        let groups = joined(table.data.examples.iter().map(|example| example.group.as_deref()), &copies);
        Ok((Self::of(parts, x, &groups, order, seed), kept, table.problems))
    }

    fn of(parts: Vec<Part>, x: Matrix, groups: &Groups, order: Vec<usize>, seed: Seed) -> Self {
        let groups = groups.numbers();
        let folds = split::folds(&vec![0; x.rows()], &groups, FOLDS, seed.derive("quick"));
        let base = parts.iter().map(|part| part.base.as_str()).collect::<Vec<_>>().join(" + ");
        Self { base, parts, x, groups, folds, columns: OnceLock::new(), order, seed }
    }

    /// The features as the models see them; made when a model is first asked.
    fn columns(&self) -> &Matrix<f64> {
        self.columns.get_or_init(|| columns::columns(&self.x, self.seed))
    }

    /// Catalogue id of the base that looked; of several senses those of all.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `[d]`: what the base makes of an example.
    pub fn features(&self, row: usize) -> &[f32] {
        self.x.row(row)
    }

    /// How many examples there are.
    pub fn n(&self) -> usize {
        self.x.rows()
    }

    /// What the answers, `[n]`, teach. How good that is is measured on a fair draw: answers that are also `drawn`, `[n]`, given because
    /// chance picked the example or come with the data; and all before the first that chance would ask for, whoever gave them.
    pub fn judge(&self, answers: &Answers, drawn: &[bool]) -> Judged {
        let given = answers.given();
        let fair = self.fair(&given, drawn);
        let judged = match answers {
            Answers::Classes(classes) => classes::judge(self, classes, &fair),
            Answers::Sets(sets) => sets::judge(self, sets, &fair),
            Answers::Numbers(numbers) => numbers::judge(self, numbers, &fair),
        };
        Judged {
            n_labelled: given.iter().filter(|given| **given).count(),
            n_drawn: fair.iter().filter(|fair| **fair).count(),
            ..judged
        }
    }

    /// `[n]`: the answers that are a fair draw. Chance asks in its order and passes by what was answered because it was doubted: without
    /// that, easy examples would be left. Beyond the first open one, as where a person passed it over, what chance picked still counts.
    fn fair(&self, given: &[bool], drawn: &[bool]) -> Vec<bool> {
        let mut fair: Vec<bool> = given.iter().zip(drawn).map(|(given, drawn)| *given && *drawn).collect();
        self.order.iter().take_while(|row| given[**row]).for_each(|row| fair[*row] = true);
        fair
    }

    /// What to label next, the most useful first: every second one is drawn at random, the others are what the model is unsure of, or,
    /// without one, what stands for many.
    pub fn next(
        &self,
        answers: &Answers,
        judged: &Judged,
        count: usize,
    ) -> Result<Vec<(usize, Half)>, PipelineError> {
        let mut known = answers.given();
        let drawn: Vec<usize> =
            self.order.iter().copied().filter(|row| !known[*row]).take(count.div_ceil(2)).collect();
        drawn.iter().for_each(|row| known[*row] = true);
        let margins = (!judged.margins.is_empty()).then_some(judged.margins.as_slice());
        let n_classes = answers.n_classes().filter(|n_classes| *n_classes > 1);
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

    /// The examples most like one of them, itself first, even where others are the same.
    pub fn similar(&self, row: usize, count: usize) -> Vec<usize> {
        let mut found = self.nearest(&self.x.select_rows(&[row]), count);
        found.retain(|other| *other != row);
        found.insert(0, row);
        found.truncate(count);
        found
    }

    /// The examples most like something that is none of them; `vector` is the pooled one that a base makes of it. None where another base
    /// looked at the examples.
    pub fn like(&self, base: &str, vector: &[f32], count: usize) -> Vec<usize> {
        if base != self.base || vector.len() != self.x.cols() {
            return Vec::new();
        }
        self.nearest(&Matrix::from_vec(1, vector.len(), vector.to_vec()), count)
    }

    /// As [`Quick::like`], of several senses: of each that is there its name, the base, and the vector. How alike two are is the sum of how
    /// alike each of these senses is: one that is not asked about counts neither for an example nor against it.
    pub fn like_senses(&self, seen: &[(String, String, Vec<f32>)], count: usize) -> Vec<usize> {
        let mut all = vec![0.0; self.x.cols()];
        for (sense, base, vector) in seen {
            let is = |part: &&Part| part.sense == *sense && part.base == *base;
            let found = self.parts.iter().find(is).filter(|part| part.columns.len() == vector.len());
            let Some(part) = found else { return Vec::new() };
            whole::lay(vector, &mut all[part.columns.clone()]);
        }
        let alike = self.x.iter_rows().map(|row| linalg::dot(row, &all));
        let mut alike: Vec<(f64, usize)> = alike.zip(0..).collect();
        alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        alike.into_iter().take(count).map(|(_, row)| row).collect()
    }

    fn nearest(&self, one: &Matrix, count: usize) -> Vec<usize> {
        let found = knn_between(one.view(), self.x.view(), count.min(self.n()), Metric::Cosine);
        found.of(0).map(|(row, _)| row).collect()
    }
}
