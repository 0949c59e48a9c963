//! `dianjing consensus`: one label an item from many votes, and how good each annotator is.

use std::process::ExitCode;

use pipeline::{ConsensusRequest, Crowd, CrowdChange, Evidence, Lang, Part, TableForm, percent, weigh_votes};
use serde_json::{Value, json};

use super::overwrite::{self, Written};
use super::{say, table_form, with_progress};
use crate::args::{Arguments, ConsensusArguments};
use crate::{settings, show};

/// Annotators that are printed; all are in `--json`.
const SHOWN: usize = 30;

pub(super) fn run(arguments: &Arguments, verb: &ConsensusArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    if let Some(out) = &verb.out {
        table_form(out)?;
        overwrite::check(Written::Consensus, out, Some(&verb.votes))?;
    }
    let home = settings::home(arguments)?;
    let request = ConsensusRequest {
        votes: verb.votes.clone(),
        item: verb.item.clone(),
        annotator: verb.annotator.clone(),
        label: verb.label.clone(),
        examples: verb.examples.clone(),
        base: verb.base.clone(),
        time: verb.time.clone(),
        scale: verb.scale,
        method: verb.method,
        questions: verb.ask,
        seed: verb.seed,
    };
    let found = with_progress(arguments, lang, |run| weigh_votes(&home, &request, run))?;
    if let Some(out) = &verb.out {
        let bytes = match table_form(out)? {
            TableForm::Csv => found.table().csv().into_bytes(),
            TableForm::Parquet => found.table().parquet(),
            TableForm::Json => (serde_json::to_string_pretty(&document(&found))? + "\n").into_bytes(),
        };
        store::write_atomic(out, |file| file.write_all(&bytes))?;
    }
    if arguments.json {
        show::json(&document(&found))?;
    } else {
        print(&found, lang)?;
    }
    tell(arguments, verb, &found, lang);
    Ok(ExitCode::SUCCESS)
}

fn document(found: &Crowd) -> Value {
    let alpha = found
        .alpha
        .map(|alpha| json!({ "value": alpha.alpha, "low": alpha.low, "high": alpha.high, "n": alpha.n }));
    let of = |evidence: &Evidence| {
        json!({
            "method": evidence.part.name(),
            "foreseen": evidence.foreseen,
            "better_by": evidence.better_by,
            "standard_error": evidence.standard_error,
        })
    };
    let evidence: Vec<Value> = found.evidence.iter().map(of).collect();
    let cautions: Vec<&str> = found.cautions.iter().map(|caution| caution.en.as_str()).collect();
    json!({
        "made_by": "Dianjing",
        "method": found.chosen.name(),
        "evidence": evidence,
        "alpha": alpha,
        "items": found.items,
        "annotators": found.annotators,
        "questions": found.questions,
        "info": { "cautions": cautions, "problems": found.problems },
    })
}

/// The annotators, the best first, and what to ask next.
fn print(found: &Crowd, lang: Lang) -> anyhow::Result<()> {
    annotators(found, lang)?;
    if found.questions.is_empty() {
        return Ok(());
    }
    let rows = found.questions.iter().map(|question| {
        let whom =
            question.annotator.clone().unwrap_or_else(|| lang.pick("someone new", "新的标注员").to_owned());
        vec![question.item.clone(), whom, format!("{:.3}", question.score)]
    });
    show::line("")?;
    let header =
        [lang.pick("ask about", "再问"), lang.pick("whom", "问谁"), lang.pick("sure so far", "目前的把握")];
    show::table(&header, rows.collect())
}

fn annotators(found: &Crowd, lang: Lang) -> anyhow::Result<()> {
    let mut people: Vec<_> = found.annotators.iter().collect();
    people.sort_by(|a, b| b.accuracy.total_cmp(&a.accuracy));
    let has_times = people.iter().any(|person| person.change.is_some());
    let rows = people.iter().take(SHOWN).map(|person| {
        let confused = person
            .confusions
            .first()
            .map_or_else(String::new, |(truth, said, _)| format!("{truth} → {said}"));
        let mut row = vec![
            person.annotator.clone(),
            person.n_votes.to_string(),
            percent(person.accuracy),
            format!("{} – {}", percent(person.low), percent(person.high)),
            confused,
        ];
        let change = person.change.as_ref().filter(|change| change.is_change);
        let told = |change: &CrowdChange| change.quarters.map(percent).join(" → ");
        row.extend(has_times.then(|| change.map_or_else(String::new, told)));
        row
    });
    let mut header = vec![
        lang.pick("annotator", "标注员"),
        lang.pick("votes", "票数"),
        lang.pick("right", "正确率"),
        "95 %",
        lang.pick("confuses most", "最常混淆"),
    ];
    header.extend(has_times.then(|| lang.pick("changed, by quarters", "前后变化（四段）")));
    show::table(&header, rows.collect())?;
    if people.len() > SHOWN {
        let more = people.len() - SHOWN;
        show::line(
            &lang.pick(format!("and {more} more, with --json"), format!("另有 {more} 位，见 --json")),
        )?;
    }
    Ok(())
}

/// What was done, in numbers.
fn tell(arguments: &Arguments, verb: &ConsensusArguments, found: &Crowd, lang: Lang) {
    let (items, people) = (found.items.len(), found.annotators.len());
    let votes: usize = found.items.iter().map(|item| item.n_votes).sum();
    let method = match found.chosen {
        _ if verb.method.is_some() => &lang.pick(
            format!("by {}, as asked for", found.chosen.name()),
            format!("按指定的 {} 方法", found.chosen.name()),
        ),
        Part::Majority => lang.pick("the plain majority foresees votes best", "简单多数最能预见未见的票"),
        Part::Crowd => lang.pick("annotators weighed by how they agree", "按标注员之间的一致程度加权"),
        Part::Model => lang.pick("the model foresees votes best", "模型最能预见未见的票"),
        Part::Crowdlab => lang.pick(
            "annotators and the model, each by how well it foresees votes",
            "标注员与模型合用，各按其预见未见票的能力加权",
        ),
        Part::DawidSkene | Part::OneCoin | Part::Glad | Part::Mace => found.chosen.name(),
    };
    say(
        arguments,
        &lang.pick(
            format!("Weighed {votes} votes of {people} annotators on {items} items: {method}"),
            format!("汇总了 {people} 位标注员对 {items} 个样本的 {votes} 票：{method}"),
        ),
    );
    match found.alpha {
        Some(alpha) => say(
            arguments,
            &lang.pick(
                format!(
                    "Krippendorff's alpha {:.3} (95 %: {:.3} to {:.3}, n = {}); from 0.8 on labels are good to use, below 0.667 the guideline comes first",
                    alpha.alpha, alpha.low, alpha.high, alpha.n
                ),
                format!(
                    "Krippendorff's alpha {:.3}（95 %：{:.3} 至 {:.3}，n = {}）；0.8 以上可放心使用，0.667 以下应先改标注规则",
                    alpha.alpha, alpha.low, alpha.high, alpha.n
                ),
            ),
        ),
        None => say(
            arguments,
            lang.pick(
                "note: no item with two votes that could differ; agreement cannot be told",
                "注意：没有可比较的重复标注，无法判断一致性",
            ),
        ),
    }
    for caution in &found.cautions {
        say(arguments, &format!("{}{}", lang.pick("note: ", "注意："), caution.in_lang(lang)));
    }
    if let Some(out) = &verb.out {
        say(arguments, &lang.pick(format!("Table: {}", out.display()), format!("表格：{}", out.display())));
    }
}
