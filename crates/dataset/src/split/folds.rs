//! Stratified group folds (methods 0.5).

use std::collections::BTreeMap;

use linalg::{Seed, random};

/// How many folds and repeats a data set can bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldPlan {
    /// Folds, 2 to 5.
    pub folds: usize,
    /// Repeats with other deals: 5 below 200 rows, 2 below 1,000, else 1.
    pub repeats: usize,
}

/// The plan for rows with these strata (class numbers, or all zero for numbers) and groups.
///
/// The number of folds is the least number of groups a class has, at most 5 and at least 2; classes with a single group do
/// not count, since they cannot be validated anyway.
pub fn plan(strata: &[u32], groups: &[u32]) -> FoldPlan {
    let mut pairs: Vec<(u32, u32)> = strata.iter().copied().zip(groups.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let counts = pairs.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len);
    let fewest = counts.filter(|count| *count > 1).min().unwrap_or(2);
    let repeats = match strata.len() {
        0..200 => 5,
        200..1000 => 2,
        _ => 1,
    };
    FoldPlan { folds: fewest.clamp(2, 5), repeats }
}

/// The fold of every row: `k` folds, whole groups, class shares as even as groups allow. The same seed deals the same.
///
/// Large groups are dealt first, each into the fold that leaves the class counts closest to even; then the smaller fold wins.
///
/// # Panics
/// When `strata` and `groups` differ in length, or `k` is not between 1 and 255.
pub fn folds(strata: &[u32], groups: &[u32], k: usize, seed: Seed) -> Vec<u8> {
    assert_eq!(strata.len(), groups.len(), "every row has a stratum and a group");
    assert!((1..=255).contains(&k), "between 1 and 255 folds");
    let n_strata = strata.iter().max().map_or(0, |largest| *largest as usize + 1);
    let n_groups = groups.iter().max().map_or(0, |largest| *largest as usize + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_groups];
    for (row, group) in groups.iter().enumerate() {
        members[*group as usize].push(row);
    }
    let mut order: Vec<usize> = (0..n_groups).collect();
    random::shuffle(&mut order, &mut seed.derive("folds").rng());
    order.sort_by_key(|group| std::cmp::Reverse(members[*group].len()));
    let mut counts = vec![vec![0_u32; n_strata]; k];
    let mut sizes = vec![0_usize; k];
    let mut fold_of = vec![0_u8; strata.len()];
    for group in order {
        let rows = &members[group];
        let cost = |fold: usize| {
            let crowding: u64 = rows.iter().map(|row| u64::from(counts[fold][strata[*row] as usize])).sum();
            (crowding, sizes[fold])
        };
        let best = (0..k).min_by_key(|fold| cost(*fold)).expect("there is at least one fold");
        for row in rows {
            fold_of[*row] = u8::try_from(best).expect("at most 255 folds");
            counts[best][strata[*row] as usize] += 1;
        }
        sizes[best] += rows.len();
    }
    fold_of
}

/// The fold of every row when a row has any number of labels: `k` folds, whole groups, the shares of each label as even as
/// groups allow. The same seed deals the same.
///
/// Iterative stratification (Sechidis et al. 2011, section 4): the rarest label that is left is dealt first, since what comes
/// later can no longer repair it; each group goes to the fold that has the least of that label, then the least of the group's
/// other labels, then the fewest rows.
///
/// # Panics
/// When `sets` and `groups` differ in length, or `k` is not between 1 and 255.
pub fn folds_of_sets(sets: &[Vec<u32>], groups: &[u32], k: usize, seed: Seed) -> Vec<u8> {
    assert_eq!(sets.len(), groups.len(), "every row has a set of labels and a group");
    assert!((1..=255).contains(&k), "between 1 and 255 folds");
    let n_labels = sets.iter().flatten().max().map_or(0, |largest| *largest as usize + 1);
    let n_groups = groups.iter().max().map_or(0, |largest| *largest as usize + 1);
    let mut sizes = vec![0_usize; n_groups];
    let mut counts_of: Vec<BTreeMap<usize, u64>> = vec![BTreeMap::new(); n_groups];
    for (set, group) in sets.iter().zip(groups) {
        sizes[*group as usize] += 1;
        set.iter().for_each(|label| *counts_of[*group as usize].entry(*label as usize).or_default() += 1);
    }
    let mut order: Vec<usize> = (0..n_groups).collect();
    random::shuffle(&mut order, &mut seed.derive("folds-of-sets").rng());
    order.sort_by_key(|group| std::cmp::Reverse(sizes[*group]));
    let mut with: Vec<Vec<usize>> = vec![Vec::new(); n_labels];
    let mut left = vec![0_u64; n_labels];
    for group in &order {
        for (label, count) in &counts_of[*group] {
            with[*label].push(*group);
            left[*label] += count;
        }
    }
    let mut folds =
        SetFolds { counts: vec![vec![0; n_labels]; k], sizes: vec![0; k], of: vec![None; n_groups] };
    while let Some(label) = (0..n_labels).filter(|label| left[*label] > 0).min_by_key(|label| left[*label]) {
        let mut members: Vec<usize> =
            with[label].iter().copied().filter(|group| folds.of[*group].is_none()).collect();
        members.sort_by_key(|group| std::cmp::Reverse(counts_of[*group][&label]));
        for group in members {
            folds.place(group, &counts_of[group], sizes[group], Some(label));
            counts_of[group].iter().for_each(|(label, count)| left[*label] -= count);
        }
    }
    for group in order {
        if folds.of[group].is_none() {
            folds.place(group, &counts_of[group], sizes[group], None);
        }
    }
    let fold = |group: &u32| folds.of[*group as usize].expect("every group was placed");
    groups.iter().map(fold).collect()
}

/// Folds being filled with groups of rows that have sets of labels.
struct SetFolds {
    /// `[fold][label]`.
    counts: Vec<Vec<u64>>,
    sizes: Vec<usize>,
    /// The fold of each group.
    of: Vec<Option<u8>>,
}

impl SetFolds {
    /// Puts a group where the label in turn, then its labels, then rows are fewest.
    fn place(&mut self, group: usize, labels: &BTreeMap<usize, u64>, size: usize, turn: Option<usize>) {
        let cost = |fold: &usize| {
            let counts = &self.counts[*fold];
            let crowding: u64 = labels.iter().map(|(label, count)| counts[*label] * count).sum();
            (turn.map(|label| counts[label]), crowding, self.sizes[*fold])
        };
        let best = (0..self.sizes.len()).min_by_key(cost).expect("there is at least one fold");
        labels.iter().for_each(|(label, count)| self.counts[best][*label] += count);
        self.sizes[best] += size;
        self.of[group] = Some(u8::try_from(best).expect("at most 255 folds"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plans_follow_the_smallest_class_that_can_be_split() {
        let groups: Vec<u32> = (0..12).collect();
        let strata = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2];
        assert_eq!(plan(&strata, &groups), FoldPlan { folds: 3, repeats: 5 });
        assert_eq!(plan(&[0; 300], &(0..300).collect::<Vec<_>>()), FoldPlan { folds: 5, repeats: 2 });
        assert_eq!(plan(&[], &[]), FoldPlan { folds: 2, repeats: 5 });
    }

    /// Copies of each label in each fold.
    fn counts(sets: &[Vec<u32>], dealt: &[u8], label: u32, k: usize) -> Vec<usize> {
        let has = |row: &usize, fold: usize| dealt[*row] as usize == fold && sets[*row].contains(&label);
        (0..k).map(|fold| (0..sets.len()).filter(|row| has(row, fold)).count()).collect()
    }

    #[test]
    fn every_label_of_a_set_is_spread() {
        // Label 0 always stands beside a rarer one, which alone would decide.
        let sets: Vec<Vec<u32>> =
            (0..20).map(|row| if row < 5 { vec![0, row + 1] } else { vec![row % 5 + 1] }).collect();
        let groups: Vec<u32> = (0..20).collect();
        for seed in 0..20 {
            let dealt = folds_of_sets(&sets, &groups, 5, Seed(seed));
            assert_eq!(dealt, folds_of_sets(&sets, &groups, 5, Seed(seed)));
            assert_eq!(counts(&sets, &dealt, 0, 5), [1; 5]);
        }
        assert!(folds_of_sets(&[], &[], 3, Seed(0)).is_empty());
    }

    proptest! {
        #[test]
        fn the_rarest_label_is_dealt_evenly_and_groups_stay_whole(
            rows in proptest::collection::vec((proptest::collection::btree_set(0_u32..5, 0..4), 0_u32..30), 1..80),
            k in 2_usize..6,
            seed: u64,
        ) {
            let (sets, groups): (Vec<Vec<u32>>, Vec<u32>) =
                rows.into_iter().map(|(set, group)| (set.into_iter().collect::<Vec<u32>>(), group)).unzip();
            let dealt = folds_of_sets(&sets, &groups, k, Seed(seed));
            for (a, group) in groups.iter().enumerate() {
                for (b, other) in groups.iter().enumerate() {
                    prop_assert!(group != other || dealt[a] == dealt[b]);
                }
            }
            let single: Vec<u32> = (0..sets.len() as u32).collect();
            let dealt = folds_of_sets(&sets, &single, k, Seed(seed));
            let total = |label: u32| sets.iter().filter(|set| set.contains(&label)).count();
            if let Some(rarest) = (0..5).filter(|label| total(*label) > 0).min_by_key(|label| total(*label)) {
                let counts = counts(&sets, &dealt, rarest, k);
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
            }
        }

        #[test]
        fn groups_never_straddle_folds(rows in proptest::collection::vec((0_u32..4, 0_u32..12), 1..80), k in 2_usize..6, seed: u64) {
            let (strata, groups): (Vec<u32>, Vec<u32>) = rows.into_iter().unzip();
            let dealt = folds(&strata, &groups, k, Seed(seed));
            for (a, group) in groups.iter().enumerate() {
                for (b, other) in groups.iter().enumerate() {
                    prop_assert!(group != other || dealt[a] == dealt[b]);
                }
            }
        }

        #[test]
        fn single_rows_are_dealt_evenly(strata in proptest::collection::vec(0_u32..4, 1..80), k in 2_usize..6, seed: u64) {
            let groups: Vec<u32> = (0..strata.len() as u32).collect();
            let dealt = folds(&strata, &groups, k, Seed(seed));
            for class in 0..4 {
                let mut counts = vec![0; k];
                for (fold, _) in dealt.iter().zip(&strata).filter(|(_, stratum)| **stratum == class) {
                    counts[*fold as usize] += 1;
                }
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
            }
        }
    }
}
