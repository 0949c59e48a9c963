//! Our side of an audit of arrays from elsewhere; `quality/peers/audit_speed.py` makes the same ones.
//!
//! Labels are the cluster a row lies in, every twentieth one wrong; probabilities are sure of the cluster to varying degrees.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::ensure;
use linalg::Matrix;
use pipeline::{ArraysRequest, Fault, GivenArrays, Run, audit_arrays};

use crate::Told;
use crate::inspect::{cluster_of, patches, uniform};
use crate::ours::measure;

const CLASSES: usize = 10;
/// One label in so many is wrong.
const WRONG: usize = 20;
/// What the peer looks for as well; the rest is timed with it. What it is worth to do something about it is said in both cases.
const SHARED: [Fault; 7] = [
    Fault::Label,
    Fault::Duplicate,
    Fault::Outlier,
    Fault::NonIid,
    Fault::ClassImbalance,
    Fault::WeakSlice,
    Fault::LowValue,
];

/// The faults that both sides look for, in 10,000 rows.
pub(crate) fn small(_data: &Path) -> anyhow::Result<Told> {
    audited(10_000, false)
}

/// In 50,000 rows.
pub(crate) fn large(_data: &Path) -> anyhow::Result<Told> {
    audited(50_000, false)
}

/// All that can be found in arrays, and what it is worth, in 10,000 rows.
pub(crate) fn small_whole(_data: &Path) -> anyhow::Result<Told> {
    audited(10_000, true)
}

fn audited(n: usize, whole: bool) -> anyhow::Result<Told> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    write(folder.path(), n)?;
    let skip = Fault::ALL.into_iter().filter(|fault| !whole && !SHARED.contains(fault)).collect();
    let (labels, predicted) = (path("y.npy"), path("p.npy"));
    let request = ArraysRequest {
        given: GivenArrays::Numbers { labels, predicted, lengths: None },
        features: Some(path("x.npy")),
        skip,
        seed: 0,
    };
    let mut flagged = 0;
    let told = measure(n, || {
        let cancelled = AtomicBool::new(false);
        let found = audit_arrays(&request, &Run::new(&|_| {}, &cancelled))?;
        flagged = found.findings.iter().filter(|finding| finding.fault == Fault::Label).count();
        Ok(())
    })?;
    let planted = n / WRONG;
    ensure!((planted * 9 / 10..planted * 11 / 10).contains(&flagged), "{flagged} labels flagged");
    Ok(told)
}

/// `x.npy`, `y.npy` and `p.npy`.
fn write(folder: &Path, n: usize) -> anyhow::Result<()> {
    let x: Matrix = patches(n);
    let truth: Vec<usize> = cluster_of(n).map(|cluster| cluster % CLASSES).collect();
    let labels =
        truth.iter().enumerate().map(|(row, class)| (class + usize::from(row % WRONG == 0)) % CLASSES);
    let labels: Vec<u8> = labels.flat_map(|label| (label as i64).to_le_bytes()).collect();
    let probs: Vec<u8> = uniform(6, n)
        .zip(&truth)
        .flat_map(|(draw, truth)| {
            let sure = 0.55 + 0.22 * (draw + 1.0);
            let other = (1.0 - sure) / (CLASSES - 1) as f64;
            (0..CLASSES).map(move |class| if class == *truth { sure } else { other })
        })
        .flat_map(f64::to_le_bytes)
        .collect();
    let features: Vec<u8> = x.data().iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(folder.join("y.npy"), npy("<i8", &format!("({n},)"), &labels))?;
    fs::write(folder.join("p.npy"), npy("<f8", &format!("({n}, {CLASSES})"), &probs))?;
    fs::write(folder.join("x.npy"), npy("<f4", &format!("({n}, {})", x.cols()), &features))?;
    Ok(())
}

fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}
