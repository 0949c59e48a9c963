//! How the command ends: exit codes, and errors as a person can use them.
//!
//! 0 done, 1 could not, 2 asked wrongly, 3 done but findings exceed what was allowed, 130 stopped by Ctrl-C.

use std::error::Error;
use std::process::ExitCode;

use pipeline::{Lang, PipelineError};

use crate::chinese_errors;

/// Done, but with findings the person asked to be told about by exit code.
pub(crate) const FINDINGS: u8 = 3;
/// Stopped by Ctrl-C, as shells number it.
const STOPPED: u8 = 130;

/// A wrong use of the command that clap cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Prints what clap has to say: help and version on stdout, mistakes on stderr.
#[allow(clippy::print_stdout, reason = "this crate is the one that prints")]
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if error.print().is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Prints an error with its causes and a hint, and chooses the exit code.
pub(crate) fn failure(error: &anyhow::Error, lang: Lang) -> ExitCode {
    if let Some(PipelineError::Cancelled) = error.downcast_ref() {
        eprintln!(
            "{}",
            lang.pick(
                "Stopped. Features computed so far are kept; run the same command to go on.",
                "已停止。已提取的特征已保存；再次运行同一命令即可继续。"
            )
        );
        return ExitCode::from(STOPPED);
    }
    if lang == Lang::Zh
        && let Some((message, hint)) = in_chinese(error)
    {
        eprintln!("错误：{message}\n提示：{hint}");
        return code(error);
    }
    let mut causes = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Transparent errors repeat their cause word for word.
        if causes.last() != Some(&text) {
            causes.push(text);
        }
    }
    eprintln!("{}: {}", lang.pick("error", "错误"), causes.join(": "));
    if let Some(hint) = hint(error.as_ref()) {
        eprintln!("{}: {hint}", lang.pick("hint", "提示"));
    }
    code(error)
}

fn in_chinese(error: &anyhow::Error) -> Option<(String, &'static str)> {
    match error.downcast_ref::<PipelineError>() {
        Some(error) => chinese_errors::pipeline(error),
        None => error.downcast_ref::<dataset::ReadError>().and_then(chinese_errors::read),
    }
}

/// 2 for what was asked wrongly, 1 for what could not be done.
fn code(error: &anyhow::Error) -> ExitCode {
    let asked_wrongly = error.is::<Usage>()
        || read_error(error.as_ref()).is_some_and(|error| {
            matches!(error, dataset::ReadError::Missing { .. } | dataset::ReadError::NoColumn { .. })
        });
    ExitCode::from(if asked_wrongly { 2 } else { 1 })
}

fn read_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e dataset::ReadError> {
    let found = error.downcast_ref::<dataset::ReadError>();
    found.or_else(|| match error.downcast_ref::<PipelineError>() {
        Some(PipelineError::Read(error)) => Some(error),
        _ => None,
    })
}

/// What to try next.
fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = read_error(error) {
        return Some(error.hint().to_owned());
    }
    if let Some(PipelineError::Pull(error)) = error.downcast_ref() {
        return error.hint();
    }
    let hint = match error.downcast_ref::<PipelineError>()? {
        PipelineError::NoLabels { .. } => {
            "put the examples into one folder per class, or name the label column with --label"
        }
        PipelineError::OneClass { .. } => "add examples of a second class, such as `good` and `defect`",
        PipelineError::NothingUsable { .. } => "mend the first problem and try again",
        PipelineError::OtherTask { .. } => "pass data with the same kind of label as the bundle was tuned on",
        PipelineError::Store(store::StoreError::DiskFull { .. })
        | PipelineError::Bundle(bundle::BundleError::Write(store::StoreError::DiskFull { .. })) => {
            "free some space, or pass another place with --out or --cache"
        }
        PipelineError::Bundle(bundle::BundleError::WrongBase { .. }) => {
            "fetch that base with `dianjing base pull`, or tune again"
        }
        PipelineError::Bundle(
            bundle::BundleError::Truncated { .. } | bundle::BundleError::Changed { .. },
        ) => "copy the bundle again from where it was made",
        PipelineError::Bundle(bundle::BundleError::NewerFormat { .. }) => "install a newer Dianjing",
        _ => return None,
    };
    Some(hint.to_owned())
}
