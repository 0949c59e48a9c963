//! Data sets and their classes.

use sqlx::{Any, Transaction};

use super::{Db, Tenant};
use crate::clock::now;
use crate::ids::new_id;

row! {
    /// A data set with its counts.
    #[derive(Debug, Clone)]
    pub(crate) struct DatasetRow {
        pub(crate) id: String,
        pub(crate) name: String,
        /// `image`, `text` or `sound`; absent while it is empty.
        pub(crate) modality: Option<String>,
        pub(crate) seq: i64,
        pub(crate) created_at: i64,
        pub(crate) updated_at: i64,
        pub(crate) n_examples: i64,
        pub(crate) n_labelled: i64,
        pub(crate) n_problems: i64,
    }
}

const DATASET: &str = "SELECT d.id, d.name, d.modality, d.seq, d.created_at, d.updated_at, \
     (SELECT COUNT(*) FROM example e WHERE e.dataset = d.id AND e.removed = 0) AS n_examples, \
     (SELECT COUNT(*) FROM example e WHERE e.dataset = d.id AND e.removed = 0 AND e.label IS NOT NULL) AS n_labelled, \
     (SELECT COUNT(*) FROM problem p WHERE p.dataset = d.id) AS n_problems FROM dataset d";

impl Db {
    pub(crate) async fn add_dataset(&self, tenant: &Tenant, name: &str) -> Result<String, sqlx::Error> {
        let id = new_id();
        let insert = "INSERT INTO dataset (id, tenant, name, seq, created_at, updated_at) VALUES ($1, $2, $3, 0, $4, $4)";
        sqlx::query(insert).bind(&id).bind(tenant.id()).bind(name).bind(now()).execute(&self.pool).await?;
        Ok(id)
    }

    pub(crate) async fn datasets(&self, tenant: &Tenant) -> Result<Vec<DatasetRow>, sqlx::Error> {
        let sql = format!("{DATASET} WHERE d.tenant = $1 ORDER BY d.updated_at DESC, d.id");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).fetch_all(&self.pool).await
    }

    pub(crate) async fn dataset(&self, tenant: &Tenant, id: &str) -> Result<Option<DatasetRow>, sqlx::Error> {
        let sql = format!("{DATASET} WHERE d.tenant = $1 AND d.id = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(id).fetch_optional(&self.pool).await
    }

    pub(crate) async fn rename_dataset(
        &self,
        tenant: &Tenant,
        id: &str,
        name: &str,
    ) -> Result<bool, sqlx::Error> {
        let sql = "UPDATE dataset SET name = $3, updated_at = $4 WHERE tenant = $1 AND id = $2";
        let done =
            sqlx::query(sql).bind(tenant.id()).bind(id).bind(name).bind(now()).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a data set out with everything in it; models made of it stay.
    pub(crate) async fn remove_dataset(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM dataset WHERE tenant = $1 AND id = $2";
        let done = sqlx::query(sql).bind(tenant.id()).bind(id).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    /// The classes in their order, each with the number of its examples.
    pub(crate) async fn classes(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<(String, i64)>, sqlx::Error> {
        let sql = "SELECT c.name, (SELECT COUNT(*) FROM example e WHERE e.dataset = c.dataset AND e.removed = 0 AND e.label = c.name) \
             FROM class c WHERE c.tenant = $1 AND c.dataset = $2 ORDER BY c.position, c.name";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&self.pool).await
    }

    pub(crate) async fn add_class(
        &self,
        tenant: &Tenant,
        dataset: &str,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        let mut tx = self.begin().await?;
        hold(&mut tx, tenant, dataset).await?;
        with_class(&mut tx, tenant, dataset, name).await?;
        tx.commit().await
    }

    /// Takes a class out that no example has. `false` when one has it, or there is no such class.
    pub(crate) async fn remove_class(
        &self,
        tenant: &Tenant,
        dataset: &str,
        name: &str,
    ) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM class WHERE tenant = $1 AND dataset = $2 AND name = $3 \
             AND NOT EXISTS (SELECT 1 FROM example e WHERE e.dataset = $2 AND e.label = $3 AND e.removed = 0)";
        let done = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(name).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn problems(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<(String, String, String)>, sqlx::Error> {
        let sql =
            "SELECT place, en, zh FROM problem WHERE tenant = $1 AND dataset = $2 ORDER BY seq LIMIT 1000";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&self.pool).await
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
         SELECT $1, $2, $3, (SELECT COUNT(*) FROM class WHERE dataset = $2) \
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

/// Keeps everybody else from changing a data set until the transaction ends. Returns the number of its last change; `None` when
/// the tenant has no such set.
pub(super) async fn hold(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
) -> Result<Option<i64>, sqlx::Error> {
    // An update of nothing takes the lock on either database.
    let sql = "UPDATE dataset SET seq = seq WHERE tenant = $1 AND id = $2 RETURNING seq";
    sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).fetch_optional(&mut **tx).await
}
