//! What to ask next: which example, and whom.
//!
//! The score is that of ActiveLab (Goh and Mueller 2023, arXiv 2301.11856): the quality of a label, pulled to chance by one more
//! average annotator. The lowest is asked about first, whether or not it has votes already. cleanlab 2.9 fits its temperature to
//! votes counted for the wrong classes; apart from that the numbers are the same.

use linalg::logits::softmax;
use linalg::{Matrix, MatrixView};

use super::crowdlab::{Crowdlab, JudgedVotes, crowdlab};
use super::{Votes, annotators::Annotator};
use crate::CurateError;
use crate::labels::{argmax, check_probabilities};

/// Temperatures that are tried first.
const COARSE: [f64; 9] = [0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 3.0, 5.0, 8.0];
/// Steps between two of those.
const FINE: usize = 4;
/// The least probability that a logarithm is taken of.
const SMALLEST: f64 = 1e-30;

/// How much each example needs another vote: 0 most, 1 least.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveScores {
    /// `[examples]`: those in the votes.
    pub voted: Vec<f64>,
    /// One for each row of the probabilities of examples without any vote.
    pub unvoted: Vec<f64>,
}

/// Scores examples with votes and, where given, `unvoted` ones: `[m, k]` out-of-fold probabilities of examples nobody has seen.
///
/// Every example of the votes needs at least one vote; put the others into `unvoted`.
///
/// # Errors
/// As [`JudgedVotes::new`] and [`crowdlab`], for either table; and for an example without votes.
pub fn active_scores(
    judged: JudgedVotes<'_>,
    unvoted: MatrixView<'_, f64>,
) -> Result<ActiveScores, CurateError> {
    let k = judged.votes.n_classes();
    if unvoted.rows() > 0 && unvoted.cols() != k {
        return Err(CurateError::Shape {
            what: "columns of the probabilities",
            got: unvoted.cols(),
            expected: k,
        });
    }
    unvoted.iter_rows().enumerate().try_for_each(|(row, values)| check_probabilities(row, values))?;
    if (0..judged.votes.n_examples()).any(|example| judged.votes.of(example).is_empty()) {
        return Err(CurateError::Empty { what: "votes for one of the examples" });
    }
    let chance = 1.0 / k as f64;
    if (0..judged.votes.n_examples()).all(|example| judged.votes.of(example).len() == 1) {
        // With one vote each nobody can be weighed: all count the same.
        let quality = |example: usize| judged.probs.row(example)[judged.votes.of(example)[0].class as usize];
        let voted = (0..judged.votes.n_examples()).map(|example| (2.0 * quality(example) + chance) / 3.0);
        let unvoted = unvoted.iter_rows().map(|row| f64::midpoint(row[argmax(row)], chance));
        return Ok(ActiveScores { voted: voted.collect(), unvoted: unvoted.collect() });
    }
    let temperature = best_temperature(judged);
    let probs = at_temperature(judged.probs, temperature);
    let found = crowdlab(JudgedVotes::new(judged.votes, probs.view())?)?;
    let mean = found.annotator_weights.iter().sum::<f64>() / found.annotator_weights.len() as f64;
    let voted = (0..judged.votes.n_examples()).map(|example| {
        let heard = weight_of(judged.votes, &found, example) + found.model_weight;
        (heard * found.quality[example] + mean * chance) / (heard + mean)
    });
    let seen = at_temperature(unvoted, temperature);
    let unvoted = seen
        .iter_rows()
        .map(|row| (found.model_weight * row[argmax(row)] + mean * chance) / (found.model_weight + mean));
    Ok(ActiveScores { voted: voted.collect(), unvoted: unvoted.collect() })
}

fn weight_of(votes: &Votes, found: &Crowdlab, example: usize) -> f64 {
    votes.of(example).iter().map(|vote| found.annotator_weights[vote.annotator as usize]).sum()
}

/// The temperature at which the model's probabilities are nearest to the shares of the votes, by cross-entropy.
fn best_temperature(judged: JudgedVotes<'_>) -> f64 {
    let loss = |temperature: &f64| cross_entropy(judged, *temperature);
    let least = |from: &[f64]| {
        let losses: Vec<f64> = from.iter().map(loss).collect();
        (0..from.len()).fold(0, |best, place| if losses[place] < losses[best] { place } else { best })
    };
    let place = least(&COARSE);
    let between = |low: f64, high: f64, step: usize| low + (high - low) * step as f64 / FINE as f64;
    let mut fine = Vec::new();
    if place > 0 {
        fine.extend((0..FINE).map(|step| between(COARSE[place - 1], COARSE[place], step)));
    }
    if place + 1 < COARSE.len() {
        fine.extend((0..=FINE).map(|step| between(COARSE[place], COARSE[place + 1], step)));
    }
    fine[least(&fine)]
}

fn cross_entropy(judged: JudgedVotes<'_>, temperature: f64) -> f64 {
    let probs = at_temperature(judged.probs, temperature);
    let of = |example: usize| {
        let said = judged.votes.of(example);
        let logs = said.iter().map(|vote| probs.row(example)[vote.class as usize].max(SMALLEST).ln());
        -logs.sum::<f64>() / said.len() as f64
    };
    (0..judged.votes.n_examples()).map(of).sum::<f64>() / judged.votes.n_examples() as f64
}

fn at_temperature(probs: MatrixView<'_, f64>, temperature: f64) -> Matrix<f64> {
    let mut scaled = probs.to_owned();
    for row in 0..scaled.rows() {
        let z: Vec<f64> = probs.row(row).iter().map(|p| p.max(SMALLEST).ln() / temperature).collect();
        scaled.row_mut(row).copy_from_slice(&softmax(&z));
    }
    scaled
}

/// One question to ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// About which example.
    pub example: u32,
    /// Whom: the best annotator who has not answered it; `None` when all have.
    pub annotator: Option<u32>,
    /// As in [`ActiveScores`], or the confidence in its label.
    pub score: f64,
}

/// The `count` examples with the lowest scores, each with whom to ask. No annotator is asked more than their even share of the
/// questions while another, who is at least as good as the median, is free.
pub fn next_questions(
    votes: &Votes,
    scores: &[f64],
    annotators: &[Annotator],
    count: usize,
) -> Vec<Question> {
    let mut order: Vec<usize> = (0..scores.len().min(votes.n_examples())).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut ranked: Vec<usize> = (0..annotators.len()).filter(|who| annotators[*who].n_votes > 0).collect();
    ranked.sort_by(|a, b| annotators[*b].low.total_cmp(&annotators[*a].low));
    let good = ranked.len().div_ceil(2);
    let fair_share = count.div_ceil(good.max(1));
    let mut asked = vec![0_usize; annotators.len()];
    order
        .into_iter()
        .take(count)
        .map(|example| {
            let free = |who: &&usize| votes.of(example).iter().all(|vote| vote.annotator as usize != **who);
            let fresh = ranked.iter().take(good).filter(free).find(|who| asked[**who] < fair_share);
            let annotator = fresh.or_else(|| ranked.iter().find(free)).copied();
            annotator.into_iter().for_each(|who| asked[who] += 1);
            Question {
                example: example as u32,
                annotator: annotator.map(|who| who as u32),
                score: scores[example],
            }
        })
        .collect()
}
