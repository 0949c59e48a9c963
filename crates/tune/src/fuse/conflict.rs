//! Rows whose senses contradict each other: a caption that belongs to another picture, a broken sensor (methods 7.4).

use super::FuseInput;
use crate::TuneError;

/// The share of rows that lie below the threshold.
const USUAL: f64 = 0.99;

/// How far the senses of each row agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflicts {
    /// 0 = senses exclude each other, 1 = they say the same, `[n]`; `None` where a row has fewer than two senses.
    pub scores: Vec<Option<f64>>,
    /// Rows with a lower score are in conflict: the 99th percentile of disagreement. `None` when no row has two senses.
    pub threshold: Option<f64>,
    /// Rows in conflict, the worst first.
    pub rows: Vec<usize>,
}

/// The Jensen-Shannon divergence of what several senses say, 0 to 1, as a share of the largest possible one.
///
/// `said` holds log-probabilities, `[k]` each; `None` below two senses.
pub fn disagreement(said: &[&[f64]]) -> Option<f64> {
    if said.len() < 2 {
        return None;
    }
    let (m, k) = (said.len() as f64, said[0].len());
    let entropy = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    let of_mean: f64 =
        (0..k).map(|class| entropy(said.iter().map(|said| said[class].exp()).sum::<f64>() / m)).sum();
    let mean_of: f64 =
        said.iter().flat_map(|said| said.iter()).map(|value| entropy(value.exp())).sum::<f64>() / m;
    let largest = m.min(k as f64).ln();
    Some(((of_mean - mean_of) / largest).clamp(0.0, 1.0))
}

/// Scores every row by out-of-fold log-probabilities.
///
/// # Errors
/// [`TuneError`] names the row or the sense at fault.
pub fn conflicts(input: &FuseInput<'_>) -> Result<Conflicts, TuneError> {
    input.check()?;
    let score = |row: usize| {
        let said: Vec<&[f64]> = input.said(row, input.subset(row)).into_iter().flatten().collect();
        disagreement(&said).map(|value| 1.0 - value)
    };
    let scores: Vec<Option<f64>> = (0..input.n()).map(score).collect();
    let mut sorted: Vec<f64> = scores.iter().flatten().copied().collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    // Nearest rank: the least score such that 99 % of the rows are no worse.
    let threshold = (!sorted.is_empty()).then(|| sorted[(USUAL * sorted.len() as f64).ceil() as usize - 1]);
    let below = |row: &usize| scores[*row].zip(threshold).is_some_and(|(score, threshold)| score < threshold);
    let mut rows: Vec<usize> = (0..input.n()).filter(below).collect();
    rows.sort_by(|a, b| scores[*a].unwrap_or(1.0).total_cmp(&scores[*b].unwrap_or(1.0)).then(a.cmp(b)));
    Ok(Conflicts { scores, threshold, rows })
}
