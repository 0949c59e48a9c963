//! Vectors in an order in which near ones stand together: halved along the coordinate that varies most, again and again
//! (a k-d tree, Bentley 1975), until blocks of sixteen are left.

use crate::lanes::LANES;
use crate::screen::Short;

/// The order, and where what lies.
#[derive(Debug)]
pub(crate) struct Nearby {
    /// Rows; each sixteen are a block.
    pub(crate) order: Vec<usize>,
    /// How the blocks were divided: each half before the next, the lower half first.
    splits: Vec<Split>,
}

#[derive(Debug)]
struct Split {
    /// Of the first part of short forms.
    coordinate: usize,
    /// The least value in the upper half.
    at: f32,
}

impl Nearby {
    /// Orders vectors by the first part of their short forms.
    pub(crate) fn new(shorts: &[Short]) -> Self {
        let mut order: Vec<usize> = (0..shorts.len()).collect();
        let mut splits = Vec::new();
        halve(&mut order, shorts, &mut splits);
        Self { order, splits }
    }

    /// Number of blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.order.len().div_ceil(LANES)
    }

    /// The block in whose part of the space a vector lies.
    pub(crate) fn home(&self, short: &Short) -> usize {
        let (mut split, mut first, mut blocks) = (0, 0, self.blocks());
        while blocks > 1 {
            let (low, Split { coordinate, at }) = (blocks / 2, &self.splits[split]);
            if short[0][*coordinate] < *at {
                (split, blocks) = (split + 1, low);
            } else {
                // The lower half has one split fewer than blocks.
                (split, first, blocks) = (split + low, first + low, blocks - low);
            }
        }
        first
    }
}

fn halve(rows: &mut [usize], shorts: &[Short], splits: &mut Vec<Split>) {
    let blocks = rows.len().div_ceil(LANES);
    if blocks < 2 {
        return;
    }
    let coordinate = widest(rows, shorts);
    let value = |row: usize| shorts[row][0][coordinate];
    let middle = blocks / 2 * LANES;
    rows.select_nth_unstable_by(middle, |a, b| value(*a).total_cmp(&value(*b)).then(a.cmp(b)));
    splits.push(Split { coordinate, at: value(rows[middle]) });
    let (low, high) = rows.split_at_mut(middle);
    halve(low, shorts, splits);
    halve(high, shorts, splits);
}

/// The coordinate with the largest variance.
fn widest(rows: &[usize], shorts: &[Short]) -> usize {
    let (mut sums, mut squares) = ([0.0_f64; LANES], [0.0_f64; LANES]);
    for row in rows {
        for (coordinate, value) in shorts[*row][0].iter().enumerate() {
            sums[coordinate] += f64::from(*value);
            squares[coordinate] += f64::from(*value) * f64::from(*value);
        }
    }
    let spread = |coordinate: usize| squares[coordinate] - sums[coordinate].powi(2) / rows.len() as f64;
    (1..LANES).fold(0, |best, next| if spread(next) > spread(best) { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::PARTS;
    use crate::{Seed, random};

    #[test]
    fn every_vector_is_at_home_where_it_stands() {
        let mut rng = Seed(3).rng();
        for n in [0, 1, 15, 16, 17, 100, 1000] {
            let mut short = || {
                let mut short = [[0.0; LANES]; PARTS];
                short[0].iter_mut().for_each(|value| *value = random::normal(&mut rng) as f32);
                short
            };
            let shorts: Vec<Short> = (0..n).map(|_| short()).collect();
            let nearby = Nearby::new(&shorts);
            for (place, row) in nearby.order.iter().enumerate() {
                assert_eq!(nearby.home(&shorts[*row]), place / LANES, "{n}");
            }
            let mut rows = nearby.order;
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..n));
        }
    }
}
