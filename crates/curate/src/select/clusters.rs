//! One example of each group: the first labels (methods 5, cold start, and 5.5, TypiClust).

use std::cmp::Reverse;

use linalg::{Clusters, Metric, Seed, kmeans, knn, squared_distance};

use super::Why;
use super::field::Field;

/// Groups at most; with more wanted, large groups give several (TypiClust's own limit).
const MOST_TYPICAL: usize = 500;
/// TypiClust passes over groups that are not larger than this while there are others.
const SMALL: usize = 5;
/// Neighbours by which an example is typical.
const NEIGHBOURS: usize = 20;

/// The example nearest the mean of each group.
pub(super) fn middles(field: &Field, count: usize, seed: Seed) -> Vec<(usize, Why)> {
    let groups = kmeans(field.x.view(), (field.n_known + count).max(1), seed.derive("groups"));
    let order = |group: usize, open: &[usize], _: &[usize]| {
        let mean = groups.centroids.row(group);
        let mut order = open.to_vec();
        order.sort_by_cached_key(|place| {
            (squared_distance(field.x.row(*place), mean).to_bits(), field.rows[*place])
        });
        order
    };
    deal(field, &groups, count, 0, order, |group, known| Why::Middle { group, known })
}

/// The example with the closest neighbours in each group.
pub(super) fn typical(field: &Field, count: usize, seed: Seed) -> Vec<(usize, Why)> {
    let k = (field.n_known + count).clamp(1, MOST_TYPICAL);
    let groups = kmeans(field.x.view(), k, seed.derive("groups"));
    let order = |_: usize, open: &[usize], members: &[usize]| {
        let among = field.x.select_rows(members);
        let near = knn(among.view(), NEIGHBOURS.min(members.len() / 2), Metric::Euclidean);
        let apart = |place: &usize| -> f32 {
            let at = members.binary_search(place).expect("members are ascending and hold the open places");
            near.of(at).map(|(_, distance)| distance).sum()
        };
        let mut order = open.to_vec();
        order.sort_by_cached_key(|place| (apart(place).to_bits(), field.rows[*place]));
        order
    };
    deal(field, &groups, count, SMALL, order, |group, known| Why::Typical { group, known })
}

/// A group while examples are taken from it.
struct Group {
    /// Its open places, the best last once they are in order.
    left: Vec<usize>,
    is_ordered: bool,
    size: usize,
    known: usize,
}

/// Takes one example after the other from the group with the fewest known ones, of those from the largest. Groups of at most
/// `small` examples come last.
fn deal(
    field: &Field,
    groups: &Clusters,
    count: usize,
    small: usize,
    order: impl Fn(usize, &[usize], &[usize]) -> Vec<usize>,
    why: impl Fn(usize, usize) -> Why,
) -> Vec<(usize, Why)> {
    let members = groups.members();
    let group = |members: &Vec<usize>| {
        let known = members.partition_point(|place| *place < field.n_known);
        Group { left: members[known..].to_vec(), is_ordered: false, size: members.len(), known }
    };
    let mut dealt: Vec<Group> = members.iter().map(group).collect();
    let mut picks = Vec::with_capacity(count);
    while picks.len() < count {
        let next = (0..dealt.len()).filter(|group| !dealt[*group].left.is_empty()).min_by_key(|group| {
            (dealt[*group].size <= small, dealt[*group].known, Reverse(dealt[*group].size))
        });
        let Some(next) = next else { break };
        let group = &mut dealt[next];
        // A group that is never reached needs no order: finding it is what costs.
        if !group.is_ordered {
            group.left = order(next, &group.left, &members[next]);
            group.left.reverse();
            group.is_ordered = true;
        }
        let place = group.left.pop().expect("groups without open places were passed over");
        picks.push((place, why(group.size, group.known)));
        group.known += 1;
    }
    picks
}
