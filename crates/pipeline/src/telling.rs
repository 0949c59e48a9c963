//! What was decided about the data and chosen among the recipes, told in both languages.

use dataset::{Dataset, Modality};
use tune::{Family, Input, MemberRecipe, Recipe, Tuned};

use crate::report::Sentence;

/// What the data were taken for, from where, and why.
pub(crate) fn decision(data: &Dataset) -> Sentence {
    let decision = &data.decision;
    let from = |label: &str| format!(", label from {label}");
    let label = decision.label.as_deref().map(from).unwrap_or_default();
    let en = format!(
        "{} ({}), {} from {}{label}; {}",
        decision.task, decision.layout, data.modality, decision.content, decision.why
    );
    let modality = match data.modality {
        Modality::Image => "图片",
        Modality::Text => "文本",
        Modality::Sound => "声音",
        Modality::Video => "视频",
        Modality::Series => "传感器序列",
        Modality::Senses => "多种感官",
    };
    let (layout, classes) = (layout(&decision.layout), data.classes().len());
    let columns = match &decision.label {
        Some(label) if decision.layout != "class folders" => {
            format!("，内容取自“{}”，标注取自“{label}”", decision.content)
        }
        _ => String::new(),
    };
    let classes = if classes > 0 { format!("，{classes} 类") } else { String::new() };
    let zh = format!(
        "{}（{modality}，{layout}）{columns}{classes}；若判断有误，请用 --task、--label 指定",
        task(&decision.task)
    );
    Sentence { en, zh }
}

fn layout(layout: &str) -> &str {
    match layout {
        "class folders" => "按类别分文件夹",
        // The names of formats are the same in Chinese.
        other => other,
    }
}

fn task(task: &str) -> &str {
    match task {
        "single-label" => "单标签分类",
        "binary" => "二分类",
        "multi-label" => "多标签分类",
        "regression" => "数值预测",
        other => other,
    }
}

/// A recipe's name.
pub(crate) fn recipe(recipe: &Recipe) -> Sentence {
    let names: Vec<String> = recipe.members.iter().map(member).collect();
    let zh = match &names[..] {
        [only] => only.clone(),
        several => format!("{} 个模型合用：{}", several.len(), several.join("；")),
    };
    Sentence { en: recipe.name(), zh }
}

fn member(member: &MemberRecipe) -> String {
    let family = match member.family {
        Family::Means => "最近类均值",
        Family::Gda => "高斯判别分析",
        Family::Logistic => "逻辑回归",
        Family::Ridge => "岭回归",
    };
    format!("{family}（{}）", input(&member.input))
}

fn input(input: &Input) -> String {
    let words = input.words.then_some("词频");
    input.sets.iter().map(String::as_str).chain(words).collect::<Vec<_>>().join(" + ")
}

/// What was tried, its loss, and which one was chosen.
pub(crate) fn candidates(tuned: &Tuned) -> Vec<(Sentence, f64, bool)> {
    let shown = |(index, candidate): (usize, &tune::Candidate)| {
        (recipe(&candidate.recipe), candidate.loss, index == tuned.chosen)
    };
    tuned.candidates.iter().enumerate().map(shown).collect()
}

/// Why the recipe was chosen.
pub(crate) fn why(tuned: &Tuned) -> Sentence {
    let (rows, tried) = (tuned.validated.len(), tuned.candidates.len());
    let loss = tuned.candidates[tuned.chosen].loss;
    let zh = if rows == 0 {
        "每个类别只有一个样本，无法比较；采用惩罚较强的逻辑回归最稳妥".to_owned()
    } else if tuned.recipe.members.len() > 1 {
        let members = tuned.recipe.members.len();
        format!(
            "在 {rows} 个留出样本上，{} 种配置中有 {members} 种难分高下；合用后的折外损失为 {loss:.4}",
            tried - 1
        )
    } else {
        format!(
            "在 {rows} 个留出样本上折外损失为 {loss:.4}；共试 {tried} 种配置，更复杂的都没有好出一个标准误"
        )
    };
    Sentence { en: tuned.why.clone(), zh }
}
