//! The metrics of a detector by name, and how numbers are written.

use evaluate::Estimate;
use serde::{Deserialize, Serialize};

use super::Figure;
use crate::{Lang, percent};

/// What can be measured about a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetectorMetric {
    /// Area under the ROC curve of whole photos.
    Auroc,
    /// Average precision of whole photos.
    AveragePrecision,
    /// Area under the ROC curve of pixels.
    PixelAuroc,
    /// Area under the per-region overlap up to a false-positive rate of 0.3.
    Aupro,
    /// Area under the per-image overlap at very few false positives.
    Aupimo,
    /// Share of defects above the threshold.
    Recall,
    /// Share of defects above the threshold by what is known of good parts alone.
    RecallAlone,
    /// Share of good parts above the threshold.
    FalseAlarms,
    /// Share of good parts on which a place is marked.
    GoodMarked,
}

impl DetectorMetric {
    /// The metric's name as the reader knows it.
    pub fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Auroc => lang.pick("image AUROC", "图像级 AUROC"),
            Self::AveragePrecision => lang.pick("average precision", "平均精度（AP）"),
            Self::PixelAuroc => lang.pick("pixel AUROC", "像素级 AUROC"),
            Self::Aupro => lang.pick("AUPRO@0.3", "AUPRO@0.3"),
            Self::Aupimo => lang.pick("AUPIMO", "AUPIMO"),
            Self::Recall => lang.pick("defects found", "缺陷检出率"),
            Self::RecallAlone => lang.pick("found by good parts alone", "仅凭良品的检出率"),
            Self::FalseAlarms => lang.pick("false alarms", "误报率"),
            Self::GoodMarked => lang.pick("good parts with a mark", "良品误标率"),
        }
    }

    /// What it says, in half a sentence.
    pub fn meaning(self, lang: Lang) -> &'static str {
        match self {
            Self::Auroc => lang.pick("how often a defect scores above a good part", "缺陷得分高于良品的机会"),
            Self::AveragePrecision => lang
                .pick("how pure the top of the list is, down to each defect", "从最可疑往下看，缺陷占多少"),
            Self::PixelAuroc => lang
                .pick("how often a defect pixel scores above the background", "缺陷像素得分高于背景的机会"),
            Self::Aupro => lang.pick(
                "how much of each defect region is marked, each counting alike",
                "每处缺陷被标出多少，大小同等计",
            ),
            Self::Aupimo => lang.pick(
                "how much of a defect is marked while good photos stay all but clean",
                "良品几乎无误标时，缺陷被标出多少",
            ),
            Self::Recall => lang.pick("share of defects above the threshold", "超过阈值的缺陷比例"),
            Self::RecallAlone => lang.pick(
                "the same share without what defects taught: expect that of kinds never shown",
                "不用从缺陷学到的知识时的比例：对未见种类可作此预期",
            ),
            Self::FalseAlarms => {
                lang.pick("share of held-out good parts above the threshold", "预留良品中超过阈值的比例")
            }
            Self::GoodMarked => lang.pick(
                "share of held-out good parts on which a place is marked, with or without an alarm",
                "预留良品中有位置被标出的比例，不论是否报警",
            ),
        }
    }
}

/// A share as a percentage with as many digits as it needs, at most three: `1 %`, `0.05 %`, `12.5 %`.
pub fn rate(share: f64) -> String {
    format!("{} %", digits(100.0 * share, 3))
}

/// A rate that somebody asked for, as a percentage with all the digits that they gave.
pub fn promised(share: f64) -> String {
    format!("{} %", digits(100.0 * share, 9))
}

/// A confidence as a percentage, with digits enough to tell it from certainty and one at least: never more than it is. `95 %`, `99.99 %`.
pub fn confidence(share: f64) -> String {
    let open = 100.0 * (1.0 - share);
    let decimals = if open > 0.0 { (1.0 - open.log10().floor()).clamp(1.0, 12.0) as i32 } else { 0 };
    let scale = 10_f64.powi(decimals);
    let down = (100.0 * share * scale + 1e-6).floor() / scale;
    let decimals = decimals as usize;
    format!("{} %", without_zeros(format!("{down:.decimals$}")))
}

/// Whether an estimate says anything: of nothing observed, the value is only a placeholder.
pub(super) fn is_measured(estimate: &Estimate) -> bool {
    estimate.n > 0 && estimate.value.is_finite()
}

/// The value of an estimate as a percentage, or a dash where nothing was measured.
pub(super) fn value(estimate: &Estimate) -> String {
    if is_measured(estimate) { share(estimate.value) } else { "—".to_owned() }
}

/// A share as a percentage, or a dash where it is not a number.
pub(super) fn share(value: f64) -> String {
    if value.is_finite() { percent(value) } else { "—".to_owned() }
}

/// A score, p-value or other plain number to three significant digits.
pub(super) fn plain(value: f64) -> String {
    if value.is_finite() { digits(value, 3) } else { "—".to_owned() }
}

/// An interval without its value: `88.1 – 97.0 %`.
pub(super) fn interval(estimate: &Estimate) -> String {
    if is_measured(estimate) {
        format!("{:.1} – {}", 100.0 * estimate.low, percent(estimate.high))
    } else {
        "—".to_owned()
    }
}

pub(super) fn figure(figure: &Figure) -> String {
    match figure {
        Figure::Share(estimate) => value(estimate),
        Figure::Number(value) => plain(*value),
    }
}

/// The small print under a figure: its interval and n.
pub(super) fn figure_note(figure: &Figure) -> Option<String> {
    match figure {
        Figure::Share(estimate) if is_measured(estimate) => {
            Some(format!("{}, n = {}", interval(estimate), estimate.n))
        }
        _ => None,
    }
}

/// `value` to this many significant digits, without zeros at the end; scientific where that is shorter.
fn digits(value: f64, significant: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..9).contains(&magnitude) {
        return format!("{value:.1e}");
    }
    let decimals = (significant - 1 - magnitude).max(0) as usize;
    without_zeros(format!("{value:.decimals$}"))
}

fn without_zeros(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_need_no_more_digits_than_they_have() {
        let shown = [0.01, 0.015, 0.0005, 0.125, 1.0, 0.0].map(rate);
        assert_eq!(shown, ["1 %", "1.5 %", "0.05 %", "12.5 %", "100 %", "0 %"]);
        assert_eq!([0.05, 0.12345, 0.001].map(promised), ["5 %", "12.345 %", "0.1 %"]);
    }

    #[test]
    fn no_confidence_is_shown_as_certainty() {
        let shown = [0.95, 0.9, 0.5, 0.995, 0.9999, 0.999_999].map(confidence);
        assert_eq!(shown, ["95 %", "90 %", "50 %", "99.5 %", "99.99 %", "99.9999 %"]);
        // Never more than it is.
        assert_eq!([0.875, 0.667, 0.8559, 0.9545].map(confidence), ["87.5 %", "66.7 %", "85.5 %", "95.4 %"]);
    }

    #[test]
    fn numbers_of_any_size_are_readable() {
        let shown = [0.003_344, 12.345, 123_456.0, 1e-9, -0.5, f64::NAN].map(plain);
        assert_eq!(shown, ["0.00334", "12.3", "123456", "1.0e-9", "-0.5", "—"]);
    }

    #[test]
    fn what_was_not_measured_is_a_dash() {
        let undefined = Estimate { value: f64::NAN, low: 0.0, high: 1.0, n: 7 };
        for nothing in [undefined, evaluate::wilson(0, 0)] {
            assert_eq!((value(&nothing), interval(&nothing)), ("—".to_owned(), "—".to_owned()));
            assert_eq!(figure_note(&Figure::Share(nothing)), None);
        }
    }
}
