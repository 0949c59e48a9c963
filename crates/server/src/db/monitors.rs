//! What deployments answered by day, and whether their inputs changed.

use std::collections::BTreeMap;

use evaluate::ShiftTest;

use super::{Db, Tenant};
use crate::monitoring::{Day, Drift};

row! {
    /// What one server saw of the inputs of a model.
    #[derive(Debug)]
    pub(crate) struct DriftRow {
        pub(crate) body: String,
        pub(crate) changed_at: Option<i64>,
        pub(crate) shift: Option<String>,
        pub(crate) shifted_at: Option<i64>,
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

    pub(crate) async fn keep_monitor(
        &self,
        tenant: &Tenant,
        deployment: &str,
        day: &str,
        server: &str,
        counts: &Day,
    ) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO monitor (tenant, deployment, day, server, body) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant, deployment, day, server) DO UPDATE SET body = excluded.body";
        let body = serde_json::to_string(counts).unwrap_or_default();
        let ask = sqlx::query(sql).bind(tenant.id()).bind(deployment).bind(day).bind(server).bind(body);
        ask.execute(&mut *self.of(tenant).await?).await.map(drop)
    }

    /// What one server saw of the inputs of a model; `None` where it saw none yet.
    pub(crate) async fn drift(
        &self,
        tenant: &Tenant,
        deployment: &str,
        model: &str,
        server: &str,
    ) -> Result<Option<Drift>, sqlx::Error> {
        let sql = "SELECT body, changed_at, shift, shifted_at FROM drift WHERE tenant = $1 AND deployment = $2 AND model = $3 AND server = $4";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(deployment).bind(model).bind(server);
        let row: Option<DriftRow> = ask.fetch_optional(&mut *self.of(tenant).await?).await?;
        Ok(row.and_then(|row| row.drift(model)))
    }

    /// What all servers saw of the inputs of a model.
    pub(crate) async fn drifts(
        &self,
        tenant: &Tenant,
        deployment: &str,
        model: &str,
    ) -> Result<Vec<Drift>, sqlx::Error> {
        let sql = "SELECT body, changed_at, shift, shifted_at FROM drift WHERE tenant = $1 AND deployment = $2 AND model = $3";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(deployment).bind(model);
        let rows: Vec<DriftRow> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
        Ok(rows.into_iter().filter_map(|row| row.drift(model)).collect())
    }

    pub(crate) async fn keep_drift(
        &self,
        tenant: &Tenant,
        deployment: &str,
        server: &str,
        drift: &Drift,
    ) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO drift (tenant, deployment, model, server, body, changed_at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (tenant, deployment, model, server) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at";
        let body = serde_json::to_string(&drift.test).unwrap_or_default();
        let ask = sqlx::query(sql).bind(tenant.id()).bind(deployment).bind(&drift.model).bind(server);
        ask.bind(body).bind(drift.changed_at).execute(&mut *self.of(tenant).await?).await.map(drop)
    }

    /// Keeps how the base of a model saw inputs, beside what [`Db::keep_drift`] keeps.
    pub(crate) async fn keep_shift(
        &self,
        tenant: &Tenant,
        deployment: &str,
        server: &str,
        drift: &Drift,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE drift SET shift = $5, shifted_at = $6 \
             WHERE tenant = $1 AND deployment = $2 AND model = $3 AND server = $4";
        let body = serde_json::to_string(&drift.shifts).unwrap_or_default();
        let ask = sqlx::query(sql).bind(tenant.id()).bind(deployment).bind(&drift.model).bind(server);
        ask.bind(body).bind(drift.shifted_at).execute(&mut *self.of(tenant).await?).await.map(drop)
    }

    /// Begins anew: what a model is asked about now is what is usual. `false` when there was nothing to forget.
    pub(crate) async fn forget_drift(&self, tenant: &Tenant, deployment: &str) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM drift WHERE tenant = $1 AND deployment = $2";
        let done =
            sqlx::query(sql).bind(tenant.id()).bind(deployment).execute(&mut *self.of(tenant).await?).await?;
        Ok(done.rows_affected() > 0)
    }
}

impl DriftRow {
    fn drift(self, model: &str) -> Option<Drift> {
        let Self { body, changed_at, shift, shifted_at } = self;
        let shifts = shift.as_deref().and_then(shifts).unwrap_or_default();
        let test = serde_json::from_str(&body).ok()?;
        Some(Drift { model: model.to_owned(), test, changed_at, shifts, shifted_at })
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

    #[test]
    fn what_an_earlier_version_saw_goes_on() {
        let old = serde_json::to_string(&ShiftTest::new()).expect("plain");
        let only = BTreeMap::from([(String::new(), ShiftTest::new())]);
        assert_eq!(shifts(&old), Some(only.clone()));
        assert_eq!(shifts(&serde_json::to_string(&only).expect("plain")), Some(only));
        assert_eq!(shifts("{}"), Some(BTreeMap::new()));
    }
}
