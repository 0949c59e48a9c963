//! GLAD (Whitehill et al. 2009): annotators differ in skill and examples in ease. The chance to be right is
//! `sigmoid(skill_a * exp(ease_i))`; a wrong vote falls on any other class. EM with normal priors of mean 1 on both.

use linalg::Matrix;
use linalg::logits::sigmoid;

use super::em::{self, STILL};
use super::{Votes, vote_shares};
use crate::CurateError;

/// Rounds of EM.
const ROUNDS: usize = 30;
/// Newton steps on skills and eases in each round.
const STEPS: usize = 3;
/// The longest step, which keeps the exponential in bounds.
const LONGEST: f64 = 0.5;

/// What EM found.
#[derive(Debug, Clone, PartialEq)]
pub struct Glad {
    /// `[examples, k]`: how probable each class is.
    pub posterior: Matrix<f64>,
    /// `[annotators]`: above 0 better than chance, below 0 worse; 1 is what is expected before any vote.
    pub skill: Vec<f64>,
    /// `[examples]`: the logarithm of the ease; low is hard.
    pub ease: Vec<f64>,
}

/// Learns labels, skills and eases together.
///
/// # Errors
/// When the beliefs would be too large.
pub fn glad(votes: &Votes) -> Result<Glad, CurateError> {
    let mut found = Glad {
        posterior: vote_shares(votes)?,
        skill: vec![1.0; votes.n_annotators()],
        ease: vec![1.0; votes.n_examples()],
    };
    for _ in 0..ROUNDS {
        for _ in 0..STEPS {
            improve_skills(votes, &mut found);
            improve_eases(votes, &mut found);
        }
        if update(votes, &mut found) < STILL {
            break;
        }
    }
    Ok(found)
}

/// Slope and curvature of the expected log-likelihood of one vote in `skill * exp(ease)`.
fn slope(found: &Glad, vote: &super::Vote) -> (f64, f64) {
    let z = found.skill[vote.annotator as usize] * found.ease[vote.example as usize].exp();
    let right = sigmoid(z);
    (found.posterior.row(vote.example as usize)[vote.class as usize] - right, right * (1.0 - right))
}

fn improve_skills(votes: &Votes, found: &mut Glad) {
    let mut sums: Vec<(f64, f64)> = found.skill.iter().map(|skill| (1.0 - skill, 1.0)).collect();
    for vote in votes.all() {
        let (gradient, curvature) = slope(found, vote);
        let ease = found.ease[vote.example as usize].exp();
        let sum = &mut sums[vote.annotator as usize];
        *sum = (sum.0 + gradient * ease, sum.1 + curvature * ease * ease);
    }
    found.skill.iter_mut().zip(sums).for_each(|(skill, (gradient, curvature))| {
        *skill += (gradient / curvature).clamp(-LONGEST, LONGEST);
    });
}

fn improve_eases(votes: &Votes, found: &mut Glad) {
    let steps: Vec<f64> = (0..votes.n_examples())
        .map(|example| {
            let ease = found.ease[example];
            let (mut gradient, mut curvature) = (1.0 - ease, 1.0);
            for vote in votes.of(example) {
                let (slope, bend) = slope(found, vote);
                let z = found.skill[vote.annotator as usize] * ease.exp();
                gradient += slope * z;
                curvature += bend * z * z;
            }
            (gradient / curvature).clamp(-LONGEST, LONGEST)
        })
        .collect();
    found.ease.iter_mut().zip(steps).for_each(|(ease, step)| *ease += step);
}

fn update(votes: &Votes, found: &mut Glad) -> f64 {
    let others = ((votes.n_classes().max(2) - 1) as f64).ln();
    let Glad { posterior, skill, ease } = found;
    em::update(votes, posterior, |example, z| {
        for vote in votes.of(example) {
            // ln(right) - ln(wrong / others), and ln(right / wrong) is the strength itself.
            z[vote.class as usize] += skill[vote.annotator as usize] * ease[example].exp() + others;
        }
    })
}
