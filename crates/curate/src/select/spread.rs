//! Again and again the example farthest from all others (methods 5.2).

use linalg::{Matrix, k_centre_from, squared_distance};

use super::Why;
use super::field::Field;

/// Starts from what is known, or with the example nearest the mean of all.
pub(super) fn farthest(field: &Field, count: usize) -> Vec<(usize, Why)> {
    if count == 0 || field.n_open() == 0 {
        return Vec::new();
    }
    let mut picks = Vec::new();
    let mut start: Vec<usize> = (0..field.n_known).collect();
    if start.is_empty() {
        let middle = middle(&field.x);
        picks.push((middle, Why::Farthest { distance: None }));
        start.push(middle);
    }
    let found = k_centre_from(field.x.view(), &start, count - picks.len());
    for place in found.picks {
        let to = |other: &usize| squared_distance(field.x.row(place), field.x.row(*other));
        let distance = start.iter().map(to).fold(f32::INFINITY, f32::min).sqrt();
        picks.push((place, Why::Farthest { distance: Some(f64::from(distance)) }));
        start.push(place);
    }
    picks
}

/// The row nearest the mean of all.
fn middle(x: &Matrix) -> usize {
    let mut sums = vec![0.0_f64; x.cols()];
    for row in x.iter_rows() {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let mean: Vec<f32> = sums.into_iter().map(|sum| (sum / x.rows() as f64) as f32).collect();
    let from_mean = |row: &usize| squared_distance(x.row(*row), &mean);
    (0..x.rows()).min_by(|a, b| from_mean(a).total_cmp(&from_mean(b))).expect("there is an open row")
}
