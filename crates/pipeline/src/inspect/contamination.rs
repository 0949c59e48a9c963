//! Good photos that look as if they were not: a defect among them, a dirty lens, another part.

use bundle::inspection::Alarm;
use dataset::ExampleId;
use evaluate::inspect::AlarmThreshold;
use serde::Serialize;

use super::InspectRequest;
use super::fitting::Fitted;
use super::measuring::{self, Held};
use super::seeing::Photo;
use crate::PipelineError;

/// A good photo is suspect from this many ranges between quartiles above the upper one.
const FAR_OUT: f64 = 3.0;
/// Fewest good photos among which one can stand out.
const STANDS_OUT_FROM: usize = 8;

/// A good photo that does not look like one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suspect {
    /// Its id.
    pub id: ExampleId,
    /// What those say that had not seen it.
    pub score: f64,
    /// When a part would alarm without it and the other suspects, by the same costs; the bundle says when it does with them.
    pub without: AlarmThreshold,
}

/// Finds them, the worst first.
pub(crate) fn suspects(
    request: &InspectRequest,
    photos: &[Photo<'_>],
    groups: &[u32],
    fitted: &Fitted,
) -> Result<Vec<Suspect>, PipelineError> {
    let rows: Vec<usize> = (0..photos.len()).filter(|at| !photos[*at].is_defect()).collect();
    if fitted.quartered || rows.len() < STANDS_OUT_FROM {
        return Ok(Vec::new());
    }
    let score = |row: &usize| fitted.held_out[*row].score;
    let limit = upper_fence(&mut rows.iter().map(score).collect::<Vec<_>>());
    let (far, near): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| score(row) > limit);
    if far.is_empty() {
        return Ok(Vec::new());
    }
    let (Alarm { threshold: without, .. }, _) =
        measuring::alarm(request, &Held::new(photos, groups, fitted, &near))?;
    let mut suspects: Vec<Suspect> = far
        .iter()
        .map(|row| Suspect { id: photos[*row].example.id.clone(), score: score(row), without })
        .collect();
    suspects.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(suspects)
}

/// The upper quartile and three times the range between the quartiles.
fn upper_fence(scores: &mut [f64]) -> f64 {
    scores.sort_unstable_by(f64::total_cmp);
    let quartile = |share: usize| scores[(scores.len() - 1) * share / 4];
    quartile(3) + FAR_OUT * (quartile(3) - quartile(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_far_out_stands_out() {
        let mut scores: Vec<f64> = (0..9).map(f64::from).collect();
        assert_eq!(upper_fence(&mut scores), 6.0 + FAR_OUT * 4.0);
    }
}
