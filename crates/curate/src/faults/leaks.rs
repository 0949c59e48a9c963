//! The same example, or nearly so, on both sides of the line between teaching and judging.

use std::collections::BTreeMap;

use dataset::Part;

use super::{Checked, Evidence, Fault};
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

/// Flags rows of the test part that share a group (a patient, a lot, a video) with rows outside it. `groups` and `parts` are
/// `[n]`; the score is 0 where flagged, 1 elsewhere, and there is none without a group.
///
/// # Panics
/// When the two differ in length.
pub fn group_leaks(groups: &[Option<&str>], parts: &[Option<Part>]) -> Checked {
    assert_eq!(groups.len(), parts.len(), "every row has a group and a part, or none");
    let is_test = |row: usize| parts[row] == Some(Part::Test);
    let mut elsewhere: BTreeMap<&str, usize> = BTreeMap::new();
    let outside = (0..groups.len()).filter(|row| !is_test(*row));
    outside.filter_map(|row| groups[row]).for_each(|group| *elsewhere.entry(group).or_default() += 1);
    let score = |row: usize| {
        groups[row].map(|group| if is_test(row) && elsewhere.contains_key(group) { 0.0 } else { 1.0 })
    };
    let checked = Checked::known_below(Fault::GroupLeak, (0..groups.len()).map(score).collect(), 0.5);
    checked.because(|row| {
        let name = groups[row].unwrap_or_default();
        Evidence::Group { name: name.to_owned(), outside: elsewhere.get(name).copied().unwrap_or(0) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_on_both_sides_is_flagged_on_the_side_of_the_test() {
        let groups = [Some("a"), Some("a"), Some("b"), Some("b"), None, None];
        let parts = [0, 1, 1, 1, 0, 1].map(|test| (test == 1).then_some(Part::Test));
        let found = group_leaks(&groups, &parts);
        assert_eq!(found.flagged, [1]);
        assert_eq!(found.scores, [Some(1.0), Some(0.0), Some(1.0), Some(1.0), None, None]);
        assert_eq!(found.evidence[&1], Evidence::Group { name: "a".to_owned(), outside: 1 });
    }

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
