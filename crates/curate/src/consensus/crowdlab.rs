//! CROWDLAB (Goh et al. 2022, arXiv 2210.06812): votes and a model's out-of-fold probabilities, each weighted by how often it
//! is right where several annotators answered. As in cleanlab 2.9, except that a tie that the model does not break goes to the
//! smaller class instead of a random one.

use linalg::{Matrix, MatrixView};

use super::{Vote, Votes};
use crate::CurateError;
use crate::labels::{argmax, check_probabilities};

/// The least weight, and the least error.
const LEAST: f64 = 1e-6;

/// Votes with a model's probabilities, checked once.
#[derive(Debug, Clone, Copy)]
pub struct JudgedVotes<'a> {
    pub(super) votes: &'a Votes,
    pub(super) probs: MatrixView<'a, f64>,
}

impl<'a> JudgedVotes<'a> {
    /// `probs` is `[examples, k]`, out of fold, each row summing to 1.
    ///
    /// # Errors
    /// When shapes do not fit or a row is not of probabilities.
    pub fn new(votes: &'a Votes, probs: MatrixView<'a, f64>) -> Result<Self, CurateError> {
        for (what, got, expected) in [
            ("rows of the probabilities", probs.rows(), votes.n_examples()),
            ("columns of the probabilities", probs.cols(), votes.n_classes()),
        ] {
            if got != expected {
                return Err(CurateError::Shape { what, got, expected });
            }
        }
        for (row, values) in probs.iter_rows().enumerate() {
            check_probabilities(row, values)?;
            let sum: f64 = values.iter().sum();
            if (sum - 1.0).abs() > crate::labels::SUM_TOLERANCE {
                return Err(CurateError::NotNormalised { row, sum });
            }
        }
        Ok(Self { votes, probs })
    }
}

/// What votes and model say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Crowdlab {
    /// `[examples]`: the class with the highest belief; of examples without votes, what the model says.
    pub labels: Vec<u32>,
    /// `[examples]`: how good each label is, 0 to 1.
    pub quality: Vec<f64>,
    /// `[examples, k]`.
    pub posterior: Matrix<f64>,
    /// `[examples]`: the share of the votes that say the same; 0 without votes.
    pub agreement: Vec<f64>,
    /// `[annotators]`: how good each is, 0 to 1; `None` without votes, or where nobody else answered the same.
    pub annotator_quality: Vec<Option<f64>>,
    /// What the model's probabilities weigh.
    pub model_weight: f64,
    /// `[annotators]`: what each one's votes weigh.
    pub annotator_weights: Vec<f64>,
    /// How much more probable it makes a class when a vote of weight 1 names it.
    named: f64,
}

impl Crowdlab {
    /// `[k]`: what the beliefs about a vote's example are without the vote, up to a constant for all classes.
    pub(super) fn without(&self, judged: JudgedVotes<'_>, vote: &Vote) -> Vec<f64> {
        let mut beliefs: Vec<f64> =
            judged.probs.row(vote.example as usize).iter().map(|p| p * self.model_weight).collect();
        let said = judged.votes.of(vote.example as usize);
        for other in said.iter().filter(|other| other.annotator != vote.annotator) {
            beliefs[other.class as usize] += self.annotator_weights[other.annotator as usize] * self.named;
        }
        beliefs
    }
}

/// Weighs votes and model, takes the best class, and weighs once more by that.
///
/// # Errors
/// When no example has two votes: there is nothing to weigh by.
pub fn crowdlab(judged: JudgedVotes<'_>) -> Result<Crowdlab, CurateError> {
    if (0..judged.votes.n_examples()).all(|example| judged.votes.of(example).len() < 2) {
        return Err(CurateError::Empty { what: "examples with two votes" });
    }
    let majority = (0..judged.votes.n_examples()).map(|example| voted(judged, example)).collect::<Vec<u32>>();
    let first = Weighing::by(judged, &majority);
    let beliefs = first.posterior(judged);
    let labels: Vec<u32> =
        beliefs.iter_rows().zip(&majority).map(|(row, majority)| best(row, *majority)).collect();
    let weighing = Weighing::by(judged, &labels);
    let posterior = weighing.posterior(judged);
    let quality = labels.iter().enumerate().map(|(example, label)| posterior.row(example)[*label as usize]);
    Ok(Crowdlab {
        quality: quality.collect(),
        agreement: (0..labels.len())
            .map(|example| agreement(judged.votes, example, labels[example]))
            .collect(),
        annotator_quality: annotator_quality(judged, &weighing, &posterior, &labels),
        model_weight: weighing.model,
        named: weighing.same - weighing.other,
        annotator_weights: weighing.annotators,
        labels,
        posterior,
    })
}

/// The class most voted for; of equals the one the model finds more probable; without votes the model's.
fn voted(judged: JudgedVotes<'_>, example: usize) -> u32 {
    let mut counts = vec![0_usize; judged.votes.n_classes()];
    judged.votes.of(example).iter().for_each(|vote| counts[vote.class as usize] += 1);
    let most = counts.iter().max().copied().unwrap_or(0);
    let probs = judged.probs.row(example);
    let tied: Vec<f64> =
        counts.iter().zip(probs).map(|(count, p)| if *count == most { *p } else { -1.0 }).collect();
    argmax(&tied) as u32
}

/// The most probable class, or the majority's where several are.
fn best(row: &[f64], majority: u32) -> u32 {
    let place = argmax(row);
    let several = row.iter().filter(|p| **p == row[place]).count() > 1;
    if several { majority } else { place as u32 }
}

fn agreement(votes: &Votes, example: usize, label: u32) -> f64 {
    let said = votes.of(example);
    let same = said.iter().filter(|vote| vote.class == label).count();
    if said.is_empty() { 0.0 } else { same as f64 / said.len() as f64 }
}

/// What everybody's word weighs.
struct Weighing {
    model: f64,
    annotators: Vec<f64>,
    /// Probability that a vote says the label.
    same: f64,
    /// Probability that it says one particular other class.
    other: f64,
}

impl Weighing {
    fn by(judged: JudgedVotes<'_>, labels: &[u32]) -> Self {
        let votes = judged.votes;
        let answered = votes_per_labelled(votes);
        let several: Vec<usize> =
            (0..votes.n_examples()).filter(|example| votes.of(*example).len() > 1).collect();
        let mean = |of: &dyn Fn(usize) -> f64| {
            several.iter().map(|example| of(*example)).sum::<f64>() / several.len() as f64
        };
        let same = mean(&|example| agreement(votes, example, labels[example]));
        let mut counts = vec![0_usize; votes.n_classes()];
        several.iter().for_each(|example| counts[labels[*example] as usize] += 1);
        let commonest = counts.iter().max().copied().unwrap_or(0) as f64;
        let by_commonest = (1.0 - commonest / several.len() as f64).max(LEAST);
        let model_error =
            mean(&|example| f64::from(argmax(judged.probs.row(example)) as u32 != labels[example]));
        let weight = |error: f64| (1.0 - error / by_commonest).max(LEAST);
        Self {
            model: weight(model_error) * answered.sqrt(),
            annotators: agreement_with_others(votes)
                .into_iter()
                .map(|agreement| weight(1.0 - agreement))
                .collect(),
            same,
            other: (1.0 - same) / (votes.n_classes().max(2) - 1) as f64,
        }
    }

    fn posterior(&self, judged: JudgedVotes<'_>) -> Matrix<f64> {
        let mut posterior = judged.probs.to_owned();
        for example in 0..posterior.rows() {
            let row = posterior.row_mut(example);
            let said = judged.votes.of(example);
            let heard: f64 = said.iter().map(|vote| self.annotators[vote.annotator as usize]).sum();
            row.iter_mut().for_each(|p| *p = *p * self.model + heard * self.other);
            for vote in said {
                row[vote.class as usize] +=
                    self.annotators[vote.annotator as usize] * (self.same - self.other);
            }
            row.iter_mut().for_each(|p| *p /= heard + self.model);
        }
        posterior
    }
}

/// Votes for each example that has any.
fn votes_per_labelled(votes: &Votes) -> f64 {
    let labelled = (0..votes.n_examples()).filter(|example| !votes.of(*example).is_empty()).count();
    votes.all().len() as f64 / labelled.max(1) as f64
}

/// `[annotators]`: how often the others say the same, an example counting by how many others there are; of one who is always
/// alone, the mean of the others.
fn agreement_with_others(votes: &Votes) -> Vec<f64> {
    let (mut same, mut all) = (vec![0.0; votes.n_annotators()], vec![0.0; votes.n_annotators()]);
    for example in 0..votes.n_examples() {
        let said = votes.of(example);
        for vote in said {
            let agreeing = said.iter().filter(|other| other.class == vote.class).count() - 1;
            same[vote.annotator as usize] += agreeing as f64;
            all[vote.annotator as usize] += (said.len() - 1) as f64;
        }
    }
    let known: Vec<f64> =
        same.iter().zip(&all).filter(|(_, all)| **all > 0.0).map(|(same, all)| same / all).collect();
    let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
    same.iter().zip(&all).map(|(same, all)| if *all > 0.0 { same / all } else { mean }).collect()
}

fn annotator_quality(
    judged: JudgedVotes<'_>,
    weighing: &Weighing,
    posterior: &Matrix<f64>,
    labels: &[u32],
) -> Vec<Option<f64>> {
    let votes = judged.votes;
    let m = votes.n_annotators();
    let (mut belief, mut given, mut right, mut shared) =
        (vec![0.0; m], vec![0.0; m], vec![0.0; m], vec![0.0; m]);
    for vote in votes.all() {
        let (example, annotator) = (vote.example as usize, vote.annotator as usize);
        belief[annotator] += posterior.row(example)[vote.class as usize];
        given[annotator] += 1.0;
        if votes.of(example).len() > 1 {
            right[annotator] += f64::from(vote.class == labels[example]);
            shared[annotator] += 1.0;
        }
    }
    // Annotators without any vote have no part in the average.
    let active = given.iter().filter(|given| **given > 0.0).count().max(1) as f64;
    let heard: f64 =
        weighing.annotators.iter().zip(&given).filter(|(_, given)| **given > 0.0).map(|(w, _)| w).sum();
    let share = weighing.model / (weighing.model + heard * votes_per_labelled(votes) / active);
    let quality = |annotator: usize| {
        let known = shared[annotator] > 0.0;
        known.then(|| {
            share * belief[annotator] / given[annotator]
                + (1.0 - share) * right[annotator] / shared[annotator]
        })
    };
    (0..m).map(quality).collect()
}
