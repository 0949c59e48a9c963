//! Missed defects against false alarms, with the chosen threshold and its intervals.

use std::fmt::Write;

use evaluate::{Estimate, clopper_pearson};

use super::super::charts::{close, open};
use super::super::escape;
use super::TradeOffPoint;
use super::measures::{is_measured, rate, share};

/// The words of the chart.
pub(super) struct Words<'a> {
    pub(super) false_alarms: &'a str,
    pub(super) missed: &'a str,
    pub(super) promised: &'a str,
    pub(super) chosen: &'a str,
}

/// Where no false alarms are, left of the logarithmic axis.
const ZERO: f64 = 72.0;
/// The logarithmic axis from its first decade to 100 %.
const ACROSS: (f64, f64) = (112.0, 414.0);
/// Top and bottom of the plot.
const DOWN: (f64, f64) = (16.0, 256.0);
/// No decade below this one is shown.
const FIRST_DECADE: f64 = -6.0;

/// What the chosen threshold does, as far as it was measured.
pub(super) struct Chosen {
    pub(super) threshold: f64,
    /// The rate of false alarms that was promised, or aimed at.
    pub(super) promised: f64,
    /// Interval of the false alarms, where held-out good parts were measured.
    pub(super) false_alarms: Option<Estimate>,
    /// Interval of the share of defects found.
    pub(super) found: Option<Estimate>,
}

/// The chart; `None` when there is no curve to draw. `points` run from "nothing alarms" to "everything does".
///
/// The axis of false alarms is logarithmic, because what matters happens below a few percent; zero has its own place.
pub(super) fn trade_off(points: &[TradeOffPoint], chosen: &Chosen, words: &Words<'_>) -> Option<String> {
    let points: Vec<TradeOffPoint> = points
        .iter()
        .copied()
        .filter(|point| point.false_alarms.is_finite() && point.missed.is_finite())
        .collect();
    if points.len() < 2 {
        return None;
    }
    let axis = RateAxis::holding(points.iter().map(|point| point.false_alarms).chain([chosen.promised]));
    let mut svg = open(444.0, 314.0, &format!("{} / {}", words.false_alarms, words.missed));
    frame(&mut svg, &axis, words);
    promise(&mut svg, axis.x(chosen.promised), &format!("{} {}", words.promised, rate(chosen.promised)));
    if let Some(found) = chosen.found.filter(is_measured) {
        band(&mut svg, &axis, &points, found.n);
    }
    let corner = |point: &TradeOffPoint| format!("{:.1},{:.1}", axis.x(point.false_alarms), y(point.missed));
    let line: Vec<String> = points.iter().map(corner).collect();
    let _ = write!(svg, r#"<polyline points="{}" class="line"/>"#, line.join(" "));
    // Between two scores of the curve nothing changes, so the threshold does what the next lower score does.
    let reached = points.iter().find(|point| point.threshold <= chosen.threshold).or(points.last());
    reached.iter().for_each(|point| threshold(&mut svg, &axis, point, chosen, words));
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
    let (anchor, x) = if at > 250.0 { ("end", at - 7.0) } else { ("start", at + 7.0) };
    let _ = write!(
        svg,
        r#"<rect x="{ZERO}" y="{top}" width="{:.1}" height="{}" class="allowed"/><line x1="{at:.1}" x2="{at:.1}" y1="{top}" y2="{bottom}" class="promised"/><text x="{x:.1}" y="{}" class="{anchor} axis lit">{}</text>"#,
        at - ZERO,
        bottom - top,
        top + 13.0,
        escape(label),
    );
}

/// Where the curve lies with 95 %, point by point, when it was measured on `n` defects.
fn band(svg: &mut String, axis: &RateAxis, points: &[TradeOffPoint], n: usize) {
    let missed = |point: &TradeOffPoint| point.missed * n as f64;
    // Of parts that belong together the share is no count of groups: the interval is that of both neighbours.
    let low = |point: &TradeOffPoint| clopper_pearson((missed(point) + 1e-9).floor() as usize, n, 0.95).low;
    let high = |point: &TradeOffPoint| clopper_pearson((missed(point) - 1e-9).ceil() as usize, n, 0.95).high;
    let corner =
        |point: &TradeOffPoint, missed: f64| format!("{:.1},{:.1}", axis.x(point.false_alarms), y(missed));
    let forth = points.iter().map(|point| corner(point, low(point)));
    let back = points.iter().rev().map(|point| corner(point, high(point)));
    let _ = write!(
        svg,
        r#"<polygon points="{}" class="band"/>"#,
        forth.chain(back).collect::<Vec<_>>().join(" ")
    );
}

/// The threshold as a dot, the intervals of both shares as bars through it.
fn threshold(svg: &mut String, axis: &RateAxis, point: &TradeOffPoint, chosen: &Chosen, words: &Words<'_>) {
    let (at, level) = (axis.x(point.false_alarms), y(point.missed));
    let known = |estimate: &Option<Estimate>| estimate.filter(is_measured);
    if let Some(alarms) = known(&chosen.false_alarms) {
        whisker(svg, [axis.x(alarms.low), axis.x(alarms.high)], [level; 2]);
    }
    let mut ends = [level; 2];
    if let Some(found) = known(&chosen.found) {
        ends = [y(1.0 - found.low), y(1.0 - found.high)];
        whisker(svg, [at; 2], ends);
    }
    // The line of the promise is usually just behind the threshold; the words keep clear of it.
    let promise = axis.x(chosen.promised);
    let clear = if (at..at + 60.0).contains(&promise) { promise } else { at };
    let (anchor, x) = if clear > 250.0 { ("end", at - 12.0) } else { ("start", clear + 9.0) };
    // The curve falls from the left, so there is room above the interval of a point on it, except at the very top.
    let text = if ends[0] > DOWN.0 + 64.0 { ends[0] - 42.0 } else { (ends[1] + 24.0).min(DOWN.1 - 40.0) };
    let _ = write!(
        svg,
        r#"<circle cx="{at:.1}" cy="{level:.1}" r="6" class="chosen-dot"/><text x="{x:.1}" y="{text:.1}" class="{anchor} strong lit">{}</text><text x="{x:.1}" y="{:.1}" class="{anchor} axis lit">{} {}</text><text x="{x:.1}" y="{:.1}" class="{anchor} axis lit">{} {}</text>"#,
        escape(words.chosen),
        text + 16.0,
        escape(words.missed),
        share(point.missed),
        text + 32.0,
        escape(words.false_alarms),
        share(point.false_alarms),
    );
}

fn whisker(svg: &mut String, x: [f64; 2], y: [f64; 2]) {
    let ([x1, x2], [y1, y2]) = (x, y);
    let _ = write!(svg, r#"<line x1="{x1:.1}" x2="{x2:.1}" y1="{y1:.1}" y2="{y2:.1}" class="whisker"/>"#);
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

    /// Points are false alarms and missed defects, at thresholds that fall by one.
    fn draw(points: &[(f64, f64)], chosen: &Chosen) -> Option<String> {
        let point = |(index, (false_alarms, missed)): (usize, &(f64, f64))| TradeOffPoint {
            threshold: -(index as f64),
            false_alarms: *false_alarms,
            missed: *missed,
        };
        let points: Vec<TradeOffPoint> = points.iter().enumerate().map(point).collect();
        trade_off(&points, chosen, &WORDS)
    }

    #[track_caller]
    fn check(points: &[(f64, f64)], measured: Option<(f64, f64)>, promised: f64) -> String {
        let chosen = Chosen {
            threshold: -0.5,
            promised,
            false_alarms: measured.map(|(alarms, _)| estimate(alarms)),
            found: measured.map(|(_, found)| estimate(found)),
        };
        let svg = draw(points, &chosen).unwrap();
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
        let nothing = Chosen { threshold: 0.0, promised: 0.01, false_alarms: None, found: None };
        assert!(draw(&[(0.0, 1.0)], &nothing).is_none());
        assert!(draw(&[], &nothing).is_none());
    }

    #[test]
    fn the_threshold_is_marked_where_the_curve_has_it() {
        let points = [(0.0, 1.0), (0.0, 0.25), (0.5, 0.125)];
        for (threshold, missed) in [(5.0, "100.0 %"), (-0.5, "25.0 %"), (-1.0, "25.0 %"), (-9.0, "12.5 %")] {
            let chosen = Chosen { threshold, promised: 0.01, false_alarms: None, found: None };
            let svg = draw(&points, &chosen).unwrap();
            assert!(svg.contains(&format!("missed {missed}")) && !svg.contains("whisker"), "{threshold}");
        }
    }

    #[test]
    fn the_axis_has_room_for_zero_and_grows_with_the_rate() {
        let axis = RateAxis::holding([0.0, 0.01, 0.25].into_iter());
        assert_eq!(axis.ticks().collect::<Vec<_>>(), [0.0, 0.01, 0.1, 1.0]);
        assert_eq!([axis.x(0.0), axis.x(0.01), axis.x(1.0)], [ZERO, ACROSS.0, ACROSS.1]);
        assert_eq!(axis.x(0.1), (ACROSS.0 + ACROSS.1) / 2.0);
    }
}
