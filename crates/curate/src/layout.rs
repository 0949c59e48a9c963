//! Examples laid out on a plane, like beside like, for people to look at.
//!
//! The layout of UMAP (McInnes, Healy, Melville 2018): a graph of neighbours, begun at the two main directions, in which neighbours
//! attract and others repel. One thread and one seed: the same data lie the same way every time. Of large sets a sample is
//! laid out; the others go where their neighbours in it are.

use std::collections::BTreeMap;

use linalg::neighbours::{Metric, Neighbours, knn, knn_between};
use linalg::{Matrix, MatrixView, Seed, decompose, matmul_nt, matmul_tn, random, random_projection};
use rayon::prelude::*;

/// Examples that are laid out by themselves; more take longer than a person waits.
const LAID_OUT: usize = 15_000;
/// Neighbours of each.
const NEIGHBOURS: usize = 15;
/// Neighbours in the sample that say where another example goes.
const ANCHORS: usize = 5;
/// How far apart they may lie to be one place.
const CLOSE: f32 = 1.0;
/// Columns of which the two main directions are taken.
const COLUMNS: usize = 64;
/// Moves of the heaviest edge.
const EPOCHS: usize = 200;
/// Examples that each is repelled from at each move.
const REPELLED: usize = 5;
/// The curve `1 / (1 + A d^(2 B))` that follows UMAP's least distance of 0.1.
const A: f32 = 1.577;
const B: f32 = 0.895;
/// Longest step of one move along one axis.
const STEP: f32 = 4.0;
/// Side of the square that the layout begins in.
const SIDE: f32 = 20.0;

/// Lays the rows of `x`, `[n, d]`, out: `[n]` places in the unit square.
pub fn lay_out(x: MatrixView<'_>, seed: Seed) -> Vec<[f32; 2]> {
    let n = x.rows();
    let mut order: Vec<usize> = (0..n).collect();
    random::shuffle(&mut order, &mut seed.derive("sample").rng());
    let mut sample: Vec<usize> = order.into_iter().take(LAID_OUT).collect();
    sample.sort_unstable();
    let chosen = rows(x, &sample);
    let near = knn(chosen.view(), NEIGHBOURS, Metric::Cosine);
    let mut places = main_directions(chosen.view(), seed);
    attract(&mut places, &edges(&near), seed);
    if sample.len() < n {
        places = among(x, chosen.view(), &places);
    }
    into_unit_square(&mut places);
    places
}

fn rows(x: MatrixView<'_>, rows: &[usize]) -> Matrix {
    Matrix::from_vec(rows.len(), x.cols(), rows.iter().flat_map(|row| x.row(*row).iter().copied()).collect())
}

/// Where rows lie along the two directions in which they differ most, in a square of [`SIDE`].
fn main_directions(x: MatrixView<'_>, seed: Seed) -> Vec<[f32; 2]> {
    let narrow =
        if x.cols() > COLUMNS { random_projection(x, COLUMNS, seed.derive("columns")) } else { x.to_owned() };
    let (n, d) = (narrow.rows(), narrow.cols());
    let mut means = vec![0.0_f64; d];
    narrow
        .iter_rows()
        .for_each(|row| row.iter().zip(&mut means).for_each(|(value, mean)| *mean += f64::from(*value)));
    means.iter_mut().for_each(|mean| *mean /= n.max(1) as f64);
    let centred: Vec<f64> = narrow
        .iter_rows()
        .flat_map(|row| row.iter().zip(&means).map(|(value, mean)| f64::from(*value) - mean))
        .collect();
    let centred = Matrix::from_vec(n, d, centred);
    let (_, vectors) = decompose::eigh(matmul_tn(centred.view(), centred.view()).view());
    // Eigenvalues ascend; a single column is laid out on a line.
    let axes =
        [1, 2].map(|back| d.checked_sub(back).map_or_else(|| vec![0.0; d], |at| vectors.row(at).to_vec()));
    let placed = matmul_nt(centred.view(), Matrix::from_rows(&axes).view());
    let most = placed.data().iter().fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()));
    let mut rng = seed.derive("begin").rng();
    // Where all are equal there is nothing to spread.
    let scale = if most > 1e-12 { f64::from(SIDE) / 2.0 / most } else { 0.0 };
    placed
        .iter_rows()
        // Equal examples must not stay on one another.
        .map(|row| [0, 1].map(|axis: usize| (row[axis] * scale + 0.001 * random::normal(&mut rng)) as f32))
        .collect()
}

/// Which rows belong together and how much, in (0, 1]: each pair once.
fn edges(near: &Neighbours) -> Vec<(u32, u32, f32)> {
    let n = near.indices.len() / near.k.max(1);
    let weights: Vec<Vec<f32>> = (0..n).into_par_iter().map(|row| memberships(near, row)).collect();
    let mut joined: BTreeMap<(u32, u32), f32> = BTreeMap::new();
    for (row, weights) in weights.iter().enumerate() {
        for ((other, _), weight) in near.of(row).zip(weights) {
            let pair = (row.min(other) as u32, row.max(other) as u32);
            // Either side's word counts: a + b - a b.
            joined.entry(pair).and_modify(|known| *known += weight - *known * weight).or_insert(*weight);
        }
    }
    joined.into_iter().map(|((a, b), weight)| (a, b, weight)).collect()
}

/// How much each neighbour of a row belongs to it: 1 for the nearest, and log2(k) in all.
fn memberships(near: &Neighbours, row: usize) -> Vec<f32> {
    let distances: Vec<f32> = near.of(row).map(|(_, distance)| distance).collect();
    let nearest = distances.first().copied().unwrap_or(0.0);
    let target = (distances.len() as f32).log2();
    let at = |width: f32| -> Vec<f32> {
        distances.iter().map(|distance| (-(distance - nearest).max(0.0) / width).exp()).collect()
    };
    let (mut low, mut high) = (1e-6_f32, 4.0_f32);
    for _ in 0..32 {
        let middle = (low * high).sqrt();
        if at(middle).iter().sum::<f32>() > target { high = middle } else { low = middle }
    }
    at((low * high).sqrt())
}

/// Moves places along the edges: a heavy one at every step, a light one as much more seldom; each move repels some others.
fn attract(places: &mut [[f32; 2]], edges: &[(u32, u32, f32)], seed: Seed) {
    let heaviest = edges.iter().fold(f32::MIN_POSITIVE, |most, (_, _, weight)| most.max(*weight));
    let mut rng = seed.derive("moves").rng();
    let mut due: Vec<f32> = edges.iter().map(|(_, _, weight)| heaviest / weight).collect();
    for epoch in 0..EPOCHS {
        let pace = 1.0 - epoch as f32 / EPOCHS as f32;
        for ((a, b, weight), due) in edges.iter().zip(&mut due) {
            if *due > (epoch + 1) as f32 {
                continue;
            }
            *due += heaviest / weight;
            let (a, b) = (*a as usize, *b as usize);
            let pull = pull(places[a], places[b]);
            step(&mut places[a], pull, pace);
            step(&mut places[b], pull, -pace);
            for _ in 0..REPELLED {
                let other = random::below(&mut rng, places.len());
                if other != a {
                    let push = push(places[a], places[other]);
                    step(&mut places[a], push, pace);
                }
            }
        }
    }
}

fn between(a: [f32; 2], b: [f32; 2]) -> ([f32; 2], f32) {
    let difference = [a[0] - b[0], a[1] - b[1]];
    (difference, difference[0] * difference[0] + difference[1] * difference[1])
}

/// The gradient that brings `a` to `b`.
fn pull(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    let (difference, squared) = between(a, b);
    if squared <= 0.0 {
        return [0.0; 2];
    }
    let force = -2.0 * A * B * squared.powf(B - 1.0) / (1.0 + A * squared.powf(B));
    difference.map(|side| force * side)
}

/// The gradient that takes `a` away from `b`.
fn push(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    let (difference, squared) = between(a, b);
    let force = 2.0 * B / ((0.001 + squared) * (1.0 + A * squared.powf(B)));
    difference.map(|side| force * side)
}

fn step(place: &mut [f32; 2], gradient: [f32; 2], pace: f32) {
    for (side, gradient) in place.iter_mut().zip(gradient) {
        *side += pace * gradient.clamp(-STEP, STEP);
    }
}

/// Where all rows go, by those of them that are laid out: into the midst of their neighbours there. Where the neighbours lie in
/// several places, most of them decide: between two crowds is nobody's place.
fn among(x: MatrixView<'_>, chosen: MatrixView<'_>, places: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let near = knn_between(x, chosen, ANCHORS, Metric::Cosine);
    (0..x.rows())
        .into_par_iter()
        .map(|row| {
            let anchors: Vec<[f32; 2]> = near.of(row).map(|(anchor, _)| places[anchor]).collect();
            let apart = |a: &[f32; 2]| anchors.iter().map(|b| between(*a, *b).1.sqrt()).sum::<f32>();
            let central = anchors.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)));
            let central = central.copied().unwrap_or_default();
            let close: Vec<&[f32; 2]> =
                anchors.iter().filter(|anchor| between(central, **anchor).1 <= CLOSE * CLOSE).collect();
            [0, 1].map(|axis: usize| close.iter().map(|place| place[axis]).sum::<f32>() / close.len() as f32)
        })
        .collect()
}

/// Without changing the proportions.
fn into_unit_square(places: &mut [[f32; 2]]) {
    let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
    for place in places.iter() {
        low = [low[0].min(place[0]), low[1].min(place[1])];
        high = [high[0].max(place[0]), high[1].max(place[1])];
    }
    let side = (high[0] - low[0]).max(high[1] - low[1]).max(f32::MIN_POSITIVE);
    let middle = [0, 1].map(|axis: usize| (low[axis] + high[axis]) / 2.0);
    for place in places {
        *place = [0, 1].map(|axis: usize| (0.5 + (place[axis] - middle[axis]) / side).clamp(0.0, 1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight clouds in 40 columns that overlap along any two of them.
    fn clouds(each: usize) -> (Matrix, Vec<usize>) {
        let mut rng = Seed(5).rng();
        let centres: Vec<Vec<f64>> =
            (0..8).map(|_| (0..40).map(|_| 1.5 * random::normal(&mut rng)).collect()).collect();
        let of: Vec<usize> = (0..8 * each).map(|row| row % 8).collect();
        let values = of.iter().flat_map(|cloud| {
            let noise: Vec<f64> = (0..40).map(|_| random::normal(&mut rng)).collect();
            centres[*cloud]
                .iter()
                .zip(noise)
                .map(|(centre, noise)| (centre + noise) as f32)
                .collect::<Vec<_>>()
        });
        (Matrix::from_vec(8 * each, 40, values.collect()), of)
    }

    /// The share of examples whose nearest on the plane is of the same cloud.
    fn beside_their_own(places: &[[f32; 2]], of: &[usize]) -> f64 {
        let flat = Matrix::from_vec(places.len(), 2, places.iter().flatten().copied().collect());
        let near = knn(flat.view(), 1, Metric::Euclidean);
        let same = (0..places.len()).filter(|row| near.of(*row).all(|(other, _)| of[other] == of[*row]));
        same.count() as f64 / places.len() as f64
    }

    #[test]
    fn like_lies_beside_like_more_than_along_the_main_directions() {
        let (x, of) = clouds(60);
        let places = lay_out(x.view(), Seed(1));
        let (laid, main) =
            (beside_their_own(&places, &of), beside_their_own(&main_directions(x.view(), Seed(1)), &of));
        assert!(laid > 0.97 && laid > main + 0.05, "{laid} against {main}");
        assert!(places.iter().flatten().all(|side| (0.0..=1.0).contains(side)));
        assert_eq!(places, lay_out(x.view(), Seed(1)), "the same every time");
    }

    #[test]
    fn others_go_where_their_neighbours_are() {
        let (x, of) = clouds(40);
        let sample: Vec<usize> = (0..x.rows()).filter(|row| row / 8 % 2 == 0).collect();
        let chosen = rows(x.view(), &sample);
        let places = lay_out(chosen.view(), Seed(1));
        let all = among(x.view(), chosen.view(), &places);
        assert!(beside_their_own(&all, &of) > 0.95);
    }

    #[test]
    fn hardly_anything_can_be_laid_out() {
        for n in 0..4 {
            let x = Matrix::from_vec(n, 1, vec![1.0; n]);
            assert!(lay_out(x.view(), Seed(1)).iter().flatten().all(|side| side.is_finite()), "{n}");
        }
    }
}
