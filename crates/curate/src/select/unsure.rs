//! What a model is least sure of, no two alike (methods 5.1; weights as in arXiv 1901.05954).

use linalg::{Seed, kmeans_weighted, squared_distance};

use super::Why;
use super::field::Field;

/// Unsure examples that are looked at for each that is wanted. With 25 (methods 5.1) doubt counts for less, and the means take longer to
/// find: `docs/selection.md`.
const CANDIDATES: usize = 3;
/// What a sure example counts at least: a mean needs some weight.
const LEAST: f64 = 1e-3;

/// The least sure examples in as many groups as are wanted, and the one nearest the mean of each; the least sure first.
pub(super) fn unsure(field: &Field, count: usize, seed: Seed) -> Vec<(usize, Why)> {
    if count == 0 {
        return Vec::new();
    }
    let candidates = least_sure(field, CANDIDATES * count);
    let x = field.x.select_rows(&candidates);
    // In a small pool the candidates may be all there is: without weights doubt would not count.
    let weights: Vec<f64> = candidates.iter().map(|place| field.weight(*place).max(LEAST)).collect();
    let groups = kmeans_weighted(x.view(), &weights, count, seed.derive("unsure"));
    let mut picks: Vec<(usize, usize)> = groups
        .members()
        .iter()
        .enumerate()
        .map(|(group, members)| {
            let from_mean = |at: &usize| squared_distance(x.row(*at), groups.centroids.row(group));
            let nearest = members.iter().min_by(|a, b| from_mean(a).total_cmp(&from_mean(b)));
            (candidates[*nearest.expect("no group is empty")], members.len())
        })
        .collect();
    let mut is_picked = vec![false; field.rows.len()];
    picks.iter().for_each(|(place, _)| is_picked[*place] = true);
    // Equal vectors make fewer groups than are wanted.
    let missing = count.saturating_sub(picks.len());
    picks
        .extend(candidates.iter().filter(|place| !is_picked[**place]).take(missing).map(|place| (*place, 1)));
    picks.sort_by(|a, b| field.margin(a.0).total_cmp(&field.margin(b.0)).then(a.0.cmp(&b.0)));
    picks
        .into_iter()
        .map(|(place, group)| (place, Why::Unsure { margin: field.margin(place), group }))
        .collect()
}

/// The open places with the smallest margins, the smallest first.
pub(super) fn least_sure(field: &Field, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = field.open().collect();
    order.sort_by(|a, b| field.margin(*a).total_cmp(&field.margin(*b)).then(a.cmp(b)));
    order.truncate(count);
    order
}
