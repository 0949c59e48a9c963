//! `dianjing review`: a person looks at some of what was flagged, and learns how much of all of it is right.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use pipeline::{Fault, Lang, Review, Reviewed, Share, StoredFinding, Verdict, percent, words};
use serde_json::json;

use super::lines::Lines;
use super::say;
use crate::args::{Arguments, ReviewArguments};
use crate::exit::Usage;
use crate::show;

pub(super) fn run(arguments: &Arguments, verb: &ReviewArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let mut review = Review::open(&verb.findings)?;
    if let Some(seed) = verb.seed {
        review.draw_by(verb.fault.name(), seed)?;
    }
    match &verb.verdicts {
        Some(table) => review.answer(&read(table)?)?,
        None if arguments.json => {}
        None => ask(&mut review, verb, lang)?,
    }
    let found = review.reviewed(verb.fault.name())?;
    if arguments.json {
        let open = review.to_ask(verb.fault.name(), verb.answers);
        let open: Vec<usize> = open.iter().map(|finding| finding.number).collect();
        show::json(&json!({ "reviewed": found, "to_look_at": open, "verdicts": review.path() }))?;
    }
    tell(arguments, verb.fault, &found, lang);
    Ok(ExitCode::SUCCESS)
}

/// Asks about one finding after the other; the end of the input ends the questions. Every answer is kept at once.
fn ask(review: &mut Review, verb: &ReviewArguments, lang: Lang) -> anyhow::Result<()> {
    let open = review.to_ask(verb.fault.name(), verb.answers);
    let open: Vec<StoredFinding> = open.into_iter().cloned().collect();
    let lines = Lines::of_input();
    for (place, finding) in (1..).zip(&open) {
        let labels = match (&finding.given, &finding.suggested) {
            (Some(given), Some(suggested)) => format!("{given} → {suggested}"),
            (Some(given), None) => given.clone(),
            _ => String::new(),
        };
        let ids = finding.ids.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let n = open.len();
        loop {
            let question = format!(
                "{place}/{n}  {}. {ids} {labels}\n{}",
                finding.number,
                lang.pick(
                    "Is the finding right? [y]es, [n]o, [u]nclear, [q]uit:",
                    "这个发现对吗？y 对，n 不对，u 说不清，q 结束："
                ),
            );
            let Some(answer) = lines.ask(&question)? else { return Ok(()) };
            let verdict = match answer.to_lowercase().as_str() {
                "q" | "quit" => return Ok(()),
                "y" | "yes" | "对" => Verdict::Right,
                "n" | "no" | "不对" => Verdict::Wrong,
                "u" | "unclear" | "说不清" => Verdict::Unclear,
                _ => continue,
            };
            review.answer(&[(finding.number, verdict)])?;
            break;
        }
    }
    Ok(())
}

/// `number,verdict` on each line; a first line that begins with a word is the header.
fn read(path: &Path) -> anyhow::Result<Vec<(usize, Verdict)>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut verdicts = Vec::new();
    for (row, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let (number, verdict) = line.split_once(',').unwrap_or((line, ""));
        let Ok(number) = number.trim().parse() else {
            if row == 1 {
                continue;
            }
            return Err(no_verdict(path, row, line).into());
        };
        let verdict = match verdict.trim() {
            "right" => Verdict::Right,
            "wrong" => Verdict::Wrong,
            "unclear" => Verdict::Unclear,
            _ => return Err(no_verdict(path, row, line).into()),
        };
        verdicts.push((number, verdict));
    }
    Ok(verdicts)
}

fn no_verdict(path: &Path, row: usize, line: &str) -> Usage {
    let path = path.display();
    Usage {
        en: format!(
            "row {row} of `{path}` is `{line}`; a number and right, wrong or unclear is wanted, as in `7,right`"
        ),
        zh: format!("“{path}”第 {row} 行为“{line}”；应为编号加 right、wrong 或 unclear，例如“7,right”"),
    }
}

/// How much of the list is right, and of either half of it; and what says nothing about it.
fn tell(arguments: &Arguments, fault: Fault, found: &Reviewed, lang: Lang) {
    tell_share(arguments, fault, found, lang);
    let uncounted = found.uncounted;
    if uncounted > 0 {
        let told = lang.pick(
            format!(
                "{uncounted} more verdicts were given and are not counted: what is picked by hand is no fair sample. `dianjing review` asks what is next in the draw, `--json` lists it"
            ),
            format!(
                "另有 {uncounted} 个回答未计入：自己挑选的不是公平的样本。dianjing review 会按抽取的次序询问，--json 列出接下来的"
            ),
        );
        say(arguments, &told);
    }
}

fn tell_share(arguments: &Arguments, fault: Fault, found: &Reviewed, lang: Lang) {
    let (name, n) = (words::fault(fault, lang), found.flagged);
    let Some(share) = found.share else {
        let told = lang.pick(
            format!("{name}: {n} found, none of those drawn looked at yet"),
            format!("{name}：共 {n} 个，抽取的尚未看过"),
        );
        return say(arguments, &told);
    };
    let (right, clear, unclear) = (found.right, found.right + found.wrong, found.unclear);
    let Share { low, high, .. } = share;
    let (low, high) = (percent(low), percent(high));
    say(
        arguments,
        &lang.pick(
            format!(
                "{name}: {n} found; of {clear} looked at {right} are right, {unclear} unclear. Of all, {low} to {high} are right (95 %)"
            ),
            format!(
                "{name}：共 {n} 个；看过的 {clear} 个中 {right} 个是对的，{unclear} 个说不清。全部之中 {low} 到 {high} 是对的（95 %）"
            ),
        ),
    );
    if let [Some(first), Some(second)] = found.halves {
        let told = |share: Share| {
            format!("{} ({} – {})", percent(share.value), percent(share.low), percent(share.high))
        };
        let (first, second) = (told(first), told(second));
        say(
            arguments,
            &lang.pick(
                format!("The more suspicious half: {first}; the other half: {second}"),
                format!("较可疑的一半：{first}；另一半：{second}"),
            ),
        );
    }
}
