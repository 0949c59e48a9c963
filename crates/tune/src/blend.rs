//! One model of several that cannot be told apart.
//!
//! On few examples the best out-of-fold loss is mostly luck: which of several candidates has it changes with the draw. So
//! all that are within reach of the best speak together, each as loudly as it is likely to be no worse: the share of a
//! model whose loss is `t` standard errors above the best is `exp(-t^2 / 2)`. The blend is log-linear, so it is a sum of
//! scores: all members are linear, and those that look at the same features melt into one.

use linalg::Matrix;

use crate::evidence::{Evidence, Judge, mean};
use crate::{Link, MemberRecipe, Recipe};

/// Fewest held-out rows for which models are blended: below, even the standard errors are luck.
const BLEND_FROM: usize = 20;
/// A member with a smaller share of the best one's is left out.
const LEAST_SHARE: f64 = 0.05;
/// Most members: more change nothing.
const MOST_MEMBERS: usize = 8;

/// A log-linear blend with its record.
pub(crate) struct Blend {
    pub(crate) recipe: Recipe,
    /// Out-of-fold logits, `[n, k]` per repeat.
    pub(crate) outputs: Vec<Matrix<f64>>,
    pub(crate) losses: Vec<f64>,
    pub(crate) scores: Vec<f64>,
}

/// Blends what was tried; `None` when nothing is close to the best, or there are too few rows to tell.
pub(crate) fn blend(tried: &[Evidence], judge: &Judge<'_>, repeats: usize) -> Option<Blend> {
    if judge.link != Link::Softmax || judge.validated.len() < BLEND_FROM {
        return None;
    }
    let mut kept: Vec<&Evidence> = tried.iter().filter(|evidence| !evidence.outputs.is_empty()).collect();
    kept.sort_by(|a, b| mean(&a.losses, judge.validated).total_cmp(&mean(&b.losses, judge.validated)));
    let best = *kept.first()?;
    let mut members: Vec<(&Evidence, f64)> = kept
        .into_iter()
        .map(|evidence| {
            let (worse, error) = judge.difference(&evidence.losses, &best.losses, repeats);
            (evidence, if worse <= 0.0 { 1.0 } else { (-0.5 * (worse / error).powi(2)).exp() })
        })
        .filter(|(_, share)| *share >= LEAST_SHARE)
        .take(MOST_MEMBERS)
        .collect();
    if members.len() < 2 {
        return None;
    }
    let total: f64 = members.iter().map(|(_, share)| share).sum();
    members.iter_mut().for_each(|(_, share)| *share /= total);
    let mut outputs: Vec<Matrix<f64>> = (0..best.outputs.len()).map(|repeat| mix(&members, repeat)).collect();
    // A mean of disagreeing models is less sure than any of them: one scale puts that right.
    let scale = judge.fit_scale(&outputs);
    outputs.iter_mut().flat_map(|outputs| outputs.data_mut()).for_each(|value| *value *= scale);
    let (losses, scores) = judge.record(&outputs);
    let recipe = Recipe {
        members: members
            .iter()
            .map(|(evidence, share)| MemberRecipe {
                scale: evidence.recipe.scale * share * scale,
                ..evidence.recipe.clone()
            })
            .collect(),
        link: judge.link,
    };
    Some(Blend { recipe, outputs, losses, scores })
}

/// The weighted mean of the members' logits.
fn mix(members: &[(&Evidence, f64)], repeat: usize) -> Matrix<f64> {
    let first = &members[0].0.outputs[repeat];
    let mut mixed = Matrix::zeros(first.rows(), first.cols());
    for (evidence, share) in members {
        let logits = evidence.outputs[repeat].data();
        mixed.data_mut().iter_mut().zip(logits).for_each(|(to, from)| *to += share * from);
    }
    mixed
}
