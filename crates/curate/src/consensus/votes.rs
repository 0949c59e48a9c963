//! Who said what about which example, kept sparse.

use std::ops::Range;

use crate::CurateError;

/// Most values a table of beliefs or of confusions may have: 1 GiB of them.
const MOST_VALUES: usize = 1 << 27;

/// One annotator's label of one example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vote {
    /// Below the number of examples.
    pub example: u32,
    /// Below the number of annotators.
    pub annotator: u32,
    /// Below the number of classes.
    pub class: u32,
}

/// What was said, checked once: by example, then by annotator, one vote for each pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Votes {
    votes: Vec<Vote>,
    starts: Vec<usize>,
    n_annotators: usize,
    n_classes: usize,
}

/// Something about the votes that a person should know; the rest is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoteProblem {
    /// An annotator answered twice about the same example; the first answer in the order given counts.
    Repeated {
        /// Which vote, in the order given, was left out.
        place: usize,
        /// Whether it says something else than the one that counts.
        contradicts: bool,
    },
    /// Nobody answered about the example: it gets no label.
    Unanswered {
        /// Which.
        example: u32,
    },
    /// The annotator answered once: nothing can be said about how good the answers are.
    SingleVote {
        /// Who.
        annotator: u32,
    },
}

impl Votes {
    /// Checks and sorts votes, in any order.
    ///
    /// # Errors
    /// No votes, or one that names an example, annotator or class that does not exist.
    pub fn new(
        votes: &[Vote],
        n_examples: usize,
        n_annotators: usize,
        n_classes: usize,
    ) -> Result<(Self, Vec<VoteProblem>), CurateError> {
        if votes.is_empty() {
            return Err(CurateError::Empty { what: "votes" });
        }
        for (row, vote) in votes.iter().enumerate() {
            for (what, id, end) in [
                ("example", vote.example, n_examples),
                ("annotator", vote.annotator, n_annotators),
                ("class", vote.class, n_classes),
            ] {
                if id as usize >= end {
                    return Err(CurateError::UnknownId { row, what, id, end });
                }
            }
        }
        let mut order: Vec<usize> = (0..votes.len()).collect();
        order.sort_by_key(|place| (votes[*place].example, votes[*place].annotator, *place));
        let mut kept: Vec<Vote> = Vec::with_capacity(votes.len());
        let mut problems = Vec::new();
        for place in order {
            let vote = votes[place];
            match kept.last() {
                Some(last) if (last.example, last.annotator) == (vote.example, vote.annotator) => {
                    problems.push(VoteProblem::Repeated { place, contradicts: last.class != vote.class });
                }
                _ => kept.push(vote),
            }
        }
        let mut starts = vec![0; n_examples + 1];
        kept.iter().for_each(|vote| starts[vote.example as usize + 1] += 1);
        (0..n_examples).for_each(|example| starts[example + 1] += starts[example]);
        let votes = Self { votes: kept, starts, n_annotators, n_classes };
        problems.extend(votes.counts_worth_knowing());
        Ok((votes, problems))
    }

    fn counts_worth_knowing(&self) -> impl Iterator<Item = VoteProblem> {
        let unanswered = (0..self.n_examples()).filter(|example| self.of(*example).is_empty());
        let counts = self.votes_per_annotator();
        let single = (0..self.n_annotators).filter(move |annotator| counts[*annotator] == 1);
        unanswered
            .map(|example| VoteProblem::Unanswered { example: example as u32 })
            .chain(single.map(|annotator| VoteProblem::SingleVote { annotator: annotator as u32 }))
    }

    /// The votes about one example, by annotator.
    pub fn of(&self, example: usize) -> &[Vote] {
        &self.votes[self.range(example)]
    }

    /// Where the votes about one example lie in [`Votes::all`].
    pub fn range(&self, example: usize) -> Range<usize> {
        self.starts[example]..self.starts[example + 1]
    }

    /// All votes, by example and annotator.
    pub fn all(&self) -> &[Vote] {
        &self.votes
    }

    /// Number of examples, with or without votes.
    pub fn n_examples(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of annotators, with or without votes.
    pub fn n_annotators(&self) -> usize {
        self.n_annotators
    }

    /// Number of classes, with or without votes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// `[annotators]`: how many votes each gave.
    pub fn votes_per_annotator(&self) -> Vec<usize> {
        let mut counts = vec![0; self.n_annotators];
        self.votes.iter().for_each(|vote| counts[vote.annotator as usize] += 1);
        counts
    }

    /// Refuses tables that would not fit: `rows` of them with a value for each class, or for each pair of classes.
    pub(crate) fn check_size(&self, what: &'static str, rows: usize, pairs: bool) -> Result<(), CurateError> {
        let columns = if pairs { self.n_classes.saturating_mul(self.n_classes) } else { self.n_classes };
        let got = rows.saturating_mul(columns);
        if got > MOST_VALUES { Err(CurateError::TooLarge { what, got, limit: MOST_VALUES }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(example: u32, annotator: u32, class: u32) -> Vote {
        Vote { example, annotator, class }
    }

    #[test]
    fn repeated_missing_and_single_votes_are_told() {
        let given = [vote(2, 0, 1), vote(0, 0, 1), vote(0, 1, 0), vote(0, 0, 0), vote(0, 1, 0)];
        let (votes, problems) = Votes::new(&given, 3, 2, 2).unwrap();
        assert_eq!(votes.all(), [vote(0, 0, 1), vote(0, 1, 0), vote(2, 0, 1)]);
        assert_eq!(
            problems,
            [
                VoteProblem::Repeated { place: 3, contradicts: true },
                VoteProblem::Repeated { place: 4, contradicts: false },
                VoteProblem::Unanswered { example: 1 },
                VoteProblem::SingleVote { annotator: 1 },
            ]
        );
        assert!(votes.of(1).is_empty());
    }

    #[test]
    fn ids_that_do_not_match_are_named() {
        let wrong = |vote: Vote| Votes::new(&[vote], 2, 2, 2).unwrap_err();
        assert_eq!(wrong(vote(2, 0, 0)), CurateError::UnknownId { row: 0, what: "example", id: 2, end: 2 });
        assert_eq!(wrong(vote(0, 5, 0)), CurateError::UnknownId { row: 0, what: "annotator", id: 5, end: 2 });
        assert_eq!(wrong(vote(0, 0, 2)), CurateError::UnknownId { row: 0, what: "class", id: 2, end: 2 });
        assert_eq!(Votes::new(&[], 2, 2, 2).unwrap_err(), CurateError::Empty { what: "votes" });
    }
}
