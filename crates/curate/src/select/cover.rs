//! Examples whose near neighbours are many and not covered yet (methods 5.6, ProbCover).

use linalg::{Metric, Neighbours, Seed, kmeans, knn};

use super::field::Field;
use super::{Amount, Why, facility};

/// A ball holds at most this many neighbours.
const NEIGHBOURS: usize = 100;
/// Share of the balls that must hold examples of one group only.
const PURITY: f64 = 0.95;

/// Balls are as large as can be with `n_groups` groups of rows that look alike staying apart.
pub(super) fn covering(field: &Field, count: usize, n_groups: usize, seed: Seed) -> Vec<(usize, Why)> {
    let near = knn(field.x.view(), NEIGHBOURS, Metric::Euclidean);
    let groups = kmeans(field.x.view(), n_groups.max(1), seed.derive("balls")).of;
    let radius = radius(&near, &groups);
    let mut like: facility::Likeness = (0..groups.len()).map(|place| vec![(place as u32, 1.0)]).collect();
    for place in 0..groups.len() {
        for (other, _) in near.of(place).filter(|(_, distance)| *distance <= radius) {
            like[other].push((place as u32, 1.0));
        }
    }
    let picks = facility::greedy(field, &like, &vec![1.0; groups.len()], Amount::Count(count));
    picks.into_iter().map(|(place, examples)| (place, Why::Covers { examples })).collect()
}

/// The largest radius with which enough balls hold one group only.
fn radius(near: &Neighbours, groups: &[u32]) -> f32 {
    // A ball is pure as long as it does not reach the first neighbour of another group.
    let pure_below = |place: usize| {
        let stranger = near.of(place).find(|(other, _)| groups[*other] != groups[place]);
        stranger.map_or(f32::INFINITY, |(_, distance)| distance)
    };
    let mut limits: Vec<f32> = (0..groups.len()).map(pure_below).collect();
    limits.sort_by(f32::total_cmp);
    let impure = ((1.0 - PURITY) * limits.len() as f64) as usize;
    let limit = limits.get(impure).copied().unwrap_or(0.0);
    // The stranger itself lies outside.
    if limit.is_finite() { limit.next_down().max(0.0) } else { f32::INFINITY }
}
