//! The inspector's charts of scores, as inline SVG in the page's colours.

use std::fmt::Write;

use evaluate::Estimate;

use super::super::charts::{close, open};
use super::super::escape;
use super::measures::{interval, is_measured, plain, value};

/// The words of the chart of scores.
pub(super) struct ScoreWords<'a> {
    pub(super) good: &'a str,
    pub(super) defects: &'a str,
    pub(super) threshold: &'a str,
    pub(super) score: &'a str,
}

/// Left and right of the plot.
const ACROSS: (f64, f64) = (10.0, 434.0);
/// Height of the highest bar.
const BAR: f64 = 104.0;
/// Room above the bars for the words.
const TOP: f64 = 34.0;
/// Scores further above the threshold than this many times the width of the good scores share the last bar.
const REACH: f64 = 3.0;

/// How far the plot goes on behind the threshold, as a share of what is before it.
const BEYOND: f64 = 0.15;

/// A range of scores cut into bars of equal width.
struct Bars {
    low: f64,
    high: f64,
    count: usize,
    /// Whether scores beyond `high` share the last bar.
    open: bool,
}

impl Bars {
    /// From the lowest score to the highest, but not so far that the threshold cannot be told from the good scores.
    fn holding(good: &[f64], defects: &[f64], threshold: f64) -> Option<Self> {
        let all =
            || good.iter().chain(defects).chain([&threshold]).copied().filter(|score| score.is_finite());
        let low = all().reduce(f64::min)?;
        let highest = all().reduce(f64::max)?;
        let usual = good.iter().copied().filter(|score| score.is_finite()).fold(threshold, f64::max);
        let far = if usual > low { usual + REACH * (usual - low) } else { highest };
        // Half the square root would hide the tail, twice shows noise.
        let count = ((2.0 * ((good.len() + defects.len()) as f64).sqrt()) as usize).clamp(12, 44);
        // Some of what would alarm is always shown.
        let (high, open) = (highest.min(far).max(threshold + BEYOND * (threshold - low)), highest > far);
        let spare = if high > low { 0.02 * (high - low) } else { 0.5 };
        Some(Self { low: low - spare, high: high + spare, count, open })
    }

    fn x(&self, score: f64) -> f64 {
        let along = (score - self.low) / (self.high - self.low);
        ACROSS.0 + (ACROSS.1 - ACROSS.0) * along.clamp(0.0, 1.0)
    }

    /// How many scores fall on each bar. A score that is not a number alarms, so it is counted with the highest.
    fn counts(&self, scores: &[f64]) -> Vec<usize> {
        let mut counts = vec![0; self.count];
        for score in scores {
            let along = (score - self.low) / (self.high - self.low) * self.count as f64;
            let bar =
                if along.is_nan() { self.count - 1 } else { (along.max(0.0) as usize).min(self.count - 1) };
            counts[bar] += 1;
        }
        counts
    }
}

/// How scores are distributed: good parts upward, defects downward, the threshold between; `None` without a score.
pub(super) fn scores(
    good: &[f64],
    defects: &[f64],
    threshold: f64,
    words: &ScoreWords<'_>,
) -> Option<String> {
    let bars = Bars::holding(good, defects, threshold).filter(|_| !good.is_empty() || !defects.is_empty())?;
    let middle = TOP + BAR;
    let bottom = if defects.is_empty() { middle } else { middle + BAR };
    let mut svg = open(444.0, bottom + 46.0, words.score);
    let at = bars.x(threshold);
    let _ = write!(
        svg,
        r#"<rect x="{at:.1}" y="{TOP}" width="{:.1}" height="{:.1}" class="alarming"/><line x1="{}" x2="{}" y1="{middle}" y2="{middle}" class="grid"/>"#,
        ACROSS.1 - at,
        bottom - TOP,
        ACROSS.0,
        ACROSS.1,
    );
    draw(&mut svg, &bars, &bars.counts(good), middle, "good", -1.0);
    draw(&mut svg, &bars, &bars.counts(defects), middle, "bad", 1.0);
    let name = |words: &str, n: usize| format!("{} (n = {n})", escape(words));
    let _ = write!(
        svg,
        r#"<text x="{}" y="12" class="axis">{} ↑</text>"#,
        ACROSS.0,
        name(words.good, good.len())
    );
    if !defects.is_empty() {
        let _ = write!(
            svg,
            r#"<text x="{}" y="12" class="end axis">{} ↓</text>"#,
            ACROSS.1,
            name(words.defects, defects.len())
        );
    }
    let _ = write!(
        svg,
        r#"<line x1="{at:.1}" x2="{at:.1}" y1="{}" y2="{bottom}" class="threshold"/><text x="{:.1}" y="{}" class="mid strong">{} {}</text>"#,
        TOP - 6.0,
        at.clamp(70.0, 374.0),
        bottom + 17.0,
        escape(words.threshold),
        plain(threshold),
    );
    ends(&mut svg, &bars, bottom + 38.0, words.score);
    Some(close(svg))
}

/// The bars of one kind, the highest of them `BAR` long; `direction` is -1 upward and 1 downward.
fn draw(svg: &mut String, bars: &Bars, counts: &[usize], middle: f64, class: &str, direction: f64) {
    let highest = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = (ACROSS.1 - ACROSS.0) / bars.count as f64;
    for (bar, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        // One part is a bar that can be seen, however many there are of the most frequent score.
        let length = (BAR * *count as f64 / highest).max(2.5);
        let y = if direction < 0.0 { middle - length } else { middle };
        let _ = write!(
            svg,
            r#"<rect x="{:.1}" y="{y:.1}" width="{:.1}" height="{length:.1}" rx="1.5" class="{class}"><title>n = {count}</title></rect>"#,
            ACROSS.0 + bar as f64 * width + 0.5,
            width - 1.0,
        );
    }
}

/// The lowest and the highest score under the plot, with the axis' name between.
fn ends(svg: &mut String, bars: &Bars, y: f64, name: &str) {
    let more = if bars.open { "≥ " } else { "" };
    let _ = write!(
        svg,
        r#"<text x="{}" y="{y}" class="axis">{}</text><text x="222" y="{y}" class="mid axis">{} →</text><text x="{}" y="{y}" class="end axis">{more}{}</text>"#,
        ACROSS.0,
        plain(bars.low),
        escape(name),
        ACROSS.1,
        plain(bars.high),
    );
}

/// A share with its interval on a small scale from 0 to 1, for a table's cell.
pub(super) fn whisker(estimate: &Estimate) -> String {
    if !is_measured(estimate) {
        return String::new();
    }
    let x = |share: f64| 6.0 + 108.0 * share.clamp(0.0, 1.0);
    let mut svg = open(120.0, 16.0, &format!("{} [{}]", value(estimate), interval(estimate)));
    let _ = write!(
        svg,
        r#"<line x1="6" x2="114" y1="8" y2="8" class="grid"/><line x1="{:.1}" x2="{:.1}" y1="8" y2="8" class="whisker"/><circle cx="{:.1}" cy="8" r="4" class="dot"/>"#,
        x(estimate.low),
        x(estimate.high),
        x(estimate.value),
    );
    close(svg)
}

/// Where a score lies on a card's meter, in percent: below the threshold on its left half, above it on its right half.
pub(super) fn on_meter(score: f64, threshold: f64, lowest: f64, highest: f64) -> f64 {
    let half =
        |from: f64, to: f64| if to > from { ((score - from) / (to - from)).clamp(0.0, 1.0) } else { 1.0 };
    if score.is_nan() {
        100.0
    } else if score > threshold {
        50.0 + 50.0 * half(threshold, highest)
    } else {
        50.0 * half(lowest, threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: ScoreWords<'_> =
        ScoreWords { good: "good <b>", defects: "defects", threshold: "threshold", score: "score" };

    #[track_caller]
    fn check(good: &[f64], defects: &[f64], threshold: f64) -> String {
        let svg = scores(good, defects, threshold, &WORDS).unwrap();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("<b>"), "{svg}");
        svg
    }

    #[test]
    fn scores_of_any_kind_can_be_drawn() {
        check(&[1.0, 2.0, 3.0], &[5.0, 1e9], 4.0);
        check(&[1.0], &[], 1.0);
        check(&[2.0; 50], &[2.0; 3], 2.0);
        check(&[f64::NAN, -1.0, f64::INFINITY], &[f64::NAN], -0.5);
        check(&[], &[1.0], 0.0);
        assert!(scores(&[], &[], 1.0, &WORDS).is_none());
    }

    #[test]
    fn every_score_is_counted_once() {
        let (good, defects) = ([0.0, 0.5, 1.0], [0.9, 7.0, 1e6, f64::NAN]);
        let bars = Bars::holding(&good, &defects, 1.1).unwrap();
        assert!(bars.open && bars.high < 10.0);
        let counts = bars.counts(&defects);
        assert_eq!((counts.iter().sum::<usize>(), counts[bars.count - 1]), (4, 3));
        assert_eq!(bars.counts(&good).iter().sum::<usize>(), 3);
    }

    #[test]
    fn the_threshold_is_the_middle_of_a_meter() {
        assert_eq!(on_meter(2.0, 2.0, 0.0, 10.0), 50.0);
        assert_eq!(on_meter(1.0, 2.0, 0.0, 10.0), 25.0);
        assert_eq!(on_meter(6.0, 2.0, 0.0, 10.0), 75.0);
        assert_eq!(on_meter(99.0, 2.0, 0.0, 10.0), 100.0);
        assert_eq!(on_meter(f64::NAN, 2.0, 0.0, 10.0), 100.0);
        assert_eq!(on_meter(3.0, 2.0, 2.0, 2.0), 100.0);
        assert_eq!(on_meter(2.0, 2.0, 2.0, 2.0), 50.0);
    }

    #[test]
    fn a_share_that_was_not_measured_has_no_whisker() {
        assert!(whisker(&Estimate { value: f64::NAN, low: 0.0, high: 1.0, n: 0 }).is_empty());
        assert!(whisker(&Estimate { value: 0.5, low: 0.2, high: 0.8, n: 9 }).contains(r#"cx="60.0""#));
    }
}
