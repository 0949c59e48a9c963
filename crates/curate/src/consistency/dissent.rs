//! Where two classes contradict each other more than labels that are wrong at random would.
//!
//! A label that is wrong at random stands alone: its neighbours agree with each other. Where two rules are in use, those who
//! dissent stand together. So, for each pair of classes, every example is given the class that its surroundings have (its
//! *territory*: the majority of the neighbours, three rounds), an example *dissents* when its label is not that class, and the
//! statistic is the number of neighbours that both dissent (the join count of Cliff and Ord 1981).
//!
//! A *zone* is a set of dissenters connected as neighbours, with the examples that they surround.
//!
//! **The null hypothesis** is noise: each territory has a rate of wrong labels, and they lie anywhere in it; so noise that is
//! strong, or stronger in one class than in the other, is no finding. Moving *labels* over the whole graph, as if neighbours did
//! not resemble each other, would make nearly any conflict rare and nearly any boundary a finding. The null is drawn 200 times,
//! and judges the join count as well as the zones, by how many dissenters connect by chance (the cluster-extent test of Nichols
//! and Holmes 2002). It is drawn twice: a conflict hides behind the dissent that it causes itself, so zones that look unusual
//! the first time are left out when the rates are estimated again.

use std::collections::{BTreeMap, BTreeSet};

use linalg::{Seed, random};
use rayon::prelude::*;

use super::Labelled;
use crate::joined::Joined;
use crate::significance::permutation_p;

/// Draws from the null hypothesis.
const DRAWS: usize = 200;
/// Rounds in which the majority of the neighbours is taken.
const ROUNDS: usize = 3;
/// Least neighbours of the two classes by which an example is judged, and least share of those heard.
const LEAST_HEARD: usize = 3;
const LEAST_SHARE: f64 = 0.5;
/// An example belongs to a zone when more than this share of those it hears are dissenters of it.
const SURROUNDED: f64 = 0.25;
/// A zone is left out when rates are estimated again, if noise makes one as large at most this often.
const UNUSUAL: f64 = 0.1;
/// One-sided 95 % of a normal distribution.
const LIMIT_Z: f64 = 1.645;

/// How two classes get along.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassPair {
    /// The two classes, the smaller first.
    pub classes: (u32, u32),
    /// Examples judged.
    pub n: usize,
    /// Share of them that dissent: the rate of wrong labels if all were noise.
    pub dissent: f64,
    /// Ordered pairs of neighbours that both dissent.
    pub joins: usize,
    /// The mean of that under noise.
    pub expected: f64,
    /// Its distance from the mean, in standard deviations under noise; 0 where noise has none.
    pub z: f64,
    /// Where the dissent stands together, the largest first.
    pub zones: Vec<Zone>,
}

/// Dissenters that are connected as neighbours, and the examples that they surround.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// Ascending.
    pub rows: Vec<usize>,
    /// How many of them dissent.
    pub dissenters: usize,
    /// How often noise connects as many dissenters, anywhere between the two classes.
    pub p_value: f64,
}

/// Judges every pair of classes of which at least two neighbours contradict each other, in the order of the classes.
pub fn class_pairs(examples: &Labelled<'_>, seed: Seed) -> Vec<ClassPair> {
    let labels = examples.labels();
    let mut pairs: BTreeSet<(u32, u32)> = BTreeSet::new();
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for row in 0..examples.n() {
        let Some(own) = labels[row] else { continue };
        members.entry(own).or_default().push(row);
        let others = examples.heard(row).filter_map(|other| labels[other]).filter(|other| *other != own);
        pairs.extend(others.map(|other| (own.min(other), own.max(other))));
    }
    let pairs: Vec<(u32, u32)> = pairs.into_iter().collect();
    let judge = |classes: &(u32, u32)| {
        let mut rows: Vec<usize> =
            [&members[&classes.0], &members[&classes.1]].into_iter().flatten().copied().collect();
        rows.sort_unstable();
        let purpose = seed.derive("class-pair").nth(classes.0 as usize).nth(classes.1 as usize);
        Ground::new(examples, *classes, &rows)
            .map(|(ground, territories)| ground.judge(&territories, purpose))
    };
    pairs.par_iter().filter_map(judge).collect()
}

/// The examples of two classes, by place; all vectors are `[n]`.
struct Ground {
    classes: (u32, u32),
    rows: Vec<usize>,
    /// Places of the neighbours.
    heard: Vec<Vec<usize>>,
    dissents: Vec<bool>,
    /// How probable it is that noise makes each dissent.
    rate: Vec<f64>,
}

impl Ground {
    /// With the places of each territory; `None` when fewer than two dissent.
    fn new(
        examples: &Labelled<'_>,
        classes: (u32, u32),
        members: &[usize],
    ) -> Option<(Self, [Vec<usize>; 2])> {
        let labels = examples.labels();
        let of_pair = |row: &usize| labels[*row] == Some(classes.0) || labels[*row] == Some(classes.1);
        let judged = |row: &usize| {
            let (all, ours) = (examples.heard(*row).len(), examples.heard(*row).filter(of_pair).count());
            ours >= LEAST_HEARD && ours as f64 >= LEAST_SHARE * all as f64
        };
        let rows: Vec<usize> = members.iter().copied().filter(judged).collect();
        let places =
            |row: &usize| examples.heard(*row).filter_map(|other| rows.binary_search(&other).ok()).collect();
        let heard: Vec<Vec<usize>> = rows.iter().map(places).collect();
        let given: Vec<bool> = rows.iter().map(|row| labels[*row] == Some(classes.1)).collect();
        let territory = territory(&given, &heard);
        let dissents: Vec<bool> = given.iter().zip(&territory).map(|(own, around)| own != around).collect();
        if dissents.iter().filter(|dissents| **dissents).count() < 2 {
            return None;
        }
        let territories: [Vec<usize>; 2] =
            [false, true].map(|side| (0..rows.len()).filter(|place| territory[*place] == side).collect());
        let mut rate = vec![0.0; rows.len()];
        for places in &territories {
            let count = places.iter().filter(|place| dissents[**place]).count();
            places.iter().for_each(|place| rate[*place] = count as f64 / places.len() as f64);
        }
        Some((Self { classes, rows, heard, dissents, rate }, territories))
    }

    /// Estimates the rates of noise again where there are no zones that look unusual with the present ones.
    fn leave_out_unusual(&mut self, territories: &[Vec<usize>; 2], drawn: &[Vec<bool>]) {
        let mut inside = vec![false; self.rows.len()];
        let zones = self.zones(drawn).into_iter().filter(|(_, zone)| zone.p_value <= UNUSUAL);
        zones.flat_map(|(places, _)| places).for_each(|place| inside[place] = true);
        for places in territories {
            let outside: Vec<usize> = places.iter().copied().filter(|place| !inside[*place]).collect();
            let count = outside.iter().filter(|place| self.dissents[**place]).count();
            let limit = upper_limit(count, outside.len());
            places.iter().for_each(|place| self.rate[*place] = self.rate[*place].min(limit));
        }
    }

    fn judge(mut self, territories: &[Vec<usize>; 2], seed: Seed) -> ClassPair {
        let first = self.draws(seed.derive("first"));
        self.leave_out_unusual(territories, &first);
        let drawn = self.draws(seed.derive("second"));
        let joins = self.joins(&self.dissents);
        let by_chance: Vec<f64> = drawn.iter().map(|dissents| self.joins(dissents) as f64).collect();
        let expected = by_chance.iter().sum::<f64>() / DRAWS as f64;
        let squares: f64 = by_chance.iter().map(|joins| (joins - expected).powi(2)).sum();
        let deviation = (squares / (DRAWS - 1) as f64).sqrt();
        let dissenting = self.dissents.iter().filter(|dissents| **dissents).count();
        ClassPair {
            classes: self.classes,
            n: self.rows.len(),
            dissent: dissenting as f64 / self.rows.len() as f64,
            joins,
            expected,
            z: if deviation > 0.0 { (joins as f64 - expected) / deviation } else { 0.0 },
            zones: self.zones(&drawn).into_iter().map(|(_, zone)| zone).collect(),
        }
    }

    /// The zones and their places, each compared with the largest cluster of every draw.
    fn zones(&self, drawn: &[Vec<bool>]) -> Vec<(Vec<usize>, Zone)> {
        let largest: Vec<usize> =
            drawn.iter().map(|dissents| self.clusters(dissents).first().map_or(0, Vec::len)).collect();
        let judged = |cluster: &Vec<usize>| {
            let as_large = largest.iter().filter(|size| **size >= cluster.len()).count();
            let places = self.zone(cluster);
            let rows = places.iter().map(|place| self.rows[*place]).collect();
            let p_value = permutation_p(as_large, DRAWS);
            (places, Zone { rows, dissenters: cluster.len(), p_value })
        };
        self.clusters(&self.dissents).iter().map(judged).collect()
    }

    /// Dissent by noise alone, many times.
    fn draws(&self, seed: Seed) -> Vec<Vec<bool>> {
        let draw = |draw: usize| {
            let mut rng = seed.nth(draw).rng();
            self.rate.iter().map(|rate| random::uniform(&mut rng) < *rate).collect()
        };
        (0..DRAWS).map(draw).collect()
    }

    fn joins(&self, dissents: &[bool]) -> usize {
        let of = |place: usize| self.heard[place].iter().filter(|other| dissents[**other]).count();
        (0..self.rows.len()).filter(|place| dissents[*place]).map(of).sum()
    }

    /// Dissenters in sets connected by hearing each other or one the other, the largest first.
    fn clusters(&self, dissents: &[bool]) -> Vec<Vec<usize>> {
        let mut joined = Joined::new(self.rows.len());
        for place in (0..self.rows.len()).filter(|place| dissents[*place]) {
            self.heard[place]
                .iter()
                .filter(|other| dissents[**other])
                .for_each(|other| joined.join(place, *other));
        }
        let mut sets = joined.sets();
        sets.sort_by_key(|set| std::cmp::Reverse(set.len()));
        sets
    }

    /// The dissenters of a cluster and those they surround, ascending.
    fn zone(&self, cluster: &[usize]) -> Vec<usize> {
        let inside = |place: &usize| cluster.binary_search(place).is_ok();
        let surrounded = |place: &usize| {
            let heard = &self.heard[*place];
            heard.iter().filter(|other| inside(other)).count() as f64 > SURROUNDED * heard.len() as f64
        };
        (0..self.rows.len()).filter(|place| inside(place) || surrounded(place)).collect()
    }
}

/// Which of the two classes the surroundings of each place have: the majority of its neighbours and itself, in rounds; in a
/// tie what it was.
fn territory(given: &[bool], heard: &[Vec<usize>]) -> Vec<bool> {
    let mut territory = given.to_vec();
    for _ in 0..ROUNDS {
        let before = territory.clone();
        for (place, neighbours) in heard.iter().enumerate() {
            let second =
                neighbours.iter().filter(|other| before[**other]).count() + usize::from(before[place]);
            territory[place] = match (2 * second).cmp(&(neighbours.len() + 1)) {
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => before[place],
                std::cmp::Ordering::Greater => true,
            };
        }
    }
    territory
}

/// What a share is below with 95 % (Agresti and Coull 1998).
fn upper_limit(count: usize, n: usize) -> f64 {
    let (count, n) = (count as f64 + LIMIT_Z * LIMIT_Z / 2.0, n as f64 + LIMIT_Z * LIMIT_Z);
    let share = count / n;
    share + LIMIT_Z * (share * (1.0 - share) / n).sqrt()
}
