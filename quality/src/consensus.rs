//! How often votes of a crowd lead to the truth, by every method, beside what crowd-kit 1.4.1 answers on the same votes; with a model that
//! listens; and how long 150,000 votes and a million take.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Context;
use curate::consensus::{
    Scale, Vote, VoteProblem, Votes, consensus, dawid_skene, glad, krippendorff_alpha, mace, one_coin,
    vote_shares,
};
use linalg::{Matrix, Seed, random};
use pipeline::{ConsensusRequest, Run, VoteScale, weigh_votes};
use serde::Deserialize;

use crate::table::home;

const SETS: [&str; 4] = ["dog_breed", "face_sentiment", "product_match", "esc10_human_votes"];
/// Examples with five votes each, and the most seconds that they may take.
const TIMED: [(u32, f64); 2] = [(30_000, 0.5), (200_000, 5.0)];
/// Runs, of which the quickest counts: other programs on the machine are not what is measured.
const REPEATS: usize = 5;

/// The peer's accuracies.
#[derive(Deserialize)]
struct Peer {
    majority_vote: f64,
    dawid_skene: f64,
    glad: f64,
    krippendorff_alpha_nominal: f64,
}

/// Votes with the truth of each example, where it is known.
struct Crowd {
    votes: Votes,
    truth: Vec<Option<u32>>,
}

/// Every set; whether our consensus is at least as good as the best of the peer's answers on each, and fast enough.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    println!(
        "{:<18} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8}   {:>8} {:>8} {:>8}   {:>7} {:>7}",
        "set",
        "consensus",
        "majority",
        "DS",
        "one-coin",
        "GLAD",
        "MACE",
        "peer MV",
        "peer DS",
        "GLAD",
        "alpha",
        "peer's"
    );
    let mut good = true;
    for set in SETS {
        let crowd = read(&data.join("noisy_labels").join(set))?;
        let path = data.join(format!("reference/crowdkit/{set}.crowdkit.json"));
        let peer: Peer = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        let ours = accuracy(&crowd, &consensus(&crowd.votes, None)?.posterior);
        let others = [
            accuracy(&crowd, &vote_shares(&crowd.votes)?),
            accuracy(&crowd, &dawid_skene(&crowd.votes, 1.0)?.posterior),
            accuracy(&crowd, &one_coin(&crowd.votes)?.posterior),
            accuracy(&crowd, &glad(&crowd.votes)?.posterior),
            accuracy(&crowd, &mace(&crowd.votes, Seed(0))?.posterior),
        ];
        let alpha =
            krippendorff_alpha(&crowd.votes, Scale::Nominal, Seed(0)).map_or(f64::NAN, |found| found.alpha);
        let others: String = others.iter().map(|value| format!(" {value:>8.4}")).collect();
        println!(
            "{set:<18} {ours:>9.4}{others}   {:>8.4} {:>8.4} {:>8.4}   {alpha:>7.4} {:>7.4}",
            peer.majority_vote, peer.dawid_skene, peer.glad, peer.krippendorff_alpha_nominal
        );
        // The peer's figures are rounded to four digits.
        good &= ours >= peer.majority_vote.max(peer.dawid_skene).max(peer.glad) - 5e-5;
    }
    let heard = with_a_model(data)?;
    println!("esc10_human_votes with a model of the sounds: {heard:.4}");
    good &= heard >= 1.0;
    for (examples, most) in TIMED {
        let seconds = seconds(examples)?;
        println!("consensus of {} votes (10 classes): {seconds:.2} s (at most {most})", 5 * examples);
        good &= seconds <= most;
    }
    Ok(good)
}

/// The share of sounds that get their label when a model that learns from the votes listens to them as well.
fn with_a_model(data: &Path) -> anyhow::Result<f64> {
    let folder = data.join("noisy_labels/esc10_human_votes");
    let request = ConsensusRequest {
        votes: folder.join("votes.csv"),
        item: None,
        annotator: None,
        label: None,
        time: None,
        scale: VoteScale::Nominal,
        method: None,
        examples: Some(data.join("audio/esc10")),
        base: None,
        questions: 0,
        seed: 0,
    };
    let never = AtomicBool::new(false);
    let found = weigh_votes(&home()?, &request, &Run::new(&|_| {}, &never))?;
    let mut truth = csv::Reader::from_path(folder.join("truth.csv"))?;
    let truth: BTreeMap<String, String> = truth.deserialize().collect::<Result<_, _>>()?;
    let right = found.items.iter().filter(|item| truth.get(&item.item) == Some(&item.label)).count();
    Ok(right as f64 / found.items.len() as f64)
}

fn accuracy(crowd: &Crowd, posterior: &Matrix<f64>) -> f64 {
    let known =
        crowd.truth.iter().enumerate().filter_map(|(example, truth)| truth.map(|truth| (example, truth)));
    let (mut right, mut all) = (0_u32, 0_u32);
    for (example, truth) in known {
        let row = posterior.row(example);
        let best = (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        right += u32::from(best == truth as usize);
        all += 1;
    }
    f64::from(right) / f64::from(all)
}

/// `votes.csv` (item, annotator, label) and `truth.csv` (item, label); ids are numbered in their order.
fn read(folder: &Path) -> anyhow::Result<Crowd> {
    let rows = |name: &str| -> anyhow::Result<Vec<csv::StringRecord>> {
        let path = folder.join(name);
        let mut reader = csv::Reader::from_path(&path)
            .with_context(|| format!("the data is missing: `{}`", path.display()))?;
        Ok(reader.records().collect::<Result<_, _>>()?)
    };
    let (votes, truth) = (rows("votes.csv")?, rows("truth.csv")?);
    let number = |column: &[&str]| -> BTreeMap<String, u32> {
        let mut names: Vec<&str> = column.to_vec();
        names.sort_unstable();
        names.dedup();
        names.into_iter().enumerate().map(|(place, name)| (name.to_owned(), place as u32)).collect()
    };
    let column = |rows: &'_ [csv::StringRecord], at: usize| -> Vec<String> {
        rows.iter().map(|row| row[at].to_owned()).collect()
    };
    let (items, annotators, labels) = (column(&votes, 0), column(&votes, 1), column(&votes, 2));
    let true_labels = column(&truth, 1);
    let all_labels: Vec<&str> = labels.iter().chain(&true_labels).map(String::as_str).collect();
    let refs = |names: &'_ [String]| -> BTreeMap<String, u32> {
        number(&names.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (items_by_name, annotators_by_name, classes) = (refs(&items), refs(&annotators), number(&all_labels));
    let given: Vec<Vote> = (0..votes.len())
        .map(|row| Vote {
            example: items_by_name[&items[row]],
            annotator: annotators_by_name[&annotators[row]],
            class: classes[&labels[row]],
        })
        .collect();
    let (votes, problems) = Votes::new(&given, items_by_name.len(), annotators_by_name.len(), classes.len())?;
    debug_assert!(problems.iter().all(|problem| !matches!(problem, VoteProblem::Unanswered { .. })));
    let mut known = vec![None; items_by_name.len()];
    for row in &truth {
        if let Some(example) = items_by_name.get(&row[0]) {
            known[*example as usize] = Some(classes[&row[1]]);
        }
    }
    Ok(Crowd { votes, truth: known })
}

/// The quickest of several runs over made votes of 200 annotators, five on each example.
fn seconds(examples: u32) -> anyhow::Result<f64> {
    let mut rng = Seed(1).rng();
    let mut given = Vec::new();
    for example in 0..examples {
        let truth = random::below(&mut rng, 10) as u32;
        for annotator in random::sample_without_replacement(200, 5, &mut rng) {
            let right = random::uniform(&mut rng) < 0.5 + annotator as f64 / 500.0;
            let class = if right { truth } else { random::below(&mut rng, 10) as u32 };
            given.push(Vote { example, annotator: annotator as u32, class });
        }
    }
    let votes = Votes::new(&given, examples as usize, 200, 10)?.0;
    let mut best = f64::INFINITY;
    for _ in 0..REPEATS {
        let start = Instant::now();
        let found = consensus(&votes, None)?;
        best = best.min(start.elapsed().as_secs_f64());
        anyhow::ensure!(found.labels.iter().all(Option::is_some), "every example has votes");
    }
    Ok(best)
}
