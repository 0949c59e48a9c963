//! One answer from all votes, and from a model where there is one.
//!
//! The crowd's answer is the mean of three beliefs: Dawid and Skene's with hardly any smoothing, the same with one vote of
//! smoothing, and the plain shares of the votes. The first is best with many votes from each annotator, the second with few, the
//! third when habits cannot be learned; their mean is near the best of them on every set we have (`quality consensus`).
//!
//! Whether a model helps is measured: every vote is held out in turn, and each part says what it would have been. The crowd's
//! answer gives way only to a part that is better by more than two standard errors: a switch that was luck costs answers.

use linalg::{Matrix, MatrixView, Seed};
use rayon::prelude::*;

use super::crowdlab::{JudgedVotes, crowdlab};
use super::{DawidSkene, OneCoin, Vote, Votes, dawid_skene, glad, mace, one_coin, vote_shares};
use crate::CurateError;
use crate::labels::argmax;

/// Votes that the common habit counts as, in the two members.
const SMOOTHINGS: [f64; 2] = [0.1, 1.0];

/// Standard errors by which a part must be better than the crowd.
const CLEARLY: f64 = 2.0;

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Votes and what they tell about the annotators.
    Crowd,
    /// The shares of the votes.
    Majority,
    /// The model alone.
    Model,
    /// Votes and model, each by its weight.
    Crowdlab,
    /// Dawid and Skene's confusions alone; by name only, as the next three.
    DawidSkene,
    /// One accuracy for each annotator.
    OneCoin,
    /// Skills of annotators and ease of examples.
    Glad,
    /// Annotators who copy the truth or spam.
    Mace,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Crowd,
        Self::Majority,
        Self::Model,
        Self::Crowdlab,
        Self::DawidSkene,
        Self::OneCoin,
        Self::Glad,
        Self::Mace,
    ];

    /// As it is called on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crowd => "crowd",
            Self::Majority => "majority",
            Self::Model => "model",
            Self::Crowdlab => "crowdlab",
            Self::DawidSkene => "dawid-skene",
            Self::OneCoin => "one-coin",
            Self::Glad => "glad",
            Self::Mace => "mace",
        }
    }
}

/// What a model says of the examples.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// `[examples, k]`: out-of-fold probabilities; those of examples about which it says nothing should be the shares of the classes.
    pub probs: MatrixView<'a, f64>,
    /// `[examples]`: whether it says anything. Where it does not, the crowd's answer stands.
    pub says: &'a [bool],
}

/// How well a part foresees votes that it did not see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Which.
    pub part: Part,
    /// Share of the held-out votes that it names, over examples with two votes or more; ties count by their share.
    pub foreseen: f64,
    /// By how much that is better than the crowd's answer.
    pub better_by: f64,
    /// One standard error of that difference, over examples.
    pub standard_error: f64,
}

/// What everybody together says.
#[derive(Debug, Clone, PartialEq)]
pub struct Consensus {
    /// `[examples]`: the most probable class; `None` where there is no vote and no model.
    pub labels: Vec<Option<u32>>,
    /// `[examples]`: how probable it is, by `posterior`.
    pub confidence: Vec<f64>,
    /// `[examples, k]`.
    pub posterior: Matrix<f64>,
    /// Where the answers come from.
    pub chosen: Part,
    /// Why: the crowd's answer first; empty where it was asked for by name.
    pub evidence: Vec<Evidence>,
    /// Whether there were too many classes for confusions, so that each annotator only has an accuracy.
    pub accuracies_only: bool,
}

/// The consensus of the votes, helped by `model` where it helps.
///
/// # Errors
/// When shapes do not fit, or the beliefs would be too large.
pub fn consensus(votes: &Votes, model: Option<Model<'_>>) -> Result<Consensus, CurateError> {
    let (members, accuracies_only) = members(votes)?;
    let shares = vote_shares(votes)?;
    let mut parts = vec![
        (Part::Crowd, crowd(votes, &members, &shares), foreseen_by_crowd(votes, &members)),
        (Part::Majority, shares, foreseen(votes, |vote| others(votes, vote))),
    ];
    if let Some(Model { probs, says }) = model {
        check_says(votes, says)?;
        let judged = JudgedVotes::new(votes, probs)?;
        let alone = foreseen(votes, |vote| probs.row(vote.example as usize).to_vec());
        parts.push((Part::Model, probs.to_owned(), alone));
        if let Ok(found) = crowdlab(judged) {
            let without = |vote: &Vote| found.without(judged, vote);
            parts.push((Part::Crowdlab, found.posterior.clone(), foreseen(votes, without)));
        }
        let (crowd, helped) = parts.split_at_mut(2);
        for (_, posterior, hits) in helped {
            keep_crowd(votes, says, (posterior, hits), (&crowd[0].1, &crowd[0].2));
        }
    }
    let evidence: Vec<Evidence> =
        parts.iter().map(|(part, _, hits)| compared(*part, hits, &parts[0].2)).collect();
    let (chosen, posterior, _) = parts.swap_remove(chosen(&evidence));
    Ok(Consensus { evidence, accuracies_only, ..Consensus::of(votes, model, chosen, posterior) })
}

/// One label an example by a method asked for by name, whatever the evidence.
///
/// # Errors
/// As [`consensus`](fn@consensus), and when the method needs a model and there is none.
pub fn consensus_by(
    part: Part,
    votes: &Votes,
    model: Option<Model<'_>>,
    seed: Seed,
) -> Result<Consensus, CurateError> {
    let needed = || model.ok_or(CurateError::Empty { what: "what a model says of the examples" });
    let mut posterior = match part {
        Part::Crowd => crowd(votes, &members(votes)?.0, &vote_shares(votes)?),
        Part::Majority => vote_shares(votes)?,
        Part::DawidSkene => dawid_skene(votes, SMOOTHINGS[1])?.posterior,
        Part::OneCoin => one_coin(votes)?.posterior,
        Part::Glad => glad(votes)?.posterior,
        Part::Mace => mace(votes, seed)?.posterior,
        Part::Model => needed()?.probs.to_owned(),
        Part::Crowdlab => crowdlab(JudgedVotes::new(votes, needed()?.probs)?)?.posterior,
    };
    if let (Some(Model { says, .. }), Part::Model | Part::Crowdlab) = (model, part) {
        check_says(votes, says)?;
        let crowd = crowd(votes, &members(votes)?.0, &vote_shares(votes)?);
        keep_crowd(votes, says, (&mut posterior, &mut []), (&crowd, &[]));
    }
    Ok(Consensus::of(votes, model, part, posterior))
}

impl Consensus {
    /// What a part says, without evidence for it.
    fn of(votes: &Votes, model: Option<Model<'_>>, chosen: Part, posterior: Matrix<f64>) -> Self {
        let asks_model = matches!(chosen, Part::Model | Part::Crowdlab);
        let said = |example: usize| asks_model && model.is_some_and(|model| model.says[example]);
        let known = |example: usize| said(example) || !votes.of(example).is_empty();
        let label = |example: usize| known(example).then(|| argmax(posterior.row(example)) as u32);
        Self {
            labels: (0..votes.n_examples()).map(label).collect(),
            confidence: posterior.iter_rows().map(|row| row[argmax(row)]).collect(),
            posterior,
            chosen,
            evidence: Vec::new(),
            accuracies_only: false,
        }
    }
}

fn check_says(votes: &Votes, says: &[bool]) -> Result<(), CurateError> {
    let (got, expected) = (says.len(), votes.n_examples());
    if got == expected {
        return Ok(());
    }
    Err(CurateError::Shape { what: "examples the model says something about", got, expected })
}

/// Where the model says nothing, beliefs and hits (of examples with several votes) are those of the crowd.
fn keep_crowd(
    votes: &Votes,
    says: &[bool],
    (posterior, hits): (&mut Matrix<f64>, &mut [f64]),
    (crowd, crowd_hits): (&Matrix<f64>, &[f64]),
) {
    for example in (0..votes.n_examples()).filter(|example| !says[*example]) {
        posterior.row_mut(example).copy_from_slice(crowd.row(example));
    }
    for (place, example) in several(votes).enumerate().take(hits.len()) {
        if !says[example] {
            hits[place] = crowd_hits[place];
        }
    }
}

/// The examples with two votes or more.
fn several(votes: &Votes) -> impl Iterator<Item = usize> {
    (0..votes.n_examples()).filter(|example| votes.of(*example).len() > 1)
}

/// The part to use: the best one that is clearly better than the crowd, or else the crowd.
fn chosen(evidence: &[Evidence]) -> usize {
    let clearly = (1..evidence.len())
        .filter(|place| evidence[*place].better_by > CLEARLY * evidence[*place].standard_error);
    clearly
        .fold(0, |best, place| if evidence[place].foreseen > evidence[best].foreseen { place } else { best })
}

/// One way to explain the votes.
enum Member {
    Confusions(DawidSkene),
    Accuracies(OneCoin),
}

impl Member {
    fn posterior(&self) -> &Matrix<f64> {
        match self {
            Self::Confusions(found) => &found.posterior,
            Self::Accuracies(found) => &found.posterior,
        }
    }

    /// `[k]`: what the beliefs about the vote's example are without the vote.
    fn without(&self, vote: &Vote) -> Vec<f64> {
        let beliefs = self.posterior().row(vote.example as usize);
        let k = beliefs.len();
        let (annotator, said) = (vote.annotator as usize, vote.class as usize);
        let chance = |truth: usize| match self {
            Self::Confusions(found) => found.confusion.row(annotator * k + truth)[said],
            Self::Accuracies(found) if truth == said => found.accuracy[annotator],
            Self::Accuracies(found) => (1.0 - found.accuracy[annotator]) / (k.max(2) - 1) as f64,
        };
        let mut left: Vec<f64> = (0..k).map(|truth| beliefs[truth] / chance(truth)).collect();
        let sum: f64 = left.iter().sum();
        left.iter_mut().for_each(|p| *p /= sum);
        left
    }
}

fn members(votes: &Votes) -> Result<(Vec<Member>, bool), CurateError> {
    let learned: Result<Vec<Member>, CurateError> =
        SMOOTHINGS.iter().map(|smoothing| dawid_skene(votes, *smoothing).map(Member::Confusions)).collect();
    match learned {
        Err(CurateError::TooLarge { .. }) => Ok((vec![Member::Accuracies(one_coin(votes)?)], true)),
        learned => Ok((learned?, false)),
    }
}

fn crowd(votes: &Votes, members: &[Member], shares: &Matrix<f64>) -> Matrix<f64> {
    let mut mean = shares.clone();
    for example in 0..votes.n_examples() {
        let row = mean.row_mut(example);
        let voted = !votes.of(example).is_empty();
        // Where nobody voted, only the members know how common the classes are.
        row.iter_mut().for_each(|p| *p = if voted { *p } else { 0.0 });
        for member in members {
            row.iter_mut().zip(member.posterior().row(example)).for_each(|(sum, p)| *sum += p);
        }
        let heard = (members.len() + usize::from(voted)) as f64;
        row.iter_mut().for_each(|p| *p /= heard);
    }
    mean
}

/// `[k]`: the shares of the other votes on a vote's example.
fn others(votes: &Votes, vote: &Vote) -> Vec<f64> {
    let said = votes.of(vote.example as usize);
    let mut shares = vec![0.0; votes.n_classes()];
    said.iter().filter(|other| other.annotator != vote.annotator).for_each(|other| {
        shares[other.class as usize] += 1.0 / (said.len() - 1) as f64;
    });
    shares
}

fn foreseen_by_crowd(votes: &Votes, members: &[Member]) -> Vec<f64> {
    foreseen(votes, |vote| {
        let mut sum = others(votes, vote);
        for member in members {
            sum.iter_mut().zip(member.without(vote)).for_each(|(sum, p)| *sum += p);
        }
        sum
    })
}

/// For each example with two votes or more, the share of its votes that `without` names.
fn foreseen(votes: &Votes, without: impl Fn(&Vote) -> Vec<f64> + Sync) -> Vec<f64> {
    let hit = |vote: &Vote| {
        let beliefs = without(vote);
        let best = beliefs[argmax(&beliefs)];
        let tied = beliefs.iter().filter(|p| **p == best).count();
        if beliefs[vote.class as usize] == best { 1.0 / tied as f64 } else { 0.0 }
    };
    let several: Vec<&[Vote]> = several(votes).map(|example| votes.of(example)).collect();
    several.into_par_iter().map(|said| said.iter().map(hit).sum::<f64>() / said.len() as f64).collect()
}

fn compared(part: Part, hits: &[f64], crowd: &[f64]) -> Evidence {
    let n = hits.len().max(1) as f64;
    let differences: Vec<f64> = hits.iter().zip(crowd).map(|(a, b)| a - b).collect();
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|difference| (difference - mean).powi(2)).sum::<f64>() / n;
    let foreseen = hits.iter().sum::<f64>() / n;
    Evidence { part, foreseen, better_by: mean, standard_error: (variance / n).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(better_by: f64, place: usize) {
        let of = |part, foreseen, better_by| Evidence { part, foreseen, better_by, standard_error: 0.01 };
        let evidence = [of(Part::Crowd, 0.9, 0.0), of(Part::Crowdlab, 0.9 + better_by, better_by)];
        assert_eq!(chosen(&evidence), place, "{better_by}");
    }

    #[test]
    fn the_crowd_gives_way_to_what_is_better_by_two_standard_errors() {
        check(0.015, 0);
        check(0.025, 1);
        check(-0.03, 0);
    }
}
