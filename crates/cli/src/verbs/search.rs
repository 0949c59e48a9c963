//! `dianjing search`: across two senses, by words or by a file; or names for what never had any.

use std::path::PathBuf;
use std::process::ExitCode;

use bundle::JointPredictor;
use pipeline::{Home, Lang, PipelineError, Query, Run};

use super::with_progress;
use crate::args::{Arguments, SearchArguments};
use crate::exit::Usage;
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &SearchArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    check(verb)?;
    let home = settings::home(arguments)?;
    let from = verb.from.as_deref();
    let query = match (&verb.text, &verb.like) {
        (Some(words), _) => Query::Text(words.clone()),
        (_, Some(file)) => Query::File(file.clone()),
        _ if !verb.names.is_empty() => return named(arguments, verb, lang),
        _ => {
            return Err(Usage {
                en: "say what to search by: --text WORDS, --like FILE, or --names to name what is there"
                    .to_owned(),
                zh: "请说明按什么搜索：--text 文字、--like 文件，或用 --names 逐个命名".to_owned(),
            }
            .into());
        }
    };
    let (hits, _) = with_progress(arguments, lang, |run| {
        let (predictor, among) = open(&home, verb, run)?;
        pipeline::search(&home, &predictor, &query, from, &among, verb.top as usize, run)
    })?;
    if arguments.json {
        show::json(&hits)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = hits
        .iter()
        .enumerate()
        .map(|(place, hit)| vec![(place + 1).to_string(), hit.id.clone(), format!("{:.3}", hit.similarity)]);
    let header = ["", lang.pick("example", "样本"), lang.pick("similarity", "相似度")];
    show::table(&header, rows.collect())?;
    Ok(ExitCode::SUCCESS)
}

/// Nothing is like nothing.
fn check(verb: &SearchArguments) -> Result<(), Usage> {
    let (blank_text, blank_name) = (
        verb.text.as_ref().is_some_and(|text| text.trim().is_empty()),
        verb.names.iter().any(|name| name.trim().is_empty()),
    );
    match (blank_text, blank_name) {
        (true, _) => Err(Usage {
            en: "--text has no words; say what to search for".to_owned(),
            zh: "--text 没有内容；请写明要搜索什么".to_owned(),
        }),
        (_, true) => Err(Usage {
            en: "--names has an empty name; write them as --names \"scratch,dent\"".to_owned(),
            zh: "--names 中有空的名称；请写成 --names \"划痕,凹坑\"".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// What is searched with and what is searched among: without a bundle its place is one more to search.
fn open(
    home: &Home,
    verb: &SearchArguments,
    run: &Run<'_>,
) -> Result<(JointPredictor, Vec<PathBuf>), PipelineError> {
    let Some(base) = &verb.base else {
        return Ok((home.open_joint(&verb.bundle, run)?, verb.among.clone()));
    };
    let among = std::iter::once(&verb.bundle).chain(&verb.among).cloned().collect();
    Ok((JointPredictor::as_they_are(home.open_towers(base, run)?), among))
}

fn named(arguments: &Arguments, verb: &SearchArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let home = settings::home(arguments)?;
    let (named, _) = with_progress(arguments, lang, |run| {
        let (predictor, among) = open(&home, verb, run)?;
        pipeline::name_by_words(&home, &predictor, &verb.names, verb.from.as_deref(), &among, run)
    })?;
    if arguments.json {
        show::json(&named)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = named.iter().map(|named| {
        vec![
            named.id.clone(),
            named.name.clone(),
            format!("{:.3}", named.similarity),
            format!("{:.3}", named.lead),
        ]
    });
    let header = [
        lang.pick("example", "样本"),
        lang.pick("name", "名称"),
        lang.pick("similarity", "相似度"),
        lang.pick("lead", "领先"),
    ];
    show::table(&header, rows.collect())?;
    Ok(ExitCode::SUCCESS)
}
