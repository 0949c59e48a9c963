//! What more examples would bring: of a class, or of a part of the data where the model fails (in such light, of such a camera).
//!
//! Twice as many are expected to bring half of what the second half of those there are brought. The most promising are shown, so
//! each gain is drawn toward the mean of all by how much of their spread is chance: else the luckiest would be promised.

use curate::faults::Fault;

use super::super::worklist::{Action, AuditFinding};
use super::{Advice, Asked, Gain, Label, NORMAL};
use crate::report::Sentence;

/// How many classes, and how many parts of the data, are shown at most.
const SHOWN: usize = 3;
/// Fewest examples that can be halved.
const HALVED_FROM: usize = 8;
/// How many are asked about at most: those where heads are wrong most often. Each needs a head of its own.
const ASKED: usize = 40;
/// The share of its own variance that a gain drawn toward the mean keeps at least.
const LEAST_KEPT: f64 = 0.5;
/// Minutes that a person takes to collect and label an example.
const MINUTES: f64 = 0.5;

/// Of what more could be collected.
enum Of<'a> {
    Class(&'a str),
    Part { finding: usize, what: &'a Sentence },
}

/// The most promising classes and parts, those first that bring most.
pub(super) fn collect(asked: &Asked, now: &[Option<Label>], findings: &[AuditFinding]) -> Vec<Advice> {
    let labelled = |class: u32| -> Vec<usize> {
        let has = |row: &usize| asked.labels[*row].as_ref().is_some_and(|label| label.names(class));
        (0..asked.labels.len()).filter(has).collect()
    };
    let classes = (0..).zip(&asked.names).map(|(class, name)| (Of::Class(name), labelled(class)));
    let parts = findings.iter().filter(|finding| finding.fault == Fault::WeakSlice);
    let parts = parts.filter_map(|finding| {
        let of = Of::Part { finding: finding.number, what: finding.part.as_ref()? };
        Some((of, finding.rows.clone()))
    });
    let marks = asked.metric.marks(now, &asked.right);
    let wrong = |rows: &[usize]| {
        let marks: Vec<f64> = rows.iter().filter_map(|row| marks[*row]).collect();
        1.0 - marks.iter().sum::<f64>() / marks.len().max(1) as f64
    };
    let mut all: Vec<(Of<'_>, Vec<usize>)> =
        classes.chain(parts).filter(|(_, rows)| rows.len() >= HALVED_FROM).collect();
    all.sort_by(|(_, a), (_, b)| wrong(b).total_cmp(&wrong(a)));
    all.truncate(ASKED);
    let gains: Vec<Gain> =
        all.iter().enumerate().map(|(at, (_, rows))| asked.of_half(now, rows, at)).collect();
    let mut advice: Vec<Advice> = all
        .iter()
        .zip(drawn_together(&gains))
        .filter(|(_, gain)| gain.value > 0.0)
        .map(|((of, rows), gain)| asked.more(rows.len(), of, gain))
        .collect();
    advice.sort_by(|a, b| b.gain.value.total_cmp(&a.gain.value));
    let mut left = [SHOWN; 2];
    advice.retain(|advice| {
        let left = &mut left[usize::from(advice.finding.is_some())];
        let is_shown = *left > 0;
        *left = left.saturating_sub(1);
        is_shown
    });
    advice
}

impl Asked {
    /// Half of what the second half of these rows brought; which half that is, is drawn.
    fn of_half(&self, now: &[Option<Label>], rows: &[usize], nth: usize) -> Gain {
        let mut rows = rows.to_vec();
        linalg::random::shuffle(&mut rows, &mut self.seed.derive("half").nth(nth).rng());
        let mut labels = self.labels.clone();
        rows[rows.len() / 2..].iter().for_each(|row| labels[*row] = None);
        let none = vec![false; labels.len()];
        let Gain { value, low, high } = self.gain(&self.answers(&labels), now, &none);
        Gain { value: value / 2.0, low: low / 2.0, high: high / 2.0 }
    }

    fn more(&self, n: usize, of: &Of<'_>, gain: Gain) -> Advice {
        let (action, class, finding, told) = match of {
            Of::Class(name) => {
                let told = Sentence {
                    en: format!("Collect {n} more of `{name}`"),
                    zh: format!("再收集 {n} 个“{name}”"),
                };
                (Action::CollectMore, Some((*name).to_owned()), None, told)
            }
            Of::Part { finding, what } => {
                let told = Sentence {
                    en: format!("Collect {n} more like finding {finding} ({})", what.en),
                    zh: format!("再收集 {n} 个第 {finding} 个发现那样的样本（{}）", what.zh),
                };
                (Action::CollectSimilar, None, Some(*finding), told)
            }
        };
        let metric = self.metric;
        let (likely, minutes) = (n as f64, MINUTES * n as f64);
        Advice { action, n, likely, class, finding, gain, metric, minutes, told }
    }
}

/// Gains shrunken toward their mean (empirical Bayes: Morris 1983, J. Am. Stat. Assoc. 78, 47).
fn drawn_together(gains: &[Gain]) -> Vec<Gain> {
    let n = gains.len().max(1) as f64;
    let error = |gain: &Gain| ((gain.high - gain.low) / 2.0 / NORMAL).powi(2);
    let mean = gains.iter().map(|gain| gain.value).sum::<f64>() / n;
    let spread = gains.iter().map(|gain| (gain.value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let real = (spread - gains.iter().map(error).sum::<f64>() / n).max(0.0);
    let drawn = |gain: &Gain| {
        let error = error(gain);
        let kept = if real > 0.0 { real / (real + error) } else { 0.0 };
        let value = mean + kept * (gain.value - mean);
        // That all classes gain the same is never sure.
        let half = NORMAL * (kept.max(LEAST_KEPT) * error).sqrt();
        Gain { value, low: value - half, high: value + half }
    };
    gains.iter().map(drawn).collect()
}
