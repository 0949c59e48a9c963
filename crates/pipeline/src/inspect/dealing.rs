//! Which photos are held out together.

use std::collections::BTreeSet;

use dataset::split::folds;
use linalg::Seed;

/// Folds with few photos, of which each is a large share, and with many: what is left to learn from is nearly all.
const FOLDS: (usize, usize) = (8, 10);
/// Photos that are many.
const MANY: usize = 40;

/// The fold of every photo, `[n]`, each below `count`.
pub(crate) struct Deal {
    pub(crate) fold: Vec<usize>,
    pub(crate) count: usize,
}

impl Deal {
    /// The photos of all other folds, and those of this one.
    pub(crate) fn sides(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        (0..self.fold.len()).partition(|at| self.fold[*at] != fold)
    }
}

/// The groups with a photo of this sort, with a defect or without, in them. `defect` and `groups` are `[n]`.
pub(crate) fn groups_of(defect: &[bool], groups: &[u32], sort: bool) -> BTreeSet<u32> {
    let photos = defect.iter().zip(groups).filter(|(defect, _)| **defect == sort);
    photos.map(|(_, group)| *group).collect()
}

/// The groups, `[n]`, as they are held out. Good photos of one single group can only be held out one by one, apart from
/// those with defects unless these are of the same group; what is promised still counts groups.
pub(crate) fn held_together(defect: &[bool], groups: &[u32]) -> Vec<u32> {
    let mut together = groups.to_vec();
    let (good, taught) = (groups_of(defect, groups, false), groups_of(defect, groups, true));
    if good.len() > 1 {
        return together;
    }
    let is_mixed = good.intersection(&taught).next().is_some();
    let fresh = (0..).skip(groups.iter().max().map_or(0, |last| *last as usize + 1));
    let alone = together.iter_mut().filter(|group| is_mixed || !taught.contains(group));
    alone.zip(fresh).for_each(|(group, fresh)| *group = fresh);
    together
}

/// Deals groups with defects and groups without apart from each other, and then sees to it that no fold has all good photos or
/// all defects, where there are two groups of them: every fold leaves some to learn from.
pub(crate) fn deal(defect: &[bool], groups: &[u32], seed: Seed) -> Deal {
    let with_defects = groups_of(defect, groups, true);
    let most = if defect.len() < MANY { FOLDS.0 } else { FOLDS.1 };
    let (taught, plain): (Vec<usize>, Vec<usize>) =
        (0..defect.len()).partition(|at| with_defects.contains(&groups[*at]));
    let dealt = [plain, taught].map(|rows| {
        let groups: Vec<u32> = rows.iter().map(|at| groups[*at]).collect();
        let count = groups.iter().collect::<BTreeSet<_>>().len().min(most);
        let strata: Vec<u32> = rows.iter().map(|at| u32::from(defect[*at])).collect();
        let fold: Vec<usize> = if count < 2 {
            vec![0; rows.len()]
        } else {
            folds(&strata, &groups, count, seed).into_iter().map(usize::from).collect()
        };
        (rows, fold, count)
    });
    let count = dealt.iter().map(|(.., count)| *count).max().unwrap_or(0).max(2);
    let mut fold = vec![0; defect.len()];
    for (side, (rows, folds, _)) in dealt.iter().enumerate() {
        // From both ends: where there are few of either, they do not meet in one fold.
        let place = |fold: usize| if side == 0 { fold } else { count - 1 - fold };
        rows.iter().zip(folds).for_each(|(at, dealt)| fold[*at] = place(*dealt));
    }
    let mut deal = Deal { fold, count };
    deal.part_good(defect, groups);
    deal
}

impl Deal {
    /// Moves one group on where all good photos are in one fold: one without defects if there is one, so that these stay apart.
    fn part_good(&mut self, defect: &[bool], groups: &[u32]) {
        let of_good: BTreeSet<usize> =
            defect.iter().zip(&self.fold).filter(|(defect, _)| !**defect).map(|(_, fold)| *fold).collect();
        let (good, taught) = (groups_of(defect, groups, false), groups_of(defect, groups, true));
        if of_good.len() != 1 || good.len() < 2 {
            return;
        }
        let Some(moved) = good.difference(&taught).next().or(good.first()) else { return };
        let next = |fold: &mut usize| *fold = (*fold + 1) % self.count;
        self.fold
            .iter_mut()
            .zip(groups)
            .filter(|(_, group)| *group == moved)
            .for_each(|(fold, _)| next(fold));
    }
}

#[cfg(test)]
mod tests {
    use linalg::random;

    use super::*;

    /// In how many folds there are photos of this sort.
    fn folds_of(deal: &Deal, defect: &[bool], sort: bool) -> usize {
        let of_sort = deal.fold.iter().zip(defect).filter(|(_, defect)| **defect == sort);
        of_sort.map(|(fold, _)| *fold).collect::<BTreeSet<usize>>().len()
    }

    #[test]
    fn lots_of_both_sorts_leave_good_photos_to_learn_from_whichever_is_held_out() {
        // A lot of five good ones, one of both sorts, and one of three with defects.
        let (mut defect, mut groups) = (vec![false; 6], vec![0; 5]);
        defect.extend([true; 4]);
        groups.extend([1, 1, 2, 2, 2]);
        for seed in 0..20 {
            let deal = deal(&defect, &held_together(&defect, &groups), Seed(seed));
            assert!(folds_of(&deal, &defect, false) > 1, "{seed}: {:?}", deal.fold);
            assert!(folds_of(&deal, &defect, true) > 1, "{seed}: {:?}", deal.fold);
        }
    }

    #[test]
    fn no_fold_has_all_good_photos_or_all_defects() {
        for number in 0..3000 {
            let mut rng = Seed(number).rng();
            let n = 2 + random::below(&mut rng, 58);
            let n_groups = 1 + random::below(&mut rng, 12);
            let groups: Vec<u32> = (0..n).map(|_| random::below(&mut rng, n_groups) as u32).collect();
            let mut defect: Vec<bool> = (0..n).map(|_| random::below(&mut rng, 2) == 1).collect();
            defect[..2].fill(false);
            let together = held_together(&defect, &groups);
            let deal = deal(&defect, &together, Seed(number));
            let case = format!("{defect:?} {groups:?} {:?}", deal.fold);
            assert!(folds_of(&deal, &defect, false) > 1, "{case}");
            let taught = groups_of(&defect, &together, true).len();
            assert!(taught < 2 || folds_of(&deal, &defect, true) > 1, "{case}");
            assert!(deal.fold.iter().all(|fold| *fold < deal.count), "{case}");
            for (fold, group) in deal.fold.iter().zip(&together) {
                let others = deal.fold.iter().zip(&together).filter(|(_, other)| *other == group);
                assert!(
                    others.map(|(other, _)| other).all(|other| other == fold),
                    "groups stay whole: {case}"
                );
            }
        }
    }
}
