//! Whether examples that follow each other are alike: bursts, sessions, series.
//!
//! Neighbours in feature space are compared with neighbours in the order of the data, **within classes**: that a folder or a
//! sorted table has its classes one after the other is no finding. The mean distance in ranks is compared with that of random
//! orders.

use linalg::{Neighbours, Seed, random};

/// Neighbours of each example.
const NEIGHBOURS: usize = 10;
/// Random orders; the p-value is at least one over one more.
const ORDERS: usize = 199;
/// The largest p-value of a finding.
const SURE: f64 = 0.01;
/// The largest share of the expected rank distance of a finding: in large sets anything is significant.
const CLOSE: f64 = 0.9;

/// What the order says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order {
    /// How often a random order has neighbours as close together.
    pub p_value: f64,
    /// The mean rank distance of neighbours, as a share of what random orders have.
    pub share: f64,
}

impl Order {
    /// Whether examples that follow each other are alike.
    pub fn is_finding(self) -> bool {
        self.p_value <= SURE && self.share <= CLOSE
    }
}

/// Looks at the order of rows with these neighbours, within the classes of `labels`, `[n]`; without labels pass zeros. `None`
/// where no two neighbours share a class.
pub fn order(near: &Neighbours, labels: &[u32], seed: Seed) -> Option<Order> {
    let pairs: Vec<(usize, usize)> = (0..labels.len())
        .flat_map(|row| near.of(row).take(NEIGHBOURS).map(move |(other, _)| (row, other)))
        .filter(|(a, b)| labels[*a] == labels[*b])
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let n_classes = labels.iter().max().map_or(0, |label| *label as usize + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_classes];
    labels.iter().enumerate().for_each(|(row, label)| members[*label as usize].push(row));
    let mut ranks = vec![0_usize; labels.len()];
    let mut rank_all = |members: &[Vec<usize>]| -> f64 {
        for rows in members {
            rows.iter().enumerate().for_each(|(rank, row)| ranks[*row] = rank);
        }
        pairs.iter().map(|(a, b)| ranks[*a].abs_diff(ranks[*b]) as f64).sum()
    };
    let seen = rank_all(&members);
    let mut rng = seed.derive("order").rng();
    let drawn: Vec<f64> = (0..ORDERS)
        .map(|_| {
            members.iter_mut().for_each(|rows| random::shuffle(rows, &mut rng));
            rank_all(&members)
        })
        .collect();
    let as_close = drawn.iter().filter(|distance| **distance <= seen).count();
    let expected = drawn.iter().sum::<f64>() / ORDERS as f64;
    let share = if expected > 0.0 { seen / expected } else { 1.0 };
    Some(Order { p_value: (1 + as_close) as f64 / (ORDERS + 1) as f64, share })
}

#[cfg(test)]
mod tests {
    use linalg::Matrix;

    use super::*;
    use crate::nearest;

    /// Two classes, one after the other; with `drifting`, the examples change slowly from the first to the last of a class.
    fn made(drifting: bool) -> (Matrix, Vec<u32>) {
        let mut rng = Seed(8).rng();
        let labels: Vec<u32> = (0..80).map(|row| u32::from(row >= 40)).collect();
        let mut x = Matrix::zeros(80, 5);
        for (row, label) in labels.iter().enumerate() {
            for value in x.row_mut(row) {
                *value = random::normal(&mut rng) as f32;
            }
            x.row_mut(row)[0] += 8.0 * *label as f32;
            x.row_mut(row)[1] += if drifting { (row % 40) as f32 / 4.0 } else { 0.0 };
        }
        (x, labels)
    }

    fn found(x: &Matrix, labels: &[u32]) -> Order {
        order(&nearest(x.view()).unwrap(), labels, Seed(1)).unwrap()
    }

    #[test]
    fn a_drift_within_classes_is_found_and_sorted_classes_are_not() {
        let (x, labels) = made(true);
        assert!(found(&x, &labels).is_finding());
        let (x, labels) = made(false);
        assert!(!found(&x, &labels).is_finding());
        assert!(found(&x, &[0; 80]).is_finding(), "without labels it is a finding");
    }

    #[test]
    fn one_row_says_nothing() {
        let one = Matrix::from_vec(1, 4, vec![1.0; 4]);
        assert_eq!(order(&nearest(one.view()).unwrap(), &[0], Seed(1)), None);
    }
}
