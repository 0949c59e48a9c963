//! The promise in one sentence, and whether what was measured agrees with it.

use evaluate::Estimate;
use evaluate::inspect::{EstimatedThreshold, ProvenThreshold, Tail};

use super::measures::{confidence, is_measured, promised, rate};
use super::{AlarmPromise, Counted, Sentence};

/// What the threshold promises, or that it promises nothing and what would change that.
pub fn promise_sentence(alarm: &AlarmPromise, counted: Counted) -> Sentence {
    match alarm {
        AlarmPromise::Proven(proven) => proven_sentence(proven, counted),
        AlarmPromise::Estimated { threshold, need, best_rate, .. } => {
            estimated_sentence(threshold, *need, *best_rate, counted)
        }
    }
}

fn proven_sentence(proven: &ProvenThreshold, counted: Counted) -> Sentence {
    let (confidence, most, n) = (confidence(proven.confidence), promised(proven.false_alarm_rate), proven.n);
    let caveat = promise_caveat();
    match counted {
        Counted::Parts => Sentence {
            en: format!(
                "With {confidence} confidence at most {most} of good parts alarm: proven on {n} good parts, each judged without having been learned from. {}",
                caveat.en
            ),
            zh: format!(
                "在 {confidence} 置信度下，至多 {most} 的良品会误报：已由 {n} 个良品证明，每个都在未被学习时受检。{}",
                caveat.zh
            ),
        },
        Counted::Groups => Sentence {
            en: format!(
                "With {confidence} confidence at most {most} of groups of good parts have any false alarm: proven on {n} groups, each judged without having been learned from. {}",
                caveat.en
            ),
            zh: format!(
                "在 {confidence} 置信度下，至多 {most} 的良品组会出现误报：已由 {n} 组良品证明，每组都在未被学习时受检。{}",
                caveat.zh
            ),
        },
    }
}

/// What a proof on parts that were held out in turn leaves open: the theorem speaks of one and the same inspector.
pub fn promise_caveat() -> Sentence {
    Sentence {
        en: "Strictly the proof is of the inspectors that judged these parts: each learned from nine tenths of them or somewhat less, and the \
             weights of its detectors were set on the same scores. This one learned from all, and is expected to alarm as seldom."
            .to_owned(),
        zh: "严格地说，证明针对的是评判这些良品的检测器：每个用其中约九成或略少学成，各方法的权重也由这些得分确定。本检测器用全部良品学成，预计误报同样少。"
            .to_owned(),
    }
}

fn estimated_sentence(
    threshold: &EstimatedThreshold,
    need: usize,
    best_rate: f64,
    counted: Counted,
) -> Sentence {
    let (expected, aim) = (rate(expected_rate(threshold)), promised(threshold.false_alarm_rate));
    let (more, n, best) = (need.saturating_sub(threshold.n), threshold.n, provable_rate(best_rate));
    let (unit, units, zh_units, measure) = match counted {
        Counted::Parts => ("good part", "good parts", "良品", "个良品"),
        Counted::Groups => ("group of good parts", "groups of good parts", "良品组", "组良品"),
    };
    let missed_aim =
        expected_rate(threshold) > threshold.false_alarm_rate && expected != rate(threshold.false_alarm_rate);
    let (but, zh_but) = if missed_aim {
        (format!(" ({aim} was aimed at)"), format!("（目标是 {aim}）"))
    } else {
        (String::new(), String::new())
    };
    let what = if more == 1 { unit } else { units };
    Sentence {
        en: format!(
            "About {expected} of {units} alarm{but}: an estimate, no guarantee. {more} more {what} would prove {aim}; with these {n} the best provable rate is {best}."
        ),
        zh: format!(
            "约 {expected} 的{zh_units}会误报{zh_but}：这只是估计，不是保证。再拍 {more} {measure}即可证明 {aim}；现有 {n} {measure}最多只能证明 {best}。"
        ),
    }
}

/// The rate that is expected at the threshold. With few good parts it may be far above the one that was aimed at.
pub fn expected_rate(threshold: &EstimatedThreshold) -> f64 {
    match threshold.tail {
        Tail::Fitted { .. } => threshold.false_alarm_rate,
        Tail::OrderStatistic { expected_rate, .. } => expected_rate.max(threshold.false_alarm_rate),
    }
}

/// A provable rate as a percentage, rounded up: it must not look better than it can be.
pub fn provable_rate(share: f64) -> String {
    rate(round_up(share))
}

/// A rate to two digits, never below what it is.
fn round_up(share: f64) -> f64 {
    if share <= 0.0 {
        return share;
    }
    let unit = 10_f64.powf(share.log10().floor() - 1.0);
    // The small step down keeps 0.01, which is not exact in binary, from becoming 0.011.
    ((share / unit - 1e-9).ceil() * unit).min(1.0)
}

/// Whether the false alarms that were measured agree with the rate that was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// The measured share is at most the promised one.
    Kept,
    /// It is above, but the interval holds the promised one.
    WithinNoise,
    /// The whole interval is above: the measured parts are unlike those the threshold was made on.
    Broken,
}

impl Agreement {
    pub(super) fn of(measured: &Estimate, promised: f64) -> Option<Self> {
        if !is_measured(measured) {
            None
        } else if measured.value <= promised {
            Some(Self::Kept)
        } else if measured.low <= promised {
            Some(Self::WithinNoise)
        } else {
            Some(Self::Broken)
        }
    }

    /// The mark on the page: a CSS class.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Kept => "ok",
            Self::WithinNoise => "unsure",
            Self::Broken => "wrong",
        }
    }

    pub(super) fn sentence(self, aim: f64) -> Sentence {
        let rate = promised(aim);
        let (en, zh) = match self {
            Self::Kept => (format!("at most {rate}, as intended"), format!("不超过 {rate}，符合预期")),
            Self::WithinNoise => (
                format!("above {rate}, but so few parts cannot tell the difference from chance"),
                format!("高于 {rate}，但样本少，可能只是偶然"),
            ),
            Self::Broken => (
                format!(
                    "more than {rate}: these parts differ from those the threshold was made on; look at them below"
                ),
                format!("超过 {rate}：这些良品与定阈值时的良品不同，请看下面的照片"),
            ),
        };
        Sentence { en, zh }
    }
}

#[cfg(test)]
mod tests {
    use evaluate::inspect::{AlarmThreshold, GoodScores, Promise, alarm_threshold, best_provable_rate};

    use super::*;

    /// The sentence for `n` good parts with the scores 1 to n, at 95 % confidence.
    #[track_caller]
    fn check(n: usize, false_alarm_rate: f64, counted: Counted, en: &str, zh: &str) {
        let scores: Vec<f64> = (1..=n).map(|score| score as f64).collect();
        let good = GoodScores::of_parts(&scores).unwrap();
        let promise = Promise::new(false_alarm_rate, 0.95).unwrap();
        let need = evaluate::inspect::parts_needed(false_alarm_rate, 0.95).unwrap();
        let alarm = match alarm_threshold(&good, promise) {
            AlarmThreshold::Proven(proven) => AlarmPromise::Proven(proven),
            AlarmThreshold::Estimated(threshold) => AlarmPromise::Estimated {
                threshold,
                confidence: 0.95,
                need,
                best_rate: best_provable_rate(n, 0.95),
            },
        };
        let sentence = promise_sentence(&alarm, counted);
        assert_eq!((sentence.en.as_str(), sentence.zh.as_str()), (en, zh));
    }

    #[test]
    fn a_proof_says_how_sure_and_on_what() {
        check(
            299,
            0.01,
            Counted::Parts,
            "With 95 % confidence at most 1 % of good parts alarm: proven on 299 good parts, each judged without having been learned from. Strictly the proof is of the inspectors that judged these parts: each learned from nine tenths of them or somewhat less, and the weights of its detectors were set on the same scores. This one learned from all, and is expected to alarm as seldom.",
            "在 95 % 置信度下，至多 1 % 的良品会误报：已由 299 个良品证明，每个都在未被学习时受检。严格地说，证明针对的是评判这些良品的检测器：每个用其中约九成或略少学成，各方法的权重也由这些得分确定。本检测器用全部良品学成，预计误报同样少。",
        );
    }

    #[test]
    fn an_estimate_says_so_and_what_would_prove_it() {
        check(
            200,
            0.01,
            Counted::Parts,
            "About 1 % of good parts alarm: an estimate, no guarantee. 99 more good parts would prove 1 %; with these 200 the best provable rate is 1.5 %.",
            "约 1 % 的良品会误报：这只是估计，不是保证。再拍 99 个良品即可证明 1 %；现有 200 个良品最多只能证明 1.5 %。",
        );
    }

    #[test]
    fn too_few_parts_for_the_aim_do_not_claim_it() {
        check(
            19,
            0.01,
            Counted::Groups,
            "About 5 % of groups of good parts alarm (1 % was aimed at): an estimate, no guarantee. 280 more groups of good parts would prove 1 %; with these 19 the best provable rate is 15 %.",
            "约 5 % 的良品组会误报（目标是 1 %）：这只是估计，不是保证。再拍 280 组良品即可证明 1 %；现有 19 组良品最多只能证明 15 %。",
        );
    }

    #[test]
    fn provable_rates_are_never_rounded_down() {
        assert_eq!(
            [0.01, 0.0149, 0.0151, 0.995, 1.0].map(|share| rate(round_up(share))),
            ["1 %", "1.5 %", "1.6 %", "100 %", "100 %"]
        );
    }

    #[test]
    fn a_broken_promise_needs_the_whole_interval() {
        let measured = |value, low| Estimate { value, low, high: 1.0, n: 50 };
        assert_eq!(Agreement::of(&measured(0.01, 0.0), 0.01), Some(Agreement::Kept));
        assert_eq!(Agreement::of(&measured(0.04, 0.005), 0.01), Some(Agreement::WithinNoise));
        assert_eq!(Agreement::of(&measured(0.2, 0.1), 0.01), Some(Agreement::Broken));
        assert_eq!(Agreement::of(&measured(f64::NAN, 0.0), 0.01), None);
    }
}
