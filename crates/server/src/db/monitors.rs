//! What deployments answered by day, and whether their inputs changed.

use std::collections::BTreeMap;

use evaluate::ShiftTest;
use sqlx::{Any, Transaction};

use super::{Db, Tenant};
use crate::clock::now;
use crate::monitoring::{Day, Drift};

row! {
    /// What one server saw of the inputs of a model.
    #[derive(Debug)]
    pub(crate) struct DriftRow {
        pub(crate) body: String,
        pub(crate) changed_at: Option<i64>,
        pub(crate) shift: Option<String>,
        pub(crate) shifted_at: Option<i64>,
        /// Of the deployment.
        pub(crate) watched_since: i64,
    }
}

impl Db {
    /// What one server counted in a day; `None` where it counted nothing yet.
    pub(crate) async fn monitor_of_day(
        &self,
        tenant: &Tenant,
        deployment: &str,
        day: &str,
        server: &str,
    ) -> Result<Option<Day>, sqlx::Error> {
        let sql =
            "SELECT body FROM monitor WHERE tenant = $1 AND deployment = $2 AND day = $3 AND server = $4";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(deployment).bind(day).bind(server);
        let body: Option<String> = ask.fetch_optional(&mut *self.of(tenant).await?).await?;
        Ok(body.and_then(|body| serde_json::from_str(&body).ok()))
    }

    /// What all servers counted since a day, the oldest first.
    pub(crate) async fn monitor(
        &self,
        tenant: &Tenant,
        deployment: &str,
        since: &str,
    ) -> Result<Vec<(String, Day)>, sqlx::Error> {
        let sql =
            "SELECT day, body FROM monitor WHERE tenant = $1 AND deployment = $2 AND day >= $3 ORDER BY day";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(deployment).bind(since);
        let rows: Vec<(String, String)> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
        let mut days: Vec<(String, Day)> = Vec::new();
        for (day, body) in rows {
            let counts: Day = serde_json::from_str(&body).unwrap_or_default();
            match days.last_mut().filter(|(last, _)| *last == day) {
                Some((_, joined)) => joined.join(counts),
                None => days.push((day, counts)),
            }
        }
        Ok(days)
    }

    /// What one server saw of the inputs of a model, which may be nothing yet; `None` where nothing answers under this name.
    pub(crate) async fn drift(
        &self,
        tenant: &Tenant,
        deployment: &str,
        model: &str,
        server: &str,
    ) -> Result<Option<Drift>, sqlx::Error> {
        let mut tx = self.look(tenant).await?;
        let sql = "SELECT watched_since FROM deployment WHERE tenant = $1 AND name = $2";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(deployment);
        let Some(since): Option<i64> = ask.fetch_optional(&mut *tx).await? else { return Ok(None) };
        let sql = "SELECT body, changed_at, shift, shifted_at, CAST($5 AS BIGINT) AS watched_since FROM drift \
             WHERE tenant = $1 AND deployment = $2 AND model = $3 AND server = $4";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(deployment).bind(model).bind(server).bind(since);
        let row: Option<DriftRow> = ask.fetch_optional(&mut *tx).await?;
        tx.commit().await?;
        let known = row.and_then(|row| row.drift(model));
        Ok(Some(known.unwrap_or_else(|| Drift::of(model, since))))
    }

    /// What all servers saw of the inputs of a model.
    pub(crate) async fn drifts(
        &self,
        tenant: &Tenant,
        deployment: &str,
        model: &str,
    ) -> Result<Vec<Drift>, sqlx::Error> {
        let sql = "SELECT r.body, r.changed_at, r.shift, r.shifted_at, d.watched_since FROM drift r \
             JOIN deployment d ON d.tenant = r.tenant AND d.name = r.deployment \
             WHERE r.tenant = $1 AND r.deployment = $2 AND r.model = $3";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(deployment).bind(model);
        let rows: Vec<DriftRow> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
        Ok(rows.into_iter().filter_map(|row| row.drift(model)).collect())
    }

    /// Keeps what one server counted in a day and saw of the inputs of a model; `compared` says whether also how its base saw them. Inputs that were seen
    /// before somebody said that they are usual are not kept.
    pub(crate) async fn keep_watched(
        &self,
        tenant: &Tenant,
        (deployment, server): (&str, &str),
        (day, counts): (&str, &Day),
        (drift, compared): (&Drift, bool),
    ) -> Result<Keeping, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        // An update of nothing takes the lock on either database: nobody accepts a change meanwhile.
        let sql = "UPDATE deployment SET watched_since = watched_since WHERE tenant = $1 AND name = $2 RETURNING watched_since";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(deployment);
        let Some(since): Option<i64> = ask.fetch_optional(&mut *tx).await? else { return Ok(Keeping::Gone) };
        let sql = "INSERT INTO monitor (tenant, deployment, day, server, body) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant, deployment, day, server) DO UPDATE SET body = excluded.body";
        let body = serde_json::to_string(counts).unwrap_or_default();
        let ask = sqlx::query(sql).bind(tenant.id()).bind(deployment).bind(day).bind(server).bind(body);
        ask.execute(&mut *tx).await?;
        if since == drift.since {
            keep_drift(&mut tx, tenant, (deployment, server), drift).await?;
            if compared {
                keep_shift(&mut tx, tenant, (deployment, server), drift).await?;
            }
        }
        tx.commit().await?;
        Ok(if since == drift.since { Keeping::Kept } else { Keeping::Anew(since) })
    }

    /// Begins anew: what a model is asked about now is what is usual, whatever servers still know of before. Returns since when it is.
    pub(crate) async fn accept_change(
        &self,
        tenant: &Tenant,
        deployment: &str,
    ) -> Result<Option<i64>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        // Later than before also where the clock of another server is ahead.
        let sql = "UPDATE deployment SET watched_since = CASE WHEN watched_since < $3 THEN $3 ELSE watched_since + 1 END \
             WHERE tenant = $1 AND name = $2 RETURNING watched_since";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(deployment).bind(now());
        let since = ask.fetch_optional(&mut *tx).await?;
        let sql = "DELETE FROM drift WHERE tenant = $1 AND deployment = $2";
        sqlx::query(sql).bind(tenant.id()).bind(deployment).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(since)
    }
}

/// How keeping what was watched ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    Kept,
    /// Somebody accepted a change since these inputs came: the watch begins anew with this moment.
    Anew(i64),
    /// Nothing answers under this name any more.
    Gone,
}

async fn keep_drift(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    (deployment, server): (&str, &str),
    drift: &Drift,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO drift (tenant, deployment, model, server, body, changed_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (tenant, deployment, model, server) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at";
    let body = serde_json::to_string(&drift.test).unwrap_or_default();
    let ask = sqlx::query(sql).bind(tenant.id()).bind(deployment).bind(&drift.model).bind(server);
    ask.bind(body).bind(drift.changed_at).execute(&mut **tx).await.map(drop)
}

/// Keeps how the base of a model saw inputs, beside what [`keep_drift`] keeps.
async fn keep_shift(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    (deployment, server): (&str, &str),
    drift: &Drift,
) -> Result<(), sqlx::Error> {
    let sql = "UPDATE drift SET shift = $5, shifted_at = $6 \
         WHERE tenant = $1 AND deployment = $2 AND model = $3 AND server = $4";
    let body = serde_json::to_string(&drift.shifts).unwrap_or_default();
    let ask = sqlx::query(sql).bind(tenant.id()).bind(deployment).bind(&drift.model).bind(server);
    ask.bind(body).bind(drift.shifted_at).execute(&mut **tx).await.map(drop)
}

impl DriftRow {
    fn drift(self, model: &str) -> Option<Drift> {
        let Self { body, changed_at, shift, shifted_at, watched_since: since } = self;
        let shifts = shift.as_deref().and_then(shifts).unwrap_or_default();
        let test = serde_json::from_str(&body).ok()?;
        Some(Drift { model: model.to_owned(), since, test, changed_at, shifts, shifted_at })
    }
}

/// How the bases of senses saw inputs, by their names. Earlier versions kept the only one, without a name.
fn shifts(kept: &str) -> Option<BTreeMap<String, ShiftTest>> {
    let only = || Some(BTreeMap::from([(String::new(), serde_json::from_str(kept).ok()?)]));
    serde_json::from_str(kept).ok().or_else(only)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;

    /// Two servers watch one deployment.
    struct Two {
        _dir: tempfile::TempDir,
        db: Db,
        tenant: Tenant,
    }

    impl Two {
        async fn new() -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let db = Db::open(dir.path(), None).await.expect("a database");
            let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
            let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
            let sql = "INSERT INTO deployment (tenant, name, model, created_at) VALUES ($1, 'parts', 'm', 0)";
            let mut connection = db.of(&tenant).await.expect("a connection");
            sqlx::query(sql).bind(tenant.id()).execute(&mut *connection).await.expect("added");
            drop(connection);
            Self { _dir: dir, db, tenant }
        }

        async fn drift(&self, server: &str) -> Option<Drift> {
            self.db.drift(&self.tenant, "parts", "m", server).await.expect("asked")
        }

        async fn keep(&self, server: &str, drift: &Drift) -> Keeping {
            let counts = ("2026-11-26", &Day::default());
            self.db.keep_watched(&self.tenant, ("parts", server), counts, (drift, true)).await.expect("asked")
        }

        async fn n_kept(&self) -> usize {
            self.db.drifts(&self.tenant, "parts", "m").await.expect("asked").len()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_another_server_saw_before_a_change_was_accepted_does_not_come_back() {
        let two = Two::new().await;
        let [one, other] =
            [two.drift("one").await, two.drift("other").await].map(|drift| drift.expect("it answers"));
        assert_eq!([two.keep("one", &one).await, two.keep("other", &other).await], [Keeping::Kept; 2]);
        let since = two.db.accept_change(&two.tenant, "parts").await.expect("asked").expect("it answers");
        assert_eq!((two.keep("other", &other).await, two.n_kept().await), (Keeping::Anew(since), 0));
        let anew = two.drift("other").await.expect("it answers");
        assert_eq!((two.keep("other", &anew).await, two.n_kept().await), (Keeping::Kept, 1));
        assert_ne!(
            two.db.accept_change(&two.tenant, "parts").await.expect("asked"),
            Some(since),
            "in the same moment"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_seen_of_a_name_that_is_gone_is_not_kept() {
        let two = Two::new().await;
        let before = two.drift("one").await.expect("it answers");
        assert!(two.db.remove_deployment(&two.tenant, "parts").await.expect("asked"));
        assert_eq!(two.keep("one", &before).await, Keeping::Gone);
        assert!(two.drift("one").await.is_none());
        let days = two.db.monitor(&two.tenant, "parts", "").await.expect("asked");
        assert!(days.is_empty(), "nor counted");
    }

    #[test]
    fn what_an_earlier_version_saw_goes_on() {
        let old = serde_json::to_string(&ShiftTest::new()).expect("plain");
        let only = BTreeMap::from([(String::new(), ShiftTest::new())]);
        assert_eq!(shifts(&old), Some(only.clone()));
        assert_eq!(shifts(&serde_json::to_string(&only).expect("plain")), Some(only));
        assert_eq!(shifts("{}"), Some(BTreeMap::new()));
    }
}
