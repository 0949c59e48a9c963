//! Tries recipes, compares them honestly, fits the winner.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use dataset::split::{folds, folds_of_sets, plan};
use linalg::{Matrix, Seed};
use rayon::prelude::*;

use crate::blend::blend;
use crate::evidence::{Evidence, Judge, mean};
use crate::search::Prepared;
use crate::{
    CheckedTune, Family, Head, Input, Link, Member, Recipe, Targets, TuneConfig, TuneError, TuneInput,
};

/// From this many rows on three folds are as good as five, one fold finds a penalty, and luck no longer ranks candidates.
const MANY_ROWS: usize = 2000;
/// Fewest rows for which counted words are tried: below, hardly any n-gram occurs twice.
const WORDS_FROM: usize = 40;

/// A configuration that was tried.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// How it is made.
    pub recipe: Recipe,
    /// Mean out-of-fold loss: log-loss of temperature-corrected probabilities, or squared error.
    pub loss: f64,
    /// Mean out-of-fold score: accuracy, share of labels that are right, or minus the absolute error.
    pub score: f64,
}

/// A fitted head with everything known about how it was found.
#[derive(Debug, Clone)]
pub struct Tuned {
    /// The head, fitted on all rows.
    pub head: Head,
    /// How it was made.
    pub recipe: Recipe,
    /// Every configuration that was tried, in the order of the columns below.
    pub candidates: Vec<Candidate>,
    /// The place of the winner among them.
    pub chosen: usize,
    /// Why it won, in one sentence.
    pub why: String,
    /// Out-of-fold outputs of the winner, `[n, k]`; zeros where a row was never held out.
    pub oof_outputs: Matrix<f64>,
    /// Rows that some fold held out, ascending. A class with one group is never held out.
    pub validated: Vec<usize>,
    /// Loss of every validated row under every configuration, `[validated, candidates]`.
    pub losses: Matrix<f64>,
    /// Score of every validated row under every configuration, `[validated, candidates]`.
    pub scores: Matrix<f64>,
}

/// What every part of the search looks at.
pub(crate) struct Context<'a> {
    pub(crate) input: TuneInput<'a>,
    pub(crate) config: &'a TuneConfig,
    pub(crate) link: Link,
    pub(crate) targets: &'a Matrix<f32>,
    /// One deal of folds per repeat; 255 marks rows that always train.
    deals: Vec<Vec<u8>>,
    folds: usize,
    cancel: &'a AtomicBool,
}

/// A configuration with its record; outputs are kept only where they are still needed.
struct Tried {
    recipe: Recipe,
    losses: Vec<f64>,
    scores: Vec<f64>,
    outputs: Option<Matrix<f64>>,
}

/// Rows to fit on and rows to judge on.
pub(crate) struct Split {
    pub(crate) train: Vec<usize>,
    pub(crate) held_out: Vec<usize>,
}

/// Rows that always train.
const NEVER: u8 = u8::MAX;

/// Chooses and fits a head.
///
/// The same input, settings and seed give the same head to the last bit, whatever the number of threads.
///
/// # Errors
/// [`TuneError`] says which row or set is at fault; [`TuneError::Cancelled`] soon after `cancel` became true.
pub fn tune(
    input: TuneInput<'_>,
    config: &CheckedTune,
    seed: Seed,
    cancel: &AtomicBool,
) -> Result<Tuned, TuneError> {
    input.check()?;
    let targets = input.targets.matrix();
    let context = Context::new(input, &config.0, &targets, seed, cancel);
    let validated = context.validated();
    let labels = context.labels().to_vec();
    let judge = Judge {
        link: context.link,
        targets: &targets,
        labels: &labels,
        validated: &validated,
        folds: context.folds,
    };
    let prepared: Vec<Prepared> =
        inputs(&input, &config.0).into_iter().map(|input| Prepared::new(input, &context)).collect();
    if validated.is_empty() {
        return Ok(context.without_validation(&prepared));
    }
    let tried = context.try_all(&prepared, &judge);
    if context.is_cancelled() {
        return Err(TuneError::Cancelled);
    }
    Ok(context.conclude(&prepared, tried, &judge))
}

/// Fits a known recipe on other rows, without any search: what learning curves are made of.
pub fn refit(recipe: &Recipe, input: TuneInput<'_>, config: &CheckedTune) -> Result<Head, TuneError> {
    input.check()?;
    let targets = input.targets.matrix();
    let never = AtomicBool::new(false);
    let context = Context::new(input, &config.0, &targets, Seed(0), &never);
    Ok(context.fit(recipe, &[]))
}

/// Candidate inputs: every set at length 1, all sets side by side, and with counted words.
fn inputs(input: &TuneInput<'_>, config: &TuneConfig) -> Vec<Input> {
    let all: Vec<String> = input.features.iter().map(|set| set.name.clone()).collect();
    let pooled = vec![all[0].clone()];
    let of = |sets: &[String], unit, words| Input { sets: sets.to_vec(), unit, words };
    let mut inputs = vec![of(&pooled, true, false)];
    if matches!(input.targets, Targets::Numbers(_)) {
        // How much of something is there can be in a vector's length; which class it is, is in its direction.
        inputs.push(of(&pooled, false, false));
    }
    if all.len() > 1 {
        // Earlier stages alone see drawings and textures better than the end of the network, which was taught photos.
        inputs.extend(all[1..].iter().map(|set| of(std::slice::from_ref(set), true, false)));
        inputs.push(of(&all, true, false));
    }
    if config.max_words > 0
        && input.texts.is_some()
        && input.n() >= WORDS_FROM
        && !matches!(input.targets, Targets::Numbers(_))
    {
        inputs.push(of(&pooled, true, true));
    }
    inputs
}

impl<'a> Context<'a> {
    fn new(
        input: TuneInput<'a>,
        config: &'a TuneConfig,
        targets: &'a Matrix<f32>,
        seed: Seed,
        cancel: &'a AtomicBool,
    ) -> Self {
        let strata = input.targets.strata();
        let mut plan = plan(&strata, input.groups);
        if input.n() >= MANY_ROWS {
            plan.folds = plan.folds.min(3);
        }
        let single_label = matches!(input.targets, Targets::Single { .. });
        let lonely = if single_label { classes_with_one_group(&strata, input.groups) } else { Vec::new() };
        let deal = |repeat: usize| {
            let seed = seed.derive("repeat").nth(repeat);
            let mut deal = match input.targets {
                Targets::Multi { labels, .. } => folds_of_sets(labels, input.groups, plan.folds, seed),
                _ => folds(&strata, input.groups, plan.folds, seed),
            };
            for (fold, stratum) in deal.iter_mut().zip(&strata) {
                if lonely.binary_search(stratum).is_ok() {
                    *fold = NEVER;
                }
            }
            deal
        };
        let link = match input.targets {
            Targets::Single { .. } => Link::Softmax,
            Targets::Multi { .. } => Link::Sigmoid,
            Targets::Numbers(_) => Link::Identity,
        };
        let deals = (0..plan.repeats).map(deal).collect();
        Self { input, config, link, targets, deals, folds: plan.folds, cancel }
    }

    /// Whether the person asked to stop; what was tried until then is thrown away.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    pub(crate) fn labels(&self) -> &'a [u32] {
        match self.input.targets {
            Targets::Single { labels, .. } => labels,
            _ => &[],
        }
    }

    pub(crate) fn texts(&self) -> Vec<&'a str> {
        self.input.texts.unwrap_or_default().iter().map(String::as_str).collect()
    }

    /// The dense features of an input, `[n, d]`.
    pub(crate) fn dense(&self, input: &Input) -> Matrix<f64> {
        let rows: Vec<Vec<f64>> = (0..self.input.n())
            .into_par_iter()
            .map(|row| {
                let sets: BTreeMap<&str, &[f32]> =
                    self.input.features.iter().map(|set| (set.name.as_str(), set.x.row(row))).collect();
                input.prepare(&sets).into_iter().map(f64::from).collect()
            })
            .collect();
        Matrix::from_rows(&rows)
    }

    /// Whether shortcuts in the search cost no accuracy any more.
    pub(crate) fn has_many_rows(&self) -> bool {
        self.input.n() >= MANY_ROWS
    }

    fn validated(&self) -> Vec<usize> {
        (0..self.input.n()).filter(|row| self.deals[0][*row] != NEVER).collect()
    }

    /// All splits: fold by fold, repeat by repeat.
    pub(crate) fn splits(&self) -> Vec<Split> {
        let n = self.input.n();
        let split = |deal: &[u8], fold: usize| Split {
            train: (0..n).filter(|row| usize::from(deal[*row]) != fold).collect(),
            held_out: (0..n).filter(|row| usize::from(deal[*row]) == fold).collect(),
        };
        self.deals.iter().flat_map(|deal| (0..self.folds).map(move |fold| split(deal, fold))).collect()
    }

    /// Fits and scores on every split; `[n, k]` outputs per repeat.
    pub(crate) fn on_folds(
        &self,
        fit_and_score: impl Fn(&[usize], &[usize]) -> Matrix<f64> + Sync,
    ) -> Vec<Matrix<f64>> {
        let splits = self.splits();
        self.gather(&splits, |index| fit_and_score(&splits[index].train, &splits[index].held_out))
    }

    /// Puts the scores of splits in their rows, `[n, k]` per repeat; rows that none of them holds out are zero.
    pub(crate) fn gather(
        &self,
        splits: &[Split],
        scores_of: impl Fn(usize) -> Matrix<f64> + Sync,
    ) -> Vec<Matrix<f64>> {
        let scores: Vec<Matrix<f64>> = (0..splits.len()).into_par_iter().map(&scores_of).collect();
        let mut outputs =
            vec![Matrix::zeros(self.input.n(), self.targets.cols()); splits.len().div_ceil(self.folds)];
        for (index, (split, scores)) in splits.iter().zip(&scores).enumerate() {
            for (place, row) in split.held_out.iter().enumerate() {
                outputs[index / self.folds].row_mut(*row).copy_from_slice(scores.row(place));
            }
        }
        outputs
    }

    /// Every family on every input that is worth it.
    fn try_all(&self, prepared: &[Prepared], judge: &Judge<'_>) -> Vec<Evidence> {
        let mut tried = Vec::new();
        match self.link {
            Link::Identity => {
                for prepared in prepared {
                    let (penalty, _) = prepared.quick_ridge(self);
                    tried.push(prepared.closed_form(prepared.recipe(Family::Ridge, penalty), self, judge));
                }
            }
            Link::Sigmoid => {
                for prepared in prepared {
                    tried.extend(prepared.logistic_path(self, judge));
                }
            }
            Link::Softmax => self.try_classes(prepared, judge, &mut tried),
        }
        tried
    }

    fn try_classes(&self, prepared: &[Prepared], judge: &Judge<'_>, tried: &mut Vec<Evidence>) {
        let (dense, wordy): (Vec<&Prepared>, Vec<&Prepared>) =
            prepared.iter().partition(|prepared| !prepared.input.words);
        let mut ranked: Vec<(&Prepared, Option<(f64, f64)>)> =
            dense.into_iter().map(|prepared| (prepared, prepared.quick_gda(self, judge))).collect();
        ranked.sort_by(|a, b| {
            a.1.map_or(f64::INFINITY, |quick| quick.1).total_cmp(&b.1.map_or(f64::INFINITY, |quick| quick.1))
        });
        let most = if self.has_many_rows() { 2 } else { usize::MAX };
        ranked.truncate(self.config.finalists.min(most));
        for (prepared, quick) in ranked {
            if self.is_cancelled() {
                return;
            }
            tried.push(prepared.closed_form(prepared.recipe(Family::Means, 0.0), self, judge));
            if let Some((strength, _)) = quick {
                tried.push(prepared.closed_form(prepared.recipe(Family::Gda, strength), self, judge));
            }
            tried.extend(prepared.logistic_path(self, judge));
        }
        for prepared in wordy {
            tried.extend(prepared.logistic_path(self, judge));
        }
    }

    /// Chooses, blends, fits on everything.
    fn conclude(&self, prepared: &[Prepared], tried: Vec<Evidence>, judge: &Judge<'_>) -> Tuned {
        let rows = judge.validated;
        let mut record: Vec<Tried> = tried
            .iter()
            .map(|evidence| Tried {
                recipe: Recipe { members: vec![evidence.recipe.clone()], link: self.link },
                losses: evidence.losses.clone(),
                scores: evidence.scores.clone(),
                outputs: evidence.outputs.first().cloned(),
            })
            .collect();
        if let Some(blend) = blend(&tried, judge, self.deals.len()) {
            record.push(Tried {
                recipe: blend.recipe,
                losses: blend.losses,
                scores: blend.scores,
                outputs: blend.outputs.into_iter().next(),
            });
        }
        // A blend of what cannot be told apart is steadier than any single winner; without one the simplest good one wins.
        let (chosen, why) = match record.iter().position(|tried| tried.recipe.members.len() > 1) {
            Some(blended) => (blended, blended_because(&record, blended, judge)),
            None => choose(&record, judge, self.deals.len()),
        };
        let recipe = record[chosen].recipe.clone();
        let table = |of: fn(&Tried) -> &Vec<f64>| {
            let values = rows.iter().flat_map(|row| record.iter().map(|tried| of(tried)[*row])).collect();
            Matrix::from_vec(rows.len(), record.len(), values)
        };
        let (losses, scores) = (table(|tried| &tried.losses), table(|tried| &tried.scores));
        let candidate = |tried: &Tried| Candidate {
            recipe: tried.recipe.clone(),
            loss: mean(&tried.losses, rows),
            score: mean(&tried.scores, rows),
        };
        let candidates = record.iter().map(candidate).collect();
        let oof_outputs = record[chosen].outputs.clone().expect("the best of every path keeps its outputs");
        Tuned {
            head: self.fit(&recipe, prepared),
            recipe,
            candidates,
            chosen,
            why,
            oof_outputs,
            validated: rows.to_vec(),
            losses,
            scores,
        }
    }

    /// Fits a recipe on all rows; inputs that were prepared already are used again, models of one input melt into one.
    fn fit(&self, recipe: &Recipe, prepared: &[Prepared]) -> Head {
        let mut inputs: Vec<&Input> = recipe.members.iter().map(|member| &member.input).collect();
        inputs.sort();
        inputs.dedup();
        let fit = |input: &Input| {
            let known = prepared.iter().find(|prepared| prepared.input == *input);
            let made = known.is_none().then(|| Prepared::new(input.clone(), self));
            let prepared = known.or(made.as_ref()).expect("it was made if it was not known");
            let members = recipe.members.iter().filter(|member| member.input == *input);
            members.map(|member| prepared.member(member, self)).reduce(Member::plus)
        };
        Head { members: inputs.into_iter().filter_map(fit).collect(), link: self.link }
    }

    /// With a single group in every class nothing can be held out: one firmly penalised model of all that the base sees, and
    /// no claim.
    fn without_validation(&self, prepared: &[Prepared]) -> Tuned {
        let family = match self.link {
            Link::Softmax | Link::Sigmoid => Family::Logistic,
            Link::Identity => Family::Ridge,
        };
        let dense = prepared
            .iter()
            .rfind(|prepared| !prepared.input.words)
            .expect("the pooled vector is always there");
        let member = dense.recipe(family, 1.0);
        let recipe = Recipe { members: vec![member], link: self.link };
        let (n, k) = (self.input.n(), self.targets.cols());
        Tuned {
            head: self.fit(&recipe, prepared),
            candidates: vec![Candidate { recipe: recipe.clone(), loss: f64::NAN, score: f64::NAN }],
            recipe,
            chosen: 0,
            why:
                "every class has only one example, so nothing can be compared; logistic regression with a firm penalty is the safe choice"
                    .to_owned(),
            oof_outputs: Matrix::zeros(n, k),
            validated: Vec::new(),
            losses: Matrix::zeros(0, 1),
            scores: Matrix::zeros(0, 1),
        }
    }
}

fn blended_because(record: &[Tried], blended: usize, judge: &Judge<'_>) -> String {
    format!(
        "{} of {} configurations cannot be told apart on {} held-out rows; together they have an out-of-fold loss of {:.4}",
        record[blended].recipe.members.len(),
        record.len() - 1,
        judge.validated.len(),
        mean(&record[blended].losses, judge.validated),
    )
}

/// Strata whose rows are all in one group, ascending.
pub(crate) fn classes_with_one_group(strata: &[u32], groups: &[u32]) -> Vec<u32> {
    let mut pairs: Vec<(u32, u32)> = strata.iter().copied().zip(groups.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.chunk_by(|a, b| a.0 == b.0).filter(|chunk| chunk.len() == 1).map(|chunk| chunk[0].0).collect()
}

/// The best of the simplest kind, replaced by a more complex kind only when that earns its place.
fn choose(record: &[Tried], judge: &Judge<'_>, repeats: usize) -> (usize, String) {
    let loss = |index: &usize| mean(&record[*index].losses, judge.validated);
    let kind = |index: &usize| {
        let recipe = &record[*index].recipe;
        (recipe.complexity(), recipe.members.iter().any(|member| member.input.words))
    };
    let mut order: Vec<usize> = (0..record.len()).filter(|index| record[*index].outputs.is_some()).collect();
    order.sort_by(|a, b| kind(a).cmp(&kind(b)).then(loss(a).total_cmp(&loss(b))).then(a.cmp(b)));
    let best_of_kinds: Vec<usize> = order.chunk_by(|a, b| kind(a) == kind(b)).map(|kinds| kinds[0]).collect();
    let mut chosen = best_of_kinds[0];
    for complex in &best_of_kinds[1..] {
        if judge.beats(&record[*complex].losses, &record[chosen].losses, repeats) {
            chosen = *complex;
        }
    }
    let why = format!(
        "{} has an out-of-fold loss of {:.4} over {} held-out rows; of {} configurations, nothing more complex was better by more than one standard error",
        record[chosen].recipe.name(),
        loss(&chosen),
        judge.validated.len(),
        record.len()
    );
    (chosen, why)
}
