//! `dianjing apply`: findings that a person accepts become a new revision of the data.

use std::process::ExitCode;

use pipeline::{
    Against, Answered, ApplyRequest, Applying, BookRequest, Gain, Lang, PipelineError, Revision, record_of,
};

use super::{accepting, asking, clock, read_options, say, with_progress};
use crate::args::{ApplyArguments, Arguments};
use crate::{settings, show};

/// Labels against rules that are printed; the record has all.
const SHOWN: usize = 5;
/// Letters of a time that are its date.
const DATE: usize = 10;

pub(super) fn run(arguments: &Arguments, verb: &ApplyArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let request = ApplyRequest {
        findings: verb.findings.clone(),
        data: verb.data.clone(),
        read: read_options(&verb.columns),
        out: verb.out.clone(),
        base: verb.base.clone(),
        book: verb.rules.clone().map(|path| BookRequest {
            path,
            author: verb.author.clone(),
            date: clock::now().chars().take(DATE).collect(),
        }),
    };
    let applying = with_progress(arguments, lang, |run| Applying::open(request, run))?;
    let (accepted, answers) = if verb.interactive {
        let mut answers = Answered::open(&verb.findings, applying.findings()).map_err(PipelineError::from)?;
        (asking::asked(&applying, &mut answers, arguments, lang)?, Some(answers))
    } else {
        (accepting::named(&verb.accept, applying.findings())?, None)
    };
    let home = settings::home(arguments)?;
    let revision = with_progress(arguments, lang, |run| applying.apply(&home, &accepted, run))?;
    if let Some(answers) = answers {
        answers.forget();
    }
    if arguments.json {
        show::json(&revision)?;
    }
    tell(arguments, verb, &revision, lang);
    Ok(ExitCode::SUCCESS)
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
    if !revision.new_classes.is_empty() {
        let names = revision.new_classes.join(", ");
        say(arguments, &lang.pick(format!("New labels: {names}"), format!("新增的标注：{names}")));
    }
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
    for (gain, en, zh) in [
        (revision.predicted, "Expected", "预计"),
        (revision.realised, "The new labels taken for right, it brought", "以新标注为准，实际"),
    ] {
        if let Some(gain) = gain {
            let (points, what) = (points(gain), revision.metric.unwrap_or_default().words(lang));
            say(
                arguments,
                &lang.pick(format!("{en} {points} {what}"), format!("{zh}：{what} {points} 个百分点")),
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
