//! How good the quick model was with so many labels.

use evaluate::Estimate;
use pipeline::report::Measure;

use super::{Db, Tenant};

impl Db {
    /// Remembers a measurement; a later one with as many labels takes its place.
    pub(crate) async fn remember_accuracy(
        &self,
        tenant: &Tenant,
        dataset: &str,
        n_labelled: i64,
        Measure { metric, estimate }: &Measure,
    ) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO accuracy (tenant, dataset, n_labelled, value, low, high, n, metric) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE EXISTS (SELECT 1 FROM dataset WHERE id = $2 AND tenant = $1) \
             ON CONFLICT (dataset, n_labelled) DO UPDATE SET value = excluded.value, low = excluded.low, high = excluded.high, \
             n = excluded.n, metric = excluded.metric";
        sqlx::query(sql)
            .bind(tenant.id())
            .bind(dataset)
            .bind(n_labelled)
            .bind(estimate.value)
            .bind(estimate.low)
            .bind(estimate.high)
            .bind(estimate.n as i64)
            .bind(metric)
            .execute(&mut *self.of(tenant).await?)
            .await?;
        Ok(())
    }

    /// All of this metric, by the number of labels.
    pub(crate) async fn accuracies(
        &self,
        tenant: &Tenant,
        dataset: &str,
        metric: &str,
    ) -> Result<Vec<(i64, Estimate)>, sqlx::Error> {
        let sql = "SELECT n_labelled, value, low, high, n FROM accuracy WHERE tenant = $1 AND dataset = $2 AND metric = $3 \
             ORDER BY n_labelled";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(dataset).bind(metric);
        let rows: Vec<(i64, f64, f64, f64, i64)> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
        let estimate = |(n_labelled, value, low, high, n)| {
            (n_labelled, Estimate { value, low, high, n: usize::try_from(n).unwrap_or(0) })
        };
        Ok(rows.into_iter().map(estimate).collect())
    }
}
