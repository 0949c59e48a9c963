//! The verbs of the command line, one file each.

mod accepting;
mod align;
mod apply;
mod asking;
mod audit;
mod base;
mod batch;
mod clock;
mod consensus;
mod doctor;
mod doors;
mod evaluate;
mod export;
mod inspect;
mod inspected;
mod lines;
mod overwrite;
mod predict;
mod review;
mod search;
mod select;
mod serve;
mod sign;
mod tune;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use dataset::{ReadOptions, TaskKind};
use pipeline::{Lang, Run, TableForm};

use crate::args::{Arguments, Columns, ConfigVerb, TaskName, Verb};
use crate::exit::Usage;
use crate::progress::Progress;
use crate::{CANCELLED, chinese, settings, show};

/// Runs what was asked for.
pub(crate) fn run(arguments: Arguments, lang: Lang) -> anyhow::Result<ExitCode> {
    match &arguments.verb {
        Verb::Tune(verb) => tune::run(&arguments, verb, lang),
        Verb::Audit(verb) => audit::run(&arguments, verb, lang),
        Verb::Apply(verb) => apply::run(&arguments, verb, lang),
        Verb::Review(verb) => review::run(&arguments, verb, lang),
        Verb::Select(verb) => select::run(&arguments, verb, lang),
        Verb::Consensus(verb) => consensus::run(&arguments, verb, lang),
        Verb::Inspect(verb) => inspect::run(&arguments, verb, lang),
        Verb::Align(verb) => align::run(&arguments, verb, lang),
        Verb::Search(verb) => search::run(&arguments, verb, lang),
        Verb::Predict(verb) => predict::run(&arguments, verb, lang),
        Verb::Evaluate(verb) => evaluate::run(&arguments, verb, lang),
        Verb::Studio(verb) => serve::studio(&arguments, verb, lang),
        Verb::Serve(verb) => serve::serve(&arguments, verb, lang),
        Verb::Export(verb) => export::run(&arguments, verb, lang),
        Verb::Base(verb) => base::run(&arguments, verb, lang),
        Verb::Sign(verb) => sign::sign(&arguments, verb, lang),
        Verb::Verify(verb) => sign::verify(&arguments, verb, lang),
        Verb::Doctor => doctor::run(&arguments, lang),
        Verb::Config(ConfigVerb::Show) => config_show(&arguments, lang),
        Verb::Completions { shell } => {
            clap_complete::generate(*shell, &mut chinese::command(lang), "dianjing", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn config_show(arguments: &Arguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let settings = settings::table(arguments, lang)?;
    if arguments.json {
        let map: serde_json::Map<String, serde_json::Value> = settings
            .iter()
            .map(|setting| {
                (
                    setting.name.to_owned(),
                    serde_json::json!({ "value": setting.value, "origin": setting.origin }),
                )
            })
            .collect();
        show::json(&map)?;
    } else {
        let rows = settings.into_iter().map(|setting| {
            vec![setting.name.to_owned(), setting.value, setting.origin, setting.what.to_owned()]
        });
        show::table(
            &[lang.pick("setting", "设置"), lang.pick("value", "值"), lang.pick("from", "来源"), ""],
            rows.collect(),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs something with a progress bar that goes away at the end, whatever the end is.
fn with_progress<T>(
    arguments: &Arguments,
    lang: Lang,
    work: impl FnOnce(&Run<'_>) -> Result<T, pipeline::PipelineError>,
) -> anyhow::Result<T> {
    let progress = Progress::new(lang, arguments.quiet);
    let observe = |event| progress.observe(event);
    let result = work(&Run::new(&observe, &CANCELLED));
    progress.finish();
    Ok(result?)
}

fn read_options(columns: &Columns) -> ReadOptions {
    ReadOptions {
        contents: columns.contents.senses(),
        label: columns.label.clone(),
        group: columns.group.clone(),
        annotator: columns.annotator.clone(),
        part: columns.part.clone(),
        task: columns.task.map(|task| match task {
            TaskName::SingleLabel => TaskKind::SingleLabel,
            TaskName::MultiLabel => TaskKind::MultiLabel,
            TaskName::Regression => TaskKind::Regression,
        }),
        separator: columns.separator,
        wanted: None,
    }
}

/// Words on stderr, unless quiet.
fn say(arguments: &Arguments, text: &str) {
    if !arguments.quiet {
        eprintln!("{text}");
    }
}

/// The form of a table by the ending of its name.
fn table_form(out: &Path) -> Result<TableForm, Usage> {
    TableForm::of(out).ok_or_else(|| Usage {
        en: format!("`{}` ends in none of .csv, .parquet, .json", out.display()),
        zh: format!("“{}”的扩展名不是 .csv、.parquet 或 .json", out.display()),
    })
}

/// Reads a small text file with its name in the error.
fn read_text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}
