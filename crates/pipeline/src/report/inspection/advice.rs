//! What to photograph next: at most three sentences, the most useful first.

use super::measures::{confidence, promised};
use super::{Counted, Sentence};
use crate::{Blind, percent};

/// What the advice is drawn from.
#[derive(Debug, Clone, PartialEq)]
pub struct InspectionFacts<'a> {
    /// Good parts, or groups of them, that the threshold rests on.
    pub n_good: usize,
    /// Which of the two that is.
    pub counted: Counted,
    /// What is missing for a proof; `None` when the promise is proven.
    pub shortage: Option<Shortage>,
    /// Kinds of defects that were measured.
    pub kinds: Vec<KindFacts<'a>>,
    /// Good parts that look least like the others, so that they may not be good.
    pub n_contaminated: usize,
    /// Whether parts lie in the same place on every photo.
    pub aligned: bool,
    /// Whether photos differ in their width or height.
    pub photo_sizes_vary: bool,
    /// Marked defects that are smaller than two cells of the map.
    pub n_tiny: usize,
    /// What is too small to be seen, where that is not known to be small enough.
    pub blind: Option<Blind>,
    /// Whether more good parts alarm than was promised, by more than chance explains.
    pub promise_broken: bool,
}

/// What is missing for a proof.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shortage {
    /// Fewest good parts (or groups) that would prove it.
    pub need: usize,
    /// The rate of false alarms that was asked for, in (0, 1).
    pub false_alarm_rate: f64,
    /// How sure it was to be, in (0, 1).
    pub confidence: f64,
}

/// How well a kind of defect is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KindFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many were measured.
    pub n: usize,
    /// How many of them alarm.
    pub found: usize,
}

/// A sentence with its weight: what it is worth against the others, roughly the points of recall it may bring.
type Weighted = (f64, Sentence);

/// Most sentences a person acts on.
const MOST: usize = 3;
/// Fewer defects of a kind than this say little about how well it is found: none missed of ten leaves 26 % open.
const FEW_DEFECTS: usize = 10;
/// Fewer good parts than this are too few to know what is usual.
const FEW_GOOD: usize = 20;

/// The most useful sentences, one to three.
pub fn advise_inspection(facts: &InspectionFacts<'_>) -> Vec<Sentence> {
    let mut sentences: Vec<Weighted> = [
        broken_promise(facts),
        few_good(facts),
        contaminated(facts),
        no_defects(facts),
        missed_kind(facts),
        tiny(facts),
        shortage(facts),
        rare_kind(facts),
        unaligned(facts),
        sizes(facts),
        blind(facts),
    ]
    .into_iter()
    .flatten()
    .collect();
    // Equal weights stay in the order above.
    sentences.sort_by(|a, b| b.0.total_cmp(&a.0));
    sentences.truncate(MOST);
    if sentences.is_empty() {
        sentences.push((0.0, nothing()));
    }
    sentences.into_iter().map(|(_, sentence)| sentence).collect()
}

fn nothing() -> Sentence {
    Sentence {
        en: "Nothing stands out. Inspect new parts, and come back with the false alarms and with every defect it missed.".to_owned(),
        zh: "没有明显的问题。请用它检测新的产品，再把误报和漏检的照片带回来。".to_owned(),
    }
}

fn broken_promise(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let en = "Photograph good parts under today's conditions and learn again: those measured alarm more often than promised, so light, camera or product have changed.".to_owned();
    let zh =
        "请在当前条件下重新拍摄良品并再次学习：实测误报超过了承诺，说明光照、相机或产品有了变化。".to_owned();
    facts.promise_broken.then_some((90.0, Sentence { en, zh }))
}

fn few_good(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let n = facts.n_good;
    let (en_unit, zh_unit) = units(facts.counted, n);
    let en = format!(
        "Photograph at least {FEW_GOOD} good parts, as different as good parts may be: {n} {en_unit} cannot show what is usual."
    );
    let zh =
        format!("请至少拍摄 {FEW_GOOD} 个良品，尽量覆盖良品允许的差异：{n} {zh_unit}还看不出什么算正常。");
    (n < FEW_GOOD).then_some((60.0, Sentence { en, zh }))
}

fn contaminated(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let n = facts.n_contaminated;
    let subject = if n == 1 { "photo below that does" } else { "photos below that do" };
    let en = format!(
        "Look at the {n} {subject} not look like the other good parts: a defect among them, or dirt on the lens, raises the threshold and hides real defects."
    );
    let zh = format!(
        "请查看下面 {n} 张与其他良品不像的照片：其中若有缺陷或镜头脏污，会抬高阈值，掩盖真正的缺陷。"
    );
    (n > 0).then_some((40.0 + n.min(10) as f64, Sentence { en, zh }))
}

fn no_defects(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let en = format!(
        "Photograph {FEW_DEFECTS} or more parts with defects, of every kind you know: without them nobody can say how many it finds."
    );
    let zh = format!("请拍摄 {FEW_DEFECTS} 个以上有缺陷的产品，每种缺陷都要有：没有它们就无法知道检出率。");
    facts.kinds.iter().all(|kind| kind.n == 0).then_some((35.0, Sentence { en, zh }))
}

/// The kind that is missed most often, where more than chance is behind it.
fn missed_kind(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let missed = |kind: &KindFacts<'_>| kind.n.saturating_sub(kind.found);
    let share = |kind: &KindFacts<'_>| missed(kind) as f64 / kind.n as f64;
    let candidates = facts.kinds.iter().filter(|kind| missed(kind) > 0);
    let worst = candidates.max_by(|a, b| share(a).total_cmp(&share(b)).then(missed(a).cmp(&missed(b))))?;
    let (name, n, count) = (worst.name, worst.n, missed(worst));
    let en = format!(
        "Photograph more of `{name}` and mark where it is: {count} of {n} are missed ({}), and the inspector learns from marked defects.",
        percent(share(worst))
    );
    let zh = format!(
        "请多拍一些“{name}”并标出位置：{n} 个中漏检 {count} 个（{}），标出的缺陷可以教会它。",
        percent(share(worst))
    );
    Some((10.0 + 30.0 * share(worst), Sentence { en, zh }))
}

fn tiny(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let n = facts.n_tiny;
    let (subject, than) = if n == 1 { ("marked defect is", "it") } else { ("marked defects are", "them") };
    let en = format!(
        "Go closer, or use a camera with more pixels: {n} {subject} smaller than two cells of the heat map, so the inspector hardly sees {than}."
    );
    let zh = format!("请靠近拍摄或使用更高分辨率的相机：有 {n} 处标出的缺陷不到热力图的两格，几乎看不见。");
    (n > 0).then_some((12.0 + n.min(20) as f64, Sentence { en, zh }))
}

fn shortage(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let shortage = facts.shortage?;
    let more = shortage.need.saturating_sub(facts.n_good);
    let (en_unit, zh_unit) = units(facts.counted, more);
    let (most, confidence) = (promised(shortage.false_alarm_rate), confidence(shortage.confidence));
    let en = format!(
        "Photograph {more} more {en_unit} to prove at most {most} false alarms with {confidence} confidence ({} in all).",
        shortage.need
    );
    let zh = format!(
        "再拍 {more} {zh_unit}（共 {}），就能以 {confidence} 的置信度证明误报率不超过 {most}。",
        shortage.need
    );
    // The nearer the goal, the more the next photos are worth.
    let reached = facts.n_good as f64 / shortage.need.max(1) as f64;
    (more > 0).then_some((8.0 + 12.0 * reached, Sentence { en, zh }))
}

/// The kind with the fewest photos, where all of them were found.
fn rare_kind(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let known = facts.kinds.iter().filter(|kind| kind.n > 0 && kind.n < FEW_DEFECTS && kind.found >= kind.n);
    let rarest = known.min_by_key(|kind| kind.n)?;
    let (name, n) = (rarest.name, rarest.n);
    let open = evaluate::clopper_pearson(n, n, 0.95).low;
    let en = format!(
        "Photograph more of `{name}`: with {n} found of {n} the true share may still be as low as {}.",
        percent(open)
    );
    let zh =
        format!("请多拍一些“{name}”：只测了 {n} 个，虽然都检出，真实检出率仍可能低至 {}。", percent(open));
    Some((9.0 - n as f64 * 0.5, Sentence { en, zh }))
}

/// Where no marked defect says how small defects are.
fn blind(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let blind = facts.blind.filter(|_| facts.n_tiny == 0)?;
    Some((if blind.is_scaled { 7.0 } else { 3.0 }, blind.told()))
}

fn unaligned(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let en = "Put every part in the same place and turned the same way, with a stop or a fixture: then each spot is compared with the same spot of good parts, and small defects stand out more.".to_owned();
    let zh = "请用挡块或夹具让每个产品的位置和朝向一致：这样每一处都能与良品的同一处比较，小缺陷更明显。"
        .to_owned();
    (!facts.aligned).then_some((5.0, Sentence { en, zh }))
}

fn sizes(facts: &InspectionFacts<'_>) -> Option<Weighted> {
    let en = "Use one camera setting for all photos: their sizes differ, so the same defect looks larger on some than on others.".to_owned();
    let zh = "请用同一相机设置拍摄：照片尺寸不一，同样的缺陷在不同照片上大小不同。".to_owned();
    facts.photo_sizes_vary.then_some((6.0, Sentence { en, zh }))
}

/// What is counted, after a number.
fn units(counted: Counted, n: usize) -> (&'static str, &'static str) {
    match (counted, n) {
        (Counted::Parts, 1) => ("good part", "个良品"),
        (Counted::Parts, _) => ("good parts", "个良品"),
        (Counted::Groups, 1) => ("group of good parts", "组良品"),
        (Counted::Groups, _) => ("groups of good parts", "组良品"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything as it should be.
    fn fine() -> InspectionFacts<'static> {
        InspectionFacts {
            n_good: 300,
            counted: Counted::Parts,
            shortage: None,
            kinds: vec![KindFacts { name: "scratch", n: 20, found: 20 }],
            n_contaminated: 0,
            aligned: true,
            photo_sizes_vary: false,
            n_tiny: 0,
            blind: None,
            promise_broken: false,
        }
    }

    /// The beginnings of the English sentences, in order.
    #[track_caller]
    fn check(facts: &InspectionFacts<'_>, expected: &[&str]) {
        let advice = advise_inspection(facts);
        let en: Vec<&str> = advice.iter().map(|sentence| sentence.en.as_str()).collect();
        assert_eq!(en.len(), expected.len(), "{en:#?}");
        for (sentence, expected) in en.iter().zip(expected) {
            assert!(sentence.starts_with(expected), "{sentence} / {expected}");
        }
        assert!(advice.iter().all(|sentence| sentence.zh.ends_with('。')));
    }

    fn short(n_good: usize) -> InspectionFacts<'static> {
        let shortage = Shortage { need: 299, false_alarm_rate: 0.01, confidence: 0.95 };
        InspectionFacts { n_good, shortage: Some(shortage), ..fine() }
    }

    #[test]
    fn nothing_to_do_is_said_too() {
        check(&fine(), &["Nothing stands out."]);
    }

    #[test]
    fn a_proof_needs_a_number_of_photos() {
        check(
            &short(200),
            &[
                "Photograph 99 more good parts to prove at most 1 % false alarms with 95 % confidence (299 in all).",
            ],
        );
        let groups = InspectionFacts { counted: Counted::Groups, ..short(298) };
        check(&groups, &["Photograph 1 more group of good parts"]);
    }

    #[test]
    fn suspicious_good_parts_come_before_more_photos() {
        let facts = InspectionFacts { n_contaminated: 1, aligned: false, ..short(100) };
        check(
            &facts,
            &["Look at the 1 photo below that does not look", "Photograph 199 more", "Put every part"],
        );
        let facts = InspectionFacts { n_contaminated: 2, ..fine() };
        check(&facts, &["Look at the 2 photos below that do not look"]);
    }

    #[test]
    fn the_kind_that_is_missed_most_is_named() {
        let kinds = vec![
            KindFacts { name: "dent", n: 20, found: 19 },
            KindFacts { name: "crack", n: 8, found: 4 },
            KindFacts { name: "stain", n: 3, found: 3 },
        ];
        let facts = InspectionFacts { kinds, ..fine() };
        check(
            &facts,
            &[
                "Photograph more of `crack` and mark where it is: 4 of 8 are missed (50.0 %)",
                "Photograph more of `stain`",
            ],
        );
    }

    #[test]
    fn without_defects_the_first_ones_are_asked_for() {
        check(
            &InspectionFacts { kinds: Vec::new(), ..fine() },
            &["Photograph 10 or more parts with defects"],
        );
    }

    #[test]
    fn what_makes_numbers_worthless_comes_first_and_three_are_enough() {
        let facts = InspectionFacts {
            promise_broken: true,
            n_contaminated: 3,
            n_tiny: 4,
            photo_sizes_vary: true,
            aligned: false,
            ..short(12)
        };
        check(
            &facts,
            &[
                "Photograph good parts under today's",
                "Photograph at least 20 good parts",
                "Look at the 3 photos",
            ],
        );
    }

    #[test]
    fn what_is_too_small_is_named_where_photos_are_scaled_down() {
        let blind = Some(Blind { below: 64.0, asked: None, is_scaled: true, room_for: None });
        let facts = InspectionFacts { blind, photo_sizes_vary: true, ..fine() };
        check(&facts, &["Defects below 64 pixels across are hardly seen", "Use one camera setting"]);
        check(&InspectionFacts { n_tiny: 1, ..facts }, &["Go closer", "Use one camera setting"]);
    }

    #[test]
    fn optics_are_named_where_defects_are_small() {
        let facts = InspectionFacts { n_tiny: 1, photo_sizes_vary: true, ..fine() };
        check(
            &facts,
            &["Go closer, or use a camera with more pixels: 1 marked defect is", "Use one camera setting"],
        );
    }
}
