//! Why each example, why this method, and what to keep in mind, in both languages.

use curate::select::{Half, Method, Why};

use crate::percent;
use crate::report::Sentence;

fn told(en: String, zh: String) -> Sentence {
    Sentence { en, zh }
}

/// The name of a half in tables.
pub(super) fn half(half: Half) -> &'static str {
    match half {
        Half::Chosen => "chosen",
        Half::Random => "random",
    }
}

/// Why an example was picked.
pub(super) fn reason(why: Why, between: Option<&[(String, f64); 2]>) -> Sentence {
    match why {
        Why::Middle { group: 0 | 1, .. } | Why::Typical { group: 0 | 1, .. } => {
            told("like no other example".into(), "与其他样本都不相似".into())
        }
        Why::Middle { group, known } => told(
            format!("in the middle of {group} similar examples{}", of_which_en(known)),
            format!("位于 {group} 个相似样本的中心{}", of_which_zh(known)),
        ),
        Why::Typical { group, known } => told(
            format!("the most typical of {group} similar examples{}", of_which_en(known)),
            format!("{group} 个相似样本中最典型的{}", of_which_zh(known)),
        ),
        Why::Covers { examples } => told(
            format!("near {examples} examples that no other one is near"),
            format!("靠近 {examples} 个尚未被覆盖的样本"),
        ),
        Why::Farthest { distance: None } => {
            told("in the middle of all examples".into(), "位于全部样本的中心".into())
        }
        Why::Farthest { distance: Some(distance) } => told(
            format!("farthest from everything labelled or picked (distance {distance:.2})"),
            format!("与已标注和已选的样本距离最远（{distance:.2}）"),
        ),
        Why::Represents { examples } => told(
            format!("more like {examples} examples than anything labelled or picked"),
            format!("比已标注和已选的样本更接近其中 {examples} 个样本"),
        ),
        Why::Unsure { margin, group } => unsure(margin, group, between),
        Why::Drawn => told("drawn at random".into(), "随机抽取".into()),
    }
}

fn of_which_en(known: usize) -> String {
    if known == 0 { String::new() } else { format!(", {known} of them labelled or picked") }
}

fn of_which_zh(known: usize) -> String {
    if known == 0 { String::new() } else { format!("（其中 {known} 个已标注或已选）") }
}

fn unsure(margin: f64, group: usize, between: Option<&[(String, f64); 2]>) -> Sentence {
    let (like_en, like_zh) = if group > 1 {
        (format!("; {group} unsure examples are like it"), format!("；有 {group} 个类似的不确定样本"))
    } else {
        (String::new(), String::new())
    };
    match between {
        Some([(first, p), (second, q)]) => {
            let (p, q) = (percent(*p), percent(*q));
            told(
                format!("could be `{first}` ({p}) or `{second}` ({q}){like_en}"),
                format!("可能是“{first}”（{p}）或“{second}”（{q}）{like_zh}"),
            )
        }
        None => told(
            format!("a label is doubtful (margin {margin:.2}){like_en}"),
            format!("有一个标签不确定（差距 {margin:.2}）{like_zh}"),
        ),
    }
}

/// Why it was chosen in this way.
pub(super) fn method(method: Method, was_asked_for: bool, n_known: usize) -> Sentence {
    let name = method.name();
    if was_asked_for {
        return told(format!("{name}: as asked"), format!("{name}：按要求"));
    }
    let (en, zh) = match method {
        Method::Margin => ("what the model doubts most, no two alike", "模型最拿不准、且彼此不相似的样本"),
        Method::FacilityLocation => {
            ("examples that stand for many others, for their cost", "以较低成本代表众多样本")
        }
        _ if n_known == 0 => {
            ("there are no labels yet: one example of each group", "尚无标注：每组相似样本取一个")
        }
        _ => (
            "there are too few labels for a model: groups without any come first",
            "标注太少，无法建立模型：先取尚无标注的组",
        ),
    };
    told(format!("{name}: {en}"), format!("{name}：{zh}"))
}

/// More was wanted than there is.
pub(super) fn all_of_them(wanted: usize, given: usize, n_copies: usize) -> Sentence {
    told(
        format!(
            "{wanted} were asked for, but there are only {given} to label ({n_copies} near copies left out); all of them are listed"
        ),
        format!("要求 {wanted} 个，但可标注的只有 {given} 个（已去掉 {n_copies} 个近似重复）；已全部列出"),
    )
}

pub(super) fn nothing_so_cheap(limit: f64, cheapest: f64) -> Sentence {
    told(
        format!("nothing was chosen: the cheapest example costs {cheapest}, and the budget is {limit}"),
        format!("未选出任何样本：最便宜的也要 {cheapest}，而预算是 {limit}"),
    )
}

pub(super) fn test_part(n: usize) -> Sentence {
    told(
        format!(
            "{n} examples of the test part were left alone: what is chosen from it can no longer measure"
        ),
        format!("测试部分的 {n} 个样本未参与：从中挑选会使评估失真"),
    )
}

pub(super) fn numbers_have_no_doubts() -> Sentence {
    told(
        "the model answers with numbers and has no doubts to go by; it was not asked".into(),
        "该模型输出数值，无法体现不确定性，因此未采用".into(),
    )
}

pub(super) fn labels_teach_nothing(is_single_label: bool) -> Sentence {
    if is_single_label {
        return told(
            "a model of the labels needs two classes and two labels of each on the mean; until then their places are all that counts"
                .into(),
            "建立模型至少需要两个类别、平均每类两个标注；在此之前只考虑已标注样本的位置".into(),
        );
    }
    told(
        "no model was made of the labels, which are not one class an example; pass one with --model to go by its doubts".into(),
        "标注不是每个样本一个类别，未据此建立模型；可用 --model 指定模型".into(),
    )
}
