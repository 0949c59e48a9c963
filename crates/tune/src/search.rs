//! The search inside one kind of input: fit every family on every fold, along its grid.

use linalg::decompose::row_space;
use linalg::{Matrix, matmul, matmul_nt};
use rayon::prelude::*;

use crate::evidence::{Evidence, Judge, mean};
use crate::gda::{Gda, Linear};
use crate::logistic::{self, Design, Loss, Weights};
use crate::ridge::Ridge;
use crate::tuning::{Context, Split};
use crate::{Family, Input, Link, Member, MemberRecipe, Vocabulary, Words, means};

/// A penalty path ends after this many points in a row were worse than the best.
const PATIENCE: usize = 2;

/// One kind of input for all rows, centred, scaled to mean squared length 1 and turned to its principal axes.
///
/// All of this looks at features only, never at labels, so it is done once and not per fold. Turning changes no penalised
/// linear model, and with fewer rows than dimensions it makes every later step cost n instead of d (methods 0.2, 0.3).
pub(crate) struct Prepared {
    pub(crate) input: Input,
    /// `[n, r]`.
    z: Matrix<f64>,
    /// The same with counted words beside it, for logistic regression.
    design: Design,
    vocabulary: Option<Vocabulary>,
    /// `[r, d]`, the mean `[d]`, and what lengths were divided by.
    basis: Matrix<f64>,
    mean: Vec<f64>,
    scale: f64,
}

impl Prepared {
    pub(crate) fn new(input: Input, context: &Context<'_>) -> Self {
        let mut x = context.dense(&input);
        let (n, d) = (x.rows(), x.cols());
        let mut mean = vec![0.0; d];
        for row in x.iter_rows() {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / n as f64);
        }
        for row in 0..n {
            x.row_mut(row).iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        }
        let square = x.data().iter().map(|value| value * value).sum::<f64>() / n as f64;
        let scale = if square > 0.0 { square.sqrt() } else { 1.0 };
        x.data_mut().iter_mut().for_each(|value| *value /= scale);
        let space = row_space(x.view());
        let vocabulary = input.words.then(|| Vocabulary::learn(&context.texts(), context.config.max_words));
        let sparse = vocabulary.as_ref().map(|vocabulary| vocabulary.matrix(&context.texts()));
        let design = Design::new(space.coordinates.map(|value| value as f32), sparse);
        Self { input, z: space.coordinates, design, vocabulary, basis: space.basis, mean, scale }
    }

    /// Number of dimensions before turning: what shrinkage is measured by.
    fn dims(&self) -> f64 {
        self.mean.len().max(1) as f64
    }

    /// GDA's ridge for a shrinkage: `strength * d / (n - 1)` times the mean eigenvalue, never quite zero.
    fn ridge(&self, gda: &Gda, strength: f64, n: usize) -> f64 {
        let mean_eigenvalue = gda.trace() / self.dims();
        (strength * self.dims() / (n.max(2) - 1) as f64 * mean_eigenvalue).max(1e-9)
    }

    /// The best shrinkage by exact leave-one-out, with its loss; `None` when no class has two rows.
    pub(crate) fn quick_gda(&self, context: &Context<'_>, judge: &Judge<'_>) -> Option<(f64, f64)> {
        let k = context.targets.cols();
        let gda = Gda::new(self.z.view(), judge.labels, k);
        let n = self.z.rows();
        let losses = context.config.shrinkages.iter().map(|strength| {
            let scores = gda.leave_one_out(self.ridge(&gda, *strength, n));
            let rows: Vec<usize> = (0..n).filter(|row| scores[*row].is_some()).collect();
            if rows.is_empty() {
                return (*strength, f64::INFINITY);
            }
            let outputs = Matrix::from_rows(
                &scores.into_iter().map(|row| row.unwrap_or_else(|| vec![0.0; k])).collect::<Vec<_>>(),
            );
            let judge = Judge { validated: &rows, ..*judge };
            let recipe = self.recipe(Family::Gda, *strength);
            (*strength, mean(&judge.judge(recipe, vec![outputs]).losses, &rows))
        });
        losses.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, loss)| loss.is_finite())
    }

    /// The best penalty of ridge regression by exact leave-one-out, with its mean squared error.
    pub(crate) fn quick_ridge(&self, context: &Context<'_>) -> (f64, f64) {
        let y: Vec<f64> = context.targets.data().iter().map(|value| f64::from(*value)).collect();
        let ridge = Ridge::new(self.z.view(), &y);
        let errors = context.config.penalties.iter().map(|penalty| {
            let square: f64 =
                ridge.leave_one_out(*penalty).iter().zip(&y).map(|(a, b)| (a - b).powi(2)).sum();
            (*penalty, square / y.len() as f64)
        });
        errors.min_by(|a, b| a.1.total_cmp(&b.1)).expect("the grid was checked to be not empty")
    }

    pub(crate) fn recipe(&self, family: Family, strength: f64) -> MemberRecipe {
        MemberRecipe { input: self.input.clone(), family, strength, scale: 1.0 }
    }

    /// Out-of-fold evidence for one recipe of a family that has a closed form.
    pub(crate) fn closed_form(
        &self,
        recipe: MemberRecipe,
        context: &Context<'_>,
        judge: &Judge<'_>,
    ) -> Evidence {
        let outputs = context.on_folds(|train, held_out| {
            let model = self.fit_linear(&recipe, train, context);
            let scores = matmul_nt(self.z.select_rows(held_out).view(), model.weight.view());
            with_bias(scores, &model.bias)
        });
        judge.judge(recipe, outputs)
    }

    /// Out-of-fold evidence for logistic regression along the penalty path.
    ///
    /// With many rows one fold tells the best penalty as well as all of them, so the others are spared the rest of the path.
    pub(crate) fn logistic_path(&self, context: &Context<'_>, judge: &Judge<'_>) -> Vec<Evidence> {
        let (splits, penalties) = (context.splits(), &context.config.penalties);
        if !context.has_many_rows() {
            return self.path(&splits, penalties, context, judge);
        }
        let first = Judge { validated: &splits[0].held_out, ..*judge };
        let probed = self.path(&splits[..1], penalties, context, &first);
        let best = probed.iter().find(|evidence| !evidence.outputs.is_empty());
        best.map_or_else(Vec::new, |best| self.path(&splits, &[best.recipe.strength], context, judge))
    }

    /// Fits with each penalty on each split, until the loss has clearly passed its best.
    fn path(
        &self,
        splits: &[Split],
        penalties: &[f64],
        context: &Context<'_>,
        judge: &Judge<'_>,
    ) -> Vec<Evidence> {
        let designs: Vec<(Design, Design)> = splits
            .par_iter()
            .map(|split| (self.design.select_rows(&split.train), self.design.select_rows(&split.held_out)))
            .collect();
        let targets: Vec<Matrix<f32>> =
            splits.iter().map(|split| context.targets.select_rows(&split.train)).collect();
        let mut models: Vec<Option<Weights>> = vec![None; splits.len()];
        let mut path: Vec<Evidence> = Vec::new();
        let mut best = (0, f64::INFINITY);
        for penalty in penalties.iter().take_while(|_| !context.is_cancelled()) {
            models = (0..splits.len())
                .into_par_iter()
                .map(|split| {
                    let (train, start) = (&designs[split].0, models[split].as_ref());
                    Some(logistic::fit(train, &targets[split], context.loss(), *penalty, start))
                })
                .collect();
            let outputs = context.gather(splits, |split| {
                let model = models[split].as_ref().expect("every split was just fitted");
                designs[split].1.scores(model).map(f64::from)
            });
            let evidence = judge.judge(self.recipe(Family::Logistic, *penalty), outputs);
            let loss = mean(&evidence.losses, judge.validated);
            if loss < best.1 {
                best = (path.len(), loss);
            }
            path.push(evidence);
            if path.len() > best.0 + PATIENCE {
                break;
            }
        }
        // Only the best one's outputs are needed later; the others' would fill the memory.
        for (_, evidence) in path.iter_mut().enumerate().filter(|(index, _)| *index != best.0) {
            evidence.outputs = Vec::new();
        }
        path
    }

    /// Fits a family with a closed form on some rows, in the turned coordinates.
    fn fit_linear(&self, recipe: &MemberRecipe, rows: &[usize], context: &Context<'_>) -> Linear {
        let z = self.z.select_rows(rows);
        if recipe.family == Family::Ridge {
            let y: Vec<f64> = rows.iter().map(|row| f64::from(context.targets.row(*row)[0])).collect();
            let (weight, bias) = Ridge::new(z.view(), &y).linear(recipe.strength);
            return Linear { weight: Matrix::from_vec(1, weight.len(), weight), bias: vec![bias] };
        }
        let (labels, present) = present_classes(context.labels(), rows);
        let model = match recipe.family {
            Family::Gda => {
                let gda = Gda::new(z.view(), &labels, present.len());
                gda.linear(self.ridge(&gda, recipe.strength, rows.len()))
            }
            _ => means::linear(z.view(), &labels, present.len()),
        };
        spread(model, &present, context.targets.cols())
    }

    /// Fits the recipe on all rows and turns it back to the features as the base gives them.
    pub(crate) fn member(&self, recipe: &MemberRecipe, context: &Context<'_>) -> Member {
        let rows: Vec<usize> = (0..self.z.rows()).collect();
        let (weight, bias, words) = if recipe.family == Family::Logistic {
            let model = logistic::fit(&self.design, context.targets, context.loss(), recipe.strength, None);
            let r = self.z.cols();
            let dense: Vec<usize> = (0..r).collect();
            let words: Vec<usize> = (r..model.weight.rows()).collect();
            let weight = model.weight.select_rows(&dense).map(f64::from).transpose();
            (
                weight,
                model.bias.iter().map(|value| f64::from(*value)).collect(),
                Some(model.weight.select_rows(&words)),
            )
        } else {
            let model = self.fit_linear(recipe, &rows, context);
            (model.weight, model.bias, None)
        };
        let weight = matmul(weight.view(), self.basis.view()).map(|value| value * recipe.scale / self.scale);
        let shift = |class: usize| {
            weight.row(class).iter().zip(&self.mean).map(|(weight, mean)| weight * mean).sum::<f64>()
        };
        let bias = bias
            .iter()
            .enumerate()
            .map(|(class, bias): (usize, &f64)| (recipe.scale * bias - shift(class)) as f32)
            .collect();
        let words = self.vocabulary.clone().zip(words).map(|(vocabulary, weight)| Words {
            vocabulary,
            weight: weight.map(|value| value * recipe.scale as f32),
        });
        Member { input: self.input.clone(), weight: weight.map(|value| value as f32), bias, words }
    }
}

impl Context<'_> {
    pub(crate) fn loss(&self) -> Loss {
        if self.link == Link::Softmax { Loss::Softmax } else { Loss::Sigmoid }
    }
}

fn with_bias(mut scores: Matrix<f64>, bias: &[f64]) -> Matrix<f64> {
    for row in 0..scores.rows() {
        scores.row_mut(row).iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
    }
    scores
}

/// The labels of some rows, renumbered to the classes that occur among them, and which those are.
fn present_classes(labels: &[u32], rows: &[usize]) -> (Vec<u32>, Vec<u32>) {
    let mut present: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
    present.sort_unstable();
    present.dedup();
    let place = |label: u32| present.binary_search(&label).expect("the list was made of these labels") as u32;
    (rows.iter().map(|row| place(labels[*row])).collect(), present)
}

/// Back to all classes. One that was absent in the fold gets no weights and a bias below the others.
fn spread(model: Linear, present: &[u32], k: usize) -> Linear {
    if present.len() == k {
        return model;
    }
    let r = model.weight.cols();
    let mut weight = Matrix::zeros(k, r);
    let lowest = model.bias.iter().copied().fold(0.0_f64, f64::min);
    let mut bias = vec![lowest - 20.0; k];
    for (place, class) in present.iter().enumerate() {
        weight.row_mut(*class as usize).copy_from_slice(model.weight.row(place));
        bias[*class as usize] = model.bias[place];
    }
    Linear { weight, bias }
}
