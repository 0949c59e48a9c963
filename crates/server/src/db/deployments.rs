//! Which model answers under which name.

use super::arriving::has_room;
use super::datasets::next_seqs;
use super::{Db, Tenant};
use crate::clock::{now, written};
use crate::ids::new_id;

/// Doubtful inputs that come back from one deployment in a day: as many as somebody may look at.
const MOST_A_DAY: i64 = 200;

row! {
    /// A name that answers.
    #[derive(Debug, Clone)]
    pub(crate) struct DeploymentRow {
        pub(crate) name: String,
        pub(crate) model: String,
        pub(crate) previous: Option<String>,
        /// The data set that doubtful inputs come back to.
        pub(crate) collects: Option<String>,
        /// A model that is asked as well and never answers.
        pub(crate) shadow: Option<String>,
        pub(crate) created_at: i64,
    }
}

/// How many came back from a deployment on a day.
const COLLECTED: &str = "SELECT COUNT(*) FROM example WHERE dataset = $1 AND came_from = $2 AND name LIKE $3";

const DEPLOYMENT: &str = "SELECT name, model, previous, collects, shadow, created_at FROM deployment";

impl Db {
    pub(crate) async fn deployments(&self, tenant: &Tenant) -> Result<Vec<DeploymentRow>, sqlx::Error> {
        let sql = format!("{DEPLOYMENT} WHERE tenant = $1 ORDER BY created_at DESC, name");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).fetch_all(&self.pool).await
    }

    pub(crate) async fn deployment(
        &self,
        tenant: &Tenant,
        name: &str,
    ) -> Result<Option<DeploymentRow>, sqlx::Error> {
        let sql = format!("{DEPLOYMENT} WHERE tenant = $1 AND name = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(name).fetch_optional(&self.pool).await
    }

    /// Lets a model answer under a name; what answered before is remembered. `false` when the tenant has no such model, or no such
    /// data set for doubtful inputs to come back to.
    pub(crate) async fn deploy(
        &self,
        tenant: &Tenant,
        name: &str,
        model: &str,
        (collects, shadow): (Option<&str>, Option<&str>),
    ) -> Result<bool, sqlx::Error> {
        let sql = "INSERT INTO deployment (tenant, name, model, previous, collects, created_at, shadow) \
             SELECT $1, $2, $3, NULL, $5, $4, $6 WHERE EXISTS (SELECT 1 FROM model WHERE id = $3 AND tenant = $1) \
             AND ($5 IS NULL OR EXISTS (SELECT 1 FROM dataset WHERE id = $5 AND tenant = $1)) \
             AND ($6 IS NULL OR EXISTS (SELECT 1 FROM model WHERE id = $6 AND tenant = $1)) \
             ON CONFLICT (tenant, name) DO UPDATE SET \
             previous = CASE WHEN deployment.model = excluded.model THEN deployment.previous ELSE deployment.model END, \
             created_at = CASE WHEN deployment.model = excluded.model THEN deployment.created_at ELSE excluded.created_at END, \
             model = excluded.model, collects = excluded.collects, shadow = excluded.shadow";
        let ask =
            sqlx::query(sql).bind(tenant.id()).bind(name).bind(model).bind(now()).bind(collects).bind(shadow);
        Ok(ask.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// How many doubtful inputs came back from a deployment.
    pub(crate) async fn n_collected(&self, tenant: &Tenant, name: &str) -> Result<i64, sqlx::Error> {
        let sql = "SELECT COUNT(*) FROM example WHERE tenant = $1 AND came_from = $2 AND removed = 0";
        sqlx::query_scalar(sql).bind(tenant.id()).bind(name).fetch_one(&self.pool).await
    }

    /// Whether more may come back today.
    pub(crate) async fn may_collect(&self, dataset: &str, name: &str) -> Result<bool, sqlx::Error> {
        let day = format!("{name} {}", &written(now())[..10]);
        let ask = sqlx::query_scalar(COLLECTED).bind(dataset).bind(name).bind(format!("{day} %"));
        let today: i64 = ask.fetch_one(&self.pool).await?;
        Ok(today < MOST_A_DAY)
    }

    /// Brings a doubtful input back as an example without a label; `false` when enough came today, or the data set is gone. One that
    /// is there already does not come twice.
    pub(crate) async fn collect(
        &self,
        tenant: &Tenant,
        dataset: &str,
        name: &str,
        (blob, body): (Option<&str>, Option<&str>),
        most: Option<i64>,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin().await?;
        if !has_room(&mut tx, tenant, 1, most).await?
            || next_seqs(&mut tx, tenant, dataset, 1).await?.is_none()
        {
            return Ok(false);
        }
        let day = format!("{name} {}", &written(now())[..10]);
        let ask = sqlx::query_scalar(COLLECTED).bind(dataset).bind(name).bind(format!("{day} %"));
        let today: i64 = ask.fetch_one(&mut *tx).await?;
        let sql = "INSERT INTO example (tenant, dataset, id, position, name, blob, body, came_from) \
             SELECT $1, $2, $3, (SELECT COALESCE(MAX(position), -1) + 1 FROM example WHERE dataset = $2), $4, $5, $6, $7 \
             WHERE $8 < $9 AND NOT EXISTS (SELECT 1 FROM example WHERE dataset = $2 \
             AND blob IS NOT DISTINCT FROM $5 AND body IS NOT DISTINCT FROM $6)";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(new_id());
        let ask = ask
            .bind(format!("{day} {}", today + 1))
            .bind(blob)
            .bind(body)
            .bind(name)
            .bind(today)
            .bind(MOST_A_DAY);
        let came = ask.execute(&mut *tx).await?.rows_affected() == 1;
        tx.commit().await?;
        Ok(came)
    }

    /// Lets the model before answer again; `false` when there is none.
    pub(crate) async fn roll_back(&self, tenant: &Tenant, name: &str) -> Result<bool, sqlx::Error> {
        let sql = "UPDATE deployment SET model = previous, previous = model, created_at = $3 \
             WHERE tenant = $1 AND name = $2 AND previous IS NOT NULL";
        let done = sqlx::query(sql).bind(tenant.id()).bind(name).bind(now()).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn remove_deployment(&self, tenant: &Tenant, name: &str) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin().await?;
        for sql in [
            "DELETE FROM monitor WHERE tenant = $1 AND deployment = $2",
            "DELETE FROM drift WHERE tenant = $1 AND deployment = $2",
        ] {
            sqlx::query(sql).bind(tenant.id()).bind(name).execute(&mut *tx).await?;
        }
        let sql = "DELETE FROM deployment WHERE tenant = $1 AND name = $2";
        let done = sqlx::query(sql).bind(tenant.id()).bind(name).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}
