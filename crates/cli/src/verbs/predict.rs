//! `dianjing predict`: answers for files, folders, tables or lines of text.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use bundle::{BundleKind, SenseShare, Verdict};
use dataset::ReadOptions;
use pipeline::{Lang, PipelineError, PredictedRow, words};

use super::{inspected, say, with_progress};
use crate::args::{Arguments, PredictArguments};
use crate::exit::Usage;
use crate::{exit, settings, show};

/// A sense whose familiarity is below this is called strange.
const STRANGE: f64 = 0.05;

pub(super) fn run(arguments: &Arguments, verb: &PredictArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let kind = bundle::kind(&verb.bundle).map_err(PipelineError::from)?;
    if kind == BundleKind::Inspector {
        return inspected::predict(arguments, verb, lang);
    }
    check(verb, kind)?;
    let home = settings::home(arguments)?;
    let lines = if verb.inputs == [Path::new("-")] { Some(stdin()?) } else { None };
    let read = ReadOptions { contents: verb.contents.senses(), ..ReadOptions::default() };
    let rows = with_progress(arguments, lang, |run| {
        if kind == BundleKind::Senses {
            let predictor = home.open_senses(&verb.bundle, run)?;
            return pipeline::predict_senses(&predictor, &verb.inputs, run);
        }
        let predictor = home.open_bundle(&verb.bundle, run)?;
        match &lines {
            Some(bytes) => pipeline::predict_lines(&predictor, "-", bytes, run),
            None => pipeline::predict(&predictor, &verb.inputs, &read, run),
        }
    })?;
    if arguments.json {
        show::json(&rows)?;
    } else {
        table(&rows, lang)?;
    }
    let answered = rows.iter().filter(|row| is_sure(row)).count();
    let unread = rows.iter().filter(|row| row.prediction.is_none()).count();
    say(arguments, &summary(rows.len(), answered, unread, lang));
    if rows.iter().filter_map(|row| row.prediction.as_ref()).any(|row| row.verdict == Verdict::Unproven) {
        say(
            arguments,
            lang.pick(
                "note: this bundle was tuned on too few examples to promise anything about its errors",
                "注意：调校这个模型包的样本太少，无法对错误率作出任何保证",
            ),
        );
    }
    Ok(if unread == rows.len() {
        ExitCode::FAILURE
    } else if verb.fail_on_unsure && answered < rows.len() {
        ExitCode::from(exit::FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}

/// What can be said before anything is opened.
fn check(verb: &PredictArguments, kind: BundleKind) -> anyhow::Result<()> {
    if verb.heatmaps.is_some() || verb.regions.is_some() || verb.false_discoveries.is_some() {
        return Err(Usage {
            en: "--heatmaps, --regions and --false-discoveries are for inspectors; this bundle tells classes apart"
                .to_owned(),
            zh: "--heatmaps、--regions 和 --false-discoveries 只用于检测器；这个模型包用于区分类别".to_owned(),
        }
        .into());
    }
    if verb.inputs.len() > 1 && verb.inputs.iter().any(|input| input == Path::new("-")) {
        return Err(Usage {
            en: "`-` reads from stdin and stands alone; name the files in another run".to_owned(),
            zh: "- 表示从标准输入读取，须单独使用；请另行指定文件".to_owned(),
        }
        .into());
    }
    if kind == BundleKind::Senses && verb.inputs == [Path::new("-")] {
        return Err(Usage {
            en: "this bundle takes several senses of one thing: pass a table with a column for each"
                .to_owned(),
            zh: "这个模型包使用多种感官：请传入一张表，每种感官一列".to_owned(),
        }
        .into());
    }
    Ok(())
}

fn is_sure(row: &PredictedRow) -> bool {
    row.prediction.as_ref().is_some_and(|prediction| prediction.verdict == Verdict::Answered)
}

fn summary(n: usize, answered: usize, unread: usize, lang: Lang) -> String {
    let doubtful = n - answered - unread;
    let mut told = lang.pick(
        format!("{n} examples: {answered} answered, {doubtful} for a person to look at"),
        format!("{n} 个样本：{answered} 个已回答，{doubtful} 个请人工查看"),
    );
    if unread > 0 {
        told += &lang.pick(format!(", {unread} could not be read"), format!("，{unread} 个无法读取"));
    }
    told
}

fn table(rows: &[PredictedRow], lang: Lang) -> anyhow::Result<()> {
    let has_senses =
        rows.iter().filter_map(|row| row.prediction.as_ref()).any(|prediction| !prediction.senses.is_empty());
    let name = |row: &PredictedRow| match row.seconds {
        Some([start, end]) => format!("{}, {start:.1}-{end:.1} s", row.id),
        None => row.id.clone(),
    };
    let cells = |row: &PredictedRow| match &row.prediction {
        Some(prediction) => [
            vec![
                name(row),
                show::answer(prediction, lang),
                show::confidence(prediction),
                match &told(row, lang)[..] {
                    "" => show::verdict(prediction.verdict, lang).to_owned(),
                    told => format!("{} ({told})", show::verdict(prediction.verdict, lang)),
                },
            ],
            if has_senses { vec![relied_on(&prediction.senses, lang)] } else { Vec::new() },
        ]
        .concat(),
        None => vec![row.id.clone(), "-".to_owned(), "-".to_owned(), told(row, lang)],
    };
    let mut header = vec![
        lang.pick("example", "样本"),
        lang.pick("answer", "结果"),
        lang.pick("confidence", "把握"),
        lang.pick("verdict", "判定"),
    ];
    if has_senses {
        header.push(lang.pick("relied on", "依据"));
    }
    show::table(&header, rows.iter().map(cells).collect())
}

/// All that was wrong with a row.
fn told(row: &PredictedRow, lang: Lang) -> String {
    let problems = row.problem.iter().chain(&row.more_problems);
    let told: Vec<String> = problems.map(|kind| words::problem_kind(kind, lang)).collect();
    told.join(lang.pick("; ", "；"))
}

/// `photo 70 %, note 30 %`, and what was not there or is strange, whatever its share.
fn relied_on(senses: &[SenseShare], lang: Lang) -> String {
    let told = senses.iter().map(|sense| match sense {
        SenseShare { present: false, .. } => format!("{} {}", sense.sense, lang.pick("missing", "缺失")),
        SenseShare { share, familiarity: Some(p), .. } if *p < STRANGE => {
            let strange = lang.pick(" (strange)", "（异常）");
            format!("{} {:.0} %{strange}", sense.sense, 100.0 * share)
        }
        SenseShare { share, .. } => format!("{} {:.0} %", sense.sense, 100.0 * share),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn stdin() -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read from stdin")?;
    Ok(bytes)
}
