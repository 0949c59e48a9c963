//! What deciding a case would bring: how much better neighbours would foretell labels (methods 3.8).

use super::Labelled;

/// Votes, spread over all classes, that stand for what neighbours do not know; as in the votes that judge labels.
const PRIOR_VOTES: f64 = 0.5;

/// The drop of the log-loss of all labels under the vote of their neighbours, in nats, if `rows` all had the class, of `a` and
/// `b`, with the larger drop. Below 0 when either would contradict the surroundings more than the two do now.
pub(super) fn impact(examples: &Labelled<'_>, hearers: &[Vec<u32>], rows: &[usize], a: u32, b: u32) -> f64 {
    let mut touched: Vec<usize> = rows.to_vec();
    touched.extend(rows.iter().flat_map(|row| hearers[*row].iter().map(|other| *other as usize)));
    touched.sort_unstable();
    touched.dedup();
    let loss = |decided: Option<u32>| -> f64 {
        let label = |row: usize| match decided {
            Some(class) if rows.binary_search(&row).is_ok() => Some(class),
            _ => examples.labels()[row],
        };
        touched.iter().filter_map(|row| Some(loss_of(examples, *row, label(*row)?, &label))).sum()
    };
    loss(None) - loss(Some(a)).min(loss(Some(b)))
}

fn loss_of(examples: &Labelled<'_>, row: usize, own: u32, label: &impl Fn(usize) -> Option<u32>) -> f64 {
    let votes = examples.heard(row).len() as f64;
    let agreeing = examples.heard(row).filter(|other| label(*other) == Some(own)).count() as f64;
    -((agreeing + PRIOR_VOTES / examples.n_classes() as f64) / (votes + PRIOR_VOTES)).ln()
}

/// For each example those that hear it.
pub(super) fn hearers(examples: &Labelled<'_>) -> Vec<Vec<u32>> {
    let mut hearers = vec![Vec::new(); examples.n()];
    for row in 0..examples.n() {
        examples.heard(row).for_each(|other| hearers[other].push(row as u32));
    }
    hearers
}
