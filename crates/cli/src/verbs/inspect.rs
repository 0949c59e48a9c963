//! `dianjing inspect`: from photos of good parts to an inspector with a promise about false alarms.

use std::process::ExitCode;
use std::time::Instant;

use bundle::Form;
use dataset::{InspectionOptions, Purpose};
use evaluate::inspect::{AlarmThreshold, best_provable_rate, parts_needed};
use pipeline::report::inspection::{
    confidence, expected_rate, promise_caveat, promised, provable_rate, rate,
};
use pipeline::{InspectRequest, Inspecting, InspectionSource, Lang, Subject, counted};

use super::overwrite::{self, Written};
use super::{clock, say, with_progress};
use crate::args::{Arguments, InspectArguments, InspectionColumns};
use crate::exit::Usage;
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &InspectArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    check(verb)?;
    let started = Instant::now();
    let home = settings::home(arguments)?;
    let out = verb.out.clone().unwrap_or_else(|| clock::default_out(&verb.data));
    let report = verb.report.clone().unwrap_or_else(|| out.with_extension("report.html"));
    overwrite::check(Written::Bundle, &out, Some(&verb.data))?;
    overwrite::check(Written::Report, &report, Some(&verb.data))?;
    let request = InspectRequest {
        source: InspectionSource::At {
            path: verb.data.clone(),
            read: InspectionOptions {
                leave_out: verb.leave_out.clone(),
                ..options(&verb.columns, Purpose::Learn)
            },
        },
        base: verb.base.clone(),
        form: Form::of(&out),
        out,
        report,
        lang,
        false_alarms: verb.false_alarms,
        confidence: verb.confidence,
        miss_cost: verb.miss_cost,
        defect_share: verb.defect_share,
        mm_per_pixel: verb.mm_per_pixel,
        smallest_defect: verb.smallest_defect,
        orientation: verb.orientation.unwrap_or_default(),
        without_background: verb.without_background,
        detectors: verb.detectors.clone(),
        seed: verb.seed,
        created: clock::now(),
    };
    let made = with_progress(arguments, lang, |run| pipeline::inspect(&home, &request, run))?;
    if arguments.json {
        show::json(&serde_json::json!({
            "bundle": request.out,
            "report": request.report,
            "identity": made.identity.to_string(),
            "good": { "photos": made.n_good.0, "groups": made.n_good.1 },
            "threshold": made.bundle.alarm.threshold,
            "miss_cost": made.cost,
            "evaluation": made.bundle.evaluation,
            "suspects": made.suspects,
            "problems": made.problems,
        }))?;
    }
    summary(arguments, &request, &made, started, lang);
    Ok(ExitCode::SUCCESS)
}

fn check(verb: &InspectArguments) -> anyhow::Result<()> {
    let wrong = |flag: &str, value: f64| Usage {
        en: format!("{flag} {value} is not above 0"),
        zh: format!("{flag} {value} 必须大于 0"),
    };
    let above_zero = [
        ("--mm-per-pixel", verb.mm_per_pixel),
        ("--miss-cost", verb.miss_cost),
        ("--smallest-defect", verb.smallest_defect),
    ];
    for (flag, value) in above_zero {
        if let Some(value) = value
            && !(value > 0.0 && value.is_finite())
        {
            return Err(wrong(flag, value).into());
        }
    }
    Ok(())
}

pub(super) fn options(columns: &InspectionColumns, purpose: Purpose) -> InspectionOptions {
    InspectionOptions {
        purpose,
        image: columns.image.clone(),
        label: columns.label.clone(),
        mask: columns.mask.clone(),
        group: columns.group.clone(),
        part: columns.part.clone(),
        group_by_folder: columns.group_by_folder,
        leave_out: Vec::new(),
    }
}

/// What was done, in numbers, and the next command to try.
fn summary(arguments: &Arguments, request: &InspectRequest, made: &Inspecting, started: Instant, lang: Lang) {
    let seconds = started.elapsed().as_secs_f64();
    let (photos, groups) = made.n_good;
    let (taken, subject) =
        (pipeline::taken_for(&made.set.layout, &made.set.why), Subject::of(made.set.modality));
    let said = |text: String| subject.say(&text, lang);
    let learned = said(lang.pick(
        format!("Learned {} in {seconds:.1} s", counted(photos, "good photo")),
        format!("用 {photos} 张良品照片学习完成，用时 {seconds:.1} 秒"),
    ));
    say(arguments, &lang.pick(format!("{learned} ({})", taken.en), format!("{learned}（{}）", taken.zh)));
    if groups < photos {
        say(
            arguments,
            &said(lang.pick(
                format!("Some show the same thing again or are of one group: they count as {groups}."),
                format!("其中有重复或同组的照片，按 {groups} 张计。"),
            )),
        );
    }
    say(arguments, &promise(request, made, lang));
    if let Some(cost) = made.cost {
        say(arguments, pipeline::words::cost_use(cost).in_lang(lang));
    }
    if let Some(idle) = pipeline::words::idle_defects(made.n_idle) {
        say(arguments, &said(idle.in_lang(lang).to_owned()));
    }
    if let Some(blind) = made.blind {
        say(arguments, blind.told().in_lang(lang));
    }
    for measured in &made.bundle.evaluation.measured {
        let on = match measured.on.as_str() {
            "test" => lang.pick("on your test part", "在测试集上"),
            _ => lang.pick("out of fold", "折外"),
        };
        let name = pipeline::report::metric_name(&measured.metric, lang);
        say(
            arguments,
            &format!("  {name}, {on}: {}", show::estimate(&measured.metric, &measured.estimate, lang)),
        );
    }
    if let Some(suspects) = suspects(made, lang) {
        say(arguments, &said(suspects));
    }
    let (out, report) = (request.out.display(), request.report.display());
    let new = new_files(subject);
    say(
        arguments,
        &lang.pick(
            format!("Bundle: {out}\nReport: {report}\nNext: dianjing predict {out} {new} --heatmaps heat"),
            format!("模型：{out}\n报告：{report}\n下一步：dianjing predict {out} {new} --heatmaps heat"),
        ),
    );
}

/// What to do about good photos that do not look like it.
fn suspects(made: &Inspecting, lang: Lang) -> Option<String> {
    let (worst, n) = (&made.suspects.first()?.id, made.suspects.len());
    let (look, them) =
        if n == 1 { ("looks as if it was", "it: ") } else { ("look as if they were", "them, ") };
    let first = if n == 1 { "" } else { " first" };
    let photos = counted(n, "good photo");
    Some(lang.pick(
        format!(
            "{photos} {look} not; look at {them}`{worst}`{first}. Those with a defect are left out with `--leave-out '{worst}'`, and all is learned anew; leave out none that is good, or the promise does not hold."
        ),
        format!(
            "有 {n} 张良品照片看上去不像良品；请查看，先看“{worst}”。确有缺陷的可用 `--leave-out '{worst}'` 排除并重新学习；良品不可排除，否则承诺不成立。"
        ),
    ))
}

/// What one asks about next.
fn new_files(subject: Subject) -> &'static str {
    match subject {
        Subject::Photo => "new/*.png",
        Subject::Sound => "new/*.wav",
        Subject::Video => "new/*.mp4",
        Subject::Series => "new/*.csv",
    }
}

/// What is promised about false alarms, or why nothing is and what would help.
fn promise(request: &InspectRequest, made: &Inspecting, lang: Lang) -> String {
    let n = made.bundle.alarm.good.n();
    let (most, sure) = (promised(request.false_alarms), confidence(request.confidence));
    let grouped = made.n_good.1 < made.n_good.0;
    match made.bundle.alarm.threshold {
        AlarmThreshold::Proven(_) => {
            let promised = if grouped {
                lang.pick(
                    format!(
                        "Promise: with {sure} confidence at most {most} of groups of good parts have any alarm."
                    ),
                    format!("承诺：在 {sure} 置信度下，至多 {most} 的良品组会出现误报。"),
                )
            } else {
                lang.pick(
                    format!("Promise: with {sure} confidence at most {most} of good parts alarm."),
                    format!("承诺：在 {sure} 置信度下，至多 {most} 的良品会误报。"),
                )
            };
            format!("{promised}\n{}", promise_caveat().in_lang(lang))
        }
        AlarmThreshold::Estimated(threshold) => {
            let best = provable_rate(best_provable_rate(n, request.confidence));
            let need = parts_needed(request.false_alarms, request.confidence).unwrap_or(usize::MAX);
            let more = need.saturating_sub(n);
            let expected = rate(expected_rate(&threshold));
            let unit = |n: usize| match (grouped, n) {
                (true, 1) => "group of good parts",
                (true, _) => "groups of good parts",
                (false, 1) => "good part",
                (false, _) => "good parts",
            };
            let measure = if grouped { "组良品" } else { "个良品" };
            let (parts, of_more, all) = (unit(n), unit(more), unit(2));
            lang.pick(
                format!(
                    "{n} {parts}: with these the best provable false-alarm rate is {best} ({sure} confidence).\n\
                     For {most} show {more} more {of_more}; until then the threshold is an estimate, no guarantee: about {expected} of {all} are \
                     expected to alarm."
                ),
                format!(
                    "{n} {measure}：以此能证明的最低误报率为 {best}（置信度 {sure}）。\n\
                     若要 {most}，请再提供 {more} {measure}；在此之前阈值只是估计，没有保证：预计约 {expected} 的良品{}会误报。",
                    if grouped { "组" } else { "" }
                ),
            )
        }
    }
}
