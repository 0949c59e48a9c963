//! What each person said about each example, and what holds where they differ.

use std::collections::HashMap;

use sqlx::{Any, Transaction};

use super::{Db, Tenant};
use crate::clock::now;

row! {
    /// The last word of one person about one example.
    #[derive(Debug, Clone)]
    pub(crate) struct VoteRow {
        pub(crate) example: String,
        pub(crate) person: String,
        pub(crate) label: String,
    }
}

/// Whose vote a label is that came with the data.
pub(super) const NOBODY: &str = "";

const VOTE: &str =
    "SELECT v.example, v.person, v.label FROM vote v JOIN example e ON e.id = v.example AND e.removed = 0";

impl Db {
    /// All votes about the examples of a data set, in the order of the examples.
    pub(crate) async fn votes(&self, tenant: &Tenant, dataset: &str) -> Result<Vec<VoteRow>, sqlx::Error> {
        let sql = format!(
            "{VOTE} WHERE v.tenant = $1 AND v.dataset = $2 AND v.person <> '' ORDER BY e.position, e.id, v.at, v.person"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// The votes about one example, the oldest first.
    pub(crate) async fn votes_about(
        &self,
        tenant: &Tenant,
        example: &str,
    ) -> Result<Vec<VoteRow>, sqlx::Error> {
        let sql = format!(
            "{VOTE} WHERE v.tenant = $1 AND v.example = $2 AND v.person <> '' ORDER BY v.at, v.person"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(example)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// What one person said in a data set, by example.
    pub(crate) async fn votes_by(
        &self,
        tenant: &Tenant,
        dataset: &str,
        person: &str,
    ) -> Result<HashMap<String, String>, sqlx::Error> {
        let sql = "SELECT example, label FROM vote WHERE tenant = $1 AND dataset = $2 AND person = $3";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(dataset).bind(person);
        let rows: Vec<(String, String)> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
        Ok(rows.into_iter().collect())
    }

    /// Examples that somebody else answered about, that still want an answer, and that this person has not seen, the first asked first.
    pub(crate) async fn half_voted(
        &self,
        tenant: &Tenant,
        dataset: &str,
        person: &str,
        limit: i64,
    ) -> Result<Vec<String>, sqlx::Error> {
        let sql = "SELECT v.example FROM vote v JOIN example e ON e.id = v.example AND e.removed = 0 AND e.decided = 0 \
             WHERE v.tenant = $1 AND v.dataset = $2 AND v.person <> '' GROUP BY v.example \
             HAVING COUNT(*) < (SELECT annotators FROM dataset WHERE id = $2) \
             AND SUM(CASE WHEN v.person = $3 THEN 1 ELSE 0 END) = 0 ORDER BY MIN(v.at), v.example LIMIT $4";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(person).bind(limit);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }
}

/// The last word of a person about an example.
pub(super) async fn vote_of(
    tx: &mut Transaction<'static, Any>,
    example: &str,
    person: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT label FROM vote WHERE example = $1 AND person = $2";
    sqlx::query_scalar(sql).bind(example).bind(person).fetch_optional(&mut **tx).await
}

/// Who said this about an example first; `None` where it came with the data.
pub(super) async fn voter(
    tx: &mut Transaction<'static, Any>,
    example: &str,
    label: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql =
        "SELECT person FROM vote WHERE example = $1 AND label = $2 AND person <> $3 ORDER BY at LIMIT 1";
    sqlx::query_scalar(sql).bind(example).bind(label).bind(NOBODY).fetch_optional(&mut **tx).await
}

/// Writes down what a person says, or that they say nothing any more.
pub(super) async fn vote(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    (example, person): (&str, &str),
    label: Option<&str>,
) -> Result<(), sqlx::Error> {
    let Some(label) = label else {
        let sql = "DELETE FROM vote WHERE example = $1 AND person = $2";
        return sqlx::query(sql).bind(example).bind(person).execute(&mut **tx).await.map(drop);
    };
    let sql = "INSERT INTO vote (tenant, dataset, example, person, label, at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (example, person) DO UPDATE SET label = excluded.label, at = excluded.at";
    let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(example).bind(person).bind(label);
    ask.bind(now()).execute(&mut **tx).await.map(drop)
}

/// What most say of an example; `None` where nobody says anything, or two answers have as many votes.
pub(super) async fn majority(
    tx: &mut Transaction<'static, Any>,
    example: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT label, COUNT(*) AS n FROM vote WHERE example = $1 GROUP BY label ORDER BY n DESC, label LIMIT 2";
    let counts: Vec<(String, i64)> = sqlx::query_as(sql).bind(example).fetch_all(&mut **tx).await?;
    Ok(match counts.as_slice() {
        [(_, first), (_, second)] if first == second => None,
        [(label, _), ..] => Some(label.clone()),
        [] => None,
    })
}
