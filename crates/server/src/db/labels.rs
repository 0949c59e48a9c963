//! Labels: events that are never changed, and what they add up to.

use sqlx::{Any, Transaction};

use super::datasets::{hold, next_seqs, with_class};
use super::{Db, Tenant};
use crate::clock::now;

/// What somebody says about an example.
#[derive(Debug, Clone)]
pub(crate) struct Said<'a> {
    pub(crate) example: &'a str,
    /// `None` takes the label away.
    pub(crate) label: Option<&'a str>,
    pub(crate) person: &'a str,
    pub(crate) milliseconds: Option<i64>,
    /// Whether it was drawn at random to be labelled.
    pub(crate) drawn: bool,
    pub(crate) act: Act,
}

/// Why a label was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Somebody labelled.
    Give,
    /// Somebody decided about a finding.
    Decide,
    /// A label was taken back.
    Undo,
}

impl Act {
    fn name(self) -> &'static str {
        match self {
            Self::Give => "give",
            Self::Decide => "decide",
            Self::Undo => "undo",
        }
    }
}

row! {
    /// An event, with the example's name.
    #[derive(Debug, Clone)]
    pub(crate) struct EventRow {
        pub(crate) seq: i64,
        pub(crate) example: String,
        pub(crate) example_name: String,
        pub(crate) label: Option<String>,
        pub(crate) before: Option<String>,
        pub(crate) person: Option<String>,
        pub(crate) undoes: Option<i64>,
        pub(crate) at: i64,
    }
}

impl Db {
    /// Gives examples their labels, all or none, and returns the number of the last event. A label that an example has already makes
    /// no event, so that a request that is repeated does nothing twice. `None` when the tenant has no such example in this data set.
    pub(crate) async fn label(
        &self,
        tenant: &Tenant,
        dataset: &str,
        said: &[Said<'_>],
    ) -> Result<Option<i64>, sqlx::Error> {
        let mut tx = self.begin().await?;
        let Some(mut seq) = hold(&mut tx, tenant, dataset).await? else { return Ok(None) };
        for said in said {
            match write(&mut tx, tenant, dataset, said, None).await? {
                Some(written) => seq = written.max(seq),
                None => return Ok(None),
            }
        }
        tx.commit().await?;
        Ok(Some(seq))
    }

    /// Takes back the last label that this person gave, did not take back yet, and that nobody has changed since. Returns the example
    /// and the label; `None` when none is left.
    pub(crate) async fn undo(
        &self,
        tenant: &Tenant,
        dataset: &str,
        person: &str,
    ) -> Result<Option<(String, Option<String>)>, sqlx::Error> {
        let mut tx = self.begin().await?;
        if hold(&mut tx, tenant, dataset).await?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT l.seq, l.example, l.label, l.before FROM label_event l JOIN example e ON e.id = l.example \
             WHERE l.tenant = $1 AND l.dataset = $2 AND l.person = $3 AND l.act = 'give' \
             AND e.removed = 0 AND e.label IS NOT DISTINCT FROM l.label \
             AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.dataset = l.dataset AND u.undoes = l.seq) \
             ORDER BY l.seq DESC LIMIT 1";
        let last: Option<(i64, String, Option<String>, Option<String>)> =
            sqlx::query_as(sql).bind(tenant.id()).bind(dataset).bind(person).fetch_optional(&mut *tx).await?;
        let Some((seq, example, label, before)) = last else { return Ok(None) };
        let (drawn, act) = (false, Act::Undo);
        let said =
            Said { example: &example, label: before.as_deref(), person, milliseconds: None, drawn, act };
        write(&mut tx, tenant, dataset, &said, Some(seq)).await?;
        tx.commit().await?;
        Ok(Some((example, label)))
    }

    /// Gives every example of one class another, as events of their own. `false` when there is no such class.
    pub(crate) async fn rename_class(
        &self,
        tenant: &Tenant,
        dataset: &str,
        name: &str,
        to: &str,
        person: &str,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin().await?;
        hold(&mut tx, tenant, dataset).await?;
        let sql = "SELECT position FROM class WHERE tenant = $1 AND dataset = $2 AND name = $3";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(name);
        let Some(position): Option<i64> = ask.fetch_optional(&mut *tx).await? else { return Ok(false) };
        // Those out of sight as well: one that comes back has a class that is there.
        let sql = "SELECT COUNT(*) FROM example WHERE dataset = $1 AND label = $2";
        let count: i64 = sqlx::query_scalar(sql).bind(dataset).bind(name).fetch_one(&mut *tx).await?;
        let last = next_seqs(&mut tx, tenant, dataset, count).await?.unwrap_or(0);
        with_class(&mut tx, tenant, dataset, to).await?;
        let events = "INSERT INTO label_event (tenant, dataset, seq, example, person, label, before, act, at) \
             SELECT $1, $2, $3 + ROW_NUMBER() OVER (ORDER BY position), id, $4, $5, $6, 'rename', $7 \
             FROM example WHERE dataset = $2 AND label = $6";
        let ask = sqlx::query(events).bind(tenant.id()).bind(dataset).bind(last - count).bind(person);
        ask.bind(to).bind(name).bind(now()).execute(&mut *tx).await?;
        let sql = "UPDATE example SET label = $3, label_by = $4 WHERE dataset = $1 AND label = $2";
        sqlx::query(sql).bind(dataset).bind(name).bind(to).bind(person).execute(&mut *tx).await?;
        let sql = "DELETE FROM class WHERE dataset = $1 AND name = $2";
        sqlx::query(sql).bind(dataset).bind(name).execute(&mut *tx).await?;
        // A new name stands where the old one stood; one that was there stays where it is.
        let sql = "UPDATE class SET position = $3 WHERE dataset = $1 AND name = $2 AND position > $3";
        sqlx::query(sql).bind(dataset).bind(to).bind(position).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The last events, the newest first.
    pub(crate) async fn events(
        &self,
        tenant: &Tenant,
        dataset: &str,
        example: Option<&str>,
        limit: i64,
    ) -> Result<Vec<EventRow>, sqlx::Error> {
        let sql = "SELECT l.seq, l.example, e.name AS example_name, l.label, l.before, p.name AS person, l.undoes, l.at \
             FROM label_event l JOIN example e ON e.id = l.example LEFT JOIN person p ON p.id = l.person \
             WHERE l.tenant = $1 AND l.dataset = $2 AND ($3 IS NULL OR l.example = $3) ORDER BY l.seq DESC LIMIT $4";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(dataset).bind(example).bind(limit);
        ask.fetch_all(&self.pool).await
    }

    pub(crate) async fn n_labelled(&self, tenant: &Tenant, dataset: &str) -> Result<i64, sqlx::Error> {
        let sql = "SELECT COUNT(*) FROM example WHERE tenant = $1 AND dataset = $2 AND removed = 0 AND label IS NOT NULL";
        sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).fetch_one(&self.pool).await
    }
}

/// Writes one event and what it adds up to, in a transaction that holds the data set. Returns its number, 0 where nothing changed.
async fn write(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    said: &Said<'_>,
    undoes: Option<i64>,
) -> Result<Option<i64>, sqlx::Error> {
    let sql = "SELECT label FROM example WHERE tenant = $1 AND dataset = $2 AND id = $3 AND removed = 0";
    let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(said.example);
    let before: Option<Option<String>> = ask.fetch_optional(&mut **tx).await?;
    let Some(before) = before else { return Ok(None) };
    if before.as_deref() == said.label && undoes.is_none() {
        return Ok(Some(0));
    }
    let Some(seq) = next_seqs(tx, tenant, dataset, 1).await? else { return Ok(None) };
    if let Some(label) = said.label {
        with_class(tx, tenant, dataset, label).await?;
    }
    let event = "INSERT INTO label_event (tenant, dataset, seq, example, person, label, before, milliseconds, undoes, act, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    sqlx::query(event)
        .bind(tenant.id())
        .bind(dataset)
        .bind(seq)
        .bind(said.example)
        .bind(said.person)
        .bind(said.label)
        .bind(before.as_deref())
        .bind(said.milliseconds)
        .bind(undoes)
        .bind(said.act.name())
        .bind(now())
        .execute(&mut **tx)
        .await?;
    let sql = "UPDATE example SET label = $1, label_by = $2, drawn = CASE WHEN $3 = 1 THEN 1 ELSE drawn END WHERE id = $4";
    let by = said.label.map(|_| said.person);
    let ask = sqlx::query(sql).bind(said.label).bind(by).bind(i64::from(said.drawn)).bind(said.example);
    ask.execute(&mut **tx).await?;
    Ok(Some(seq))
}
