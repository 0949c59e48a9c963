//! From an inspector's data to its page.

use askama::Template;
use evaluate::Estimate;

use super::headline::{Agreement, expected_rate, promise_sentence};
use super::measures::{figure, figure_note, interval, is_measured, plain, promised, rate, value};
use super::named::{self, NamedTable};
use super::trade_off::{self, trade_off};
use super::view::path;
use super::{AlarmPromise, Closeup, InspectedPart, InspectionReport, KindOfDefect, Sentence, charts, heat};
use crate::Lang;
use crate::report::metric_name;

/// What a kind of defect is measured by besides the share found, in the order of the columns.
const OF_KINDS: [&str; 5] = ["image-auroc", "image-ap", "pixel-auroc", "aupro", "aupimo"];
/// From this ratio of width to height on, pictures are stacked instead of standing side by side.
const STRIP: f64 = 2.2;

#[derive(Template)]
#[template(path = "inspection.html")]
struct Page<'a> {
    l: Lang,
    report: &'a InspectionReport,
    found: Option<Figures>,
    sign: &'static str,
    aim: String,
    /// CSS class and words.
    badge: (&'static str, &'static str),
    promise: String,
    check: Option<Check>,
    measures: Vec<MeasureRow>,
    kinds: KindTable<'a>,
    named: Option<NamedTable<'a>>,
    trade_off: Option<String>,
    scores: Option<String>,
    has_photos: bool,
    has_marks: bool,
    advice: Vec<String>,
    gradient: String,
    missed: Vec<PartCard<'a>>,
    alarmed_good: Vec<PartCard<'a>>,
    most_suspicious: Vec<PartCard<'a>>,
    worst_good: Vec<PartCard<'a>>,
    columns: Vec<&'a str>,
    detectors: Vec<DetectorRow<'a>>,
}

impl Page<'_> {
    /// A sentence about photos, said of what was inspected.
    fn say(&self, english: &str, chinese: &str) -> String {
        self.report.subject.say(self.l.pick(english, chinese), self.l)
    }
}

/// A share as it is written: value, interval, n.
struct Figures {
    value: String,
    interval: String,
    n: usize,
}

/// False alarms as measured, beside the promise.
struct Check {
    class: &'static str,
    figures: Figures,
    words: String,
}

struct MeasureRow {
    name: &'static str,
    meaning: &'static str,
    figures: Figures,
    whisker: String,
}

/// Kinds of defects, with what is known of one of them at least.
struct KindTable<'a> {
    metrics: Vec<&'static str>,
    rows: Vec<KindRow<'a>>,
}

struct KindRow<'a> {
    name: &'a str,
    found: Figures,
    whisker: String,
    /// In the order of the table's metrics: the value, and its interval.
    others: Vec<Option<(String, String)>>,
}

struct PartCard<'a> {
    part: &'a InspectedPart,
    shots: Option<Shots<'a>>,
    /// CSS class: which side of the threshold.
    side: &'static str,
    /// Length of the meter, in percent.
    place: String,
    score: String,
    verdict: String,
    p_value: Option<String>,
}

struct Shots<'a> {
    width: u32,
    height: u32,
    photo: &'a str,
    heat: &'a str,
    regions: String,
    marked: String,
    closeup: Option<&'a Closeup>,
    /// Whether the photo is so wide that it needs a line for itself.
    is_strip: bool,
    /// Left, top, width and height of the close-up.
    frame: Option<[u32; 4]>,
}

struct DetectorRow<'a> {
    name: &'a str,
    chosen: bool,
    /// A number and its small print for each column.
    cells: Vec<(String, Option<String>)>,
}

/// Renders the page in one language. The result needs no network, no script and no other file.
pub fn render_inspection(report: &InspectionReport, lang: Lang) -> String {
    let meter = Meter::of(report);
    let worst_good = report.worst_good.as_ref().map_or(&[][..], |worst| &worst.parts);
    let lists = [&report.missed, &report.alarmed_good, &report.most_suspicious].map(Vec::as_slice);
    let views = || lists.into_iter().chain([worst_good]).flatten().filter_map(|part| part.view.as_ref());
    let (sign, aim, badge) = headline_rate(&report.alarm, lang);
    let columns = columns(report, lang);
    let page = Page {
        l: lang,
        report,
        found: report.recall.as_ref().filter(|recall| is_measured(recall)).map(figures),
        sign,
        aim,
        badge,
        promise: unbroken(&promise_sentence(&report.alarm, report.counted), lang),
        advice: report.advice.iter().map(|sentence| unbroken(sentence, lang)).collect(),
        check: check(report, lang),
        measures: measures(report, lang),
        kinds: kinds(&report.kinds, lang),
        named: report.named.as_ref().map(|named| named::table(named, lang)),
        trade_off: trade_off_chart(report, lang),
        scores: scores_chart(report, lang),
        has_photos: views().next().is_some(),
        has_marks: views().any(|view| !view.marked.is_empty()),
        gradient: heat::gradient(),
        missed: meter.cards(&report.missed, lang),
        alarmed_good: meter.cards(&report.alarmed_good, lang),
        most_suspicious: meter.cards(&report.most_suspicious, lang),
        worst_good: meter.cards(worst_good, lang),
        detectors: detectors(report, &columns, lang),
        columns,
    };
    page.render().expect("the template only formats values that are already strings and numbers")
}

/// A sentence whose percentages stay on one line.
fn unbroken(sentence: &Sentence, lang: Lang) -> String {
    sentence.in_lang(lang).replace(" %", "\u{a0}%")
}

fn figures(estimate: &Estimate) -> Figures {
    Figures { value: value(estimate), interval: interval(estimate), n: estimate.n }
}

/// The rate of the headline: its sign, the number, and whether it is proven.
fn headline_rate(alarm: &AlarmPromise, lang: Lang) -> (&'static str, String, (&'static str, &'static str)) {
    match alarm {
        AlarmPromise::Proven(proven) => {
            ("≤", promised(proven.false_alarm_rate), ("proven", lang.pick("proven", "已证明")))
        }
        AlarmPromise::Estimated { threshold, .. } => {
            let badge = lang.pick("estimate, no guarantee", "估计，非保证");
            ("≈", rate(expected_rate(threshold)), ("estimate", badge))
        }
    }
}

fn check(report: &InspectionReport, lang: Lang) -> Option<Check> {
    let measured = report.false_alarms.as_ref()?;
    let promised = report.alarm.false_alarm_rate();
    let agreement = Agreement::of(measured, promised)?;
    let words = unbroken(&agreement.sentence(promised), lang);
    Some(Check { class: agreement.class(), figures: figures(measured), words })
}

fn measures(report: &InspectionReport, lang: Lang) -> Vec<MeasureRow> {
    let row = |measure: &super::DetectorMeasure| MeasureRow {
        name: measure.metric.name(lang),
        meaning: measure.metric.meaning(lang),
        figures: figures(&measure.estimate),
        whisker: charts::whisker(&measure.estimate),
    };
    report.measures.iter().map(row).collect()
}

/// Lowest recall first; of equal ones the kind with more evidence.
fn kinds(kinds: &[KindOfDefect], lang: Lang) -> KindTable<'_> {
    let is_known = |metric: &&str| kinds.iter().any(|kind| other(kind, metric).is_some());
    let metrics: Vec<&str> = OF_KINDS.into_iter().filter(is_known).collect();
    let mut sorted: Vec<&KindOfDefect> = kinds.iter().collect();
    sorted.sort_by(|a, b| a.recall.value.total_cmp(&b.recall.value).then(b.recall.n.cmp(&a.recall.n)));
    KindTable {
        rows: sorted.into_iter().map(|kind| kind_row(kind, &metrics)).collect(),
        metrics: metrics.iter().map(|metric| metric_name(metric, lang)).collect(),
    }
}

fn kind_row<'a>(kind: &'a KindOfDefect, metrics: &[&str]) -> KindRow<'a> {
    let told = |metric: &&str| other(kind, metric).map(|estimate| (value(estimate), interval(estimate)));
    KindRow {
        name: &kind.name,
        found: figures(&kind.recall),
        whisker: charts::whisker(&kind.recall),
        others: metrics.iter().map(told).collect(),
    }
}

fn other<'a>(kind: &'a KindOfDefect, metric: &str) -> Option<&'a Estimate> {
    let (_, estimate) = kind.others.iter().find(|(name, _)| name == metric)?;
    is_measured(estimate).then_some(estimate)
}

fn trade_off_chart(report: &InspectionReport, lang: Lang) -> Option<String> {
    let words = trade_off::Words {
        false_alarms: lang.pick("false alarms", "误报"),
        missed: lang.pick("missed defects", "漏检"),
        promised: match report.alarm {
            AlarmPromise::Proven(_) => lang.pick("promised: at most", "承诺：不超过"),
            AlarmPromise::Estimated { .. } => lang.pick("aimed at:", "目标："),
        },
        chosen: lang.pick("this threshold", "当前阈值"),
    };
    let chosen = trade_off::Chosen {
        threshold: report.alarm.threshold(),
        promised: report.alarm.false_alarm_rate(),
        false_alarms: report.false_alarms,
        found: report.recall,
    };
    trade_off(&report.trade_off, &chosen, &words)
}

fn scores_chart(report: &InspectionReport, lang: Lang) -> Option<String> {
    let words = charts::ScoreWords {
        good: lang.pick("good parts", "良品"),
        defects: lang.pick("defects", "缺陷"),
        threshold: lang.pick("threshold", "阈值"),
        score: lang.pick("score", "得分"),
    };
    charts::scores(&report.good_scores, &report.defect_scores, report.alarm.threshold(), &words)
}

/// The scale of the meters on the cards.
struct Meter {
    threshold: f64,
    lowest: f64,
    highest: f64,
}

impl Meter {
    fn of(report: &InspectionReport) -> Self {
        let shown = [&report.missed, &report.alarmed_good, &report.most_suspicious];
        let all = || {
            let scores = shown.iter().flat_map(|parts| parts.iter().map(|part| part.score));
            let known = report.good_scores.iter().chain(&report.defect_scores).copied();
            known.chain(scores).filter(|score| score.is_finite())
        };
        let threshold = report.alarm.threshold();
        Self { threshold, lowest: all().fold(threshold, f64::min), highest: all().fold(threshold, f64::max) }
    }

    fn cards<'a>(&self, parts: &'a [InspectedPart], lang: Lang) -> Vec<PartCard<'a>> {
        parts.iter().map(|part| self.card(part, lang)).collect()
    }

    fn card<'a>(&self, part: &'a InspectedPart, lang: Lang) -> PartCard<'a> {
        let alarms = part.score.is_nan() || part.score > self.threshold;
        let threshold = plain(self.threshold);
        let verdict = if alarms {
            lang.pick(format!("alarms: above {threshold}"), format!("报警：高于 {threshold}"))
        } else {
            lang.pick(format!("passes: not above {threshold}"), format!("通过：不高于 {threshold}"))
        };
        let place = charts::on_meter(part.score, self.threshold, self.lowest, self.highest);
        PartCard {
            part,
            shots: shots(part),
            side: if alarms { "over" } else { "under" },
            place: format!("{place:.1}"),
            score: plain(part.score),
            verdict,
            p_value: part.p_value.map(plain),
        }
    }
}

fn shots(part: &InspectedPart) -> Option<Shots<'_>> {
    let view = part.view.as_ref()?;
    let frame = |closeup: &Closeup| [closeup.left, closeup.top, closeup.width, closeup.height];
    Some(Shots {
        width: view.width,
        height: view.height,
        is_strip: f64::from(view.width) > STRIP * f64::from(view.height),
        photo: &view.photo,
        heat: &view.heat,
        regions: path(&view.regions),
        marked: path(&view.marked),
        frame: view.closeup.as_ref().map(frame),
        closeup: view.closeup.as_ref(),
    })
}

/// The labels of the evidence, in the order in which they first appear.
fn columns(report: &InspectionReport, lang: Lang) -> Vec<&str> {
    let mut columns = Vec::new();
    for (label, _) in report.detectors.iter().flat_map(|detector| &detector.evidence) {
        let label = label.in_lang(lang);
        if !columns.contains(&label) {
            columns.push(label);
        }
    }
    columns
}

fn detectors<'a>(report: &'a InspectionReport, columns: &[&str], lang: Lang) -> Vec<DetectorRow<'a>> {
    let cell = |evidence: &[(Sentence, super::Figure)], column: &str| {
        let found = evidence.iter().find(|(label, _)| label.in_lang(lang) == column);
        found.map_or_else(|| ("—".to_owned(), None), |(_, value)| (figure(value), figure_note(value)))
    };
    let row = |detector: &'a super::TriedDetector| DetectorRow {
        name: detector.name.in_lang(lang),
        chosen: detector.chosen,
        cells: columns.iter().map(|column| cell(&detector.evidence, column)).collect(),
    };
    report.detectors.iter().map(row).collect()
}
