//! Examples: found, counted, read whole, and brought in.

use std::collections::{BTreeSet, HashMap};

use sqlx::{Any, Transaction};

use super::datasets::{next_seqs, with_class};
use super::jobs::{Held, end};
use super::{Db, Tenant};
use crate::clock::now;
use crate::ids::new_id;

row! {
    /// An example as it stands.
    #[derive(Debug, Clone)]
    pub(crate) struct ExampleRow {
        pub(crate) id: String,
        pub(crate) dataset: String,
        pub(crate) name: String,
        pub(crate) blob: Option<String>,
        pub(crate) body: Option<String>,
        pub(crate) part_group: Option<String>,
        pub(crate) label: Option<String>,
        pub(crate) label_by: Option<String>,
    }
}

/// Which examples are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) label: Option<String>,
    pub(crate) labelled: Option<bool>,
    /// What the name or the text must contain.
    pub(crate) words: Option<String>,
}

/// An example that comes in.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) name: String,
    pub(crate) blob: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) label: Option<String>,
}

/// What could not be brought in, and why, in both languages.
#[derive(Debug, Clone)]
pub(crate) struct LeftOut {
    pub(crate) place: String,
    pub(crate) en: String,
    pub(crate) zh: String,
}

/// Everything that one import brings.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) modality: String,
    pub(crate) examples: Vec<Incoming>,
    pub(crate) left_out: Vec<LeftOut>,
}

const EXAMPLE: &str = "SELECT id, dataset, name, blob, body, part_group, label, label_by FROM example";

/// Which of them: any of the last three may be absent.
const WANTED: &str = "WHERE removed = 0 AND tenant = $1 AND dataset = $2 AND ($3 IS NULL OR label = $3) \
     AND ($4 IS NULL OR (CASE WHEN label IS NULL THEN 0 ELSE 1 END) = $4) \
     AND ($5 IS NULL OR LOWER(name) LIKE $5 OR LOWER(body) LIKE $5)";

impl Db {
    pub(crate) async fn example(&self, tenant: &Tenant, id: &str) -> Result<Option<ExampleRow>, sqlx::Error> {
        let sql = format!("{EXAMPLE} WHERE tenant = $1 AND id = $2 AND removed = 0");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(id).fetch_optional(&self.pool).await
    }

    /// One page of the examples that are wanted, in their order, and how many there are.
    pub(crate) async fn page(
        &self,
        tenant: &Tenant,
        dataset: &str,
        wanted: &Wanted,
        offset: i64,
        limit: i64,
    ) -> Result<(Vec<ExampleRow>, i64), sqlx::Error> {
        let words =
            wanted.words.as_ref().map(|words| format!("%{}%", words.to_lowercase().replace(['%', '_'], "")));
        let labelled = wanted.labelled.map(i64::from);
        let sql = format!("SELECT COUNT(*) FROM example {WANTED}");
        let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .bind(wanted.label.as_deref())
            .bind(labelled)
            .bind(words.as_deref())
            .fetch_one(&self.pool)
            .await?;
        let sql = format!("{EXAMPLE} {WANTED} ORDER BY position, id LIMIT $6 OFFSET $7");
        let page = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .bind(wanted.label.as_deref())
            .bind(labelled)
            .bind(words.as_deref())
            .bind(limit)
            .bind(offset)
            .fetch_all(&self.pool)
            .await?;
        Ok((page, total))
    }

    /// Every example of a data set, in their order.
    pub(crate) async fn all_examples(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<ExampleRow>, sqlx::Error> {
        let sql =
            format!("{EXAMPLE} WHERE tenant = $1 AND dataset = $2 AND removed = 0 ORDER BY position, id");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset).fetch_all(&self.pool).await
    }

    /// The label of every example, and whether it was drawn at random or came with its label (1).
    pub(crate) async fn labels(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<(String, Option<String>, i64)>, sqlx::Error> {
        let sql = "SELECT id, label, drawn FROM example WHERE tenant = $1 AND dataset = $2 AND removed = 0";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&self.pool).await
    }

    /// Those of the examples that the tenant has, in the order asked for.
    pub(crate) async fn examples_by_id(
        &self,
        tenant: &Tenant,
        ids: &[String],
    ) -> Result<Vec<ExampleRow>, sqlx::Error> {
        let mut found = HashMap::new();
        // SQLite takes some thirty thousand values at once; a page is far below.
        for ids in ids.chunks(500) {
            let places: Vec<String> = (2..ids.len() + 2).map(|place| format!("${place}")).collect();
            let sql =
                format!("{EXAMPLE} WHERE removed = 0 AND tenant = $1 AND id IN ({})", places.join(", "));
            let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id());
            let ask = ids.iter().fold(ask, |ask, id| ask.bind(id));
            let rows: Vec<ExampleRow> = ask.fetch_all(&self.pool).await?;
            found.extend(rows.into_iter().map(|row| (row.id.clone(), row)));
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Brings examples in and ends the job that does so, all or nothing: labels become events, classes are made known. A name that is
    /// there already is not brought in twice. Returns how many came; `None` when the job is no longer held, or the data set is gone.
    pub(crate) async fn bring_in(
        &self,
        tenant: &Tenant,
        dataset: &str,
        arrived: &Arrived,
        held: &Held,
    ) -> Result<Option<usize>, sqlx::Error> {
        let mut tx = self.begin().await?;
        if !held.still(&mut tx).await? {
            return Ok(None);
        }
        let sql = "UPDATE dataset SET modality = $3 WHERE tenant = $1 AND id = $2";
        sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(&arrived.modality).execute(&mut *tx).await?;
        let count = (arrived.examples.len() + arrived.left_out.len() + 1) as i64;
        let Some(last) = next_seqs(&mut tx, tenant, dataset, count).await? else { return Ok(None) };
        let mut seqs = last - count + 1..;
        let labels: BTreeSet<&str> =
            arrived.examples.iter().filter_map(|example| example.label.as_deref()).collect();
        for label in labels {
            with_class(&mut tx, tenant, dataset, label).await?;
        }
        let last = "SELECT COALESCE(MAX(position), -1) FROM example WHERE dataset = $1";
        let mut position: i64 = sqlx::query_scalar(last).bind(dataset).fetch_one(&mut *tx).await?;
        let mut n_new = 0;
        for (example, seq) in arrived.examples.iter().zip(seqs.by_ref()) {
            if add(&mut tx, tenant, dataset, example, position + 1, seq).await? {
                (position, n_new) = (position + 1, n_new + 1);
            }
        }
        for (problem, seq) in arrived.left_out.iter().zip(seqs) {
            let sql =
                "INSERT INTO problem (tenant, dataset, seq, place, en, zh) VALUES ($1, $2, $3, $4, $5, $6)";
            sqlx::query(sql)
                .bind(tenant.id())
                .bind(dataset)
                .bind(seq)
                .bind(&problem.place)
                .bind(&problem.en)
                .bind(&problem.zh)
                .execute(&mut *tx)
                .await?;
        }
        let result =
            serde_json::json!({ "n_examples": n_new, "n_problems": arrived.left_out.len() }).to_string();
        end(&mut tx, held, "done", Some(&result), None).await?;
        tx.commit().await?;
        Ok(Some(n_new))
    }

    /// Takes an example out of sight, or brings it back; its events stay. `false` when nothing changed.
    pub(crate) async fn remove_example(
        &self,
        tenant: &Tenant,
        id: &str,
        gone: bool,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE example SET removed = $3 WHERE tenant = $1 AND id = $2 AND removed <> $3 RETURNING dataset";
        let dataset: Option<String> = sqlx::query_scalar(sql)
            .bind(tenant.id())
            .bind(id)
            .bind(i64::from(gone))
            .fetch_optional(&mut *tx)
            .await?;
        let Some(dataset) = dataset else { return Ok(false) };
        next_seqs(&mut tx, tenant, &dataset, 1).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Adds an example with the event of its label; `false` when the name is there already.
async fn add(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    example: &Incoming,
    position: i64,
    seq: i64,
) -> Result<bool, sqlx::Error> {
    let insert = "INSERT INTO example (id, tenant, dataset, position, name, blob, body, part_group, label) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (dataset, name) DO NOTHING";
    let id = new_id();
    let done = sqlx::query(insert)
        .bind(&id)
        .bind(tenant.id())
        .bind(dataset)
        .bind(position)
        .bind(&example.name)
        .bind(example.blob.as_deref())
        .bind(example.body.as_deref())
        .bind(example.group.as_deref())
        .bind(example.label.as_deref())
        .execute(&mut **tx)
        .await?;
    if done.rows_affected() == 1
        && let Some(label) = &example.label
    {
        let event = "INSERT INTO label_event (tenant, dataset, seq, example, label, at) VALUES ($1, $2, $3, $4, $5, $6)";
        let ask =
            sqlx::query(event).bind(tenant.id()).bind(dataset).bind(seq).bind(&id).bind(label).bind(now());
        ask.execute(&mut **tx).await?;
    }
    Ok(done.rows_affected() == 1)
}
