//! Two bases laid over each other from few pairs of emoji: how often the partner is among the ten best of 500 that were not learned from,
//! beside chance and beside plain ridge CCA in numpy (`quality/peers/cca.py`).

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail, ensure};
use bundle::JointPredictor;
use dataset::{Dataset, Modality};
use linalg::{Matrix, Seed, matmul_nt, random};
use pipeline::{Home, Run};
use tune::align::{Pairs, Spaces};

use crate::peer::{Peer, floats};
use crate::table::{Table, home};

const PAIRS: [usize; 3] = [200, 500, 1000];
const HELD_OUT: usize = 500;
const DRAWS: usize = 3;
/// Partners among so many best count as found.
const FOUND: usize = 10;

/// Prints a line for each number of pairs; whether ours is never below the plain way.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    let table = data.join("multimodal/emoji_zh_en/items.jsonl");
    if !table.exists() {
        bail!("the data is missing: `{}`", table.display());
    }
    let home = home()?;
    let installed = Peer::installed()?;
    println!(
        "{:<18} {:>6} {:>8} {:>16} {:>8} {:>8}   way",
        "pairs", "taught", "R@10", "95 %", "chance", "numpy"
    );
    let mut good = true;
    for [left, right] in [["image", "caption_en"], ["caption_en", "caption_zh"]] {
        let (pairs, _) = dataset::read_pairs(&table, [Some(left), Some(right)], None)?;
        let sides = [features(&home, &pairs, 0)?, features(&home, &pairs, 1)?];
        ensure!(sides[0].rows() == sides[1].rows(), "every emoji can be read");
        for n in PAIRS {
            let (mut ours, mut peer, mut ways) = (Vec::new(), Vec::new(), Vec::new());
            for draw in 0..DRAWS {
                let mut order: Vec<usize> = (0..sides[0].rows()).collect();
                random::shuffle(&mut order, &mut Seed(3).nth(draw).rng());
                let rows = &order[..n + HELD_OUT];
                let (x, y) = (sides[0].select_rows(rows), sides[1].select_rows(rows));
                let (share, way) = found(&x, &y, n, draw)?;
                ours.push(share);
                ways.push(way);
                if let Some(installed) = &installed {
                    peer.push(plain(installed, &x, &y, n)?);
                }
            }
            let mean = |shares: &[f64]| shares.iter().sum::<f64>() / shares.len() as f64;
            let interval = evaluate::wilson((mean(&ours) * HELD_OUT as f64).round() as usize, HELD_OUT);
            let told = if peer.is_empty() { "-".to_owned() } else { format!("{:.3}", mean(&peer)) };
            println!(
                "{:<18} {n:>6} {:>8.3} {:>7.3} to {:.3} {:>8.3} {told:>8}   {}",
                format!("{left}-{right}").replace("caption_", ""),
                mean(&ours),
                interval.low,
                interval.high,
                FOUND as f64 / HELD_OUT as f64,
                ways.join(" ")
            );
            good &= peer.is_empty() || mean(&ours) >= mean(&peer);
        }
    }
    Ok(good)
}

/// What of one side is aligned, `[pairs, d]`.
fn features(home: &Home, pairs: &Dataset, end: usize) -> anyhow::Result<Matrix> {
    let sense = &pairs.senses[end];
    let (alone, _) = pairs.of_sense(sense);
    let id =
        Home::default_base(if sense.modality == Modality::Image { Modality::Image } else { Modality::Text });
    let base = home.open_base(id, &Run::new(&|_| {}, &AtomicBool::new(false)))?;
    let table = Table::new(&home.cache.join("features"), &base, &alone, alone.classes())?;
    let row = |row: usize| {
        let features: Vec<f32> = table.sets.iter().flat_map(|set| set.x.row(row).iter().copied()).collect();
        JointPredictor::looked_at(&base, &features)
    };
    Ok(Matrix::from_rows(&(0..table.n()).map(row).collect::<Vec<_>>()))
}

/// The share of partners found among those after the first `n` pairs, and the way that was chosen.
fn found(x: &Matrix, y: &Matrix, n: usize, draw: usize) -> anyhow::Result<(f64, String)> {
    let learned: Vec<usize> = (0..n).collect();
    let groups: Vec<u32> = (0..n as u32).collect();
    let never = AtomicBool::new(false);
    let (left, right) = (x.select_rows(&learned), y.select_rows(&learned));
    let pairs = Pairs { left: &left, right: &right, groups: &groups, spaces: Spaces::Two };
    let aligned = tune::align::align(pairs, Seed(draw as u64), &never)?;
    let alignment = aligned.alignment.context("emoji and their names share something")?;
    let vectors = |side: &tune::align::Side, matrix: &Matrix| -> anyhow::Result<Matrix> {
        let rows = (n..n + HELD_OUT).map(|row| Ok(side.project(matrix.row(row))?));
        Ok(Matrix::from_rows(&rows.collect::<anyhow::Result<Vec<_>>>()?))
    };
    let alike = matmul_nt(vectors(&alignment.left, x)?.view(), vectors(&alignment.right, y)?.view());
    let share = |alike: &Matrix| {
        let is_found = |row: &usize| {
            let own = alike.row(*row)[*row];
            alike.row(*row).iter().filter(|value| **value > own).count() < FOUND
        };
        (0..HELD_OUT).filter(is_found).count() as f64 / HELD_OUT as f64
    };
    Ok((0.5 * (share(&alike) + share(&alike.transpose())), format!("{:?}", aligned.method)))
}

/// The same by plain ridge CCA.
fn plain(peer: &Peer, x: &Matrix, y: &Matrix, n: usize) -> anyhow::Result<f64> {
    let files = [("left.f32", floats(x.data())), ("right.f32", floats(y.data()))];
    Ok(peer.ask("cca.py", &files, &[n, x.cols(), y.cols(), HELD_OUT])?.trim().parse()?)
}
