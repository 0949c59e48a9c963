//! The same example, or nearly so, on both sides of the line between teaching and judging.

use dataset::Part;

use super::{Checked, Fault};
use crate::Duplicates;

/// Flags rows of the test part that have a duplicate outside it. `parts` is `[n]`; the score is that of the duplicate.
pub fn leaks(duplicates: &Duplicates, parts: &[Option<Part>]) -> Checked {
    let is_test = |row: &usize| parts[*row] == Some(Part::Test);
    let crossing =
        duplicates.components.iter().filter(|set| set.iter().any(is_test) && !set.iter().all(is_test));
    let flagged: Vec<usize> = crossing.flatten().copied().filter(|row| is_test(row)).collect();
    let mut scores = vec![1.0; parts.len()];
    flagged.iter().for_each(|row| scores[*row] = f64::from(duplicates.scores[*row]));
    Checked::with(Fault::Leak, scores, flagged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_rows_with_a_copy_elsewhere_are_flagged() {
        let duplicates = Duplicates {
            components: vec![vec![0, 1], vec![2, 3], vec![4, 5]],
            scores: vec![0.0, 0.0, 0.1, 0.1, 0.0, 0.0, 1.0],
        };
        let parts: Vec<Option<Part>> =
            [0, 0, 0, 1, 1, 1, 1].map(|test| (test == 1).then_some(Part::Test)).to_vec();
        let found = leaks(&duplicates, &parts);
        assert_eq!((found.flagged, found.scores[5]), (vec![3], Some(1.0)));
    }
}
