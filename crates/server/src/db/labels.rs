//! Labels: events that are never changed, and what they add up to.

use sqlx::{Any, Transaction};

use super::datasets::{next_seqs, with_class};
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
}

/// An event, with the example's name.
#[derive(Debug, Clone, sqlx::FromRow)]
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

impl Db {
    /// Gives an example a label, and returns the number of the event; `None` when the tenant has no such example in this data set.
    pub(crate) async fn label(
        &self,
        tenant: &Tenant,
        dataset: &str,
        said: &Said<'_>,
    ) -> Result<Option<i64>, sqlx::Error> {
        let mut tx = self.begin().await?;
        let Some(seq) = write(&mut tx, tenant, dataset, said, None).await? else { return Ok(None) };
        tx.commit().await?;
        Ok(Some(seq))
    }

    /// Takes back the last label that this person gave and did not take back yet. Returns the example; `None` when none is left.
    pub(crate) async fn undo(
        &self,
        tenant: &Tenant,
        dataset: &str,
        person: &str,
    ) -> Result<Option<(String, Option<String>)>, sqlx::Error> {
        let mut tx = self.begin().await?;
        let sql = "SELECT seq, example, label, before FROM label_event l WHERE tenant = $1 AND dataset = $2 AND person = $3 \
             AND undoes IS NULL AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.dataset = l.dataset AND u.undoes = l.seq) \
             ORDER BY seq DESC LIMIT 1";
        let last: Option<(i64, String, Option<String>, Option<String>)> =
            sqlx::query_as(sql).bind(tenant.id()).bind(dataset).bind(person).fetch_optional(&mut *tx).await?;
        let Some((seq, example, label, before)) = last else { return Ok(None) };
        let said = Said { example: &example, label: before.as_deref(), person, milliseconds: None };
        if write(&mut tx, tenant, dataset, &said, Some(seq)).await?.is_none() {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some((example, label)))
    }

    /// Gives every example of one class another, as events of their own. Returns how many; `None` when there is no such class.
    pub(crate) async fn rename_class(
        &self,
        tenant: &Tenant,
        dataset: &str,
        name: &str,
        to: &str,
        person: &str,
    ) -> Result<Option<usize>, sqlx::Error> {
        let mut tx = self.begin().await?;
        let sql = "SELECT position FROM class WHERE tenant = $1 AND dataset = $2 AND name = $3";
        let position: Option<i64> = sqlx::query_scalar(sql)
            .bind(tenant.id())
            .bind(dataset)
            .bind(name)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(position) = position else { return Ok(None) };
        let sql = "SELECT id FROM example WHERE tenant = $1 AND dataset = $2 AND label = $3 AND removed = 0 ORDER BY position";
        let examples: Vec<String> =
            sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(name).fetch_all(&mut *tx).await?;
        with_class(&mut tx, tenant, dataset, to).await?;
        for example in &examples {
            let said = Said { example, label: Some(to), person, milliseconds: None };
            write(&mut tx, tenant, dataset, &said, None).await?;
        }
        sqlx::query("DELETE FROM class WHERE dataset = $1 AND name = $2")
            .bind(dataset)
            .bind(name)
            .execute(&mut *tx)
            .await?;
        // A new name stands where the old one stood; one that was there stays where it is.
        let sql = "UPDATE class SET position = $3 WHERE dataset = $1 AND name = $2 AND position > $3";
        sqlx::query(sql).bind(dataset).bind(to).bind(position).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(Some(examples.len()))
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
        sqlx::query_as(sql)
            .bind(tenant.id())
            .bind(dataset)
            .bind(example)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
    }

    pub(crate) async fn n_labelled(&self, tenant: &Tenant, dataset: &str) -> Result<i64, sqlx::Error> {
        let sql = "SELECT COUNT(*) FROM example WHERE tenant = $1 AND dataset = $2 AND removed = 0 AND label IS NOT NULL";
        sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).fetch_one(&self.pool).await
    }
}

async fn write(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    said: &Said<'_>,
    undoes: Option<i64>,
) -> Result<Option<i64>, sqlx::Error> {
    let sql = "SELECT label FROM example WHERE tenant = $1 AND dataset = $2 AND id = $3 AND removed = 0";
    let before: Option<Option<String>> = sqlx::query_scalar(sql)
        .bind(tenant.id())
        .bind(dataset)
        .bind(said.example)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(before) = before else { return Ok(None) };
    let Some(seq) = next_seqs(tx, tenant, dataset, 1).await? else { return Ok(None) };
    if let Some(label) = said.label {
        with_class(tx, tenant, dataset, label).await?;
    }
    let event = "INSERT INTO label_event (tenant, dataset, seq, example, person, label, before, milliseconds, undoes, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
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
        .bind(now())
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE example SET label = $1, label_by = $2 WHERE id = $3")
        .bind(said.label)
        .bind(said.label.map(|_| said.person))
        .bind(said.example)
        .execute(&mut **tx)
        .await?;
    Ok(Some(seq))
}
