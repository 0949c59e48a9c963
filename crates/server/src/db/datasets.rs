//! Data sets and their classes.

use std::collections::HashMap;

use sqlx::{Any, Transaction};

use super::book::forget_note;
use super::{Db, Tenant, markings, room, uploads, votes};
use crate::clock::now;
use crate::ids::new_id;
use crate::marks;
use crate::tasks::{Task, inside};

row! {
    /// A data set with its counts.
    #[derive(Debug, Clone)]
    pub(crate) struct DatasetRow {
        pub(crate) id: String,
        pub(crate) name: String,
        /// `image`, `text`, `sound`, `video`, `series` or `senses`; absent while it is empty.
        pub(crate) modality: Option<String>,
        /// `class`, `classes` or `number`.
        pub(crate) task: String,
        pub(crate) seq: i64,
        pub(crate) created_at: i64,
        pub(crate) updated_at: i64,
        pub(crate) n_examples: i64,
        pub(crate) n_labelled: i64,
        pub(crate) n_marked: i64,
        pub(crate) n_problems: i64,
        /// How many people are asked about each example.
        pub(crate) annotators: i64,
        /// 1 where who labels does not see what others said.
        pub(crate) blind: i64,
        /// Where examples have several, as JSON.
        pub(crate) senses: Option<String>,
    }
}

const DATASET: &str = "SELECT d.id, d.name, d.modality, d.task, d.annotators, d.blind, d.senses, d.seq, d.created_at, d.updated_at, \
     (SELECT COUNT(*) FROM example e WHERE e.dataset = d.id AND e.removed = 0) AS n_examples, \
     (SELECT COUNT(*) FROM example e WHERE e.dataset = d.id AND e.removed = 0 AND e.label IS NOT NULL) AS n_labelled, \
     (SELECT COUNT(*) FROM example e WHERE e.dataset = d.id AND e.removed = 0 AND e.marks IS NOT NULL) AS n_marked, \
     (SELECT COUNT(*) FROM problem p WHERE p.dataset = d.id) AS n_problems FROM dataset d";

impl Db {
    pub(crate) async fn add_dataset(
        &self,
        tenant: &Tenant,
        name: &str,
        task: Task,
    ) -> Result<String, sqlx::Error> {
        let id = new_id();
        let insert = "INSERT INTO dataset (id, tenant, name, task, seq, created_at, updated_at) VALUES ($1, $2, $3, $5, 0, $4, $4)";
        let ask = sqlx::query(insert).bind(&id).bind(tenant.id()).bind(name).bind(now()).bind(task.name());
        ask.execute(&mut *self.of(tenant).await?).await?;
        Ok(id)
    }

    /// Asks another question; `false` when somebody ever answered, or the tenant has no such set.
    pub(crate) async fn set_task(
        &self,
        tenant: &Tenant,
        dataset: &str,
        task: Task,
    ) -> Result<bool, sqlx::Error> {
        // An answer that was taken away may come back.
        let sql = "UPDATE dataset SET task = $3 WHERE tenant = $1 AND id = $2 \
             AND (task = $3 OR NOT EXISTS (SELECT 1 FROM label_event WHERE dataset = $2 AND what = 'label'))";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(task.name());
        Ok(ask.execute(&mut *self.of(tenant).await?).await?.rows_affected() == 1)
    }

    /// Asks so many people about each example, and shows them what others said or not; `false` when the tenant has no such set.
    pub(crate) async fn set_annotators(
        &self,
        tenant: &Tenant,
        dataset: &str,
        annotators: i64,
        blind: bool,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(false) };
        if annotators > 1 && !held.several {
            votes::begin(&mut tx, tenant, &held).await?;
            markings::begin(&mut tx, tenant, dataset).await?;
        }
        let sql = "UPDATE dataset SET annotators = $3, blind = $4 WHERE tenant = $1 AND id = $2";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(annotators).bind(i64::from(blind));
        ask.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The smallest and the largest of the answers, where they are numbers.
    pub(crate) async fn range(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Option<(f64, f64)>, sqlx::Error> {
        // PostgreSQL refuses the whole question for one answer that is no number.
        let number =
            if self.is_sqlite() { "label" } else { "CASE WHEN label ~ '^[-+0-9.eE]+$' THEN label END" };
        let sql = format!(
            "SELECT MIN(CAST({number} AS DOUBLE PRECISION)), MAX(CAST({number} AS DOUBLE PRECISION)) FROM example \
             WHERE tenant = $1 AND dataset = $2 AND removed = 0 AND label IS NOT NULL"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        let (low, high): (Option<f64>, Option<f64>) = ask.fetch_one(&mut *self.of(tenant).await?).await?;
        Ok(low.zip(high))
    }

    pub(crate) async fn datasets(&self, tenant: &Tenant) -> Result<Vec<DatasetRow>, sqlx::Error> {
        let sql = format!("{DATASET} WHERE d.tenant = $1 ORDER BY d.updated_at DESC, d.id");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    pub(crate) async fn dataset(&self, tenant: &Tenant, id: &str) -> Result<Option<DatasetRow>, sqlx::Error> {
        let sql = format!("{DATASET} WHERE d.tenant = $1 AND d.id = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(id)
            .fetch_optional(&mut *self.of(tenant).await?)
            .await
    }

    pub(crate) async fn rename_dataset(
        &self,
        tenant: &Tenant,
        id: &str,
        name: &str,
    ) -> Result<bool, sqlx::Error> {
        let sql = "UPDATE dataset SET name = $3, updated_at = $4 WHERE tenant = $1 AND id = $2";
        let done = sqlx::query(sql)
            .bind(tenant.id())
            .bind(id)
            .bind(name)
            .bind(now())
            .execute(&mut *self.of(tenant).await?)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a data set out with everything in it; models made of it stay.
    pub(crate) async fn remove_dataset(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        if hold(&mut tx, tenant, id).await?.is_none() {
            return Ok(false);
        }
        // Before their uploads, as whoever ends one.
        let sql = "UPDATE job SET version = version WHERE tenant = $1 AND dataset = $2";
        sqlx::query(sql).bind(tenant.id()).bind(id).execute(&mut *tx).await?;
        uploads::forget_of(&mut tx, tenant, id).await?;
        room::leave(&mut tx, tenant, id).await?;
        // What answers goes on answering, and keeps nothing any more.
        let sql = "UPDATE deployment SET collects = NULL WHERE tenant = $1 AND collects = $2";
        sqlx::query(sql).bind(tenant.id()).bind(id).execute(&mut *tx).await?;
        let sql = "DELETE FROM dataset WHERE tenant = $1 AND id = $2";
        sqlx::query(sql).bind(tenant.id()).bind(id).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The classes in their order, each with the number of its examples.
    pub(crate) async fn classes(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<(String, i64)>, sqlx::Error> {
        let sql = "SELECT c.name, d.task FROM class c JOIN dataset d ON d.id = c.dataset \
             WHERE c.tenant = $1 AND c.dataset = $2 ORDER BY c.position, c.name";
        let rows: Vec<(String, String)> = sqlx::query_as(sql)
            .bind(tenant.id())
            .bind(dataset)
            .fetch_all(&mut *self.of(tenant).await?)
            .await?;
        let Some(task) = rows.first().and_then(|(_, task)| Task::named(task).ok()) else {
            return Ok(Vec::new());
        };
        // One scan, whatever the number of classes: several labels are few different sets.
        let sql = "SELECT label, COUNT(*) FROM example WHERE tenant = $1 AND dataset = $2 AND removed = 0 \
             AND label IS NOT NULL GROUP BY label";
        let labels: Vec<(String, i64)> = if task == Task::Number {
            Vec::new()
        } else {
            sqlx::query_as(sql)
                .bind(tenant.id())
                .bind(dataset)
                .fetch_all(&mut *self.of(tenant).await?)
                .await?
        };
        let mut counts: HashMap<&str, i64> = HashMap::new();
        for (label, count) in &labels {
            task.classes(label).into_iter().for_each(|class| *counts.entry(class).or_default() += count);
        }
        let counted =
            |(name, _): &(String, String)| (name.clone(), counts.get(name.as_str()).copied().unwrap_or(0));
        Ok(rows.iter().map(counted).collect())
    }

    pub(crate) async fn add_class(
        &self,
        tenant: &Tenant,
        dataset: &str,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        hold(&mut tx, tenant, dataset).await?;
        with_class(&mut tx, tenant, dataset, name).await?;
        tx.commit().await
    }

    /// Takes a class out that no example, vote or mark has. `false` when one has it, or there is no such class. What several people said and
    /// marked does not count while one is asked: nobody sees it.
    pub(crate) async fn remove_class(
        &self,
        tenant: &Tenant,
        dataset: &str,
        name: &str,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        hold(&mut tx, tenant, dataset).await?;
        let sql = "SELECT marks FROM example WHERE tenant = $1 AND dataset = $2 AND marks IS NOT NULL \
             UNION ALL SELECT m.marks FROM marking m JOIN dataset d ON d.id = m.dataset AND d.annotators > 1 \
             WHERE m.tenant = $1 AND m.dataset = $2";
        let marked: Vec<String> =
            sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut *tx).await?;
        if marked.iter().any(|kept| marks::classes(kept).iter().any(|class| class == name)) {
            return Ok(false);
        }
        let sql = "DELETE FROM class WHERE tenant = $1 AND dataset = $2 AND name = $3 \
             AND NOT EXISTS (SELECT 1 FROM example e WHERE e.dataset = $2 AND e.removed = 0 \
             AND (e.label = $3 OR REPLACE(e.label, $4, '') <> e.label)) \
             AND NOT EXISTS (SELECT 1 FROM vote v JOIN dataset d ON d.id = v.dataset AND d.annotators > 1 \
             WHERE v.dataset = $2 AND (v.label = $3 OR REPLACE(v.label, $4, '') <> v.label))";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(name).bind(inside(name));
        let gone = ask.execute(&mut *tx).await?.rows_affected() == 1;
        if gone {
            forget_note(&mut tx, dataset, name).await?;
        }
        tx.commit().await?;
        Ok(gone)
    }

    pub(crate) async fn problems(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<(String, String, String)>, sqlx::Error> {
        let sql =
            "SELECT place, en, zh FROM problem WHERE tenant = $1 AND dataset = $2 ORDER BY seq LIMIT 1000";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut *self.of(tenant).await?).await
    }
}

/// Makes sure that a class is known.
pub(super) async fn with_class(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    name: &str,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO class (tenant, dataset, name, position) \
         SELECT $1, $2, $3, (SELECT COALESCE(MAX(position), -1) + 1 FROM class WHERE dataset = $2) \
         WHERE NOT EXISTS (SELECT 1 FROM class WHERE dataset = $2 AND name = $3) \
         AND EXISTS (SELECT 1 FROM dataset WHERE id = $2 AND tenant = $1)";
    sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(name).execute(&mut **tx).await?;
    Ok(())
}

/// Takes the next numbers in the life of a data set, and returns the last of them; `None` when the tenant has no such set.
pub(super) async fn next_seqs(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    count: i64,
) -> Result<Option<i64>, sqlx::Error> {
    let sql =
        "UPDATE dataset SET seq = seq + $4, updated_at = $3 WHERE tenant = $1 AND id = $2 RETURNING seq";
    let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(now()).bind(count);
    ask.fetch_optional(&mut **tx).await
}

/// A data set that nobody else changes until the transaction ends.
pub(super) struct Held {
    pub(super) dataset: String,
    /// The number of its last change.
    pub(super) seq: i64,
    pub(super) task: Task,
    /// Whether several people are asked about each example.
    pub(super) several: bool,
}

/// Keeps everybody else from changing a data set until the transaction ends; `None` when the tenant has no such set.
pub(super) async fn hold(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
) -> Result<Option<Held>, sqlx::Error> {
    // An update of nothing takes the lock on either database.
    let sql = "UPDATE dataset SET seq = seq WHERE tenant = $1 AND id = $2 RETURNING seq, task, annotators";
    let row: Option<(i64, String, i64)> =
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_optional(&mut **tx).await?;
    Ok(row.map(|(seq, task, annotators)| Held {
        dataset: dataset.to_owned(),
        seq,
        task: Task::named(&task).unwrap_or(Task::Class),
        several: annotators > 1,
    }))
}
