//! Whether more labels are worth it (methods 5.8 and 5.9).

use evaluate::{Estimate, LearningCurve};
use serde::Serialize;

use crate::percent;
use crate::report::Sentence;

/// So many labels are spoken of together.
const HUNDRED: usize = 100;
/// Sizes that are told, as multiples of the labels there are. The curve says nothing beyond four times what was measured.
const MULTIPLES: [f64; 3] = [1.5, 2.0, 3.0];

/// What more labels of the same kind would bring.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outlook {
    /// Labels there are.
    pub n_labels: usize,
    /// Accuracy that is expected with them, and its 80 % band.
    pub now: Estimate,
    /// The same for more labels; `n` is their number.
    pub later: Vec<Estimate>,
    /// What the next hundred labels bring: a share of right answers.
    pub gain_per_hundred: f64,
    /// Whether that is less than it is worth.
    pub enough: bool,
}

impl Outlook {
    /// Reads a curve; `None` where it does not reach.
    pub(super) fn of(curve: &LearningCurve, n_labels: usize, worth: f64) -> Option<Self> {
        let now = Estimate { n: n_labels, ..curve.accuracy_at(n_labels)? };
        let later = MULTIPLES.iter().filter_map(|times| {
            let n = (times * n_labels as f64).round() as usize;
            curve.accuracy_at(n).filter(|_| n > n_labels)
        });
        // With few labels a hundred more are beyond the curve's reach; then what lies within reach is spread.
        let step = (1..=HUNDRED).rev().find(|step| curve.accuracy_at(n_labels + step).is_some())?;
        let gain = curve.accuracy_at(n_labels + step)?.value - now.value;
        let gain_per_hundred = gain * HUNDRED as f64 / step as f64;
        let enough = gain_per_hundred < worth;
        Some(Self { n_labels, now, later: later.collect(), gain_per_hundred, enough })
    }

    /// In words: what more would bring, and whether to go on.
    pub fn sentence(&self) -> Sentence {
        let n = self.n_labels;
        let now = percent(self.now.value);
        let en: Vec<String> = self
            .later
            .iter()
            .map(|at| format!("{} to {} with {}", percent(at.low), percent(at.high), at.n))
            .collect();
        let zh: Vec<String> = self
            .later
            .iter()
            .map(|at| format!("{} 个时 {} 至 {}", at.n, percent(at.low), percent(at.high)))
            .collect();
        let gain = format!("{:.1}", 100.0 * self.gain_per_hundred);
        let (verdict_en, verdict_zh) = if self.enough {
            ("you can stop labelling", "可以停止标注")
        } else {
            ("labelling on is worth it", "继续标注是值得的")
        };
        Sentence {
            en: format!(
                "With {n} labels expect {now} right answers; {}. The next hundred bring about {gain} points: {verdict_en}.",
                en.join(", ")
            ),
            zh: format!(
                "现有 {n} 个标注，预计正确率 {now}；{}。再标 100 个约提高 {gain} 个百分点：{verdict_zh}。",
                zh.join("，")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use evaluate::CurveDraw;
    use linalg::Seed;

    use super::*;

    /// The outlook of an error that falls as `height / sqrt(n)` to a floor.
    fn outlook(height: f64, n_labels: usize, worth: f64) -> Outlook {
        let error = |n: usize| 0.05 + height / (n as f64).sqrt();
        let draws: Vec<CurveDraw> =
            [20, 40, 80, 160].iter().flat_map(|n| [CurveDraw { n: *n, error: error(*n) }; 4]).collect();
        Outlook::of(&LearningCurve::fit(&draws, Seed(1)).unwrap(), n_labels, worth).unwrap()
    }

    #[test]
    fn labelling_stops_when_a_hundred_labels_bring_less_than_they_are_worth() {
        let steep = outlook(1.0, 160, 0.005);
        let truth = 1.0 / 160_f64.sqrt() - 1.0 / 260_f64.sqrt();
        assert!((steep.gain_per_hundred - truth).abs() < 0.01 && !steep.enough, "{steep:?} {truth}");
        let flat = outlook(0.02, 160, 0.005);
        assert!(flat.enough && flat.sentence().en.contains("you can stop"), "{flat:?}");
        assert!(!outlook(0.02, 160, 1e-6).enough);
        let told: Vec<usize> = steep.later.iter().map(|later| later.n).collect();
        assert_eq!(told, [240, 320, 480]);
    }
}
