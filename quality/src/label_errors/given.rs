//! Sets whose out-of-fold probabilities were published: by several networks, with all wrong labels known; and candidates that
//! people looked at.

use std::path::Path;

use anyhow::Context;
use curate::labels::Judged;
use curate::labels::errors::label_errors;
use curate::labels::score::self_confidence;
use linalg::Matrix;
use serde::Deserialize;

use super::{Found, print_line};
use crate::npy;

/// Families of networks on one set: folder, labels, and the least mean F1.
const SETS: [(&str, &str, f64); 2] =
    [("cifar10n_aggregate", "noisy_labels.npy", 0.80), ("roman_numeral", "labels.npy", 0.45)];

/// Every network of every set; whether the mean F1 reaches the floor and nothing ranks below the peer, on the mean.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn benchmarks(data: &Path) -> anyhow::Result<bool> {
    let mut good = true;
    for (set, labels_file, floor) in SETS {
        let folder = data.join("reference/label_error_benchmarks").join(set);
        let mut pairs = Vec::new();
        for network in networks(&folder)? {
            let labels = npy::labels(&network.join(labels_file))?;
            let probs = npy::matrix(&network.join("pred_probs.npy"))?;
            let wrong: Vec<bool> = if set == "roman_numeral" {
                npy::labels(&network.join("label_errors_mask.npy"))?.iter().map(|value| *value != 0).collect()
            } else {
                let truth = npy::labels(&network.join("true_labels.npy"))?;
                labels.iter().zip(&truth).map(|(given, truth)| given != truth).collect()
            };
            let judged = Judged::new(&labels, probs.view())?;
            let (ours, peer) = (Found::ours(judged, &wrong)?, Found::peer(judged, &wrong)?);
            let name = network.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let count = wrong.iter().filter(|wrong| **wrong).count();
            print_line(&format!("{set}, {name}"), count, wrong.len(), ours, peer);
            pairs.push((ours, peer));
        }
        let mean =
            |of: &dyn Fn(&(Found, Found)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
        let (ours, peer) = (mean(&|pair| pair.0.f1), mean(&|pair| pair.1.f1));
        let ranks = [
            mean(&|(ours, peer)| ours.auroc - peer.auroc),
            mean(&|(ours, peer)| ours.average_precision - peer.average_precision),
        ];
        println!(
            "{set}: mean F1 {ours:.3} (floor {floor}), peer {peer:.3}; AUROC {:+.4}, AP {:+.4} against the peer",
            ranks[0], ranks[1]
        );
        // Figures are told to four digits.
        good &= ours >= floor && ranks.iter().all(|difference| *difference > -5e-5);
    }
    Ok(good)
}

fn networks(folder: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("the data is missing: `{}`", folder.display()))?;
    let mut paths: Vec<_> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}

/// A candidate as five people judged it.
#[derive(Deserialize)]
struct Candidate {
    id: usize,
    mturk: Judgement,
}

#[derive(Deserialize)]
struct Judgement {
    /// How many of the five chose the given label.
    given: usize,
}

/// Candidates of two test sets: are those that most people reject ranked before those that most confirm? The third set,
/// IMDB, does not say in which order its probabilities are.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn human_checked(data: &Path) -> anyhow::Result<bool> {
    let folder = data.join("reference/label_errors");
    let mut good = true;
    for set in ["mnist", "20news"] {
        let labels = npy::labels(&folder.join(format!("{set}_test_set_original_labels.npy")))?;
        let probs: Matrix<f64> = npy::matrix(&folder.join(format!("{set}_test_set_pyx.npy")))?;
        let text = std::fs::read_to_string(folder.join(format!("{set}_mturk.json")))?;
        let candidates: Vec<Candidate> = serde_json::from_str(&text)?;
        let judged = Judged::new(&labels, probs.view())?;
        let found = label_errors(judged);
        let wrong: Vec<bool> = candidates.iter().map(|candidate| candidate.mturk.given < 3).collect();
        let pick = |scores: &[f64]| -> Vec<f64> {
            candidates.iter().map(|candidate| scores[candidate.id]).collect()
        };
        let flags: Vec<bool> =
            candidates.iter().map(|candidate| found.flagged.contains(&candidate.id)).collect();
        let ours = Found::new(&flags, &pick(&found.scores), &wrong)?;
        let mask = curate::labels::filter::flagged(judged, curate::labels::filter::Filter::PruneByNoiseRate);
        let mask: Vec<bool> = candidates.iter().map(|candidate| mask[candidate.id]).collect();
        let peer = Found::new(&mask, &pick(&self_confidence(judged)), &wrong)?;
        let count = wrong.iter().filter(|wrong| **wrong).count();
        print_line(&format!("{set}, candidates people looked at"), count, wrong.len(), ours, peer);
        good &= ours.auroc >= peer.auroc;
    }
    Ok(good)
}
