//! Models: small ones, made of data sets, with what is known of them.

use std::collections::BTreeSet;

use sqlx::{Any, Transaction};

use super::arriving::Brought;
use super::jobs::{Held, end};
use super::milestones::{Milestone, remember};
use super::room::{Full, Limits, More, change};
use super::{Db, Tenant};

row! {
    /// A model; its bundle and its reports are files.
    #[derive(Debug, Clone)]
    pub(crate) struct ModelRow {
        pub(crate) id: String,
        pub(crate) dataset: String,
        pub(crate) name: String,
        /// Everything that was measured, as JSON.
        pub(crate) body: String,
        /// Of its files.
        pub(crate) bytes: Option<i64>,
        pub(crate) created_at: i64,
        /// The state of the data that taught it; absent where that is not known.
        pub(crate) seq: Option<i64>,
    }
}

const MODEL: &str = "SELECT id, dataset, name, body, bytes, created_at, seq FROM model";

impl Db {
    /// Makes a model known and ends the job that made it, both or neither.
    pub(crate) async fn add_model(
        &self,
        tenant: &Tenant,
        row: &ModelRow,
        held: &Held,
        limits: Limits,
    ) -> Result<Brought, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        if !held.still(&mut tx).await? {
            return Ok(Brought::Lost);
        }
        if let Some(full) = limits.take(&mut tx, tenant, &more(row)).await? {
            return Ok(Brought::Full(full));
        }
        add(&mut tx, tenant, row).await?;
        if let Some(seq) = row.seq {
            let tuned = Milestone::Tune { model: row.id.clone(), name: row.name.clone() };
            remember(&mut tx, tenant, &row.dataset, seq, &tuned, None).await?;
        }
        let result = serde_json::json!({ "model": row.id }).to_string();
        end(&mut tx, held, "done", Some(&result), None).await?;
        tx.commit().await?;
        Ok(Brought::Came)
    }

    /// Makes a model known that was made elsewhere, unless the tenant would have more than it may.
    pub(crate) async fn bring_model(
        &self,
        tenant: &Tenant,
        row: &ModelRow,
        limits: Limits,
    ) -> Result<Option<Full>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let full = limits.take(&mut tx, tenant, &more(row)).await?;
        if full.is_none() {
            add(&mut tx, tenant, row).await?;
            tx.commit().await?;
        }
        Ok(full)
    }

    pub(crate) async fn models(
        &self,
        tenant: &Tenant,
        dataset: Option<&str>,
    ) -> Result<Vec<ModelRow>, sqlx::Error> {
        let sql = format!(
            "{MODEL} WHERE tenant = $1 AND ($2 IS NULL OR dataset = $2) ORDER BY created_at DESC, id"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    pub(crate) async fn model(&self, tenant: &Tenant, id: &str) -> Result<Option<ModelRow>, sqlx::Error> {
        let sql = format!("{MODEL} WHERE tenant = $1 AND id = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(id)
            .fetch_optional(&mut *self.of(tenant).await?)
            .await
    }

    /// The inspector of a data set: one that answers somewhere, else the newest.
    pub(crate) async fn inspector_of(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Option<ModelRow>, sqlx::Error> {
        let found = self.models_that(tenant, dataset, "LIKE", 1).await?;
        Ok(found.into_iter().next())
    }

    /// The models of a data set that answer: those that do so somewhere first, then the newest; at most 8.
    pub(crate) async fn answering_models(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<ModelRow>, sqlx::Error> {
        self.models_that(tenant, dataset, "NOT LIKE", 8).await
    }

    async fn models_that(
        &self,
        tenant: &Tenant,
        dataset: &str,
        is_inspector: &str,
        most: i64,
    ) -> Result<Vec<ModelRow>, sqlx::Error> {
        let sql = format!(
            "{MODEL} WHERE tenant = $1 AND dataset = $2 AND body {is_inspector} '%\"kind\":\"inspector\"%' \
             ORDER BY CASE WHEN EXISTS (SELECT 1 FROM deployment d WHERE d.tenant = $1 AND d.model = model.id) THEN 0 ELSE 1 END, \
             created_at DESC, id LIMIT $3"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .bind(most)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// Takes a model out that is not deployed; `false` when it is, or there is none.
    pub(crate) async fn remove_model(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM model WHERE tenant = $1 AND id = $2 \
             AND NOT EXISTS (SELECT 1 FROM deployment WHERE tenant = $1 AND (model = $2 OR previous = $2 OR shadow = $2)) RETURNING COALESCE(bytes, 0)";
        let mut tx = self.begin(tenant).await?;
        // Whoever deploys it now either has done so when the next statement looks, or finds it gone.
        hold(&mut tx, tenant, [id].into_iter()).await?;
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(id);
        let Some(bytes): Option<i64> = ask.fetch_optional(&mut *tx).await? else { return Ok(false) };
        change(&mut tx, tenant, 0, -bytes).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Keeps everybody else from taking models out, or into use, until the transaction ends.
pub(super) async fn hold<'i>(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    ids: impl Iterator<Item = &'i str>,
) -> Result<(), sqlx::Error> {
    // Everybody takes them in this order, so that none waits for each other.
    for id in ids.collect::<BTreeSet<_>>() {
        // An update of nothing takes the lock on either database.
        let sql = "UPDATE model SET name = name WHERE tenant = $1 AND id = $2";
        sqlx::query(sql).bind(tenant.id()).bind(id).execute(&mut **tx).await?;
    }
    Ok(())
}

/// What it takes.
fn more(row: &ModelRow) -> More<'static> {
    More { bytes: row.bytes.unwrap_or_default(), ..More::default() }
}

async fn add(tx: &mut Transaction<'static, Any>, tenant: &Tenant, row: &ModelRow) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO model (id, tenant, dataset, name, body, created_at, bytes, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let ask = sqlx::query(sql).bind(&row.id).bind(tenant.id()).bind(&row.dataset).bind(&row.name);
    let ask = ask.bind(&row.body).bind(row.created_at).bind(row.bytes).bind(row.seq);
    ask.execute(&mut **tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use testkit::Postgres;

    use super::*;
    use crate::db::deployments::Beside;
    use crate::tasks::Task;

    /// Waits until somebody waits for what others hold; this work must not end before.
    async fn until_it_waits<T>(db: &Db, work: &tokio::task::JoinHandle<T>) {
        let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        loop {
            let mut connection = db.whole().await.expect("a connection");
            let waiting: i64 = sqlx::query_scalar(sql).fetch_one(&mut *connection).await.expect("asked");
            if waiting > 0 {
                return;
            }
            assert!(!work.is_finished(), "it waits for nobody");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_deployment_loses_its_model_to_who_takes_it_out_at_the_same_time() {
        let (dir, postgres) = (tempfile::tempdir().expect("a folder"), Postgres::start());
        let db = Db::open(dir.path(), Some(&postgres.url())).await.expect("a database");
        let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
        let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
        let row = |id: &str| ModelRow {
            id: id.to_owned(),
            dataset: String::new(),
            name: id.to_owned(),
            body: "{}".to_owned(),
            bytes: Some(1),
            created_at: 0,
            seq: None,
        };
        let limits = Limits { examples: None, bytes: None };
        for id in ["deployed", "gone"] {
            assert_eq!(db.bring_model(&tenant, &row(id), limits).await.expect("asked"), None);
        }
        // Somebody deploys it while another takes it out, and is first.
        let mut first = db.begin(&tenant).await.expect("a transaction");
        hold(&mut first, &tenant, ["deployed"].into_iter()).await.expect("held");
        let removing = tokio::spawn({
            let (db, tenant) = (db.clone(), tenant.clone());
            async move { db.remove_model(&tenant, "deployed").await }
        });
        until_it_waits(&db, &removing).await;
        let sql =
            "INSERT INTO deployment (tenant, name, model, created_at) VALUES ($1, 'one', 'deployed', 0)";
        sqlx::query(sql).bind(tenant.id()).execute(&mut *first).await.expect("deployed");
        first.commit().await.expect("committed");
        assert!(!removing.await.expect("ended").expect("asked"), "it answers somewhere");
        // And the other way round.
        let mut first = db.begin(&tenant).await.expect("a transaction");
        let sql = "DELETE FROM model WHERE tenant = $1 AND id = 'gone'";
        sqlx::query(sql).bind(tenant.id()).execute(&mut *first).await.expect("removed");
        let deploying = tokio::spawn({
            let (db, tenant) = (db.clone(), tenant.clone());
            let beside = Beside { collects: None, keep_days: None, shadow: None };
            async move { db.deploy(&tenant, "two", "gone", beside).await }
        });
        until_it_waits(&db, &deploying).await;
        first.commit().await.expect("committed");
        assert!(!deploying.await.expect("ended").expect("asked"), "there is no such model any more");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_inspector_of_a_data_set_is_the_deployed_one_else_the_newest() {
        let dir = tempfile::tempdir().expect("a folder");
        let db = Db::open(dir.path(), None).await.expect("a database");
        let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
        let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
        let set = db.add_dataset(&tenant, "set", Task::Class).await.expect("added");
        let limits = Limits { examples: None, bytes: None };
        let made = async |id: &str, dataset: &str, kind: &str, created_at: i64| {
            let body = serde_json::json!({ "facts": { "kind": kind } }).to_string();
            let (id, dataset) = (id.to_owned(), dataset.to_owned());
            let row = ModelRow { name: id.clone(), id, dataset, body, bytes: None, created_at, seq: None };
            db.bring_model(&tenant, &row, limits).await.expect("kept");
        };
        let inspector = async || db.inspector_of(&tenant, &set).await.expect("asked").map(|model| model.id);
        made("plain", &set, "answers", 4).await;
        made("elsewhere", "", "inspector", 5).await;
        assert_eq!(inspector().await, None);
        made("older", &set, "inspector", 1).await;
        made("newer", &set, "inspector", 2).await;
        assert_eq!(inspector().await.as_deref(), Some("newer"));
        let beside = Beside { collects: None, keep_days: None, shadow: None };
        assert!(db.deploy(&tenant, "plain", "plain", beside).await.expect("asked"));
        assert!(db.deploy(&tenant, "parts", "older", beside).await.expect("asked"));
        assert_eq!(inspector().await.as_deref(), Some("older"));
        assert!(db.remove_deployment(&tenant, "parts").await.expect("asked"));
        assert_eq!(inspector().await.as_deref(), Some("newer"));
    }
}
