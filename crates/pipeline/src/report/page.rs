//! From a report's data to its page.

use askama::Template;
use evaluate::Estimate;

use super::charts::{self, Bin, CurvePoint, Row};
use super::{Kind, Measure, Report, percent};
use crate::Lang;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    l: Lang,
    report: &'a Report,
    headline: String,
    headline_interval: String,
    headline_note: String,
    confusion: Option<String>,
    confusions: Vec<(String, String, u64)>,
    recall: Option<String>,
    reliability: Option<String>,
    curve: Option<String>,
    balance: Option<String>,
}

/// Renders the page in one language. The result needs no network, no script and no other file.
pub fn render(report: &Report, lang: Lang) -> String {
    let headline = &report.headline;
    let page = Page {
        l: lang,
        report,
        headline: headline.show(headline.estimate.value),
        headline_interval: interval(headline),
        headline_note: headline_note(report, lang),
        confusion: confusion(report, lang),
        confusions: worst_confusions(report),
        recall: recall(report),
        reliability: reliability(report, lang),
        curve: curve(report, lang),
        balance: balance(report),
    };
    page.render().expect("the template only formats values that are already strings and numbers")
}

impl Page<'_> {
    fn metric_name(&self, metric: &str) -> &'static str {
        metric_name(metric, self.l)
    }

    fn measure(&self, measure: &Measure) -> String {
        format!("{} ({})", measure.show(measure.estimate.value), interval(measure))
    }

    fn share(&self, estimate: &Estimate) -> String {
        let Estimate { value, low, high, .. } = estimate;
        format!("{} ({} – {})", percent(*value), percent(*low), percent(*high))
    }

    fn percent(&self, share: &f64) -> String {
        percent(*share)
    }
}

/// The metric's name as the reader knows it.
pub fn metric_name(metric: &str, lang: Lang) -> &'static str {
    match metric {
        "accuracy" => lang.pick("accuracy", "准确率"),
        "label-accuracy" => lang.pick("share of labels right", "标签正确率"),
        "macro-recall" => lang.pick("macro-averaged recall", "宏平均召回率"),
        "micro-f1" => lang.pick("micro F1", "微平均 F1"),
        "macro-f1" => lang.pick("macro F1", "宏平均 F1"),
        "subset-accuracy" => lang.pick("all labels right", "全部标签正确"),
        "log-loss" => lang.pick("log-loss", "对数损失"),
        "brier" => lang.pick("Brier score", "Brier 分数"),
        "mae" => lang.pick("mean absolute error", "平均绝对误差"),
        "rmse" => lang.pick("root mean squared error", "均方根误差"),
        "r2" => lang.pick("R²", "R²"),
        "false-alarms" => lang.pick("false alarms among good parts", "良品误报率"),
        "good-marked" => lang.pick("good parts on which a place is marked", "良品误标率"),
        "recall" => lang.pick("defects found", "缺陷检出率"),
        "recall-alone" => lang.pick("defects found by good parts alone", "仅凭良品的检出率"),
        "image-auroc" => lang.pick("image AUROC", "图像级 AUROC"),
        "image-ap" => lang.pick("average precision", "平均精度"),
        "pixel-auroc" => lang.pick("pixel AUROC", "像素级 AUROC"),
        "aupro" => lang.pick("AUPRO at 0.3", "AUPRO@0.3"),
        "aupimo" => lang.pick("AUPIMO", "AUPIMO"),
        "kind-accuracy" => lang.pick("kinds of defects named right", "缺陷种类判对率"),
        "known-called-new" => lang.pick("shown kinds called never seen", "已知种类被判为未见种类"),
        "new-found" => lang.pick("other kinds called never seen", "未见种类被认出"),
        _ => lang.pick("score", "得分"),
    }
}

fn interval(measure: &Measure) -> String {
    let Estimate { low, high, n, .. } = measure.estimate;
    format!("95 %: {} – {}, n = {n}", measure.show(low), measure.show(high))
}

fn headline_note(report: &Report, lang: Lang) -> String {
    let n = report.n_examples;
    if report.senses.is_some() {
        return lang.pick(
            format!("expected on new examples, estimated on {n} examples that the model had not seen when it was asked; the choice among ways of joining the senses is paid for, that of each sense's own head is not"),
            format!("对新样本的预期，由 {n} 个模型未见过的样本估计；已扣除挑选合并方式的乐观偏差，未扣除挑选各感官分类头的偏差"),
        );
    }
    match report.kind {
        Kind::Regression => lang.pick(
            format!("expected on new examples, estimated on {n} examples that the model had not seen when it was asked"),
            format!("对新样本的预期，由 {n} 个模型未见过的样本估计"),
        ),
        _ => lang.pick(
            format!("expected on new examples, estimated on {n} examples that the model had not seen when it was asked; the choice among recipes is paid for"),
            format!("对新样本的预期，由 {n} 个模型未见过的样本估计；已扣除挑选配方带来的乐观偏差"),
        ),
    }
}

fn confusion(report: &Report, lang: Lang) -> Option<String> {
    let k = report.confusion.len();
    (1..=charts::MATRIX_CLASSES).contains(&k).then(|| {
        charts::confusion(
            &report.classes,
            &report.confusion,
            lang.pick("given", "标注"),
            lang.pick("predicted", "预测"),
        )
    })
}

/// The ten most frequent mistakes.
fn worst_confusions(report: &Report) -> Vec<(String, String, u64)> {
    let mut mistakes: Vec<(usize, usize, u64)> = Vec::new();
    for (given, counts) in report.confusion.iter().enumerate() {
        for (predicted, count) in counts.iter().enumerate() {
            if given != predicted && *count > 0 {
                mistakes.push((given, predicted, *count));
            }
        }
    }
    mistakes.sort_by_key(|(given, predicted, count)| (std::cmp::Reverse(*count), *given, *predicted));
    mistakes.truncate(10);
    let name = |class: usize| report.classes[class].clone();
    mistakes.into_iter().map(|(given, predicted, count)| (name(given), name(predicted), count)).collect()
}

/// Recall of each class, lowest first; the best are left out when there are many.
fn recall(report: &Report) -> Option<String> {
    if report.recall.is_empty() {
        return None;
    }
    let mut rows: Vec<Row<'_>> = report
        .classes
        .iter()
        .zip(&report.recall)
        .map(|(name, estimate)| Row { name, estimate: *estimate })
        .collect();
    rows.sort_by(|a, b| a.estimate.value.total_cmp(&b.estimate.value));
    rows.truncate(charts::MATRIX_CLASSES);
    Some(charts::intervals(&rows))
}

fn reliability(report: &Report, lang: Lang) -> Option<String> {
    if report.reliability.is_empty() {
        return None;
    }
    let bins: Vec<Bin> = report
        .reliability
        .iter()
        .map(|(confidence, accuracy)| Bin { confidence: *confidence, accuracy: *accuracy })
        .collect();
    Some(charts::reliability(
        &bins,
        lang.pick("the model says", "模型的把握"),
        lang.pick("it is right", "实际正确"),
    ))
}

fn curve(report: &Report, lang: Lang) -> Option<String> {
    let point = |(n, accuracy): &(f64, Estimate)| CurvePoint { n: *n, accuracy: *accuracy };
    let measured: Vec<CurvePoint> = report.curve_measured.iter().map(point).collect();
    let expected: Vec<CurvePoint> = report.curve_expected.iter().map(point).collect();
    (!measured.is_empty()).then(|| {
        charts::learning_curve(
            &measured,
            &expected,
            lang.pick("labels", "标注数量"),
            lang.pick("accuracy", "准确率"),
        )
    })
}

fn balance(report: &Report) -> Option<String> {
    if report.balance.is_empty() {
        return None;
    }
    let mut order: Vec<usize> = (0..report.balance.len()).collect();
    order.sort_by_key(|class| (report.balance[*class], *class));
    order.truncate(charts::MATRIX_CLASSES);
    let names: Vec<String> = order.iter().map(|class| report.classes[*class].clone()).collect();
    let counts: Vec<usize> = order.iter().map(|class| report.balance[*class]).collect();
    Some(charts::balance(&names, &counts))
}
