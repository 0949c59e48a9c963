//! The first lines of an audit: how many labels look wrong, how many of these are, and what is confused with what.

use std::path::Path;

use curate::faults::Fault;

use super::labels::{Confusion, Noise};
use super::{Audit, AuditFinding};
use crate::report::Sentence;
use crate::{Share, percent};

/// Confusions in the line; the others are in the file.
const SHOWN: usize = 3;

impl Audit {
    /// What is told first; nothing where labels were not judged. `findings` is where the list is written, and a person can look at some
    /// of it.
    pub fn headline(&self, findings: Option<&Path>) -> Vec<Sentence> {
        if self.checks.iter().all(|(_, checked)| checked.fault != Fault::Label) {
            return Vec::new();
        }
        let is_label = |finding: &&AuditFinding| finding.fault == Fault::Label;
        let n = self.findings.iter().filter(is_label).count();
        let reviewed = self.reviewed.as_ref().and_then(|seen| Some((seen.share?, seen.right + seen.wrong)));
        let first = match reviewed {
            _ if n == 0 => both("No label looks wrong.", "没有看起来有误的标注。"),
            Some((share, looked_at)) => precise(n, share, looked_at),
            None => unreviewed(n, findings),
        };
        let noise = self.noise.as_ref().filter(|_| n > 0);
        std::iter::once(first).chain(noise.map(estimated)).collect()
    }
}

fn precise(n: usize, Share { low, high, .. }: Share, looked_at: usize) -> Sentence {
    Sentence {
        en: format!("{} (precision {low:.2}–{high:.2} at 95 %, {looked_at} looked at).", look_wrong(n)),
        zh: format!(
            "{n} 个标注看起来有误（准确的占 {low:.2}–{high:.2}，置信度 95 %，已看 {looked_at} 个）。"
        ),
    }
}

fn unreviewed(n: usize, findings: Option<&Path>) -> Sentence {
    let (en, zh) = match findings {
        Some(path) => {
            let review = format!("dianjing review {}", path.display());
            (format!("`{review}` asks about some"), format!("请用 {review} 抽看"))
        }
        None => (
            "write them with `--out findings.json`, and `dianjing review findings.json` asks about some"
                .to_owned(),
            "请用 --out findings.json 写出，再用 dianjing review findings.json 抽看".to_owned(),
        ),
    };
    Sentence {
        en: format!("{}; how many really are is not known yet: {en}.", look_wrong(n)),
        zh: format!("{n} 个标注看起来有误，其中多少确实有误尚不清楚：{zh}。"),
    }
}

fn look_wrong(n: usize) -> String {
    if n == 1 { "1 label looks wrong".to_owned() } else { format!("{n} labels look wrong") }
}

fn estimated(Noise { rate, n, confusions }: &Noise) -> Sentence {
    let rate = percent(*rate);
    let told = |Confusion { given, truth, n }: &Confusion| format!("{given} → {truth} ({n})");
    let told: Vec<String> = confusions.iter().take(SHOWN).map(told).collect();
    let (en, zh) = match &told[..] {
        [] => (String::new(), String::new()),
        told => (format!(", most often {}", told.join(", ")), format!("，最常见的是 {}", told.join("、"))),
    };
    Sentence {
        en: format!("That is {rate} of {n} labels{en}."), zh: format!("占 {n} 个标注的 {rate}{zh}。")
    }
}

fn both(en: &str, zh: &str) -> Sentence {
    Sentence { en: en.to_owned(), zh: zh.to_owned() }
}
