//! Which model answers under which name.

use dataset::Sense;
use sqlx::{Any, Transaction};

use super::arriving::Incoming;
use super::datasets::{hold, next_seqs};
use super::expiring::DAY;
use super::room::{Limits, More};
use super::{Db, Tenant, models};
use crate::clock::{now, written};
use crate::ids::new_id;
use crate::senses;

/// Doubtful inputs that come back from one deployment in a day: as many as somebody may look at.
const MOST_A_DAY: i64 = 200;
/// Days that they are kept, unless asked otherwise: a monitor shows as many.
pub(super) const USUAL_DAYS: i64 = 30;

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
        /// How long doubtful inputs are kept that nobody says anything of.
        pub(crate) keep_days: i64,
    }
}

/// What an answer under a name is beside its model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// The data set that doubtful inputs come back to.
    pub(crate) collects: Option<&'a str>,
    /// Days that they are kept; absent for as many as before.
    pub(crate) keep_days: Option<i64>,
    /// A model that is asked as well.
    pub(crate) shadow: Option<&'a str>,
}

/// A doubtful input that comes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collected<'a> {
    pub(crate) dataset: &'a str,
    /// The deployment that was asked about it.
    pub(crate) name: &'a str,
    /// `image`, `text` and so on; `senses` where it has several.
    pub(crate) kind: &'a str,
    /// Where it has several; else none.
    pub(crate) senses: &'a [Sense],
    pub(crate) held: &'a Incoming,
}

/// How many came back from a deployment on a day.
const COLLECTED: &str = "SELECT COUNT(*) FROM example WHERE dataset = $1 AND came_from = $2 AND name LIKE $3";

const DEPLOYMENT: &str =
    "SELECT name, model, previous, collects, shadow, created_at, keep_days FROM deployment";

impl Db {
    pub(crate) async fn deployments(&self, tenant: &Tenant) -> Result<Vec<DeploymentRow>, sqlx::Error> {
        let sql = format!("{DEPLOYMENT} WHERE tenant = $1 ORDER BY created_at DESC, name");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    pub(crate) async fn deployment(
        &self,
        tenant: &Tenant,
        name: &str,
    ) -> Result<Option<DeploymentRow>, sqlx::Error> {
        let sql = format!("{DEPLOYMENT} WHERE tenant = $1 AND name = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(name)
            .fetch_optional(&mut *self.of(tenant).await?)
            .await
    }

    /// Lets a model answer under a name; what answered before is remembered. `false` when the tenant has no such model, or no such
    /// data set for doubtful inputs to come back to. Other days hold as well for what came back already.
    pub(crate) async fn deploy(
        &self,
        tenant: &Tenant,
        name: &str,
        model: &str,
        beside: Beside<'_>,
    ) -> Result<bool, sqlx::Error> {
        let Beside { collects, keep_days, shadow } = beside;
        let mut tx = self.begin(tenant).await?;
        models::hold(&mut tx, tenant, [model].into_iter().chain(shadow)).await?;
        // An update of nothing takes the lock on either database.
        let sql =
            "UPDATE deployment SET keep_days = keep_days WHERE tenant = $1 AND name = $2 RETURNING keep_days";
        let before: Option<i64> =
            sqlx::query_scalar(sql).bind(tenant.id()).bind(name).fetch_optional(&mut *tx).await?;
        let more = before.zip(keep_days).map_or(0, |(before, days)| days - before);
        if more != 0 {
            let sql = "UPDATE example SET goes_at = goes_at + $3 WHERE tenant = $1 AND came_from = $2";
            sqlx::query(sql).bind(tenant.id()).bind(name).bind(more * DAY).execute(&mut *tx).await?;
        }
        let sql = "INSERT INTO deployment (tenant, name, model, previous, collects, created_at, watched_since, shadow, keep_days) \
             SELECT $1, $2, $3, NULL, $5, $4, $4, $6, $7 WHERE EXISTS (SELECT 1 FROM model WHERE id = $3 AND tenant = $1) \
             AND ($5 IS NULL OR EXISTS (SELECT 1 FROM dataset WHERE id = $5 AND tenant = $1)) \
             AND ($6 IS NULL OR EXISTS (SELECT 1 FROM model WHERE id = $6 AND tenant = $1)) \
             ON CONFLICT (tenant, name) DO UPDATE SET \
             previous = CASE WHEN deployment.model = excluded.model THEN deployment.previous ELSE deployment.model END, \
             created_at = CASE WHEN deployment.model = excluded.model THEN deployment.created_at ELSE excluded.created_at END, \
             model = excluded.model, collects = excluded.collects, shadow = excluded.shadow, keep_days = excluded.keep_days";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(name).bind(model).bind(now()).bind(collects);
        let ask = ask.bind(shadow).bind(keep_days.or(before).unwrap_or(USUAL_DAYS));
        if ask.execute(&mut *tx).await?.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    /// How many doubtful inputs came back from a deployment.
    pub(crate) async fn n_collected(&self, tenant: &Tenant, name: &str) -> Result<i64, sqlx::Error> {
        let sql = "SELECT COUNT(*) FROM example WHERE tenant = $1 AND came_from = $2 AND removed = 0";
        sqlx::query_scalar(sql).bind(tenant.id()).bind(name).fetch_one(&mut *self.of(tenant).await?).await
    }

    /// How many more may come back today.
    pub(crate) async fn left_to_collect(
        &self,
        tenant: &Tenant,
        dataset: &str,
        name: &str,
    ) -> Result<usize, sqlx::Error> {
        let ask = sqlx::query_scalar(COLLECTED).bind(dataset).bind(name).bind(format!("{} %", day_of(name)));
        let today: i64 = ask.fetch_one(&mut *self.of(tenant).await?).await?;
        Ok(usize::try_from(MOST_A_DAY - today).unwrap_or(0))
    }

    /// Whether a doubtful input would come back: it may no longer when it does, so that [`Db::collect`] looks again.
    pub(crate) async fn would_collect(
        &self,
        tenant: &Tenant,
        new: &Collected<'_>,
        limits: Limits,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        Ok(welcome(&mut tx, tenant, new, limits).await?.is_some())
    }

    /// Brings a doubtful input back as an example without a label; `false` where it is not [`welcome`]. An empty data set is of its kind
    /// from then on.
    pub(crate) async fn collect(
        &self,
        tenant: &Tenant,
        new: &Collected<'_>,
        limits: Limits,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(today) = welcome(&mut tx, tenant, new, limits).await? else { return Ok(false) };
        let Some(seq) = next_seqs(&mut tx, tenant, new.dataset, 1).await? else { return Ok(false) };
        let senses = serde_json::to_string(new.senses).expect("names and kinds are always JSON");
        let sql = "UPDATE dataset SET modality = $3, senses = $4 WHERE tenant = $1 AND id = $2 AND modality IS NULL";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(new.dataset).bind(new.kind);
        ask.bind(Some(senses).filter(|_| !new.senses.is_empty())).execute(&mut *tx).await?;
        let sql = "INSERT INTO example (tenant, dataset, id, position, name, blob, body, came_from, came, senses, part_group, piece_ms, piece, goes_at) VALUES \
             ($1, $2, $3, (SELECT COALESCE(MAX(position), -1) + 1 FROM example WHERE dataset = $2), $4, $5, $6, $7, $8, $9, $10, $11, $12, \
             $13 + $14 * COALESCE((SELECT keep_days FROM deployment WHERE tenant = $1 AND name = $7), $15))";
        let held = new.held;
        let ask = sqlx::query(sql).bind(tenant.id()).bind(new.dataset).bind(new_id());
        let ask = ask
            .bind(format!("{} {}", day_of(new.name), today + 1))
            .bind(held.blob.as_deref())
            .bind(held.body.as_deref())
            .bind(new.name)
            .bind(seq)
            .bind(held.senses.as_deref());
        let ask = ask.bind(held.group.as_deref()).bind(held.piece_ms).bind(held.piece.as_deref());
        ask.bind(now()).bind(DAY).bind(USUAL_DAYS).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Lets the model before answer again; `false` when there is none.
    pub(crate) async fn roll_back(&self, tenant: &Tenant, name: &str) -> Result<bool, sqlx::Error> {
        let sql = "UPDATE deployment SET model = previous, previous = model, created_at = $3 \
             WHERE tenant = $1 AND name = $2 AND previous IS NOT NULL";
        let done = sqlx::query(sql)
            .bind(tenant.id())
            .bind(name)
            .bind(now())
            .execute(&mut *self.of(tenant).await?)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn remove_deployment(&self, tenant: &Tenant, name: &str) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
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

/// What the inputs of today that come back from a deployment are called, but for their number.
fn day_of(name: &str) -> String {
    format!("{name} {}", &written(now())[..10])
}

/// How many came back today, where one more may, in a transaction that holds the data set and has taken the room from then on. `None` where it is of another kind,
/// there is no room, enough came today, it is there already, or the data set is gone.
async fn welcome(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    new: &Collected<'_>,
    limits: Limits,
) -> Result<Option<i64>, sqlx::Error> {
    if hold(tx, tenant, new.dataset).await?.is_none() || !fits(tx, tenant, new).await? {
        return Ok(None);
    }
    let held = new.held;
    let sql = "SELECT COUNT(*) FROM example WHERE dataset = $1 AND blob IS NOT DISTINCT FROM $2 \
         AND body IS NOT DISTINCT FROM $3 AND senses IS NOT DISTINCT FROM $4";
    let ask = sqlx::query_scalar(sql).bind(new.dataset).bind(held.blob.as_deref());
    let ask = ask.bind(held.body.as_deref()).bind(held.senses.as_deref());
    let there: i64 = ask.fetch_one(&mut **tx).await?;
    let like = format!("{} %", day_of(new.name));
    let ask = sqlx::query_scalar(COLLECTED).bind(new.dataset).bind(new.name).bind(like);
    let today: i64 = ask.fetch_one(&mut **tx).await?;
    if there > 0 || today >= MOST_A_DAY {
        return Ok(None);
    }
    let more = More { examples: 1, files: (new.dataset, held.sizes().collect()), bytes: held.beside() };
    let full = limits.take(tx, tenant, &more).await?.is_some();
    Ok((!full).then_some(today))
}

/// Whether a data set takes such inputs; an empty one takes any.
async fn fits(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    new: &Collected<'_>,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT modality, senses FROM dataset WHERE tenant = $1 AND id = $2";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(new.dataset);
    let (kind, kept): (Option<String>, Option<String>) = ask.fetch_one(&mut **tx).await?;
    let known = senses::named(kept.as_deref());
    Ok(kind.is_none_or(|kind| kind == new.kind && new.senses.iter().all(|sense| known.contains(sense))))
}
