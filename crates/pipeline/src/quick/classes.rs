//! One class of several: discriminant analysis, leaving groups out.

use evaluate::{Calibration, metrics};
use linalg::MatrixView;

use super::discriminant;
use super::{Judged, LEAST_LABELS, LEAST_OF_KIND, Quick, Says};
use crate::report::Measure;

/// What a class counts for that no other group has.
const UNTAUGHT: f64 = -1e6;

/// What the classes, `[n]`, teach.
pub(super) fn judge(quick: &Quick, labels: &[Option<u32>], drawn: &[bool]) -> Judged {
    let of_drawn =
        counts(labels.iter().zip(drawn).filter(|(_, drawn)| **drawn).filter_map(|(label, _)| label.as_ref()));
    let most = of_drawn.iter().copied().max().unwrap_or(0);
    let chance = most as f64 / of_drawn.iter().sum::<usize>().max(1) as f64;
    if counts(labels.iter().flatten()).iter().filter(|count| **count >= LEAST_OF_KIND).count() < 2 {
        return Judged { chance, ..Judged::default() };
    }
    let scores = discriminant::scores(quick.columns(), &quick.groups, labels);
    let calibration = calibration(scores.view(), labels);
    let (mut suggestions, mut margins, mut correct) = (Vec::new(), Vec::new(), Vec::new());
    for (row, label) in labels.iter().enumerate() {
        let best = two_best(scores.row(row), &calibration);
        suggestions.push(best.map(|[best, _]| best));
        margins.push(best.map_or(0.0, |[(_, p), (_, q)]| (p - q).clamp(0.0, 1.0)));
        // Where nobody taught it, it was wrong.
        correct.extend(
            label.filter(|_| drawn[row]).map(|label| best.is_some_and(|[(first, _), _]| first == label)),
        );
    }
    let accuracy = (correct.len() >= LEAST_LABELS).then(|| metrics::accuracy(&correct));
    let measure = |estimate| Measure { metric: "accuracy".to_owned(), estimate };
    let measures = accuracy.map(measure).into_iter().collect();
    Judged { chance, measures, margins, says: Says::Classes(suggestions), ..Judged::default() }
}

/// How often each class was given.
pub(super) fn counts<'l>(labels: impl Iterator<Item = &'l u32>) -> Vec<usize> {
    let mut counts = Vec::new();
    for label in labels {
        counts.resize(counts.len().max(*label as usize + 1), 0);
        counts[*label as usize] += 1;
    }
    counts
}

/// Fitted on the examples whose class the others taught.
fn calibration(scores: MatrixView<'_, f64>, labels: &[Option<u32>]) -> Calibration {
    let taught = |row: &usize| labels[*row].is_some_and(|label| scores.row(*row)[label as usize].is_finite());
    let rows: Vec<usize> = (0..labels.len()).filter(taught).collect();
    let given: Vec<u32> = rows.iter().filter_map(|row| labels[*row]).collect();
    // A class that nobody taught is out of the question, and finite all the same.
    let finite = scores.to_owned().select_rows(&rows).map(|score| score.max(UNTAUGHT));
    if rows.is_empty() { Calibration::Identity } else { Calibration::temperature(finite.view(), &given) }
}

/// The two most probable classes.
fn two_best(scores: &[f64], calibration: &Calibration) -> Option<[(u32, f64); 2]> {
    if !scores.iter().any(|score| score.is_finite()) {
        return None;
    }
    let finite: Vec<f64> = scores.iter().map(|score| score.max(UNTAUGHT)).collect();
    let probs = calibration.probs(&finite);
    let mut classes: Vec<usize> = (0..probs.len()).collect();
    classes.sort_by(|a, b| probs[*b].total_cmp(&probs[*a]).then(a.cmp(b)));
    let of = |place: usize| classes.get(place).map_or((0, 0.0), |class| (*class as u32, probs[*class]));
    Some([of(0), of(1)])
}
