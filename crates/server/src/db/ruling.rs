//! A case gets its rule: all its examples at once, with the entry of the book, or not at all; and the same taken back.

use serde::{Deserialize, Serialize};
use sqlx::{Any, Transaction};

use super::book::strike;
use super::datasets::{Held, hold, next_seqs};
use super::deciding::note;
use super::labels::{Act, Said, What};
use super::presence::remove;
use super::saying::say;
use super::{Db, Tenant};

/// What was decided about a case.
pub(crate) struct Ruling<'a> {
    /// The number of the finding, and the time of its audit.
    pub(crate) finding: (i64, i64),
    /// The entry of the book, as JSON, with its base and how many features it holds.
    pub(crate) body: &'a str,
    pub(crate) base: &'a str,
    pub(crate) dim: i64,
    /// Only examples that have one of these labels still are touched: what somebody said meanwhile stays.
    pub(crate) classes: (&'a str, &'a str),
    /// Examples with the label that each gets; `None` takes it out of sight.
    pub(crate) gives: &'a [(String, Option<String>)],
    pub(crate) person: &'a str,
}

/// What held of an example before a rule, or a decision about it alone, changed it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Was {
    pub(super) example: String,
    pub(super) label: Option<String>,
    pub(super) label_by: Option<String>,
    pub(super) decided: i64,
    /// What it got instead; `None` where it went out of sight.
    pub(super) gave: Option<String>,
}

/// How keeping a case ended.
#[derive(Debug)]
pub(crate) enum Keeping {
    /// With the number of the rule that was taken back, if there was one.
    Kept(Option<i64>),
    /// It has a rule, which the person may not take back.
    NotAllowed,
    /// The data were looked through again.
    Renewed,
}

impl Db {
    /// A finding that wants a rule, as JSON.
    pub(crate) async fn conflict_case(
        &self,
        tenant: &Tenant,
        dataset: &str,
        number: i64,
    ) -> Result<Option<String>, sqlx::Error> {
        let sql = "SELECT body FROM conflict_case WHERE tenant = $1 AND dataset = $2 AND number = $3";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(number);
        ask.fetch_optional(&mut *self.of(tenant).await?).await
    }

    /// The rules that were decided on since the last audit, by the number of their finding.
    pub(crate) async fn ruled(&self, tenant: &Tenant, dataset: &str) -> Result<Vec<(i64, i64)>, sqlx::Error> {
        let sql =
            "SELECT number, rule FROM conflict_case WHERE tenant = $1 AND dataset = $2 AND rule IS NOT NULL";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Gives a case its rule, in place of one that it had. Returns the number of the rule; `None` when the data were looked through again.
    pub(crate) async fn rule(
        &self,
        tenant: &Tenant,
        dataset: &str,
        ruling: &Ruling<'_>,
    ) -> Result<Option<i64>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(None) };
        if !restore(&mut tx, tenant, &held, ruling.finding, ruling.person).await? {
            return Ok(None);
        }
        let mut before = Vec::new();
        for (example, label) in ruling.gives {
            before
                .extend(change(&mut tx, tenant, &held, ruling, (example.as_str(), label.as_deref())).await?);
        }
        let sql = "SELECT COALESCE(MAX(number), 0) + 1 FROM book_rule WHERE dataset = $1";
        let number: i64 = sqlx::query_scalar(sql).bind(dataset).fetch_one(&mut *tx).await?;
        let seq = next_seqs(&mut tx, tenant, dataset, 1).await?.unwrap_or(0);
        let sql = "INSERT INTO book_rule (tenant, dataset, number, base, dim, body, changed) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(number).bind(ruling.base);
        ask.bind(ruling.dim).bind(ruling.body).bind(seq).execute(&mut *tx).await?;
        let before = serde_json::to_string(&before).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let sql = "UPDATE conflict_case SET rule = $3, before = $4 WHERE dataset = $1 AND number = $2";
        let ask = sqlx::query(sql).bind(dataset).bind(ruling.finding.0).bind(number).bind(before);
        ask.execute(&mut *tx).await?;
        note(&mut tx, tenant, dataset, (ruling.finding.0, "ruled", None), ruling.person).await?;
        tx.commit().await?;
        Ok(Some(number))
    }

    /// Keeps a case as it was found: takes back a rule that it got, where the person may.
    pub(crate) async fn keep_case(
        &self,
        tenant: &Tenant,
        dataset: &str,
        finding: (i64, i64),
        person: &str,
        may_take_back: bool,
    ) -> Result<Keeping, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(Keeping::Renewed) };
        let sql = "SELECT rule FROM conflict_case WHERE tenant = $1 AND dataset = $2 AND number = $3";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(finding.0);
        let rule: Option<Option<i64>> = ask.fetch_optional(&mut *tx).await?;
        let rule = rule.flatten();
        if rule.is_some() && !may_take_back {
            return Ok(Keeping::NotAllowed);
        }
        if !restore(&mut tx, tenant, &held, finding, person).await? {
            return Ok(Keeping::Renewed);
        }
        note(&mut tx, tenant, dataset, (finding.0, "kept", None), person).await?;
        tx.commit().await?;
        Ok(Keeping::Kept(rule))
    }
}

/// Gives one example what the rule says of it; `None` where somebody said something else meanwhile.
async fn change(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    ruling: &Ruling<'_>,
    (example, label): (&str, Option<&str>),
) -> Result<Option<Was>, sqlx::Error> {
    let sql = "SELECT label, label_by, decided FROM example WHERE tenant = $1 AND dataset = $2 AND id = $3 AND removed = 0";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(&held.dataset).bind(example);
    let found: Option<(Option<String>, Option<String>, i64)> = ask.fetch_optional(&mut **tx).await?;
    let Some((Some(before), label_by, decided)) = found else { return Ok(None) };
    if before != ruling.classes.0 && before != ruling.classes.1 {
        return Ok(None);
    }
    match label {
        Some(label) => decide(tx, tenant, held, (example, Some(label)), ruling.person).await?,
        None => remove(tx, tenant, held, (example, ruling.person), true).await.map(drop)?,
    }
    let gave = label.map(str::to_owned);
    Ok(Some(Was { example: example.to_owned(), label: Some(before), label_by, decided, gave }))
}

/// Takes back what the rule of a case changed, where it still holds, and the rule. `false` when the data were looked through again.
async fn restore(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    (number, audited): (i64, i64),
    person: &str,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT c.rule, c.before FROM conflict_case c JOIN audit a ON a.dataset = c.dataset \
         WHERE c.tenant = $1 AND c.dataset = $2 AND c.number = $3 AND a.at = $4";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(&held.dataset).bind(number).bind(audited);
    let found: Option<(Option<i64>, Option<String>)> = ask.fetch_optional(&mut **tx).await?;
    let Some((rule, before)) = found else { return Ok(false) };
    let Some((rule, before)) = rule.zip(before) else { return Ok(true) };
    let before: Vec<Was> =
        serde_json::from_str(&before).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    for was in before {
        put_back(tx, tenant, held, &was, person).await?;
    }
    strike(tx, tenant, &held.dataset, rule).await?;
    let sql = "UPDATE conflict_case SET rule = NULL, before = NULL WHERE dataset = $1 AND number = $2";
    sqlx::query(sql).bind(&held.dataset).bind(number).execute(&mut **tx).await?;
    Ok(true)
}

/// Whether what an example got is still so; where somebody said something else since, that stays.
pub(super) fn still_holds(was: &Was, label: Option<&str>, removed: i64) -> bool {
    match &was.gave {
        None => removed == 1,
        Some(gave) => removed == 0 && label == Some(gave),
    }
}

/// Gives an example back what it had, where what it got instead still holds.
pub(super) async fn put_back(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    was: &Was,
    person: &str,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT label, removed FROM example WHERE tenant = $1 AND dataset = $2 AND id = $3";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(&held.dataset).bind(&was.example);
    let found: Option<(Option<String>, i64)> = ask.fetch_optional(&mut **tx).await?;
    let Some((label, removed)) = found else { return Ok(()) };
    if !still_holds(was, label.as_deref(), removed) {
        return Ok(());
    }
    if was.gave.is_none() {
        remove(tx, tenant, held, (&was.example, person), false).await?;
        // It may have got another label before it went.
        if label == was.label {
            return Ok(());
        }
    }
    // Where nobody had decided, what most say holds again.
    let back = was.label.as_deref().filter(|_| !held.several || was.decided == 1);
    decide(tx, tenant, held, (was.example.as_str(), back), person).await?;
    if !held.several {
        let sql = "UPDATE example SET label_by = $1, decided = $2 WHERE id = $3";
        let ask = sqlx::query(sql).bind(was.label_by.as_deref()).bind(was.decided);
        ask.bind(&was.example).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Decides what holds of an example.
pub(super) async fn decide(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    (example, label): (&str, Option<&str>),
    person: &str,
) -> Result<(), sqlx::Error> {
    let said = Said {
        example,
        what: What::Label,
        after: label,
        classes: label.map(|label| held.task.classes(label)).unwrap_or_default(),
        person,
        milliseconds: None,
        drawn: false,
        act: Act::Decide,
    };
    say(tx, tenant, held, &said, None).await.map(drop)
}
