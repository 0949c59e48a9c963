//! MACE (Hovy et al. 2013): an annotator either copies the truth or spams, with a spam habit of their own. The best detector
//! of spammers. Variational EM in logarithms from several random starts; the start with the highest likelihood counts.

use linalg::logits::log_sum_exp;
use linalg::{Matrix, Seed, random};

use super::Votes;
use crate::CurateError;

/// Random starts.
const STARTS: usize = 10;
/// Rounds of each.
const ROUNDS: usize = 50;
/// Prior of spamming and of not spamming.
const SPAM_PRIOR: f64 = 0.5;
/// Prior of each class in a spam habit.
const HABIT_PRIOR: f64 = 10.0;
/// Keeps logarithms finite.
const SMALLEST: f64 = 1e-12;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Mace {
    /// `[examples, k]`: how probable each class is.
    pub posterior: Matrix<f64>,
    /// `[annotators]`: how often each copies the truth: 0 for a spammer, 1 for a good annotator.
    pub competence: Vec<f64>,
}

/// One annotator's parameters.
#[derive(Clone)]
struct Habits {
    /// `[annotators]`: how often each copies the truth.
    honest: Vec<f64>,
    /// `[annotators, k]`: what each says when spamming.
    spam: Matrix<f64>,
}

/// Learns labels and who spams together.
///
/// # Errors
/// When the beliefs would be too large.
pub fn mace(votes: &Votes, seed: Seed) -> Result<Mace, CurateError> {
    votes.check_size("beliefs", votes.n_examples(), false)?;
    votes.check_size("spam habits", votes.n_annotators(), false)?;
    let mut best: Option<(f64, Habits)> = None;
    for start in 0..STARTS {
        let mut habits = random_start(votes, seed.nth(start));
        let mut likelihood = f64::NEG_INFINITY;
        for _ in 0..ROUNDS {
            let (next, reached) = round(votes, &habits);
            (habits, likelihood) = (next, reached);
        }
        if best.as_ref().is_none_or(|(known, _)| likelihood > *known) {
            best = Some((likelihood, habits));
        }
    }
    let (_, habits) = best.expect("there is at least one start");
    let mut posterior = Matrix::zeros(votes.n_examples(), votes.n_classes());
    for example in 0..votes.n_examples() {
        let z = log_beliefs(votes, &habits, example);
        let all = log_sum_exp(&z);
        posterior.row_mut(example).iter_mut().zip(z).for_each(|(p, z)| *p = (z - all).exp());
    }
    Ok(Mace { posterior, competence: habits.honest })
}

fn random_start(votes: &Votes, seed: Seed) -> Habits {
    let mut rng = seed.derive("mace").rng();
    let honest = (0..votes.n_annotators()).map(|_| 0.5 + 0.4 * random::uniform(&mut rng)).collect();
    let mut spam = Matrix::zeros(votes.n_annotators(), votes.n_classes());
    for annotator in 0..spam.rows() {
        let row = spam.row_mut(annotator);
        row.iter_mut().for_each(|value| *value = 1.0 + random::uniform(&mut rng));
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|value| *value /= sum);
    }
    Habits { honest, spam }
}

/// `[k]`: for each class, the logarithm of the probability of the votes if it is the truth.
fn log_beliefs(votes: &Votes, habits: &Habits, example: usize) -> Vec<f64> {
    let mut z = vec![0.0; votes.n_classes()];
    let mut all = 0.0;
    for vote in votes.of(example) {
        let honest = habits.honest[vote.annotator as usize];
        let spam =
            ((1.0 - honest) * habits.spam.row(vote.annotator as usize)[vote.class as usize]).max(SMALLEST);
        all += spam.ln();
        z[vote.class as usize] += (honest + spam).ln() - spam.ln();
    }
    z.into_iter().map(|value| value + all).collect()
}

fn round(votes: &Votes, habits: &Habits) -> (Habits, f64) {
    let k = votes.n_classes();
    let mut copied = vec![0.0; votes.n_annotators()];
    let mut spammed = Matrix::zeros(votes.n_annotators(), k);
    let mut likelihood = 0.0;
    for example in (0..votes.n_examples()).filter(|example| !votes.of(*example).is_empty()) {
        let z = log_beliefs(votes, habits, example);
        let all = log_sum_exp(&z);
        likelihood += all - (k as f64).ln();
        for vote in votes.of(example) {
            let (annotator, said) = (vote.annotator as usize, vote.class as usize);
            let honest = habits.honest[annotator];
            let spam = ((1.0 - honest) * habits.spam.row(annotator)[said]).max(SMALLEST);
            let copy = (z[said] - all).exp() * honest / (honest + spam);
            copied[annotator] += copy;
            spammed.row_mut(annotator)[said] += 1.0 - copy;
        }
    }
    let honest = copied.iter().zip(spammed.iter_rows()).map(|(copied, spammed)| {
        let spam: f64 = spammed.iter().sum();
        (copied + SPAM_PRIOR) / (copied + spam + 2.0 * SPAM_PRIOR)
    });
    let honest = honest.collect();
    for annotator in 0..spammed.rows() {
        let row = spammed.row_mut(annotator);
        row.iter_mut().for_each(|value| *value += HABIT_PRIOR);
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|value| *value /= sum);
    }
    (Habits { honest, spam: spammed }, likelihood)
}
