//! `dianjing select`: which examples to label next, with one reason each.

use std::process::ExitCode;

use bundle::BundleKind;
use pipeline::{Amount, Choice, Halves, Lang, PipelineError, SelectRequest, TableForm, select};
use serde_json::{Map, Value, json};

use super::overwrite::{self, Written};
use super::{read_options, say, table_form, with_progress};
use crate::args::{Arguments, SelectArguments};
use crate::exit::Usage;
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &SelectArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let budget = amount(verb)?;
    if let Some(out) = &verb.out {
        table_form(out)?;
        overwrite::check(Written::Picks, out, Some(&verb.data))?;
    }
    if let Some(model) = &verb.model
        && bundle::kind(model).map_err(PipelineError::from)? == BundleKind::Inspector
    {
        return Err(Usage {
            en: format!("`{}` is an inspector; a bundle that tells classes apart is wanted", model.display()),
            zh: format!("“{}”是检测器；需要能区分类别的模型包", model.display()),
        }
        .into());
    }
    let home = settings::home(arguments)?;
    let request = SelectRequest {
        data: verb.data.clone(),
        read: read_options(&verb.columns),
        labelled: verb.labelled.clone(),
        model: verb.model.clone(),
        base: verb.base.clone(),
        budget,
        method: verb.method,
        halves: match (verb.half_random, verb.all_chosen) {
            (true, _) => Some(Halves::Mixed),
            (_, true) => Some(Halves::Chosen),
            _ => None,
        },
        worth: verb.worth,
        seed: verb.seed,
    };
    let choice = with_progress(arguments, lang, |run| select(&home, &request, run))?;
    if let Some(out) = &verb.out {
        let bytes = match table_form(out)? {
            TableForm::Csv => choice.table(lang).csv().into_bytes(),
            TableForm::Parquet => choice.table(lang).parquet(),
            TableForm::Json => (serde_json::to_string_pretty(&document(&choice, lang))? + "\n").into_bytes(),
        };
        store::write_atomic(out, |file| file.write_all(&bytes))?;
    }
    if arguments.json {
        show::json(&document(&choice, lang))?;
    } else {
        for (place, pick) in choice.picks.iter().enumerate() {
            let reason = pick.reason.in_lang(lang);
            show::line(&format!("{}. {}{}{reason}", place + 1, pick.id, lang.pick(": ", "：")))?;
        }
    }
    tell(arguments, verb, &choice, lang);
    Ok(ExitCode::SUCCESS)
}

/// Whole examples, or any cost.
fn amount(verb: &SelectArguments) -> Result<Amount, Usage> {
    if let Some(column) = &verb.cost {
        return Ok(Amount::Cost { limit: verb.budget, column: column.clone() });
    }
    if verb.budget.fract() > 0.0 {
        return Err(Usage {
            en: format!("--budget {} is no whole number of examples; with --cost it may be one", verb.budget),
            zh: format!("--budget {} 不是整数个样本；与 --cost 同用时可以是小数", verb.budget),
        });
    }
    Ok(Amount::Examples(verb.budget as usize))
}

fn document(choice: &Choice, lang: Lang) -> Value {
    let facts: Map<String, Value> =
        choice.facts.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let cautions: Vec<&str> = choice.cautions.iter().map(|caution| caution.in_lang(lang)).collect();
    let picks = choice.table(lang).records();
    let mut document = Map::new();
    document.insert("made_by".to_owned(), "Dianjing".into());
    document.insert("method".to_owned(), choice.method.name().into());
    document.insert("why".to_owned(), choice.why.in_lang(lang).into());
    document.insert("n_unlabelled".to_owned(), choice.n_pool.into());
    document.insert("n_labelled".to_owned(), choice.n_known.into());
    document.insert("n_near_copies".to_owned(), choice.n_copies.into());
    document.insert("outlook".to_owned(), json!(choice.outlook));
    document.insert(
        "info".to_owned(),
        json!({ "facts": facts, "cautions": cautions, "problems": choice.problems }),
    );
    let reasons = choice.picks.iter().map(|pick| json!(pick.why));
    let picks: Vec<Value> = picks
        .into_iter()
        .zip(reasons)
        .map(|(mut pick, why)| {
            pick["why"] = why;
            pick
        })
        .collect();
    document.insert("picks".to_owned(), picks.into());
    document.into()
}

/// What was done, in numbers; what more labels bring; the next command to try.
fn tell(arguments: &Arguments, verb: &SelectArguments, choice: &Choice, lang: Lang) {
    let (n, pool, known) = (choice.picks.len(), choice.n_pool, choice.n_known);
    say(
        arguments,
        &lang.pick(
            format!("Chose {n} of {pool} unlabelled examples beside {known} labelled ones"),
            format!("从 {pool} 个未标注样本中选出 {n} 个（已标注 {known} 个）"),
        ),
    );
    say(arguments, &format!("{}{}", lang.pick("How: ", "方法："), choice.why.in_lang(lang)));
    if choice.n_copies > 0 {
        let copies = choice.n_copies;
        say(
            arguments,
            &lang.pick(format!("Left out {copies} near copies"), format!("去掉了 {copies} 个近似重复的样本")),
        );
    }
    if let Some(outlook) = &choice.outlook {
        say(arguments, outlook.sentence().in_lang(lang));
    }
    if choice.picks.iter().any(|pick| pick.half == pipeline::Half::Random) {
        say(
            arguments,
            lang.pick(
                "note: measure accuracy on the random half only; the chosen half is harder than the rest",
                "注意：只能用随机的一半来评估正确率；按方法选出的一半比其余样本更难",
            ),
        );
    }
    for caution in &choice.cautions {
        say(arguments, &format!("{}{}", lang.pick("note: ", "注意："), caution.in_lang(lang)));
    }
    let next = match &verb.out {
        Some(out) => lang.pick(format!("Table: {}", out.display()), format!("表格：{}", out.display())),
        None => lang.pick(
            "Next, keep the list: add --out picks.csv".to_owned(),
            "下一步，保存清单：加上 --out picks.csv".to_owned(),
        ),
    };
    say(arguments, &next);
}
