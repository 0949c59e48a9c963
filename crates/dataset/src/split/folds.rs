//! Stratified group folds (methods 0.5).

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

    proptest! {
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
