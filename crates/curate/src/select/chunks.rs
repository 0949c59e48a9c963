//! Large pools in parts (methods 5.4, GreeDi): each part is picked from alone, then the picks of all parts are.

use linalg::{Metric, Seed, knn_between, random};

use super::field::Field;
use super::{Amount, Method, Why, clusters, cover, facility, spread, unsure};
use crate::{CurateError, duplicates};

/// Open rows that are looked at together: the neighbours of so many take seconds.
const CHUNK: usize = 20_000;
/// Rows that the picks of all parts are judged on.
const JUDGES: usize = 5000;

/// The same field without near copies: open rows that are like a known one, or like an open one before them.
///
/// Copies in different parts of a large pool are not all found here.
pub(super) fn distinct(field: &Field, seed: Seed) -> Result<Field, CurateError> {
    let mut kept: Vec<usize> = Vec::with_capacity(field.n_open());
    for part in parts(field, seed) {
        let part_field = field.with_open(&part);
        let mut is_copy = vec![false; part_field.rows.len()];
        for set in duplicates(part_field.x.view())?.components {
            // The known places come first.
            set[1..].iter().for_each(|place| is_copy[*place] = true);
        }
        let stays = |at: &usize| !is_copy[part_field.n_known + at];
        kept.extend((0..part.len()).filter(stays).map(|at| part[at]));
    }
    kept.sort_unstable();
    Ok(field.with_open(&kept))
}

/// Picks by a method, in parts where the pool is large and the method looks at neighbours.
pub(super) fn pick(
    field: &Field,
    method: Method,
    amount: Amount,
    n_classes: Option<usize>,
    seed: Seed,
) -> Vec<(usize, Why)> {
    let alone = matches!(method, Method::Margin | Method::KCentre | Method::Random);
    if alone || field.n_open() <= CHUNK {
        return once(field, method, amount, n_classes, seed);
    }
    let of_parts: Vec<Vec<(usize, Why)>> = parts(field, seed)
        .into_iter()
        .map(|part| {
            let picks = once(&field.with_open(&part), method, amount, n_classes, seed);
            picks.into_iter().map(|(place, why)| (part[place - field.n_known], why)).collect()
        })
        .collect();
    let mut union: Vec<(usize, Why)> = of_parts.concat();
    union.sort_by_key(|(place, _)| *place);
    let places: Vec<usize> = union.iter().map(|(place, _)| *place).collect();
    let picks = once(&field.with_open(&places), method, amount, n_classes, seed);
    // The evidence is that of the part: what a pick stands for was seen there.
    let merged = picks.into_iter().map(|(place, _)| union[place - field.n_known]).collect();
    let judges = random::sample_without_replacement(
        field.n_open(),
        JUDGES.min(field.n_open() / 10),
        &mut seed.derive("judges").rng(),
    );
    let judges: Vec<usize> = judges.into_iter().map(|place| field.n_known + place).collect();
    let all = std::iter::once(merged).chain(of_parts);
    let best = all.map(|picks| (uncovered(field, &picks, &judges), picks)).min_by(|a, b| a.0.total_cmp(&b.0));
    best.expect("there is at least the union").1
}

/// Mean distance of some rows to what is known or picked.
pub(super) fn uncovered(field: &Field, picks: &[(usize, Why)], judges: &[usize]) -> f64 {
    let bank: Vec<usize> = (0..field.n_known).chain(picks.iter().map(|(place, _)| *place)).collect();
    let (bank, judges) = (field.x.select_rows(&bank), field.x.select_rows(judges));
    let near = knn_between(judges.view(), bank.view(), 1, Metric::Cosine);
    near.distances.iter().map(|distance| f64::from(*distance)).sum::<f64>() / judges.rows() as f64
}

/// Picks by a method from all open rows at once.
pub(super) fn once(
    field: &Field,
    method: Method,
    amount: Amount,
    n_classes: Option<usize>,
    seed: Seed,
) -> Vec<(usize, Why)> {
    let count = if let Amount::Count(count) = amount { count.min(field.n_open()) } else { field.n_open() };
    match method {
        Method::Centroids => clusters::middles(field, count, seed),
        Method::Typiclust => clusters::typical(field, count, seed),
        Method::Probcover => cover::covering(field, count, n_classes.unwrap_or(count), seed),
        Method::KCentre => spread::farthest(field, count),
        Method::FacilityLocation => facility::facility(field, amount),
        Method::Margin => unsure::unsure(field, count, seed),
        // Everything is in the random half.
        Method::Random => Vec::new(),
    }
}

/// The open places in parts of about equal size, dealt at random; each ascending.
pub(super) fn parts(field: &Field, seed: Seed) -> Vec<Vec<usize>> {
    let n = field.n_open();
    let n_parts = n.div_ceil(CHUNK).max(1);
    if n_parts == 1 {
        return vec![field.open().collect()];
    }
    let mut order: Vec<usize> = field.open().collect();
    random::shuffle(&mut order, &mut seed.derive("parts").rng());
    let mut parts: Vec<Vec<usize>> = order.chunks(n.div_ceil(n_parts)).map(<[usize]>::to_vec).collect();
    parts.iter_mut().for_each(|part| part.sort_unstable());
    parts
}
