//! What to do next: at most three sentences, the most useful first.

use crate::report::Sentence;

/// What the advice is drawn from.
pub(crate) struct Facts<'a> {
    pub(crate) n_suspicious: usize,
    pub(crate) n_duplicates: usize,
    /// The class with the fewest examples, and how many.
    pub(crate) smallest: Option<(&'a str, usize)>,
    /// The most frequent mistake: given, predicted, how often.
    pub(crate) confusion: Option<(&'a str, &'a str, u64)>,
    /// Labels now; accuracy now; expected with twice as many, low and high.
    pub(crate) outlook: Option<(usize, f64, f64, f64)>,
    /// Correct answers that a promise about errors still needs.
    pub(crate) promise_needs: Option<usize>,
    pub(crate) validated: bool,
}

/// A sentence with its weight: roughly the points of accuracy it may be worth.
type Weighted = (f64, Sentence);

/// The three most useful sentences.
pub(crate) fn advise(facts: &Facts<'_>) -> Vec<Sentence> {
    let mut sentences: Vec<Weighted> = [
        no_estimate(facts),
        relabel(facts),
        outlook(facts),
        small_class(facts),
        confusion(facts),
        promise(facts),
        duplicates(facts),
    ]
    .into_iter()
    .flatten()
    .collect();
    sentences.sort_by(|a, b| b.0.total_cmp(&a.0));
    sentences.truncate(3);
    if sentences.is_empty() {
        let en = "Nothing stands out. Try the model on new examples, and come back with those it got wrong."
            .to_owned();
        sentences.push((
            0.0,
            Sentence {
                en, zh: "没有明显的问题。请用新样本试一试，把它答错的带回来。".to_owned()
            },
        ));
    }
    sentences.into_iter().map(|(_, sentence)| sentence).collect()
}

fn no_estimate(facts: &Facts<'_>) -> Option<Weighted> {
    let en = "Add at least a second example to every class, from another group or recording: with one each, nothing can be said about how good the model is.".to_owned();
    let zh = "请给每个类别至少再加一个样本，且来自另一组或另一段录音：每类只有一个（或一组）样本时，无法估计模型的好坏。".to_owned();
    (!facts.validated).then_some((100.0, Sentence { en, zh }))
}

fn relabel(facts: &Facts<'_>) -> Option<Weighted> {
    let n = facts.n_suspicious;
    let en = format!(
        "Look at the {n} label{} below that the model and the neighbours doubt; it takes a minute.",
        if n == 1 { "" } else { "s" }
    );
    let zh = format!("请复查下面 {n} 个模型和相似样本都怀疑的标注，只需一分钟。");
    (n > 0).then_some((2.0 + 0.3 * n as f64, Sentence { en, zh }))
}

fn outlook(facts: &Facts<'_>) -> Option<Weighted> {
    let (labels, now, low, high) = facts.outlook?;
    let percent = |share: f64| format!("{:.0}", 100.0 * share);
    let range = |to: &str| match (percent(low), percent(high)) {
        (low, high) if low == high => low,
        (low, high) => format!("{low} {to} {high}"),
    };
    let twice = 2 * labels;
    if high - now < 0.01 {
        let en = format!(
            "More labels of the same kind would bring little: with {twice} instead of {labels} expect {} %.",
            range("to")
        );
        let zh = format!("再标同样的数据收益不大：从 {labels} 增到 {twice} 个标注，预计 {} %。", range("至"));
        return Some((0.8, Sentence { en, zh }));
    }
    let en = format!(
        "You have {labels} labels; with {twice} expect {} % instead of {} %.",
        range("to"),
        percent(now)
    );
    let zh =
        format!("现有 {labels} 个标注；增到 {twice} 个，预计从 {} % 升到 {} %。", percent(now), range("至"));
    Some((50.0 * (low + high - 2.0 * now).max(0.0), Sentence { en, zh }))
}

fn small_class(facts: &Facts<'_>) -> Option<Weighted> {
    let (class, count) = facts.smallest?;
    let en = format!("Add examples of `{class}`: it has only {count}.");
    let zh = format!("请补充“{class}”的样本：目前只有 {count} 个。");
    (count < 10).then_some((3.0 + (10.0 - count as f64) * 0.3, Sentence { en, zh }))
}

fn confusion(facts: &Facts<'_>) -> Option<Weighted> {
    let (given, predicted, count) = facts.confusion?;
    let en = format!(
        "`{given}` is taken for `{predicted}` {count} times: write down what tells them apart, and add examples near that line."
    );
    let zh = format!("“{given}”有 {count} 次被认成“{predicted}”：请写清两者的区别，并补充接近分界的样本。");
    (count >= 2).then_some((0.4 * count as f64, Sentence { en, zh }))
}

fn promise(facts: &Facts<'_>) -> Option<Weighted> {
    let need = facts.promise_needs.filter(|need| *need > 0)?;
    let en = format!(
        "A bound on wrong answers needs at least {need} held-out examples answered right; until then every answer should be checked."
    );
    let zh = format!("要对错误率作出保证，至少需要 {need} 个答对的验证样本；在此之前请人工核对每个结果。");
    Some((1.0, Sentence { en, zh }))
}

fn duplicates(facts: &Facts<'_>) -> Option<Weighted> {
    let n = facts.n_duplicates;
    let en = format!(
        "{n} group{} of examples are the same or nearly so; keep one of each, or check why they were taken twice.",
        if n == 1 { "" } else { "s" }
    );
    let zh = format!("有 {n} 组样本相同或几乎相同；每组留一个即可，或查明为何重复。");
    (n > 0).then_some((0.5, Sentence { en, zh }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            n_suspicious: 0,
            n_duplicates: 0,
            smallest: None,
            confusion: None,
            outlook: None,
            promise_needs: None,
            validated: true,
        }
    }

    #[test]
    fn nothing_to_do_is_said_too() {
        assert_eq!(advise(&facts()).len(), 1);
    }

    #[test]
    fn the_most_useful_comes_first_and_three_are_enough() {
        let facts = Facts {
            n_suspicious: 5,
            n_duplicates: 3,
            smallest: Some(("scratch", 2)),
            outlook: Some((40, 0.8, 0.84, 0.9)),
            promise_needs: Some(63),
            ..facts()
        };
        let advice = advise(&facts);
        assert_eq!(advice.len(), 3);
        assert!(
            advice[0].en.starts_with("You have 40 labels; with 80 expect 84 to 90 %"),
            "{}",
            advice[0].en
        );
        assert!(advice[1].en.contains("scratch"));
    }

    #[test]
    fn a_flat_curve_says_stop() {
        let facts = Facts { outlook: Some((400, 0.9, 0.899, 0.905)), ..facts() };
        assert!(advise(&facts)[0].en.contains("would bring little"));
    }
}
