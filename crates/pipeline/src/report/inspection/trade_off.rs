//! Missed defects against false alarms, with the chosen threshold and its intervals.

use std::fmt::Write;

use evaluate::Estimate;

use super::super::charts::{close, open};
use super::super::escape;
use super::measures::{rate, share};

/// The words of the chart.
pub(super) struct Words<'a> {
    pub(super) false_alarms: &'a str,
    pub(super) missed: &'a str,
    pub(super) promised: &'a str,
    pub(super) chosen: &'a str,
}

/// Where no false alarms are, left of the logarithmic axis.
const ZERO: f64 = 62.0;
/// The logarithmic axis from its first decade to 100 %.
const ACROSS: (f64, f64) = (100.0, 520.0);
/// Top and bottom of the plot.
const DOWN: (f64, f64) = (16.0, 256.0);
/// No decade below this one is shown.
const FIRST_DECADE: f64 = -6.0;

/// The chart; `None` when there is no curve to draw.
///
/// `points` are shares of false alarms and missed defects, `chosen` what was measured at the threshold: false alarms and defects
/// found. The axis of false alarms is logarithmic, because what matters happens below a few percent; zero has its own place.
pub(super) fn trade_off(
    points: &[(f64, f64)],
    chosen: Option<(Estimate, Estimate)>,
    promised: f64,
    words: &Words<'_>,
) -> Option<String> {
    let points: Vec<(f64, f64)> =
        points.iter().copied().filter(|(alarms, missed)| alarms.is_finite() && missed.is_finite()).collect();
    if points.len() < 2 {
        return None;
    }
    let axis = RateAxis::holding(points.iter().map(|(alarms, _)| *alarms).chain([promised]));
    let mut svg = open(540.0, 314.0, &format!("{} / {}", words.false_alarms, words.missed));
    frame(&mut svg, &axis, words);
    promise(&mut svg, axis.x(promised), &format!("{} {}", words.promised, rate(promised)));
    let line: Vec<String> =
        points.iter().map(|(alarms, missed)| format!("{:.1},{:.1}", axis.x(*alarms), y(*missed))).collect();
    let _ = write!(svg, r#"<polyline points="{}" class="line"/>"#, line.join(" "));
    if let Some((alarms, found)) = chosen.filter(|(a, f)| a.value.is_finite() && f.value.is_finite()) {
        threshold(&mut svg, &axis, &alarms, &found, words);
    }
    Some(close(svg))
}

/// Rates of false alarms on a logarithmic axis, with room for zero.
struct RateAxis {
    /// Logarithm of the first rate on the axis, below 0.
    first: f64,
}

impl RateAxis {
    fn holding(rates: impl Iterator<Item = f64>) -> Self {
        let smallest = rates.filter(|rate| *rate > 0.0).fold(0.1, f64::min);
        // The small step keeps a power of ten, which may be off by its last bit, in its own decade.
        Self { first: (smallest.log10() + 1e-9).floor().max(FIRST_DECADE) }
    }

    fn x(&self, rate: f64) -> f64 {
        if rate <= 0.0 || rate.is_nan() {
            return ZERO;
        }
        let along = 1.0 - rate.log10() / self.first;
        ACROSS.0 + (ACROSS.1 - ACROSS.0) * along.clamp(0.0, 1.0)
    }

    /// Zero and every power of ten.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let decades = self.first as i32..=0;
        std::iter::once(0.0).chain(decades.map(|decade| 10_f64.powi(decade)))
    }
}

fn y(missed: f64) -> f64 {
    DOWN.1 - (DOWN.1 - DOWN.0) * missed.clamp(0.0, 1.0)
}

fn frame(svg: &mut String, axis: &RateAxis, words: &Words<'_>) {
    let (top, bottom) = DOWN;
    for tick in axis.ticks() {
        let _ = write!(
            svg,
            r#"<line x1="{x:.1}" x2="{x:.1}" y1="{top}" y2="{bottom}" class="grid"/><text x="{x:.1}" y="{}" class="mid axis">{}</text>"#,
            bottom + 18.0,
            rate(tick),
            x = axis.x(tick),
        );
    }
    for tick in 0..=4 {
        let missed = f64::from(tick) / 4.0;
        let _ = write!(
            svg,
            r#"<line x1="{ZERO}" x2="{}" y1="{y:.1}" y2="{y:.1}" class="grid"/><text x="{}" y="{:.1}" class="end axis">{}</text>"#,
            ACROSS.1,
            ZERO - 8.0,
            y(missed) + 4.0,
            rate(missed),
            y = y(missed),
        );
    }
    let middle = (top + bottom) / 2.0;
    let _ = write!(
        svg,
        r#"<text x="{}" y="{}" class="mid axis">{}</text><text x="11" y="{middle}" class="mid axis" transform="rotate(-90 11 {middle})">{}</text>"#,
        (ZERO + ACROSS.1) / 2.0,
        bottom + 42.0,
        escape(words.false_alarms),
        escape(words.missed),
    );
}

/// The side of the plot that keeps the promise.
fn promise(svg: &mut String, at: f64, label: &str) {
    let (top, bottom) = DOWN;
    let (anchor, x) = if at > 330.0 { ("end", at - 7.0) } else { ("start", at + 7.0) };
    let _ = write!(
        svg,
        r#"<rect x="{ZERO}" y="{top}" width="{:.1}" height="{}" class="allowed"/><line x1="{at:.1}" x2="{at:.1}" y1="{top}" y2="{bottom}" class="promised"/><text x="{x:.1}" y="{}" class="{anchor} axis">{}</text>"#,
        at - ZERO,
        bottom - top,
        top + 13.0,
        escape(label),
    );
}

/// The threshold as a dot, the intervals of both shares as bars through it.
fn threshold(svg: &mut String, axis: &RateAxis, alarms: &Estimate, found: &Estimate, words: &Words<'_>) {
    let (at, missed) = (axis.x(alarms.value), 1.0 - found.value);
    let level = y(missed);
    let (anchor, x) = if at > 330.0 { ("end", at - 12.0) } else { ("start", at + 12.0) };
    // The curve falls from the left, so there is room above and to the right of a point on it, except at the very top.
    let text = if level < DOWN.0 + 60.0 { level + 26.0 } else { level - 28.0 };
    let _ = write!(
        svg,
        r#"<line x1="{:.1}" x2="{:.1}" y1="{level:.1}" y2="{level:.1}" class="whisker"/><line x1="{at:.1}" x2="{at:.1}" y1="{:.1}" y2="{:.1}" class="whisker"/><circle cx="{at:.1}" cy="{level:.1}" r="6" class="chosen-dot"/><text x="{x:.1}" y="{text:.1}" class="{anchor} strong">{}</text><text x="{x:.1}" y="{:.1}" class="{anchor} axis">{} {} · {} {}</text>"#,
        axis.x(alarms.low),
        axis.x(alarms.high),
        y(1.0 - found.low),
        y(1.0 - found.high),
        escape(words.chosen),
        text + 15.0,
        escape(words.missed),
        share(missed),
        escape(words.false_alarms),
        share(alarms.value),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words<'_> = Words {
        false_alarms: "false alarms",
        missed: "missed",
        promised: "promised",
        chosen: "threshold <i>",
    };

    fn estimate(value: f64) -> Estimate {
        Estimate { value, low: value / 2.0, high: (2.0 * value).min(1.0), n: 40 }
    }

    #[track_caller]
    fn check(points: &[(f64, f64)], chosen: Option<(f64, f64)>, promised: f64) -> String {
        let chosen = chosen.map(|(alarms, found)| (estimate(alarms), estimate(found)));
        let svg = trade_off(points, chosen, promised, &WORDS).unwrap();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("<i>"), "{svg}");
        svg
    }

    #[test]
    fn curves_of_any_kind_can_be_drawn() {
        check(&[(0.0, 1.0), (0.0, 0.1), (0.02, 0.0), (1.0, 0.0)], Some((0.02, 0.9)), 0.01);
        check(&[(0.0, 1.0), (1.0, 0.0)], Some((0.0, 0.0)), 1e-12);
        check(&[(0.0, 1.0), (1.0, 1.0)], Some((1.0, 1.0)), 1.0);
        check(&[(0.0, 0.0), (0.0, 0.0)], None, 0.5);
        check(&[(0.0, 1.0), (f64::NAN, 0.2), (0.3, 0.0)], Some((f64::NAN, 0.5)), 0.01);
        assert!(trade_off(&[(0.0, 1.0)], None, 0.01, &WORDS).is_none());
        assert!(trade_off(&[], None, 0.01, &WORDS).is_none());
    }

    #[test]
    fn the_axis_has_room_for_zero_and_grows_with_the_rate() {
        let axis = RateAxis::holding([0.0, 0.01, 0.25].into_iter());
        assert_eq!(axis.ticks().collect::<Vec<_>>(), [0.0, 0.01, 0.1, 1.0]);
        assert_eq!([axis.x(0.0), axis.x(0.01), axis.x(1.0)], [ZERO, ACROSS.0, ACROSS.1]);
        assert_eq!(axis.x(0.1), (ACROSS.0 + ACROSS.1) / 2.0);
    }
}
