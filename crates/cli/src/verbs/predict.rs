//! `dianjing predict`: answers for files, folders, tables or lines of text.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use bundle::Verdict;
use dataset::ReadOptions;
use pipeline::{Lang, PredictedRow};

use super::{say, with_progress};
use crate::args::{Arguments, PredictArguments};
use crate::{exit, settings, show};

pub(super) fn run(arguments: &Arguments, verb: &PredictArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let home = settings::home(arguments)?;
    let stdin = Stdin::take(&verb.inputs)?;
    let inputs = stdin.as_ref().map_or_else(|| verb.inputs.clone(), |stdin| vec![stdin.file.clone()]);
    let read = ReadOptions {
        text: verb.text.clone().or_else(|| stdin.as_ref().map(|_| "text".to_owned())),
        image: verb.image.clone(),
        ..ReadOptions::default()
    };
    let (rows, problems) = with_progress(arguments, lang, |run| {
        let predictor = home.open_bundle(&verb.bundle, run)?;
        pipeline::predict(&predictor, &inputs, &read, run)
    })?;
    if arguments.json {
        show::json(&rows)?;
    } else {
        table(&rows, lang)?;
    }
    let unsure = |row: &&PredictedRow| {
        row.prediction.as_ref().is_none_or(|prediction| prediction.verdict != Verdict::Answered)
    };
    let doubtful = rows.iter().filter(unsure).count();
    let nothing_read = rows.iter().all(|row| row.prediction.is_none());
    let n = rows.len();
    say(
        arguments,
        &lang.pick(
            format!("{n} examples: {} answered, {doubtful} for a person to look at", n - doubtful),
            format!("{n} 个样本：{} 个已回答，{doubtful} 个请人工查看", n - doubtful),
        ),
    );
    Ok(if nothing_read {
        ExitCode::FAILURE
    } else if verb.fail_on_unsure && (doubtful > 0 || !problems.is_empty()) {
        ExitCode::from(exit::FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}

fn table(rows: &[PredictedRow], lang: Lang) -> anyhow::Result<()> {
    let cells = |row: &PredictedRow| match &row.prediction {
        Some(prediction) => vec![
            row.id.clone(),
            show::answer(prediction, lang),
            show::confidence(prediction),
            show::verdict(prediction.verdict, lang).to_owned(),
        ],
        None => vec![row.id.clone(), "-".to_owned(), "-".to_owned(), row.problem.clone().unwrap_or_default()],
    };
    let header = [
        lang.pick("example", "样本"),
        lang.pick("answer", "结果"),
        lang.pick("confidence", "把握"),
        lang.pick("verdict", "判定"),
    ];
    show::table(&header, rows.iter().map(cells).collect())
}

/// Lines from stdin as a table with one column, in a file that goes away.
struct Stdin {
    file: PathBuf,
}

impl Stdin {
    fn take(inputs: &[PathBuf]) -> anyhow::Result<Option<Self>> {
        if inputs != [Path::new("-")] {
            return Ok(None);
        }
        let file = std::env::temp_dir().join(format!("dianjing-stdin-{}.jsonl", std::process::id()));
        let stdin = Self { file };
        let mut out = std::fs::File::create_new(&stdin.file)
            .with_context(|| format!("cannot write `{}`", stdin.file.display()))?;
        for line in std::io::stdin().lock().lines() {
            writeln!(out, "{}", serde_json::json!({ "text": line? }))?;
        }
        Ok(Some(stdin))
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        // A temporary file that cannot be removed is the system's to clean.
        let _ = std::fs::remove_file(&self.file);
    }
}
