//! How far people agree in what they marked, two at a time: reckoned when it is asked for, and kept as long as both marks are the same.

use super::examples::ExampleRow;
use super::{Db, Tenant};
use crate::agreeing::{Compared, Size};

row! {
    /// The marks of two people that are still to be compared.
    #[derive(Debug, Clone)]
    pub(crate) struct OpenPair {
        pub(crate) example: String,
        pub(crate) width: Option<i64>,
        pub(crate) height: Option<i64>,
        pub(crate) one: String,
        pub(crate) other: String,
        pub(crate) seq_one: i64,
        pub(crate) seq_other: i64,
        /// As JSON.
        pub(crate) marks_one: String,
        pub(crate) marks_other: String,
    }
}

row! {
    /// How far two people agree about an example.
    #[derive(Debug, Clone)]
    pub(crate) struct PairRow {
        pub(crate) example: String,
        pub(crate) one: String,
        pub(crate) other: String,
        pub(crate) n_one: i64,
        pub(crate) n_other: i64,
        /// Absent where so much is marked that it was not compared.
        pub(crate) n_same: Option<i64>,
        /// The sum of what the marks overlap that are the same.
        pub(crate) overlap: f64,
        /// 1 where nobody decided which marks hold.
        pub(crate) open: i64,
    }
}

/// Two people who marked the same example `e`, of whom none is nobody.
const TWO: &str = "FROM marking a JOIN marking b ON b.example = a.example AND b.person > a.person \
     JOIN example e ON e.id = a.example AND e.removed = 0 WHERE a.tenant = $1 AND a.dataset = $2 AND a.person <> ''";
/// What was reckoned of two people `a` and `b`, where it still holds.
pub(super) const RECKONED: &str = "p.example = a.example AND p.one = a.person AND p.other = b.person AND p.seq_one = a.seq AND p.seq_other = b.seq";

impl OpenPair {
    pub(crate) fn size(&self) -> Size {
        size(self.width, self.height)
    }
}

impl ExampleRow {
    /// Of a picture, in pixels.
    pub(crate) fn size(&self) -> Size {
        size(self.width, self.height)
    }
}

fn size(width: Option<i64>, height: Option<i64>) -> Size {
    let side = |side: Option<i64>| side.and_then(|side| u32::try_from(side).ok());
    side(width).zip(side(height))
}

impl Db {
    /// Some of the marks of two people that were not compared since one of them changed theirs.
    pub(crate) async fn open_pairs(
        &self,
        tenant: &Tenant,
        dataset: &str,
        limit: i64,
    ) -> Result<Vec<OpenPair>, sqlx::Error> {
        let sql = format!(
            "SELECT a.example, e.width, e.height, a.person AS one, b.person AS other, a.seq AS seq_one, b.seq AS seq_other, \
             a.marks AS marks_one, b.marks AS marks_other {TWO} \
             AND NOT EXISTS (SELECT 1 FROM mark_pair p WHERE {RECKONED}) ORDER BY a.example, a.person, b.person LIMIT $3"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset).bind(limit);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Keeps what was reckoned; nothing where it was too much.
    pub(crate) async fn keep_pairs(
        &self,
        tenant: &Tenant,
        dataset: &str,
        pairs: &[(OpenPair, Option<Compared>)],
    ) -> Result<(), sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let sql = "INSERT INTO mark_pair (tenant, dataset, example, one, other, seq_one, seq_other, n_one, n_other, n_same, overlap) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 WHERE EXISTS (SELECT 1 FROM dataset WHERE tenant = $1 AND id = $2) \
             ON CONFLICT (example, one, other) DO UPDATE SET seq_one = excluded.seq_one, seq_other = excluded.seq_other, \
             n_one = excluded.n_one, n_other = excluded.n_other, n_same = excluded.n_same, overlap = excluded.overlap";
        for (pair, compared) in pairs {
            let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
            let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(&pair.example);
            let ask = ask.bind(&pair.one).bind(&pair.other).bind(pair.seq_one).bind(pair.seq_other);
            let (n_one, n_other) = compared.map_or((0, 0), |compared| compared.n);
            let ask = ask.bind(count(n_one)).bind(count(n_other));
            let ask = ask.bind(compared.map(|compared| count(compared.n_same)));
            ask.bind(compared.map_or(0.0, |compared| compared.overlap)).execute(&mut *tx).await?;
        }
        tx.commit().await
    }

    /// How far people agree, two at a time, in the order of the examples.
    pub(crate) async fn pairs(&self, tenant: &Tenant, dataset: &str) -> Result<Vec<PairRow>, sqlx::Error> {
        let sql = format!(
            "SELECT p.example, p.one, p.other, p.n_one, p.n_other, p.n_same, p.overlap, \
             CASE WHEN e.marks_took IS NULL THEN 1 ELSE 0 END AS open {} ORDER BY e.position, e.id, p.one, p.other",
            TWO.replace("WHERE", &format!("JOIN mark_pair p ON {RECKONED} WHERE"))
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }

    /// How many examples each person marked, or looked at and marked nothing.
    pub(crate) async fn markers(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<(String, i64)>, sqlx::Error> {
        let sql = "SELECT m.person, COUNT(*) FROM marking m JOIN example e ON e.id = m.example AND e.removed = 0 \
             WHERE m.tenant = $1 AND m.dataset = $2 AND m.person <> '' GROUP BY m.person";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut *self.of(tenant).await?).await
    }
}
