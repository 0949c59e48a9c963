//! What each sense is worth: alone, with others, taken away, and broken; and where senses contradict each other.

use evaluate::{Estimate, wilson};
use linalg::Seed;
use linalg::logits::log_softmax;
use tune::fuse::{Choice, FuseInput, Kind, Seen, Subset, UNFAMILIAR, conflicts, masked_losses};

use super::blank::blank;
use super::each::{OneSense, Taught};
use super::joining::Joined;
use super::stoppable;
use crate::assess::argmax;
use crate::features::Table;
use crate::journey::Lesson;
use crate::report::{BrokenSense, Conflict, SenseRow, SenseSummary, SensesTable};
use crate::report_data::card;
use crate::{PipelineError, Run};

/// Conflicts shown.
const SHOWN: usize = 12;

/// Everything that was found out about the senses.
pub(super) struct Worth<'a> {
    pub(super) whole: &'a Table,
    pub(super) lesson: &'a Lesson,
    pub(super) senses: &'a [OneSense],
    pub(super) taught: &'a [Taught],
    pub(super) joined: &'a Joined,
    pub(super) choice: &'a Choice,
}

impl Worth<'_> {
    /// The table of senses, combinations and broken senses, for the report.
    pub(super) fn table(
        &self,
        input: &FuseInput<'_>,
        seed: Seed,
        run: &Run<'_>,
    ) -> Result<SensesTable, PipelineError> {
        let compared = !self.choice.tried.is_empty();
        let rows = if compared { self.combinations(input, seed, run)? } else { Vec::new() };
        let senses = self.senses.iter().zip(self.taught).map(|(sense, taught)| SenseSummary {
            name: sense.sense.name.clone(),
            modality: sense.sense.modality,
            base: sense.base.id().to_owned(),
            n_examples: taught.lesson.rows.len(),
            recipe: crate::telling::recipe(&taught.tuned.recipe),
        });
        Ok(SensesTable {
            senses: senses.collect(),
            broken: if compared { self.broken(input, &rows)? } else { Vec::new() },
            conflicts: if compared { self.conflicts(input)? } else { Vec::new() },
            rows,
        })
    }

    fn combinations(
        &self,
        input: &FuseInput<'_>,
        seed: Seed,
        run: &Run<'_>,
    ) -> Result<Vec<SenseRow>, PipelineError> {
        let measured = stoppable(masked_losses(input, self.choice.kind, seed, run.cancel_flag()))?;
        let row = |masked: &tune::fuse::MaskedLoss| SenseRow {
            present: (0..input.senses.len()).map(|sense| masked.subset.contains(sense)).collect(),
            accuracy: share(masked.accuracy, masked.n),
            loss: masked.loss,
            more_loss: Estimate {
                value: masked.over_all.mean,
                low: masked.over_all.interval.0,
                high: masked.over_all.interval.1,
                n: masked.n,
            },
        };
        Ok(measured.iter().map(row).collect())
    }

    /// What the model answers with one sense blank, on the examples that have all.
    fn broken(&self, input: &FuseInput<'_>, rows: &[SenseRow]) -> Result<Vec<BrokenSense>, PipelineError> {
        let m = self.senses.len();
        let complete: Vec<usize> =
            (0..input.n()).filter(|row| input.subset(*row) == Subset::all(m)).collect();
        if complete.is_empty() {
            return Ok(Vec::new());
        }
        let broken = |sense: usize| -> Result<BrokenSense, PipelineError> {
            let (one, taught) = (&self.senses[sense], &self.taught[sense]);
            let features = one.base.embed(&blank(&one.base))?;
            let sets = one.base.split(&features);
            let log_probs = log_softmax(&taught.tuned.head.logits(&sets, Some("?")));
            let prepared = taught.tuned.head.features(&sets);
            let familiar = taught.familiar.as_ref();
            let familiarity =
                familiar.map(|detector| detector.p_value_with_tail(&features[..detector.dim()]));
            let blank = Seen { log_probs: &log_probs, features: &prepared, familiarity };
            let accuracy = match self.choice.kind {
                // Left out wholly, which was measured out of fold.
                _ if familiarity.is_some_and(|p| p < UNFAMILIAR) => {
                    let is_it = |row: &&SenseRow| (0..m).all(|other| row.present[other] == (other != sense));
                    rows.iter().find(is_it).map(|row| row.accuracy)
                }
                // The joint model knows the features of these examples: what it says of them is no measure.
                Kind::Joint => None,
                Kind::Single | Kind::Late | Kind::Gated => {
                    Some(self.with_blank(input, &complete, sense, blank)?)
                }
            };
            let weighed = matches!(self.choice.kind, Kind::Late | Kind::Gated);
            Ok(BrokenSense { sense: one.sense.name.clone(), familiarity, weighed, accuracy })
        };
        (0..m).map(broken).collect()
    }

    fn with_blank(
        &self,
        input: &FuseInput<'_>,
        complete: &[usize],
        sense: usize,
        blank: Seen<'_>,
    ) -> Result<Estimate, PipelineError> {
        let mut right = 0;
        for row in complete {
            let seen = input.senses.iter().enumerate().map(|(other, said)| {
                let features = said.features.map_or(&[][..], |features| features.row(*row));
                let whole = Seen { log_probs: said.log_probs.row(*row), features, familiarity: None };
                Some(if other == sense { blank } else { whole })
            });
            let answer = self.choice.fused.answer(&seen.collect::<Vec<_>>())?;
            right += usize::from(argmax(&answer.log_probs) == input.labels[*row]);
        }
        Ok(wilson(right, complete.len()))
    }

    /// Examples whose senses say different things, the worst first: wrongly paired, wrongly noted, or a broken sensor.
    fn conflicts(&self, input: &FuseInput<'_>) -> Result<Vec<Conflict>, PipelineError> {
        let found = conflicts(input)?;
        let conflict = |row: &usize| {
            let says = |sense: usize| {
                let said = &input.senses[sense];
                let log_probs = said.log_probs.row(*row);
                let class = argmax(log_probs) as usize;
                (said.name.to_owned(), self.lesson.classes[class].clone(), log_probs[class].exp())
            };
            Conflict {
                card: card(self.whole, self.lesson.rows[self.joined.rows[*row]]),
                says: input.subset(*row).senses().map(says).collect(),
            }
        };
        Ok(found.rows.iter().take(SHOWN).map(conflict).collect())
    }
}

/// A mean over repeats of shares of right answers, with the interval of a share.
fn share(accuracy: f64, n: usize) -> Estimate {
    let Estimate { low, high, n, .. } = wilson((accuracy * n as f64).round() as usize, n);
    Estimate { value: accuracy, low: low.min(accuracy), high: high.max(accuracy), n }
}
