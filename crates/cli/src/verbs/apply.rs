//! `dianjing apply`: findings that a person accepts become a new revision of the data.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use pipeline::{
    Accepted, Against, ApplyRequest, BookRequest, Fault, Findings, Gain, Lang, Revision, StoredFinding,
    record_of,
};

use super::{clock, read_options, say, with_progress};
use crate::args::{ApplyArguments, Arguments};
use crate::exit::Usage;
use crate::{settings, show};

/// Labels against rules that are printed; the record has all.
const SHOWN: usize = 5;
/// Letters of a time that are its date.
const DATE: usize = 10;

pub(super) fn run(arguments: &Arguments, verb: &ApplyArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let findings = Findings::read(&verb.findings).map_err(pipeline::PipelineError::from)?;
    let accepted = if verb.interactive {
        ask(&findings, lang)?
    } else {
        let mut accepted = Vec::new();
        for which in &verb.accept {
            accepted.extend(parse(which, &findings)?);
        }
        accepted
    };
    let home = settings::home(arguments)?;
    let request = ApplyRequest {
        findings: verb.findings.clone(),
        data: verb.data.clone(),
        read: read_options(&verb.columns),
        accepted,
        out: verb.out.clone(),
        base: verb.base.clone(),
        book: verb.rules.clone().map(|path| BookRequest {
            path,
            author: verb.author.clone(),
            date: clock::now().chars().take(DATE).collect(),
        }),
    };
    let revision = with_progress(arguments, lang, |run| pipeline::apply(&home, &request, run))?;
    if arguments.json {
        show::json(&revision)?;
    }
    tell(arguments, verb, &revision, lang);
    Ok(ExitCode::SUCCESS)
}

/// `7`, `3-9`, `7=LABEL`, the name of a fault, or `all`.
fn parse(which: &str, findings: &Findings) -> Result<Vec<Accepted>, Usage> {
    let plain = |number: usize| Accepted { number, label: None };
    let which = which.trim();
    if let Some((number, label)) = which.split_once('=') {
        let number = number.trim().parse().map_err(|_| unknown(which))?;
        return Ok(vec![Accepted { number, label: Some(label.trim().to_owned()) }]);
    }
    if let Ok(number) = which.parse() {
        return Ok(vec![plain(number)]);
    }
    if let Some((first, last)) = which.split_once('-')
        && let (Ok(first), Ok(last)) = (first.trim().parse::<usize>(), last.trim().parse::<usize>())
        && last.saturating_sub(first) < findings.findings.len()
    {
        return Ok((first..=last).map(plain).collect());
    }
    let is_fault = Fault::ALL.iter().any(|fault| fault.name() == which);
    if which != "all" && !is_fault {
        return Err(unknown(which));
    }
    // Of many at once only those are meant that need no decision and can be applied.
    let is_meant = |finding: &&StoredFinding| {
        (which == "all" || finding.fault == which) && finding.action.applies_by_itself()
    };
    Ok(findings.findings.iter().filter(is_meant).map(|finding| plain(finding.number)).collect())
}

fn unknown(which: &str) -> Usage {
    Usage {
        en: format!("`{which}` names no findings: pass a number, 3-9, 7=LABEL, the name of a fault, or all"),
        zh: format!("“{which}”不指任何发现：请给编号、3-9、7=标注、问题名称，或 all"),
    }
}

/// Asks about one finding after the other; the end of the input ends the questions.
fn ask(findings: &Findings, lang: Lang) -> anyhow::Result<Vec<Accepted>> {
    let mut accepted = Vec::new();
    let mut lines = std::io::stdin().lock().lines();
    for finding in &findings.findings {
        if !finding.action.applies_by_itself() && !finding.action.decides() {
            continue;
        }
        let labels = match (&finding.given, &finding.suggested) {
            (Some(given), Some(suggested)) => format!("{given} → {suggested}"),
            (Some(given), None) => given.clone(),
            _ => String::new(),
        };
        let shown = finding.ids.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let action = finding.action.sentence();
        eprint!(
            "{}. {}: {shown} {labels} → {}\n{} ",
            finding.number,
            finding.fault,
            action.in_lang(lang),
            lang.pick("[y]es, [n]o, [q]uit, or a label:", "y 是，n 否，q 结束，或直接输入标注："),
        );
        std::io::stderr().flush()?;
        let Some(answer) = lines.next().transpose()? else { break };
        match answer.trim() {
            "q" => break,
            "" | "n" => {}
            "y" => accepted.push(Accepted { number: finding.number, label: None }),
            label => accepted.push(Accepted { number: finding.number, label: Some(label.to_owned()) }),
        }
    }
    Ok(accepted)
}

/// What was done, and what it brought.
fn tell(arguments: &Arguments, verb: &ApplyArguments, revision: &Revision, lang: Lang) {
    let gone = revision.changes.iter().filter(|change| change.takes_out()).count();
    let emptied = revision.changes.iter().filter(|change| change.sense.is_some()).count();
    let relabelled = revision.changes.len() - gone - emptied;
    let n = revision.n;
    let senses = match emptied {
        0 => String::new(),
        _ => lang.pick(format!("{emptied} senses emptied, "), format!("清空感官 {emptied} 个，")),
    };
    say(
        arguments,
        &lang.pick(
            format!("{relabelled} labels changed, {senses}{gone} examples taken out, {n} left"),
            format!("改正标注 {relabelled} 个，{senses}去掉样本 {gone} 个，剩余 {n} 个"),
        ),
    );
    if let (Some(book), true) = (&verb.rules, revision.n_rules > 0) {
        let (n, book) = (revision.n_rules, book.display());
        say(
            arguments,
            &lang.pick(format!("{n} rules added to {book}"), format!("标签手册 {book} 新增 {n} 条规则")),
        );
    }
    object(arguments, revision, lang);
    let points =
        |Gain { value, low, high }: Gain| format!("{:+.1} ± {:.1}", 100.0 * value, 50.0 * (high - low));
    for (gain, en, zh) in
        [(revision.predicted, "Expected", "预计"), (revision.realised, "It brought", "实际")]
    {
        if let Some(gain) = gain {
            let points = points(gain);
            say(
                arguments,
                &lang.pick(
                    format!("{en} {points} points of accuracy"),
                    format!("{zh}：准确率 {points} 个百分点"),
                ),
            );
        }
    }
    let (out, record) = (verb.out.display(), record_of(&verb.out));
    say(
        arguments,
        &lang.pick(
            format!("Revision: {out}\nRecord: {}\nNext: dianjing tune {out}", record.display()),
            format!("新修订版：{out}\n记录：{}\n下一步：dianjing tune {out}", record.display()),
        ),
    );
}

/// What the label book has against the new labels.
fn object(arguments: &Arguments, revision: &Revision, lang: Lang) {
    for Against { id, given, rule, says, asks, like } in revision.against.iter().take(SHOWN) {
        let says = says.in_lang(lang);
        let en = asks.as_ref().map_or_else(|| "to leave it out".to_owned(), |asks| format!("for `{asks}`"));
        let zh = asks.as_ref().map_or_else(|| "应去掉".to_owned(), |asks| format!("应为“{asks}”"));
        say(
            arguments,
            &lang.pick(
                format!(
                    "warning: {id} is now `{given}`, rule {rule} of the book asks {en}: {says} Of its examples {like} is most like it."
                ),
                format!(
                    "警告：{id} 改为“{given}”，按标签手册第 {rule} 条{zh}：{says}该条的样例中 {like} 与它最相似。"
                ),
            ),
        );
    }
    let more = revision.against.len().saturating_sub(SHOWN);
    if more > 0 {
        say(
            arguments,
            &lang.pick(format!("and {more} more, in the record"), format!("另有 {more} 个，见记录")),
        );
    }
    let unheard = revision.n_unheard;
    if unheard > 0 {
        say(
            arguments,
            &lang.pick(
                format!(
                    "note: {unheard} new labels were not checked against the book: its rules were decided with another base, or ask for what is not known of the examples"
                ),
                format!("注意：{unheard} 个新标注未按标签手册核对：规则是用另一个底座裁定的，或要求的属性未知"),
            ),
        );
    }
}
