//! Our side of what inspection does most: choosing patches and finding the nearest.
//!
//! The patches are made by the same formula as in `quality/peers/inspect_speed.py`: random, but in clusters and with directions
//! of falling strength, as features are.

use std::path::Path;

use anyhow::ensure;
use linalg::{
    Limits, Matrix, MatrixView, NearestIndex, Seed, Sides, k_centre, matmul, random_projection,
    squared_distance,
};

use tune::detect::{LocalConfig, LocalMemory};

use crate::Told;
use crate::ours::measure;

/// Patches, their columns, and patches of one photo.
const PATCHES: usize = 33_000;
const DIM: usize = 384;
const PER_PHOTO: usize = 1000;
/// Patches that are kept.
const KEPT: usize = 3300;
/// Examples to choose from, and how many are labelled.
const POOL: usize = 50_000;
const LABELLED: usize = 1000;
/// What the patches are made of.
const CLUSTERS: usize = 40;
const RANK: usize = 48;
/// Columns after a random projection.
const PROJECTED: usize = 128;
/// Picks and answers that are compared with a naive version.
const CHECKED: usize = 40;

/// SplitMix64 of stream and place, in [-1, 1).
pub(crate) fn uniform(stream: u64, count: usize) -> impl Iterator<Item = f64> {
    (0..count as u64).map(move |place| {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let x = (place + (stream << 40)).wrapping_mul(step).wrapping_add(step);
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    })
}

/// `[n]`: the cluster of each patch.
pub(crate) fn cluster_of(n: usize) -> impl Iterator<Item = usize> {
    uniform(3, n).map(|draw| ((draw + 1.0) / 2.0 * CLUSTERS as f64) as usize)
}

pub(crate) fn patches(n: usize) -> Matrix {
    let mut directions = Matrix::from_vec(RANK, DIM, uniform(1, RANK * DIM).collect());
    for row in 0..RANK {
        let strength = 1.0 / (1.0 + row as f64).sqrt();
        directions.row_mut(row).iter_mut().for_each(|value| *value *= strength);
    }
    let centres: Vec<f64> = uniform(2, CLUSTERS * RANK).map(|value| 1.5 * value).collect();
    let mut inside = Matrix::from_vec(n, RANK, uniform(4, n * RANK).collect());
    for (row, cluster) in cluster_of(n).enumerate() {
        let centre = &centres[cluster * RANK..(cluster + 1) * RANK];
        inside.row_mut(row).iter_mut().zip(centre).for_each(|(value, centre)| *value += centre);
    }
    let mut x = matmul(inside.view(), directions.view());
    x.data_mut().iter_mut().zip(uniform(5, n * DIM)).for_each(|(value, noise)| *value += 0.15 * noise);
    for row in 0..n {
        let length = x.row(row).iter().map(|value| value * value).sum::<f64>().sqrt();
        x.row_mut(row).iter_mut().for_each(|value| *value /= length);
    }
    x.map(|value| value as f32)
}

/// The first picks of the plain algorithm.
fn naive_picks(x: &Matrix) -> Vec<usize> {
    let (mut picks, mut squared) = (vec![0], vec![f32::INFINITY; x.rows()]);
    while picks.len() < CHECKED {
        let pick = x.row(picks[picks.len() - 1]);
        squared
            .iter_mut()
            .enumerate()
            .for_each(|(row, squared)| *squared = squared.min(squared_distance(x.row(row), pick)));
        picks.push((1..x.rows()).fold(0, |best, row| if squared[row] > squared[best] { row } else { best }));
    }
    picks
}

/// Chooses by all columns.
pub(crate) fn coreset(_data: &Path) -> anyhow::Result<Told> {
    k_centres(PATCHES, KEPT)
}

/// Chooses what to label from a large pool.
pub(crate) fn pool(_data: &Path) -> anyhow::Result<Told> {
    k_centres(POOL, LABELLED)
}

fn k_centres(n: usize, kept: usize) -> anyhow::Result<Told> {
    let x = patches(n);
    let mut radius = 0.0;
    let told = measure(n, || {
        let coreset = k_centre(x.view(), kept, 0);
        ensure!(coreset.picks.len() == kept, "there are no copies");
        radius = f64::from(coreset.radius);
        Ok(())
    })?;
    ensure!(k_centre(x.view(), CHECKED, 0).picks == naive_picks(&x), "the picks are the plain algorithm's");
    Ok(Told { answer: Some(radius), ..told })
}

/// Chooses by 128 columns, the projection included.
pub(crate) fn projected_coreset(_data: &Path) -> anyhow::Result<Told> {
    let x = patches(PATCHES);
    measure(PATCHES, || {
        let short = random_projection(x.view(), PROJECTED, Seed(0));
        ensure!(k_centre(short.view(), KEPT, 0).picks.len() == KEPT, "there are no copies");
        Ok(())
    })
}

/// The nearest kept patch of each patch, the preparation of the bank included.
pub(crate) fn nearest(_data: &Path) -> anyhow::Result<Told> {
    search(false)
}

/// The same, from other photos only.
pub(crate) fn held_out(_data: &Path) -> anyhow::Result<Told> {
    search(true)
}

/// As inspectors ask: features are scaled to equal variance in every direction, and distances are told in units of what is usual around
/// each kept patch. The memory is there already.
pub(crate) fn weighted(_data: &Path) -> anyhow::Result<Told> {
    let x = patches(PATCHES);
    let photos: Vec<MatrixView<'_>> =
        x.data().chunks(PER_PHOTO * DIM).map(|photo| MatrixView::new(PER_PHOTO, DIM, photo)).collect();
    let config = LocalConfig { bank: KEPT, whiten: true, power: 0.5 };
    let memory = LocalMemory::fit(&photos, 0..DIM, &config, Seed(0))?;
    let mut scores = Vec::new();
    let told = measure(PATCHES, || {
        scores = memory.scores(x.view())?;
        Ok(())
    })?;
    let bank = memory.bank().widened();
    for row in (0..PATCHES).step_by(PATCHES / CHECKED) {
        let centred: Vec<f32> =
            x.row(row).iter().zip(memory.mean()).map(|(value, mean)| value - mean).collect();
        let scaled: Vec<f32> =
            memory.map().iter_rows().map(|direction| linalg::dot(direction, &centred) as f32).collect();
        let apart =
            (0..bank.rows()).map(|kept| squared_distance(&scaled, bank.row(kept)) * memory.weight()[kept]);
        let naive = apart.fold(f32::INFINITY, f32::min).sqrt();
        ensure!((scores[row] - naive).abs() <= 1e-3 * naive, "row {row}: {} {naive}", scores[row]);
    }
    Ok(told)
}

fn search(held_out: bool) -> anyhow::Result<Told> {
    let x = patches(PATCHES);
    let kept: Vec<usize> = (0..PATCHES).step_by(PATCHES / KEPT).collect();
    let bank = x.select_rows(&kept);
    let photo = |row: usize| (row / PER_PHOTO) as u32;
    let photos: [Vec<u32>; 2] =
        [(0..PATCHES).map(photo).collect(), kept.iter().map(|row| photo(*row)).collect()];
    let others = held_out.then_some(Sides { queries: &photos[0][..], bank: &photos[1][..] });
    let mut distances = Vec::new();
    let told = measure(PATCHES, || {
        let index = NearestIndex::new(bank.view());
        let hits = index.nearest(bank.view(), x.view(), Limits { others, near: None });
        distances = hits.into_iter().flatten().map(|hit| hit.distance).collect();
        Ok(())
    })?;
    ensure!(distances.len() == PATCHES, "every patch has a nearest");
    for row in (0..PATCHES).step_by(PATCHES / CHECKED) {
        let allowed = (0..KEPT).filter(|other| !held_out || photos[1][*other] != photos[0][row]);
        let naive = allowed
            .map(|other| squared_distance(x.row(row), bank.row(other)))
            .fold(f32::INFINITY, f32::min)
            .sqrt();
        ensure!((distances[row] - naive).abs() <= 1e-5, "row {row}: {} {naive}", distances[row]);
    }
    let sum: f64 = distances.iter().map(|distance| f64::from(*distance)).sum();
    Ok(Told { answer: Some(sum / PATCHES as f64), ..told })
}
