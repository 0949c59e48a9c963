//! Tells which detectors an inspector listens to, what each is worth alone, and why these.

use bundle::inspection::{Detector, Inspector};

use super::Findings;
use super::choosing::{Evidence, Why};
use super::fitting::Fitted;
use crate::report::Sentence;
use crate::report::inspection::{Figure, TriedDetector};
use crate::{percent, words};

/// The recipe's name, and why it is this one.
pub(crate) fn recipe(fitted: &Fitted) -> (String, String) {
    let mut parts: Vec<&str> = fitted.choice.votes.iter().map(|vote| vote.name()).collect();
    if fitted.inspector.taught.is_some() {
        parts.push("taught by defects");
    }
    (parts.join(" + "), why(fitted).en)
}

/// Every detector that was tried, with what it alone is worth.
pub(crate) fn detectors(fitted: &Fitted) -> Vec<TriedDetector> {
    let alone = |evidence: &Evidence| {
        let mut figures = vec![(
            sentence(
                "the least usual 5 % of good photos, in units of what is usual",
                "最不寻常的 5% 良品（以通常程度为单位）",
            ),
            Figure::Number(evidence.upset),
        )];
        if let Some(auroc) = evidence.auroc {
            figures.push((
                sentence("AUROC with your defects, out of fold", "对您的缺陷的 AUROC（折外）"),
                Figure::Share(auroc),
            ));
        }
        let chosen = fitted.choice.votes.contains(&evidence.of);
        TriedDetector { name: described(evidence.of, &fitted.inspector), evidence: figures, chosen }
    };
    let mut tried: Vec<TriedDetector> = fitted.choice.evidence.iter().map(alone).collect();
    if fitted.inspector.taught.is_some() {
        let name = sentence("What the labelled defects taught", "从已标注的缺陷学到的");
        tried.push(TriedDetector { name, evidence: Vec::new(), chosen: true });
    }
    tried
}

/// Why these, how they see the parts, and what the cost of a missed defect did.
pub(crate) fn told(findings: &Findings<'_>) -> Sentence {
    let Sentence { mut en, mut zh } = why(findings.fitted);
    if let Some(cost) = findings.cost.map(words::cost_use) {
        en += &format!(" {}", cost.en);
        zh += &cost.zh;
    }
    if let Some(idle) = words::idle_defects(findings.n_idle) {
        en += &format!(" {}", idle.en);
        zh += &idle.zh;
    }
    if let Some(blind) = findings.blind.map(|blind| blind.told()) {
        en += &format!(" {}", blind.en);
        zh += &blind.zh;
    }
    if findings.request.without_background {
        en += " What lies beside the part is painted over.";
        zh += "零件以外的背景已涂掉。";
    }
    if findings.turned {
        en += " Parts may lie any way, so the good photos were learned from turned around as well.";
        zh += "零件可任意朝向，因此也学习了旋转后的良品照片。";
    }
    Sentence { en, zh }
}

/// Why these.
fn why(fitted: &Fitted) -> Sentence {
    let names: Vec<&str> = fitted.choice.votes.iter().map(|vote| vote.name()).collect();
    let names = names.join(", ");
    match fitted.choice.why {
        Why::Asked => sentence(
            &format!("You asked for these detectors: {names}."),
            &format!("按您的要求使用这些检测方式：{names}。"),
        ),
        Why::Defects { gain, error } => {
            let (gain, error) = (100.0 * gain, 100.0 * error);
            sentence(
                &format!(
                    "Your labelled defects favour {names}: AUROC {gain:.1} ± {error:.1} points above the usual choice, out of fold."
                ),
                &format!(
                    "您标注的缺陷支持 {names}：折外 AUROC 比通常的选择高 {gain:.1} ± {error:.1} 个百分点。"
                ),
            )
        }
        Why::Rule => by_rule(&fitted.choice.votes, &names),
    }
}

fn by_rule(votes: &[Detector], names: &str) -> Sentence {
    let (en, zh) = if votes.contains(&Detector::Pixels) {
        (
            "parts lie alike on all photos, so pixels are compared with the median good part",
            "零件位置一致，因此逐像素与中位良品比较",
        )
    } else if votes.contains(&Detector::Whole) {
        (
            "there are enough good photos to compare photos as a whole as well",
            "良品照片足够，因此也比较整张照片",
        )
    } else {
        ("there are too few good photos to compare photos as a whole", "良品照片太少，不比较整张照片")
    };
    sentence(
        &format!(
            "By the usual choice {names} decide, each in units of what is usual for good parts: {en}. Labelled defects can change that."
        ),
        &format!("按通常的选择由 {names} 评判，均以良品的通常程度为单位：{zh}。标注的缺陷可以改变这一选择。"),
    )
}

fn described(detector: Detector, inspector: &Inspector) -> Sentence {
    let looks = &inspector.sight.looks;
    let scales: Vec<String> = looks.iter().take(2).map(|look| percent(look.plan.scale)).collect();
    let at = scales.join(" / ");
    let (en, zh) = match detector {
        Detector::Surface => (
            format!("Surface of patches, at {at} of the photo's size"),
            format!("图块的表面，按原图 {at} 观察"),
        ),
        Detector::Shape => (
            format!("What patches show, at {at} of the photo's size"),
            format!("图块中的内容，按原图 {at} 观察"),
        ),
        Detector::Detail => {
            ("Fine detail; works on the map in any case".to_owned(), "细节；无论如何都参与热力图".to_owned())
        }
        Detector::Residual => (
            "Surface that leaves the directions in which good patches vary".to_owned(),
            "偏离良品图块变化方向的表面".to_owned(),
        ),
        Detector::Place => (
            "Surface unlike that of good parts at the same place".to_owned(),
            "与良品同一位置不同的表面".to_owned(),
        ),
        Detector::Whole => {
            (format!("Whole photos, at {at} of their size"), format!("整张照片，按原图 {at} 比较"))
        }
        Detector::Pixels => (
            "Pixel by pixel against the median good part, each photo laid over it first".to_owned(),
            "先将每张照片与中位良品对齐，再逐像素比较".to_owned(),
        ),
    };
    let name = detector.name();
    sentence(&format!("{name}: {en}"), &format!("{name}：{zh}"))
}

fn sentence(en: &str, zh: &str) -> Sentence {
    Sentence { en: en.to_owned(), zh: zh.to_owned() }
}
