//! Marks of several people on one example: which of them are of the same thing.
//!
//! Start at [`matched`] for two people, and at [`found_together`] for any number. Where a mark is and what it is called is the caller's: a function
//! says how far two marks overlap, and 0 where they cannot be of the same thing.

use std::collections::HashSet;

/// From this overlap on two marks are usually taken to be of the same thing (Everingham et al. 2010, PASCAL VOC, section 4.2).
pub const SAME: f64 = 0.5;

/// Two marks that are paired.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// The place among the marks of the one.
    pub one: usize,
    /// The place among the marks of the other.
    pub other: usize,
    /// In (0, 1].
    pub overlap: f64,
}

/// A mark of one of several people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Of {
    /// The place of the person.
    pub person: usize,
    /// The place among their marks.
    pub mark: usize,
}

/// Pairs the marks of two people, of which they have `n.0` and `n.1`, one to one: those that overlap most first, as long as they overlap by `least`;
/// of equal overlaps the first.
///
/// From half on, as `least` usually is, hardly any mark has more than one candidate, and what is greedy is best.
pub fn matched(n: (usize, usize), least: f64, overlap: impl Fn(usize, usize) -> f64) -> Vec<Paired> {
    let candidates = (0..n.0).flat_map(|one| (0..n.1).map(move |other| (one, other)));
    let candidates = candidates.map(|(one, other)| Paired { one, other, overlap: overlap(one, other) });
    let mut candidates: Vec<Paired> = candidates.filter(|pair| is_enough(pair.overlap, least)).collect();
    candidates.sort_by(|a, b| b.overlap.total_cmp(&a.overlap));
    let mut taken = (vec![false; n.0], vec![false; n.1]);
    candidates.retain(|pair| {
        let is_free = !taken.0[pair.one] && !taken.1[pair.other];
        if is_free {
            (taken.0[pair.one], taken.1[pair.other]) = (true, true);
        }
        is_free
    });
    candidates
}

/// How far two people agree who have `n.0` and `n.1` marks of which `n_same` are paired: the share of all marks that have a partner, in [0, 1]. That is
/// the F1 score of either as judged by the other; 1 where both marked nothing.
pub fn agreement(n: (usize, usize), n_same: usize) -> f64 {
    match n.0 + n.1 {
        0 => 1.0,
        all => 2.0 * n_same as f64 / all as f64,
    }
}

/// Groups marks of people, of whom each has so many, by the thing that they are of: at most one of each person, and each overlaps each other of its
/// group by `least`. What overlaps most is brought together first (complete linkage). Groups come in the order of their first marks.
pub fn found_together(n: &[usize], least: f64, overlap: impl Fn(Of, Of) -> f64) -> Vec<Vec<Of>> {
    let marks: Vec<Of> =
        n.iter().enumerate().flat_map(|(person, n)| (0..*n).map(move |mark| Of { person, mark })).collect();
    let mut same = HashSet::new();
    let mut pairs = Vec::new();
    for (place, one) in marks.iter().enumerate() {
        for (further, other) in marks.iter().enumerate().skip(place + 1) {
            if one.person == other.person {
                continue;
            }
            let overlap = overlap(*one, *other);
            if is_enough(overlap, least) {
                same.insert((place, further));
                pairs.push((overlap, place, further));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut groups: Vec<Vec<usize>> = (0..marks.len()).map(|place| vec![place]).collect();
    let mut group_of: Vec<usize> = (0..marks.len()).collect();
    for (_, one, other) in pairs {
        let (into, from) = (group_of[one].min(group_of[other]), group_of[one].max(group_of[other]));
        // Nobody marks the same thing twice: marks of one person never overlap here.
        let fits = |a: &usize| groups[from].iter().all(|b| same.contains(&(*a.min(b), *a.max(b))));
        if into == from || !groups[into].iter().all(fits) {
            continue;
        }
        let moved = std::mem::take(&mut groups[from]);
        moved.iter().for_each(|place| group_of[*place] = into);
        groups[into].extend(moved);
    }
    groups.iter_mut().for_each(|group| group.sort_unstable());
    let groups = groups.into_iter().filter(|group| !group.is_empty());
    groups.map(|group| group.into_iter().map(|place| marks[place]).collect()).collect()
}

fn is_enough(overlap: f64, least: f64) -> bool {
    overlap > 0.0 && overlap >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks that are places on a line, and overlap the more the nearer they are: by half at a distance of 5.
    fn near(a: f64, b: f64) -> f64 {
        1.0 - (a - b).abs() / 10.0
    }

    #[track_caller]
    fn pairs(one: &[f64], other: &[f64], expect: &[(usize, usize)]) {
        let found = matched((one.len(), other.len()), 0.5, |a, b| near(one[a], other[b]));
        let mut found: Vec<(usize, usize)> = found.iter().map(|pair| (pair.one, pair.other)).collect();
        found.sort_unstable();
        assert_eq!(found, expect);
    }

    #[test]
    fn marks_are_paired_one_to_one_the_nearest_first() {
        pairs(&[0.0, 20.0], &[21.0, 1.0], &[(0, 1), (1, 0)]);
        pairs(&[0.0, 2.0], &[1.9], &[(1, 0)]);
        pairs(&[0.0], &[5.1], &[]);
        pairs(&[0.0], &[5.0], &[(0, 0)]);
        pairs(&[], &[1.0], &[]);
    }

    #[test]
    fn agreement_is_the_share_of_marks_with_a_partner() {
        assert_eq!(agreement((0, 0), 0), 1.0);
        assert_eq!(agreement((2, 2), 2), 1.0);
        assert_eq!(agreement((3, 1), 1), 0.5);
        assert_eq!(agreement((0, 4), 0), 0.0);
    }

    #[track_caller]
    fn groups(people: &[&[f64]], expect: &[&[(usize, usize)]]) {
        let n: Vec<usize> = people.iter().map(|marks| marks.len()).collect();
        let found = found_together(&n, 0.5, |a, b| near(people[a.person][a.mark], people[b.person][b.mark]));
        let found: Vec<Vec<(usize, usize)>> =
            found.iter().map(|group| group.iter().map(|of| (of.person, of.mark)).collect()).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn groups_hold_at_most_one_mark_of_each_person_that_all_overlap() {
        groups(&[&[0.0, 30.0], &[1.0], &[31.0, 2.0]], &[&[(0, 0), (1, 0), (2, 1)], &[(0, 1), (2, 0)]]);
        // A chain is no group: the ends do not overlap.
        groups(&[&[0.0], &[4.0], &[8.5]], &[&[(0, 0), (1, 0)], &[(2, 0)]]);
        // Two of one person near one of another: the nearer.
        groups(&[&[0.0, 3.0], &[2.0]], &[&[(0, 0)], &[(0, 1), (1, 0)]]);
        groups(&[&[], &[1.0]], &[&[(1, 0)]]);
        groups(&[], &[]);
    }
}
