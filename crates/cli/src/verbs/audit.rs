//! `dianjing audit`: what looks wrong in a data set, in numbers and as a list of things to do.

use std::path::Path;
use std::process::ExitCode;

use dataset::ReadOptions;
use pipeline::{
    Answer, ArraysRequest, Audit, AuditFinding, AuditRequest, Fault, GivenArrays, Lang, Review, Rules,
    Source, TableForm, audit, audit_arrays, words,
};
use serde_json::{Map, Value, json};

use super::overwrite::{self, Written};
use super::{asking, read_options, say, table_form, with_progress};
use crate::args::{Arguments, AuditArguments};
use crate::exit::FINDINGS;
use crate::{settings, show};

/// Findings of one kind that are printed; the rest is in the table and the page.
const SHOWN: usize = 5;
/// Ids of one finding that are printed.
const SHOWN_IDS: usize = 3;

pub(super) fn run(arguments: &Arguments, verb: &AuditArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let data = verb.data.as_deref();
    let read = read_options(&verb.columns);
    if let Some(out) = &verb.out {
        table_form(out)?;
        overwrite::check(Written::Findings, out, data)?;
    }
    if let Some(report) = &verb.report {
        overwrite::check(Written::Report, report, data)?;
    }
    let list = verb.out.as_deref().filter(|out| matches!(table_form(out), Ok(TableForm::Json)));
    let before = list.map(Review::of_before).transpose().unwrap_or_else(|error| {
        // It is about to be written over, and must not keep the audit from doing so.
        let note = lang.pick("note: the last review is left aside", "注意：未采用上次的复查结果");
        say(arguments, &format!("{note}: {error}"));
        None
    });
    let mut found = look(arguments, verb, lang)?;
    if let Some(review) = before.flatten() {
        found.reviewed = review.of_same(&found)?;
    }
    if let Some(out) = &verb.out {
        let bytes = match table_form(out)? {
            TableForm::Csv => found.issues().csv().into_bytes(),
            TableForm::Parquet => found.issues().parquet(),
            TableForm::Json => {
                (serde_json::to_string_pretty(&document(&found, data, &read, true))? + "\n").into_bytes()
            }
        };
        store::write_atomic(out, |file| file.write_all(&bytes))?;
    }
    if let Some(report) = &verb.report {
        let page = found.page(lang, list);
        store::write_atomic(report, |file| file.write_all(page.as_bytes()))?;
    }
    if arguments.json {
        show::json(&document(&found, data, &read, false))?;
    } else {
        for line in found.headline(list) {
            show::line(line.in_lang(lang))?;
        }
        advise(&found, lang)?;
        print(&found, lang)?;
    }
    tell(arguments, verb, &found, lang);
    let failed = verb.fail_on_findings && !found.findings.is_empty();
    Ok(if failed { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

fn look(arguments: &Arguments, verb: &AuditArguments, lang: Lang) -> anyhow::Result<Audit> {
    if let Some(given) = arrays(verb) {
        let request = ArraysRequest {
            given,
            features: verb.features.clone(),
            skip: verb.skip.clone(),
            seed: verb.seed,
        };
        return with_progress(arguments, lang, |run| audit_arrays(&request, run));
    }
    let home = settings::home(arguments)?;
    let request = AuditRequest {
        source: Source::At { path: verb.data.clone().unwrap_or_default(), read: read_options(&verb.columns) },
        base: verb.base.clone(),
        rules: verb.rules.clone().map(Rules::At),
        skip: verb.skip.clone(),
        seed: verb.seed,
    };
    with_progress(arguments, lang, |run| audit(&home, &request, run))
}

/// Labels and predictions from elsewhere, where those are what was passed.
fn arrays(verb: &AuditArguments) -> Option<GivenArrays> {
    let boxes = verb.boxes.clone().zip(verb.detections.clone());
    let boxes = boxes.map(|(given, found)| GivenArrays::Boxes { given, found });
    boxes.or_else(|| {
        let (labels, predicted) = verb.labels.clone().zip(verb.pred_probs.clone())?;
        Some(GivenArrays::Numbers { labels, predicted, lengths: verb.lengths.clone() })
    })
}

/// `summary`, `advice`, `findings`, `info`; in a file also the row of every example, and all that is to be kept of cases until somebody
/// decides.
fn document(found: &Audit, data: Option<&Path>, read: &ReadOptions, is_file: bool) -> Value {
    let mut document = Map::new();
    document.insert("made_by".to_owned(), "Dianjing".into());
    document.insert("n_examples".to_owned(), found.n().into());
    document.insert("data".to_owned(), json!(data));
    document.insert("read".to_owned(), json!(read));
    document.insert("advice".to_owned(), json!(found.advice));
    document.insert("summary".to_owned(), json!(found.summary()));
    document.insert("findings".to_owned(), json!(found.findings));
    let facts: Map<String, Value> =
        found.facts.iter().map(|(name, value)| (name.replace(' ', "_"), value.clone().into())).collect();
    let cautions: Vec<&str> = found.cautions.iter().map(|caution| caution.en.as_str()).collect();
    document.insert(
        "info".to_owned(),
        json!({
            "facts": facts,
            "cautions": cautions,
            "problems": found.problems,
            "label_noise": found.noise,
            "reviewed": found.reviewed,
        }),
    );
    if is_file {
        document.insert("issues".to_owned(), found.issues().records().into());
        document.insert("cases".to_owned(), json!(found.cases()));
    }
    document.into()
}

/// What is worth most, if anything is worth something.
fn advise(found: &Audit, lang: Lang) -> anyhow::Result<()> {
    for (place, advice) in (1..).zip(found.worthwhile()) {
        show::line(&format!("{place}. {}", advice.sentence(lang)))?;
    }
    Ok(())
}

/// The list of findings.
fn print(found: &Audit, lang: Lang) -> anyhow::Result<()> {
    for fault in Fault::ALL {
        let findings: Vec<&AuditFinding> =
            found.findings.iter().filter(|finding| finding.fault == fault).collect();
        if findings.is_empty() {
            continue;
        }
        show::line(&format!("{}: {}", words::fault(fault, lang), findings.len()))?;
        for finding in findings.iter().take(SHOWN) {
            show::line(&format!("  {}. {}", finding.number, line(finding, lang)))?;
            question(finding, lang)?;
        }
        if findings.len() > SHOWN {
            let more = findings.len() - SHOWN;
            show::line(&lang.pick(format!("  and {more} more"), format!("  另有 {more} 个")))?;
        }
    }
    Ok(())
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |sign: char| sign.is_alphanumeric() || "=_-./".contains(sign);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Of a case that wants a rule: what contradicts each other most plainly, and what may be answered.
fn question(finding: &AuditFinding, lang: Lang) -> anyhow::Result<()> {
    for pair in &finding.pairs {
        show::line(&format!("     {}", asking::close(pair, lang)))?;
    }
    for Answer { accept, says } in &finding.answers {
        let (says, accept) = (says.in_lang(lang), quoted(accept));
        show::line(
            &lang.pick(format!("     --accept {accept}: {says}"), format!("     --accept {accept}：{says}")),
        )?;
    }
    Ok(())
}

/// One finding: what it is about, what supports it, what to do.
fn line(finding: &AuditFinding, lang: Lang) -> String {
    let mut ids = finding.ids.iter().take(SHOWN_IDS).cloned().collect::<Vec<_>>().join(", ");
    if finding.ids.len() > SHOWN_IDS {
        ids.push_str(&format!(" + {}", finding.ids.len() - SHOWN_IDS));
    }
    let mut parts =
        vec![if ids.is_empty() { lang.pick("the whole set", "整个数据集").to_owned() } else { ids }];
    if let Some(sense) = &finding.sense {
        parts[0] = lang.pick(format!("{sense} of {}", parts[0]), format!("{}的{sense}", parts[0]));
    }
    match (&finding.given, &finding.suggested) {
        (Some(given), Some(suggested)) => parts.push(format!("{given} → {suggested}")),
        (Some(given), None) => parts.push(given.clone()),
        _ => {}
    }
    if let Some(about) = &finding.about {
        parts.push(about.in_lang(lang).to_owned());
    }
    parts.push(lang.pick(format!("score {:.3}", finding.score), format!("得分 {:.3}", finding.score)));
    let labels: Vec<&str> = finding.neighbours.iter().filter_map(|near| near.label.as_deref()).collect();
    if !labels.is_empty() {
        parts.push(
            lang.pick(
                format!("most similar: {}", labels.join(", ")),
                format!("最相似：{}", labels.join("、")),
            ),
        );
    }
    format!("{} → {}", parts.join(lang.pick("; ", "；")), finding.action.sentence().in_lang(lang))
}

/// What was done, in numbers, and the next command to try.
fn tell(arguments: &Arguments, verb: &AuditArguments, found: &Audit, lang: Lang) {
    let flagged: Vec<String> = found
        .summary()
        .iter()
        .filter(|summary| summary.told() > 0)
        .map(|summary| {
            format!("{}: {}", words::fault_of(summary.sense.as_deref(), summary.fault, lang), summary.told())
        })
        .collect();
    let n = found.n();
    let list = if flagged.is_empty() {
        lang.pick("nothing flagged", "没有发现问题").to_owned()
    } else {
        flagged.join(lang.pick(", ", "，"))
    };
    say(
        arguments,
        &lang.pick(format!("Looked at {n} examples: {list}"), format!("检查了 {n} 个样本：{list}")),
    );
    for caution in &found.cautions {
        say(arguments, &format!("{}{}", lang.pick("note: ", "注意："), caution.in_lang(lang)));
    }
    for (path, en, zh) in [(&verb.out, "Table", "表格"), (&verb.report, "Report", "报告")] {
        if let Some(path) = path {
            say(
                arguments,
                &lang.pick(format!("{en}: {}", path.display()), format!("{zh}：{}", path.display())),
            );
        }
    }
    if verb.report.is_none() && !found.findings.is_empty() {
        let data = verb.data.as_ref().map_or_else(String::new, |data| format!("{} ", data.display()));
        let command = format!("dianjing audit {data}--report audit.html");
        if verb.data.is_some() {
            say(
                arguments,
                &lang.pick(
                    format!("Next, see the evidence: {command}"),
                    format!("下一步，查看证据：{command}"),
                ),
            );
        }
    }
}
