//! A case of two classes that contradict each other gets its rule: for all its examples, and in the label book.

use std::sync::Arc;

use curate::book::{self, Rule};
use pipeline::Lang;
use serde::Serialize;
use utoipa::ToSchema;

use super::book::words;
use super::reading::name_of;
use super::worklist::Decide;
use crate::App;
use crate::clock::{now, written};
use crate::db::ruling::{Keeping, Ruling};
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::worklists::{KeptCase, KeptConflict};

/// A case that wants a rule.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Conflict {
    /// The two classes.
    a: String,
    b: String,
    /// How many examples it has.
    n: usize,
    /// The division by an attribute that is offered, in words.
    split: Option<String>,
}

impl Conflict {
    pub(super) fn of(kept: &KeptConflict, lang: Lang) -> Self {
        let KeptConflict { a, b, n, split } = kept;
        let split = split.as_ref().map(|rule| words(rule, (a, b), lang));
        Self { a: a.clone(), b: b.clone(), n: *n, split }
    }
}

/// Decides about a case: gives it a rule, in place of one that it had, or keeps it as it was found.
pub(super) async fn decide(
    app: &Arc<App>,
    caller: &Caller,
    dataset: &str,
    finding: (i64, i64),
    asked: &Decide,
) -> Result<(), ApiError> {
    let case = app.db.conflict_case(&caller.tenant, dataset, finding.0).await?.ok_or_else(renewed)?;
    match asked.decision.as_str() {
        "rule" => {
            caller.may(Right::Edit)?;
            let kept: KeptCase = serde_json::from_str(&case).map_err(|error| ApiError::internal(&error))?;
            let number = rule(app, caller, dataset, finding, (&kept, asked)).await?;
            let subject = format!("{dataset} {number}");
            app.db.note(&caller.tenant, &caller.person.name, "decide rule", &subject).await?;
        }
        "keep" => {
            let (person, may) = (&caller.person.id, caller.may(Right::Edit).is_ok());
            match app.db.keep_case(&caller.tenant, dataset, finding, person, may).await? {
                Keeping::Kept(rule) => {
                    if let Some(number) = rule {
                        let subject = format!("{dataset} {number}");
                        app.db.note(&caller.tenant, &caller.person.name, "take rule back", &subject).await?;
                    }
                }
                Keeping::NotAllowed => return caller.may(Right::Edit),
                Keeping::Renewed => return Err(renewed()),
            }
        }
        _ => {
            let (en, zh) = (
                "this wants a rule: `decision` is rule or keep",
                "此处需要裁定规则：decision 须为 rule 或 keep",
            );
            return Err(ApiError::invalid(en, zh));
        }
    }
    app.lives.of(app, &caller.tenant, dataset).hear(app).await;
    Ok(())
}

/// Gives a case the rule that was chosen.
async fn rule(
    app: &Arc<App>,
    caller: &Caller,
    dataset: &str,
    finding: (i64, i64),
    (case, asked): (&KeptCase, &Decide),
) -> Result<i64, ApiError> {
    let rule = chosen(case, asked)?;
    let today = written(now());
    let decision = book::Decision {
        rule: &rule,
        author: &caller.person.name,
        date: today.split('T').next().unwrap_or_default(),
        fingerprint: &case.fingerprint,
    };
    let gives: Vec<(String, Option<String>)> = case
        .members
        .iter()
        .filter_map(|member| Some((member.example.clone(), member.label(&rule, &case.draft)?)))
        .collect();
    let body = serde_json::to_string(&case.draft.clone().decided(decision))
        .map_err(|error| ApiError::internal(&error))?;
    let ruling = Ruling {
        finding,
        body: &body,
        base: &case.base,
        dim: i64::try_from(case.draft.region.centroid.len()).map_err(|error| ApiError::internal(&error))?,
        classes: (&case.draft.a, &case.draft.b),
        gives: &gives,
        person: &caller.person.id,
    };
    app.db.rule(&caller.tenant, dataset, &ruling).await?.ok_or_else(renewed)
}

/// The rule that was chosen among those that are offered.
fn chosen(case: &KeptCase, asked: &Decide) -> Result<Rule, ApiError> {
    match asked.rule.as_deref() {
        Some("all_a") => Ok(Rule::AllA),
        Some("all_b") => Ok(Rule::AllB),
        Some("exclude") => Ok(Rule::Exclude),
        Some("split") => {
            let (en, zh) = ("nothing that is known parts these", "没有已知的属性能把它们分开");
            case.split.clone().ok_or_else(|| ApiError::invalid(en, zh))
        }
        Some("new_class") => {
            let missing = || ApiError::invalid("say what the new class is called", "请给出新类别的名称");
            let name = name_of(asked.label.as_deref().ok_or_else(missing)?)?;
            if name == case.draft.a || name == case.draft.b {
                let (en, zh) = ("a new class is neither of the two", "新类别不能是这两个类别之一");
                return Err(ApiError::invalid(en, zh));
            }
            Ok(Rule::NewClass { name })
        }
        _ => {
            let (en, zh) = (
                "`rule` is all_a, all_b, split, new_class or exclude",
                "rule 须为 all_a、all_b、split、new_class 或 exclude",
            );
            Err(ApiError::invalid(en, zh))
        }
    }
}

/// The numbers of another audit mean other things.
pub(super) fn renewed() -> ApiError {
    let (en, zh) = ("the data were looked through again since", "此后数据又被检查过一次");
    ApiError::conflict(en, zh).hint("load the worklist anew", "请重新载入待办列表")
}
