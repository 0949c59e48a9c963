//! What is usual around each remembered patch: how far it lies from patches of other photos.

use linalg::{Matrix, matmul_nt};
use rayon::prelude::*;

use crate::detect::local::squares;

/// Drawn patches that tell what is usual around a remembered one: 5,000 tell it as well as 20,000, in a quarter of the time.
const USUAL_AMONG: usize = 5_000;
/// Neighbours in other photos whose median distance is the usual one.
const NEIGHBOURS: usize = 4;
/// No usual distance counts as less than this share of the median one: two shots of one part are no measure.
const LEAST_USUAL: f32 = 0.2;
/// Picks that are compared at a time.
const BLOCK: usize = 512;

/// The median distance of each pick to the nearest of other photos among [`USUAL_AMONG`] drawn rows, in units of the median of these. What is
/// drawn lies as dense as it occurs; the picks lie far apart wherever they are.
pub(super) fn usual_distances(drawn: &Matrix, picks: &[usize], of: &[u32]) -> Vec<f32> {
    let one_photo = of.iter().all(|photo| *photo == of[0]);
    let among: Vec<usize> = (0..drawn.rows().min(USUAL_AMONG)).collect();
    let among = drawn.select_rows(&among);
    let square = squares(&among);
    let mut usual = Vec::with_capacity(picks.len());
    for rows in picks.chunks(BLOCK) {
        let products = matmul_nt(drawn.select_rows(rows).view(), among.view());
        let median = |place: usize| {
            let row = rows[place];
            let length: f32 = drawn.row(row).iter().map(|value| value * value).sum();
            let is_other = |other: usize| if one_photo { other != row } else { of[other] != of[row] };
            let product = products.row(place);
            let mut nearest = Smallest::default();
            for (other, (square, product)) in square.iter().zip(product).enumerate() {
                let apart = length + square - 2.0 * product;
                // Few are near, so that few are asked for their photo.
                if nearest.takes(apart) && is_other(other) {
                    nearest.take(apart);
                }
            }
            nearest.median().max(0.0).sqrt()
        };
        usual.par_extend((0..rows.len()).into_par_iter().map(median));
    }
    let mut sorted = usual.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let middle = sorted[sorted.len() / 2];
    // Patches that are all the same have no scale of their own.
    let unit = if middle > 0.0 { middle } else { 1.0 };
    usual.iter().map(|usual| if middle > 0.0 { (usual / unit).max(LEAST_USUAL) } else { 1.0 }).collect()
}

/// The [`NEIGHBOURS`] smallest of what it takes, ascending.
#[derive(Default)]
struct Smallest {
    values: [f32; NEIGHBOURS],
    count: usize,
}

impl Smallest {
    fn takes(&self, value: f32) -> bool {
        self.count < NEIGHBOURS || value < self.values[NEIGHBOURS - 1]
    }

    /// Takes what [`Smallest::takes`] allows.
    fn take(&mut self, value: f32) {
        let mut place = self.count.min(NEIGHBOURS - 1);
        while place > 0 && value < self.values[place - 1] {
            self.values[place] = self.values[place - 1];
            place -= 1;
        }
        self.values[place] = value;
        self.count = NEIGHBOURS.min(self.count + 1);
    }

    /// 0 when there is none.
    fn median(&self) -> f32 {
        match self.count {
            0 => 0.0,
            count => f32::midpoint(self.values[(count - 1) / 2], self.values[count / 2]),
        }
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    /// The same by sorting all distances to patches of other photos.
    fn plainly(drawn: &Matrix, picks: &[usize], of: &[u32]) -> Vec<f32> {
        let apart = |one: usize, other: usize| {
            let pairs = drawn.row(one).iter().zip(drawn.row(other));
            pairs.map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
        };
        let one_photo = of.iter().all(|photo| *photo == of[0]);
        let median = |pick: &usize| {
            let is_other = |other: &usize| if one_photo { other != pick } else { of[*other] != of[*pick] };
            let mut all: Vec<f32> =
                (0..drawn.rows()).filter(is_other).map(|other| apart(*pick, other)).collect();
            all.sort_unstable_by(f32::total_cmp);
            f32::midpoint(all[1].powi(2), all[2].powi(2)).sqrt()
        };
        let usual: Vec<f32> = picks.iter().map(median).collect();
        let mut sorted = usual.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let unit = sorted[sorted.len() / 2];
        usual.iter().map(|usual| (usual / unit).max(LEAST_USUAL)).collect()
    }

    #[test]
    fn usual_distances_are_to_patches_of_other_photos() {
        let mut rng = Seed(3).rng();
        // Patches of one photo lie close together.
        let of: Vec<u32> = (0..60).map(|row| row / 20).collect();
        let mut value = |row: usize| random::normal(&mut rng) as f32 + 5.0 * of[row] as f32;
        let values = (0..60 * 6).map(|place| value(place / 6)).collect();
        let drawn = Matrix::from_vec(60, 6, values);
        let picks = [3, 17, 21, 39, 40, 58];
        for of in [&of[..], &[7; 60]] {
            let (ours, plain) = (usual_distances(&drawn, &picks, of), plainly(&drawn, &picks, of));
            for (ours, plain) in ours.iter().zip(&plain) {
                assert!((ours - plain).abs() < 1e-3 * plain, "{ours} {plain}");
            }
        }
    }

    #[test]
    fn the_smallest_are_those_of_a_sorted_list() {
        let mut rng = Seed(8).rng();
        for count in 0..40 {
            let mut values: Vec<f32> = (0..count).map(|_| random::normal(&mut rng).round() as f32).collect();
            let mut smallest = Smallest::default();
            for value in &values {
                if smallest.takes(*value) {
                    smallest.take(*value);
                }
            }
            values.sort_unstable_by(f32::total_cmp);
            values.truncate(NEIGHBOURS);
            let median = match values.len() {
                0 => 0.0,
                n => f32::midpoint(values[(n - 1) / 2], values[n / 2]),
            };
            assert_eq!(smallest.median(), median, "{values:?}");
        }
    }
}
