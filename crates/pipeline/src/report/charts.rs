//! The report's pictures, as inline SVG that follows the page's colours.
//!
//! Every chart is a function from numbers to a string. Colours come from CSS variables, so light, dark and print
//! need nothing here; text sizes are in the SVG's own units and scale with the column.

use std::fmt::Write;

use evaluate::Estimate;

use super::escape;

/// One class in a confusion matrix or an interval chart.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    pub(super) estimate: Estimate,
}

/// More classes than this make a matrix that nobody can read; the report lists the worst confusions instead.
pub(super) const MATRIX_CLASSES: usize = 24;

/// Counts `[given][predicted]` as a heat map; the diagonal in one colour, mistakes in another.
pub(super) fn confusion(classes: &[String], counts: &[Vec<u64>], given: &str, predicted: &str) -> String {
    let k = classes.len() as f64;
    let cell = (520.0 / k).clamp(16.0, 56.0);
    let left = 130.0;
    let (width, height) = (left + k * cell + 10.0, k * cell + 128.0);
    let mut svg = open(width, height, &format!("{given} × {predicted}"));
    for (row, counts) in counts.iter().enumerate() {
        let total = counts.iter().sum::<u64>().max(1) as f64;
        let y = row as f64 * cell + 24.0;
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" class="end">{}</text>"#,
            left - 8.0,
            y + cell / 2.0 + 4.0,
            clip(&classes[row], 16)
        );
        for (column, count) in counts.iter().enumerate() {
            let x = left + column as f64 * cell;
            let share = *count as f64 / total;
            let kind = if row == column { "good" } else { "bad" };
            let opacity = if *count == 0 { 0.0 } else { 0.12 + 0.88 * share };
            let _ = write!(
                svg,
                r#"<rect x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{w:.1}" rx="3" class="cell"/><rect x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{w:.1}" rx="3" class="{kind}" opacity="{opacity:.2}"><title>{title}</title></rect>"#,
                w = cell - 2.0,
                title = escape(&format!("{} → {}: {count}", classes[row], classes[column])),
            );
            if *count > 0 && cell >= 20.0 {
                let contrast = if opacity > 0.6 { "on" } else { "" };
                let _ = write!(
                    svg,
                    r#"<text x="{:.1}" y="{:.1}" class="mid {contrast}">{count}</text>"#,
                    x + cell / 2.0 - 1.0,
                    y + cell / 2.0 + 3.0
                );
            }
        }
    }
    for (column, class) in classes.iter().enumerate() {
        let (x, y) = (left + (column as f64 + 0.5) * cell, k * cell + 34.0);
        let _ = write!(
            svg,
            r#"<text x="{x:.1}" y="{y:.1}" class="end" transform="rotate(-50 {x:.1} {y:.1})">{}</text>"#,
            clip(class, 16)
        );
    }
    let _ = write!(
        svg,
        r#"<text x="0" y="12" class="axis">{} ↓</text><text x="{left}" y="12" class="axis">{} →</text>"#,
        escape(given),
        escape(predicted)
    );
    close(svg)
}

/// One line per class: its value as a dot, its interval as a bar.
pub(super) fn intervals(rows: &[Row<'_>]) -> String {
    let (left, width, step) = (140.0, 560.0, 26.0);
    let span = width - left - 60.0;
    let height = rows.len() as f64 * step + 26.0;
    let mut svg = open(width, height, "");
    for tick in 0..=4 {
        let x = left + span * f64::from(tick) / 4.0;
        let _ = write!(
            svg,
            r#"<line x1="{x}" x2="{x}" y1="0" y2="{}" class="grid"/><text x="{x}" y="{}" class="mid axis">{} %</text>"#,
            height - 22.0,
            height - 6.0,
            tick * 25
        );
    }
    for (index, row) in rows.iter().enumerate() {
        let y = index as f64 * step + 14.0;
        let at = |share: f64| left + span * share.clamp(0.0, 1.0);
        let Estimate { value, low, high, n } = row.estimate;
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" class="end">{}</text><line x1="{:.1}" x2="{:.1}" y1="{y}" y2="{y}" class="whisker"/><circle cx="{:.1}" cy="{y}" r="5" class="dot"><title>{} [{}, {}], n = {n}</title></circle><text x="{}" y="{}" class="axis">{}</text>"#,
            left - 8.0,
            y + 4.0,
            clip(row.name, 18),
            at(low),
            at(high),
            at(value),
            super::percent(value),
            super::percent(low),
            super::percent(high),
            left + span + 8.0,
            y + 4.0,
            super::percent(value),
        );
    }
    close(svg)
}

/// One bin of a reliability diagram.
pub(super) struct Bin {
    /// Mean predicted probability.
    pub(super) confidence: f64,
    /// Share that was right, with its interval.
    pub(super) accuracy: Estimate,
}

/// Predicted confidence against what really happened; on the diagonal is honest.
pub(super) fn reliability(bins: &[Bin], said: &str, happened: &str) -> String {
    let (size, left) = (300.0, 46.0);
    let mut svg = square(size, left, said, happened);
    let (x, y) = (|share: f64| left + size * share, |share: f64| 10.0 + size * (1.0 - share));
    let _ = write!(
        svg,
        r#"<line x1="{}" y1="{}" x2="{}" y2="{}" class="ideal"/>"#,
        x(0.0),
        y(0.0),
        x(1.0),
        y(1.0)
    );
    for bin in bins {
        let Estimate { value, low, high, n } = bin.accuracy;
        let _ = write!(
            svg,
            r#"<line x1="{px:.1}" x2="{px:.1}" y1="{:.1}" y2="{:.1}" class="whisker"/><circle cx="{px:.1}" cy="{:.1}" r="5" class="dot"><title>{} → {}, n = {n}</title></circle>"#,
            y(low),
            y(high),
            y(value),
            super::percent(bin.confidence),
            super::percent(value),
            px = x(bin.confidence),
        );
    }
    close(svg)
}

/// One measured point of a learning curve, or one predicted.
#[derive(Debug, Clone, Copy)]
pub(super) struct CurvePoint {
    pub(super) n: f64,
    pub(super) accuracy: Estimate,
}

/// Accuracy against the number of labels: measured as dots, expected as a band.
pub(super) fn learning_curve(
    measured: &[CurvePoint],
    expected: &[CurvePoint],
    labels: &str,
    accuracy: &str,
) -> String {
    let (width, height, left) = (520.0, 260.0, 52.0);
    let largest = expected.iter().chain(measured).map(|point| point.n).fold(1.0, f64::max);
    let lowest = expected.iter().chain(measured).map(|point| point.accuracy.low).fold(1.0, f64::min);
    let floor = ((lowest - 0.02) * 10.0).floor().max(0.0) / 10.0;
    let x = |n: f64| left + (width - left - 16.0) * n / largest;
    let y = |share: f64| 10.0 + (height - 56.0) * (1.0 - (share - floor) / (1.0 - floor).max(1e-9));
    let mut svg = open(width, height, accuracy);
    for tick in 0..=4 {
        let share = floor + (1.0 - floor) * f64::from(tick) / 4.0;
        let _ = write!(
            svg,
            r#"<line x1="{left}" x2="{}" y1="{at:.1}" y2="{at:.1}" class="grid"/><text x="{}" y="{:.1}" class="end axis">{:.0} %</text>"#,
            width - 16.0,
            left - 6.0,
            y(share) + 4.0,
            100.0 * share,
            at = y(share)
        );
        let n = largest * f64::from(tick) / 4.0;
        let _ = write!(svg, r#"<text x="{:.1}" y="{}" class="mid axis">{n:.0}</text>"#, x(n), height - 30.0);
    }
    if !expected.is_empty() {
        let upper = expected.iter().map(|point| format!("{:.1},{:.1}", x(point.n), y(point.accuracy.high)));
        let lower =
            expected.iter().rev().map(|point| format!("{:.1},{:.1}", x(point.n), y(point.accuracy.low)));
        let band: Vec<String> = upper.chain(lower).collect();
        let middle: Vec<String> = expected
            .iter()
            .map(|point| format!("{:.1},{:.1}", x(point.n), y(point.accuracy.value)))
            .collect();
        let _ = write!(
            svg,
            r#"<polygon points="{}" class="band"/><polyline points="{}" class="line"/>"#,
            band.join(" "),
            middle.join(" ")
        );
    }
    for point in measured {
        let _ = write!(
            svg,
            r#"<circle cx="{:.1}" cy="{:.1}" r="4.5" class="dot"><title>{:.0}: {}</title></circle>"#,
            x(point.n),
            y(point.accuracy.value),
            point.n,
            super::percent(point.accuracy.value)
        );
    }
    let _ = write!(
        svg,
        r#"<text x="{}" y="{}" class="mid axis">{}</text>"#,
        (left + width) / 2.0,
        height - 8.0,
        escape(labels)
    );
    close(svg)
}

/// Bars of how many examples each class has.
pub(super) fn balance(classes: &[String], counts: &[usize]) -> String {
    let (left, width, step) = (140.0, 560.0, 24.0);
    let span = width - left - 60.0;
    let largest = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let mut svg = open(width, classes.len() as f64 * step + 6.0, "");
    for (index, (class, count)) in classes.iter().zip(counts).enumerate() {
        let y = index as f64 * step + 4.0;
        let bar = span * *count as f64 / largest;
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" class="end">{}</text><rect x="{left}" y="{y}" width="{bar:.1}" height="14" rx="3" class="bar"/><text x="{:.1}" y="{}" class="axis">{count}</text>"#,
            left - 8.0,
            y + 11.0,
            clip(class, 18),
            left + bar + 8.0,
            y + 11.0,
        );
    }
    close(svg)
}

fn square(size: f64, left: f64, x_label: &str, y_label: &str) -> String {
    let mut svg = open(left + size + 16.0, size + 56.0, &format!("{x_label} / {y_label}"));
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let (x, y) = (left + size * share, 10.0 + size * (1.0 - share));
        let _ = write!(
            svg,
            r#"<line x1="{left}" x2="{}" y1="{y}" y2="{y}" class="grid"/><text x="{}" y="{}" class="end axis">{}</text><text x="{x}" y="{}" class="mid axis">{}</text>"#,
            left + size,
            left - 6.0,
            y + 4.0,
            tick * 25,
            size + 28.0,
            tick * 25,
        );
    }
    let _ = write!(
        svg,
        r#"<text x="{}" y="{}" class="mid axis">{} (%)</text>"#,
        left + size / 2.0,
        size + 48.0,
        escape(x_label)
    );
    let _ = write!(
        svg,
        r#"<text x="12" y="{y}" class="mid axis" transform="rotate(-90 12 {y})">{} (%)</text>"#,
        escape(y_label),
        y = 10.0 + size / 2.0
    );
    svg
}

pub(super) fn open(width: f64, height: f64, label: &str) -> String {
    format!(
        r#"<svg viewBox="0 0 {width:.0} {height:.0}" role="img" aria-label="{}" style="max-width:{width:.0}px">"#,
        escape(label)
    )
}

pub(super) fn close(mut svg: String) -> String {
    svg.push_str("</svg>");
    svg
}

/// Shortens a label to about `most` narrow characters; a Chinese character counts as two.
pub(super) fn clip(text: &str, most: usize) -> String {
    let mut width = 0;
    let mut short = String::new();
    for character in text.chars() {
        width += if character.is_ascii() { 1 } else { 2 };
        if width > most {
            short.push('…');
            break;
        }
        short.push(character);
    }
    escape(&short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64) -> Estimate {
        Estimate { value, low: value - 0.1, high: value + 0.05, n: 20 }
    }

    #[test]
    fn names_cannot_break_out_of_the_markup() {
        let classes = vec!["<script>".to_owned(), "a&b".to_owned()];
        let svg = confusion(&classes, &[vec![3, 1], vec![0, 4]], "given", "predicted");
        assert!(!svg.contains("<script>"));
        assert!(svg.contains("&lt;script&gt;") && svg.contains("a&amp;b"));
    }

    #[test]
    fn long_names_are_clipped_by_width() {
        assert_eq!(clip("abcdefgh", 5), "abcde…");
        assert_eq!(clip("划痕划痕划痕", 6), "划痕划…");
    }

    #[test]
    fn every_chart_is_one_svg_element_without_nan() {
        let classes = vec!["a".to_owned()];
        let point = CurvePoint { n: 10.0, accuracy: estimate(0.8) };
        for svg in [
            confusion(&classes, &[vec![0]], "g", "p"),
            intervals(&[Row { name: "a", estimate: estimate(0.9) }]),
            reliability(&[Bin { confidence: 0.9, accuracy: estimate(0.85) }], "said", "happened"),
            learning_curve(&[point], &[], "labels", "accuracy"),
            balance(&classes, &[0]),
        ] {
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>") && !svg.contains("NaN"), "{svg}");
        }
    }
}
