//! Tables and JSON on stdout.

use std::io::{self, Write};

use bundle::{Answer, Prediction, Verdict};
use comfy_table::{Table, presets};
use evaluate::Estimate;
use pipeline::report::Measure;
use pipeline::{Lang, percent};
use serde::Serialize;

/// Writes one JSON document. A reader that went away (`| head`) is no error.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    line(&text)
}

/// Writes one line to stdout.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes a plain table, readable without colour and by `cut`.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().map(ToString::to_string));
    for row in rows {
        table.add_row(row);
    }
    line(&table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n"))
}

/// An answer in short.
pub(crate) fn answer(prediction: &Prediction, lang: Lang) -> String {
    match (&prediction.answer, prediction.verdict) {
        (Answer::Number { value, .. }, _) => format!("{value:.4}"),
        (Answer::Labels { names, .. }, _) if names.is_empty() => lang.pick("(none)", "（无）").to_owned(),
        (Answer::Labels { names, .. }, _) => names.join(", "),
        (Answer::Class { name, .. }, Verdict::Answered | Verdict::Unproven) => name.clone(),
        (Answer::Class { name, .. }, _) => format!("({name})"),
    }
}

/// A verdict in the reader's language.
pub(crate) fn verdict(verdict: Verdict, lang: Lang) -> &'static str {
    match verdict {
        Verdict::Answered => lang.pick("sure", "确定"),
        Verdict::Unproven => lang.pick("unproven", "未保证"),
        Verdict::DontKnow => lang.pick("don't know", "不确定"),
        Verdict::Unfamiliar => lang.pick("unfamiliar", "陌生"),
    }
}

/// A probability, or the interval of a number.
pub(crate) fn confidence(prediction: &Prediction) -> String {
    match (&prediction.answer, prediction.confidence) {
        (Answer::Number { low, high, .. }, _) => format!("{low:.4} .. {high:.4}"),
        (_, Some(confidence)) => format!("{confidence:.3}"),
        (_, None) => "-".to_owned(),
    }
}

/// `86.8 % (95 %: 84.0 to 89.1, n = 372)`, or a plain number for losses.
pub(crate) fn measure(measure: &Measure, lang: Lang) -> String {
    estimate(&measure.metric, &measure.estimate, lang)
}

/// As [`measure`], for a metric by its name.
pub(crate) fn estimate(metric: &str, estimate: &Estimate, lang: Lang) -> String {
    let plain = matches!(metric, "mae" | "rmse" | "log-loss" | "brier" | "r2")
        || metric.ends_with("auroc")
        || matches!(metric, "image-ap" | "aupro" | "aupimo");
    let show = |value: f64| if plain { format!("{value:.3}") } else { percent(value) };
    format!(
        "{} (95 %: {} {} {}, n = {})",
        show(estimate.value),
        show(estimate.low),
        lang.pick("to", "至"),
        show(estimate.high),
        estimate.n
    )
}
