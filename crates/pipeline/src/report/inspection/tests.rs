//! The whole page: in both languages, with everything and with next to nothing.

use evaluate::inspect::{EstimatedThreshold, Tail};
use evaluate::wilson;
use image::{Rgb, RgbImage};

use super::*;
use crate::{Lang, NamedRow};

fn both(text: &str) -> Sentence {
    Sentence { en: format!("{text}."), zh: format!("{text}。") }
}

fn part(id: &str, kind: Option<&str>, score: f64) -> InspectedPart {
    let photo = RgbImage::from_pixel(400, 300, Rgb([90, 100, 110]));
    let map = HeatMap::new(2, 2, &[0.0, 0.1, 0.2, 1.0]).unwrap();
    let region = vec![[380, 280], [390, 280], [390, 290], [380, 290]];
    let view = view(&photo, map, (0.1, 1.0), vec![region], vec![]);
    InspectedPart { id: id.to_owned(), kind: kind.map(str::to_owned), score, p_value: Some(0.01), view }
}

fn full() -> InspectionReport {
    let measure = |metric| DetectorMeasure { metric, estimate: wilson(29, 32) };
    use DetectorMetric::*;
    InspectionReport {
        subject: Subject::Photo,
        name: "screws & <nuts>".into(),
        decision: both("read"),
        alarm: AlarmPromise::Proven(ProvenThreshold {
            threshold: 2.0,
            false_alarm_rate: 0.01,
            confidence: 0.95,
            rank: 299,
            n: 299,
        }),
        counted: Counted::Parts,
        recall: Some(wilson(29, 32)),
        false_alarms: Some(wilson(1, 120)),
        measured_on: both("measured"),
        measures: [Auroc, AveragePrecision, PixelAuroc, Aupro, Aupimo, Recall, FalseAlarms]
            .map(measure)
            .into(),
        kinds: vec![KindOfDefect {
            name: "scratch <1>".into(),
            recall: wilson(3, 4),
            others: vec![("image-auroc".to_owned(), wilson(4, 4))],
        }],
        named: Some(NamedKinds {
            shown: vec!["dent".into(), "scratch <1>".into()],
            rows: vec![
                NamedRow { kind: "chip".into(), shown: false, named: vec![1, 0], never_seen: 4 },
                NamedRow { kind: "scratch <1>".into(), shown: true, named: vec![2, 17], never_seen: 3 },
            ],
            right: wilson(17, 22),
            called_new: Some(wilson(3, 22)),
            new_found: Some(wilson(4, 5)),
        }),
        good_scores: (0..299).map(|score| f64::from(score) / 150.0).collect(),
        defect_scores: vec![1.0, 3.0, 50.0],
        trade_off: [(50.0, 0.0, 1.0), (2.0, 0.0, 0.1), (1.0, 0.1, 0.0), (0.0, 1.0, 0.0)]
            .map(|(threshold, false_alarms, missed)| TradeOffPoint { threshold, false_alarms, missed })
            .into(),
        missed: vec![part("test/\"><img src=x>.png", Some("scratch <1>"), 1.0)],
        alarmed_good: vec![part("good/1.png", None, 2.5)],
        most_suspicious: vec![part("test/2.png", Some("crack"), 50.0)],
        worst_good: Some(WorstGood {
            effect: Some(both("effect")),
            parts: vec![part("good/7.png", None, 1.9)],
        }),
        advice: vec![both("advice")],
        detectors: vec![TriedDetector {
            name: both("memory"),
            evidence: vec![
                (both("held out"), Figure::Share(wilson(9, 10))),
                (both("spread"), Figure::Number(0.1234)),
            ],
            chosen: true,
        }],
        why: both("why"),
        problems: vec![both("left out")],
        provenance: vec![(both("seed"), "7".into())],
    }
}

/// Only what an inspector of five good photos knows.
fn bare() -> InspectionReport {
    let threshold = EstimatedThreshold {
        threshold: 1.0,
        false_alarm_rate: 0.01,
        n: 5,
        tail: Tail::OrderStatistic { rank: 5, expected_rate: 1.0 / 6.0 },
    };
    InspectionReport {
        subject: Subject::Photo,
        name: "empty".into(),
        alarm: AlarmPromise::Estimated { threshold, confidence: 0.95, need: 299, best_rate: 0.4507 },
        recall: None,
        false_alarms: None,
        measures: Vec::new(),
        kinds: Vec::new(),
        named: None,
        good_scores: Vec::new(),
        defect_scores: Vec::new(),
        trade_off: Vec::new(),
        missed: Vec::new(),
        alarmed_good: Vec::new(),
        most_suspicious: Vec::new(),
        worst_good: None,
        advice: Vec::new(),
        detectors: Vec::new(),
        problems: Vec::new(),
        provenance: Vec::new(),
        ..full()
    }
}

/// The English page with plain spaces.
fn spaced(report: &InspectionReport) -> String {
    render_inspection(report, Lang::En).replace('\u{a0}', " ")
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    for report in [full(), bare()] {
        for lang in [Lang::En, Lang::Zh] {
            let page = render_inspection(&report, lang);
            assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
            for needle in ["http://", "https://", "<script", "<link", "@import", "url(", "src=\"/", "NaN"] {
                assert!(!page.contains(needle), "{needle}");
            }
            let sources = page.matches("src=\"").count();
            assert_eq!(sources, page.matches("src=\"data:image/jpeg;base64,").count());
        }
    }
}

#[test]
fn names_from_the_data_cannot_break_out_of_the_markup() {
    let page = render_inspection(&full(), Lang::En);
    for raw in ["<nuts>", "<img src=x>", "scratch <1>"] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(page.contains("&#60;nuts&#62;") || page.contains("&lt;nuts&gt;"));
}

#[test]
fn the_page_speaks_one_language_at_a_time() {
    let chinese = |text: &str| text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    // The brand's eye and the font list hold no Chinese characters, so an English page has none at all.
    assert_eq!(chinese(&render_inspection(&full(), Lang::En)), 0);
    let page = render_inspection(&full(), Lang::Zh);
    assert!(chinese(&page) > 300);
    for english in ["good parts", "defects found", "missed", "threshold<", "false alarms", "Left out"] {
        assert!(!page.contains(english), "{english}");
    }
}

#[test]
fn the_page_shows_the_promise_and_what_was_measured() {
    let page = spaced(&full());
    for shown in [
        "With 95 % confidence at most 1 % of good parts alarm: proven on 299 good parts, each judged without having been learned from.",
        "at most 1 %, as intended",
        "AUPRO@0.3",
        "90.6 %",
        "score <b>2.5</b>",
        "alarms: above 2<",
        "passes: not above 2<",
        "p = 0.01",
        "0.123",
        "What defects are called",
        "17 of 22",
        "never seen",
        "close-up",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn without_defects_the_page_says_so_instead_of_showing_a_number() {
    let page = spaced(&bare());
    assert!(page.contains("not measured: there are no photos with defects"));
    assert!(page.contains("estimate, no guarantee"));
    assert!(
        page.contains("294 more good parts would prove 1 %; with these 5 the best provable rate is 46 %.")
    );
    for absent in [
        "Missed defects",
        "By kind of defect",
        "What defects are called",
        "How to read the photos",
        "Good parts to look at",
    ] {
        assert!(!page.contains(absent), "{absent}");
    }
}

#[test]
fn a_report_without_a_photo_still_lists_its_parts() {
    let mut report = full();
    report.missed[0].view = None;
    report.missed[0].p_value = None;
    report.missed[0].score = f64::NAN;
    let page = render_inspection(&report, Lang::En);
    assert!(page.contains("The photo could not be read again.") && page.contains("score <b>—</b>"));
}
