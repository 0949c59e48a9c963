//! Examples that every other one resembles, picked lazily (methods 5.3 and 5.6).
//!
//! `f(S) = sum_i w_i max_{j in S} s_ij` has falling gains, so a gain computed earlier bounds the gain now: only the top of a
//! heap is brought up to date (Minoux 1978). The picks are those of the plain greedy algorithm.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use linalg::{Metric, knn};

use super::field::Field;
use super::{Amount, Why};

/// Neighbours whose likeness is kept.
const NEIGHBOURS: usize = 200;

/// `[p]`: whom each place is like, itself included, and how much, in (0, 1].
pub(super) type Likeness = Vec<Vec<(u32, f32)>>;

/// Likeness is the cosine, and counts more where a model is unsure.
pub(super) fn facility(field: &Field, amount: Amount) -> Vec<(usize, Why)> {
    let weights: Vec<f64> = (0..field.rows.len()).map(|place| field.weight(place)).collect();
    let picks = greedy(field, &likeness(field), &weights, amount);
    picks.into_iter().map(|(place, examples)| (place, Why::Represents { examples })).collect()
}

/// Each place counts for those that have it among their nearest.
fn likeness(field: &Field) -> Likeness {
    let near = knn(field.x.view(), NEIGHBOURS, Metric::Cosine);
    let mut like: Likeness = (0..field.rows.len()).map(|place| vec![(place as u32, 1.0)]).collect();
    for place in 0..field.rows.len() {
        for (other, distance) in near.of(place).filter(|(_, distance)| *distance < 1.0) {
            like[other].push((place as u32, 1.0 - distance));
        }
    }
    like
}

/// A candidate with the gain it had when last asked.
#[derive(Debug, PartialEq)]
struct Candidate {
    /// Gain for each unit of cost.
    worth: f64,
    place: usize,
    /// How many picks there were.
    asked: usize,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.worth.total_cmp(&other.worth).then(other.place.cmp(&self.place))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Open places with how many others each is more like than anything before; the better of the greedy picks and the best single
/// one where costs count (methods 5.6). Equal gains go to the first place.
pub(super) fn greedy(field: &Field, like: &Likeness, weights: &[f64], amount: Amount) -> Vec<(usize, usize)> {
    let mut best = vec![0.0_f32; field.rows.len()];
    like[..field.n_known].iter().for_each(|known| {
        take(known, &mut best);
    });
    let limit = if let Amount::Cost(limit) = amount { limit } else { f64::INFINITY };
    let most = if let Amount::Count(count) = amount { count } else { usize::MAX };
    let gain = |place: usize, best: &[f32]| -> f64 {
        let more = |(other, like): &(u32, f32)| {
            weights[*other as usize] * f64::from((like - best[*other as usize]).max(0.0))
        };
        like[place].iter().map(more).sum()
    };
    let single = (0..field.rows.len())
        .filter(|place| *place >= field.n_known && field.costs[*place] <= limit)
        .map(|place| (gain(place, &best), place))
        .fold(
            None,
            |top: Option<(f64, usize)>, one| {
                if top.is_none_or(|top| one.0 > top.0) { Some(one) } else { top }
            },
        );
    let mut heap: BinaryHeap<Candidate> = field
        .open()
        .map(|place| Candidate { worth: gain(place, &best) / field.costs[place], place, asked: 0 })
        .collect();
    let (mut picks, mut spent, mut gained) = (Vec::new(), 0.0, 0.0);
    let before = best.clone();
    while picks.len() < most
        && let Some(mut top) = heap.pop()
    {
        if spent + field.costs[top.place] > limit {
            continue;
        }
        if top.asked < picks.len() {
            top.worth = gain(top.place, &best) / field.costs[top.place];
            top.asked = picks.len();
            heap.push(top);
            continue;
        }
        spent += field.costs[top.place];
        gained += top.worth * field.costs[top.place];
        picks.push((top.place, take(&like[top.place], &mut best)));
    }
    match single {
        Some((alone, place)) if limit.is_finite() && alone > gained => {
            vec![(place, take(&like[place], &mut before.clone()))]
        }
        _ => picks,
    }
}

/// Raises what is covered; how many others are now better covered.
fn take(like: &[(u32, f32)], best: &mut [f32]) -> usize {
    let mut raised = 0;
    for (other, like) in like {
        let best = &mut best[*other as usize];
        if *like > *best {
            *best = *like;
            raised += 1;
        }
    }
    raised
}
