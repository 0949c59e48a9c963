//! `dianjing tune`: from examples to a bundle and a report.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

use bundle::Form;
use clap::Parser;
use dataset::ReadError;
use pipeline::report::SensesTable;
use pipeline::{Lang, PipelineError, Source, TuneRequest, Tuning, percent};

use super::overwrite::{self, Written};
use super::{clock, inspect, read_options, say, with_progress};
use crate::args::{Arguments, InspectArguments, TuneArguments};
use crate::exit::Usage;
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &TuneArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    if !(verb.errors > 0.0 && verb.errors < 1.0) {
        return Err(Usage {
            en: format!(
                "--errors {} is not between 0 and 1; 0.05 means one wrong answer in twenty",
                verb.errors
            ),
            zh: format!("--errors {} 不在 0 和 1 之间；0.05 表示二十个答案中至多一个错误", verb.errors),
        }
        .into());
    }
    let started = Instant::now();
    let home = settings::home(arguments)?;
    let out = verb.out.clone().unwrap_or_else(|| clock::default_out(&verb.data));
    let report = verb.report.clone().unwrap_or_else(|| out.with_extension("report.html"));
    overwrite::check(Written::Bundle, &out, Some(&verb.data))?;
    overwrite::check(Written::Report, &report, Some(&verb.data))?;
    let request = TuneRequest {
        source: Source::At { path: verb.data.clone(), read: read_options(&verb.columns) },
        base: verb.base.clone(),
        form: Form::of(&out),
        out,
        report,
        lang,
        target_error: verb.errors,
        words: !verb.no_words,
        seed: verb.seed,
        created: clock::now(),
    };
    let tuned = with_progress(arguments, lang, |run| pipeline::tune(&home, &request, run));
    let tuning = match tuned {
        Err(error) if is_for_inspection(&error) => return inspect_instead(arguments, verb, lang),
        tuned => tuned?,
    };
    if arguments.json {
        show::json(&serde_json::json!({
            "bundle": request.out,
            "report": request.report,
            "identity": tuning.identity,
            "evaluation": tuning.evaluation,
            "examples": tuning.n_examples,
            "problems": tuning.problems,
        }))?;
    }
    summary(arguments, &request, &tuning, started, lang);
    Ok(ExitCode::SUCCESS)
}

/// Whether nothing can be told apart because there are only good parts to learn from.
fn is_for_inspection(error: &anyhow::Error) -> bool {
    match error.downcast_ref() {
        Some(PipelineError::Read(ReadError::InspectionLayout { .. })) => true,
        Some(PipelineError::Read(ReadError::OneClass { class, .. })) => dataset::names_good_parts(class),
        _ => false,
    }
}

/// Good parts alone make an inspector, by the columns that were named and with the settings that `inspect` has by default.
fn inspect_instead(arguments: &Arguments, verb: &TuneArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    say(
        arguments,
        lang.pick(
            "Only good parts to learn from: making a defect inspector, as `dianjing inspect` does.",
            "只有良品可供学习：改为制作缺陷检测器，同 dianjing inspect。",
        ),
    );
    let mut words = vec![OsString::from("inspect"), format!("--seed={}", verb.seed).into()];
    let base = verb.base.as_ref().map(|base| ("--base=", base.as_ref()));
    let out = verb.out.as_ref().map(|out| ("--out=", out.as_os_str()));
    let report = verb.report.as_ref().map(|report| ("--report=", report.as_os_str()));
    for (flag, value) in [base, out, report].into_iter().flatten() {
        let mut word = OsString::from(flag);
        word.push(value);
        words.push(word);
    }
    words.extend(["--".into(), verb.data.clone().into_os_string()]);
    let asked = InspectCommand::try_parse_from(words).expect("these flags were read as those of `tune`");
    let asked = InspectArguments { columns: (&verb.columns).into(), ..asked.inspect };
    inspect::run(arguments, &asked, lang)
}

/// `inspect` by itself, for its defaults.
#[derive(clap::Parser)]
struct InspectCommand {
    #[command(flatten)]
    inspect: InspectArguments,
}

/// What was done, in numbers, and the next command to try.
fn summary(arguments: &Arguments, request: &TuneRequest, tuning: &Tuning, started: Instant, lang: Lang) {
    let seconds = started.elapsed().as_secs_f64();
    let n = tuning.n_examples;
    let report = &tuning.report;
    say(
        arguments,
        &lang.pick(
            format!("Tuned on {n} examples in {seconds:.1} s: {}", report.decision.en),
            format!("用 {n} 个样本调校完成，用时 {seconds:.1} 秒：{}", report.decision.zh),
        ),
    );
    if let Some((recipe, ..)) = report.candidates.iter().find(|(.., chosen)| *chosen) {
        say(arguments, &lang.pick(format!("Recipe: {}", recipe.en), format!("配方：{}", recipe.zh)));
    }
    for measured in tuning
        .evaluation
        .measured
        .iter()
        .take(1)
        .chain(tuning.evaluation.measured.iter().filter(|measured| measured.on == "test").take(1))
    {
        let measure =
            pipeline::report::Measure { metric: measured.metric.clone(), estimate: measured.estimate };
        let place = match measured.on.as_str() {
            "test" => lang.pick("on your test part", "在测试集上"),
            _ => lang.pick("expected on new examples", "对新样本的预期"),
        };
        let metric = pipeline::report::metric_name(&measured.metric, lang);
        say(arguments, &format!("{metric} {place}: {}", show::measure(&measure, lang)));
    }
    if let Some(senses) = &report.senses {
        told_senses(arguments, senses, lang);
    }
    say(arguments, tuning.report.promise.in_lang(lang));
    for (index, advice) in tuning.report.advice.iter().enumerate() {
        say(arguments, &format!("  {}. {}", index + 1, advice.in_lang(lang)));
    }
    let (out, report) = (request.out.display(), request.report.display());
    say(
        arguments,
        &lang.pick(format!("Bundle: {out}\nReport: {report}"), format!("模型：{out}\n报告：{report}")),
    );
    let example = match tuning.dataset.modality {
        dataset::Modality::Image => "new/*.jpg",
        dataset::Modality::Text => "new.csv",
        dataset::Modality::Sound => "new/*.wav",
        dataset::Modality::Video => "new/*.mp4",
        dataset::Modality::Series => "new/",
        dataset::Modality::Senses => "new.jsonl",
    };
    say(
        arguments,
        &lang.pick(
            format!("Next: dianjing predict {out} {example}"),
            format!("下一步：dianjing predict {out} {example}"),
        ),
    );
}

/// What each sense is worth, one line a combination.
fn told_senses(arguments: &Arguments, senses: &SensesTable, lang: Lang) {
    for row in &senses.rows {
        let accuracy = percent(row.accuracy.value);
        say(
            arguments,
            &lang.pick(
                format!("  {}: {accuracy} right, log-loss {:.3}", senses.name(row), row.loss),
                format!("  {}：{accuracy} 正确，对数损失 {:.3}", senses.name(row), row.loss),
            ),
        );
    }
    for broken in &senses.broken {
        let (sense, told, accuracy) = (&broken.sense, broken.told(lang), broken.accuracy());
        say(
            arguments,
            &lang.pick(
                format!("  {sense} blank: {told}, {accuracy} right"),
                format!("  {sense} 空白：{told}，正确率 {accuracy}"),
            ),
        );
    }
    if !senses.conflicts.is_empty() {
        let n = senses.conflicts.len();
        say(
            arguments,
            &lang.pick(
                format!("  {n} examples have senses that contradict each other: see the report"),
                format!("  有 {n} 个样本的感官彼此矛盾：见报告"),
            ),
        );
    }
}
