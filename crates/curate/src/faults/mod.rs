//! Faults of single examples, and of the set, besides wrong labels (methods 4). Thresholds are in `docs/audit.md`.
//!
//! Each check gives every example a score, 0 is bad and 1 is good, and says which it flags.

mod evidence;
mod fault;
mod imbalance;
mod leaks;
mod name_leaks;
mod names;
mod order;
mod outliers;
mod pictures;
mod series;
mod slices;
mod sounds;
mod spurious;
mod telling;
mod texts;
mod values;
mod videos;

use std::collections::BTreeMap;

pub use evidence::{Evidence, LengthUnit};
pub use fault::Fault;
pub use imbalance::class_imbalance;
pub use leaks::{group_leaks, leaks};
pub use name_leaks::name_leaks;
pub use names::{LabelInName, label_in_name};
pub use order::{Order, order};
pub use outliers::outliers;
pub use pictures::{Picture, exif_orientation, jpeg_quality, pictures};
pub use series::{SeriesState, series};
pub use slices::{Slice, SliceOf, SlicesInput, slices, weak_slices};
pub use sounds::{Sound, sounds};
pub use spurious::{Spurious, spurious};
pub use texts::{PersonalData, PersonalKind, Script, Tongue, personal_data, short_texts, texts};
pub use values::{Identifier, Missing, identifiers, missing, missing_values};
pub use videos::{Video, videos};

/// Share of examples from which on a property is usual in this set, and no fault of single ones.
const USUAL: f64 = 0.25;

/// What one check says about every example.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What was looked for.
    pub fault: Fault,
    /// `[n]`: 0 is bad, 1 is good; `None` where the question makes no sense.
    pub scores: Vec<Option<f64>>,
    /// The rows that are flagged, worst first.
    pub flagged: Vec<usize>,
    /// What was seen of flagged rows, where their labels and neighbours do not show it.
    pub evidence: BTreeMap<usize, Evidence>,
}

impl Checked {
    /// A check whose flagged rows are known, worst first.
    pub fn new(fault: Fault, scores: Vec<Option<f64>>, flagged: Vec<usize>) -> Self {
        Self { fault, scores, flagged, evidence: BTreeMap::new() }
    }

    /// Says of every flagged row what was seen of it.
    #[must_use]
    pub fn because(mut self, of: impl Fn(usize) -> Evidence) -> Self {
        self.evidence = self.flagged.iter().map(|row| (*row, of(*row))).collect();
        self
    }

    /// Brings a check of some rows to all `n`; `places` says which they are.
    #[must_use]
    pub fn brought(self, places: &[usize], n: usize) -> Self {
        let mut scores = vec![None; n];
        places.iter().zip(&self.scores).for_each(|(place, score)| scores[*place] = *score);
        Self {
            fault: self.fault,
            scores,
            flagged: self.flagged.iter().map(|row| places[*row]).collect(),
            evidence: self.evidence.into_iter().map(|(row, evidence)| (places[row], evidence)).collect(),
        }
    }

    /// Flags the rows whose score is below `limit`.
    fn below(fault: Fault, scores: Vec<f64>, limit: f64) -> Self {
        let flagged = (0..scores.len()).filter(|row| scores[*row] < limit).collect();
        Self::with(fault, scores, flagged)
    }

    /// Flags the rows whose score is below `limit`, unless a quarter of those with a score are: then it is how this set is.
    fn below_unless_usual(fault: Fault, scores: Vec<Option<f64>>, limit: f64) -> Self {
        let mut checked = Self::known_below(fault, scores, limit);
        let known = checked.scores.iter().flatten().count();
        if checked.flagged.len() as f64 >= USUAL * known as f64 && checked.flagged.len() > 1 {
            checked.flagged.clear();
        }
        checked
    }

    /// Flags the rows whose score is known and below `limit`.
    fn known_below(fault: Fault, scores: Vec<Option<f64>>, limit: f64) -> Self {
        let mut low: Vec<(f64, usize)> = (0..scores.len())
            .filter_map(|row| scores[row].filter(|score| *score < limit).map(|score| (score, row)))
            .collect();
        low.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        Self::new(fault, scores, low.into_iter().map(|(_, row)| row).collect())
    }

    /// Flags the rows given, brought into order.
    fn with(fault: Fault, scores: Vec<f64>, mut flagged: Vec<usize>) -> Self {
        flagged.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b)));
        Self::new(fault, scores.into_iter().map(Some).collect(), flagged)
    }
}

/// The middle of values and how far they usually are from it (median absolute deviation, in standard deviations of a normal
/// distribution); `None` without values.
fn middle_and_spread(values: &[f64]) -> Option<(f64, f64)> {
    let middle = median(values)?;
    let off: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    Some((middle, 1.4826 * median(&off)?))
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
