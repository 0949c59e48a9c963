//! `dianjing align`: from pairs to a bundle that searches across two senses, and a report.

use std::process::ExitCode;

use bundle::Form;
use evaluate::Estimate;
use pipeline::{AlignRequest, Aligning, Lang, percent};

use super::overwrite::{self, Written};
use super::{clock, say, with_progress};
use crate::args::{AlignArguments, Arguments};
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &AlignArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let home = settings::home(arguments)?;
    let out = verb.out.clone().unwrap_or_else(|| clock::default_out(&verb.data));
    let report = verb.report.clone().unwrap_or_else(|| out.with_extension("report.html"));
    overwrite::check(Written::Bundle, &out, Some(&verb.data))?;
    overwrite::check(Written::Report, &report, Some(&verb.data))?;
    let request = AlignRequest {
        data: verb.data.clone(),
        ends: [verb.left.clone(), verb.right.clone()],
        group: verb.group.clone(),
        bases: [&verb.left_base, &verb.right_base].map(|own| own.clone().or_else(|| verb.base.clone())),
        form: Form::of(&out),
        out,
        report,
        lang,
        seed: verb.seed,
        created: clock::now(),
    };
    let told = with_progress(arguments, lang, |run| pipeline::align(&home, &request, run))?;
    if arguments.json {
        show::json(&serde_json::json!({
            "bundle": request.out,
            "report": request.report,
            "identity": told.identity,
            "pairs": told.n_pairs,
            "way": told.tried.iter().find(|(.., chosen)| *chosen).map(|(way, ..)| &way.en),
            "recall_at_10": told.found,
            "chance": told.chance.0,
            "wrong": told.wrong,
            "wrong_share": told.wrong_share,
            "problems": told.problems,
        }))?;
    }
    summary(arguments, &request, &told, lang);
    Ok(ExitCode::SUCCESS)
}

fn summary(arguments: &Arguments, request: &AlignRequest, told: &Aligning, lang: Lang) {
    let [left, right] = &told.ends;
    let Estimate { value, low, high, .. } = told.found;
    let found = format!("{} ({} – {})", percent(value), percent(low), percent(high));
    let (n, chance) = (told.n_pairs, percent(told.chance.0));
    say(
        arguments,
        &lang.pick(
            format!(
                "Aligned {left} and {right} from {n} pairs: {found} of partners are among the ten best of pairs held out, {chance} by chance"
            ),
            format!("用 {n} 对样本对齐了 {left} 和 {right}：留出的配对中 {found} 的对象排在前十，随机为 {chance}"),
        ),
    );
    if !told.wrong.is_empty() {
        let (suspicious, share) = (told.wrong.len(), percent(told.wrong_share));
        say(
            arguments,
            &lang.pick(
                format!(
                    "{suspicious} pairs look wrong (about {share} of all are expected to be): see the report"
                ),
                format!("有 {suspicious} 对看起来配错了（估计配错的比例约 {share}）：见报告"),
            ),
        );
    }
    let (out, report) = (request.out.display(), request.report.display());
    say(
        arguments,
        &lang.pick(
            format!("Bundle: {out}\nReport: {report}\nNext: dianjing search {out} FOLDER --text \"WORDS\""),
            format!("模型：{out}\n报告：{report}\n下一步：dianjing search {out} 文件夹 --text \"文字\""),
        ),
    );
}
