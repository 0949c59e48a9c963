//! What a data set was at one of its numbers: read from the events up to there.

use super::examples::ExampleRow;
use super::{Db, Tenant};

/// The label that held of the example `e` at a number.
pub(super) fn label_at(seq: &str) -> String {
    format!(
        "(SELECT l.holds FROM label_event l WHERE l.example = e.id AND l.what = 'label' AND l.seq <= {seq} \
         ORDER BY l.seq DESC LIMIT 1)"
    )
}

/// What was marked on the example `e` at a number.
pub(super) fn marks_at(seq: &str) -> String {
    format!(
        "(SELECT l.label FROM label_event l WHERE l.example = e.id AND l.what = 'marks' AND l.seq <= {seq} \
         ORDER BY l.seq DESC LIMIT 1)"
    )
}

/// Whether the example `e` was there at a number.
pub(super) fn there_at(seq: &str) -> String {
    format!(
        "(e.came <= {seq} AND COALESCE((SELECT l.label FROM label_event l WHERE l.example = e.id \
         AND l.what = 'presence' AND l.seq <= {seq} ORDER BY l.seq DESC LIMIT 1), '') <> 'gone')"
    )
}

row! {
    /// A model that an example taught.
    #[derive(Debug, Clone)]
    pub(crate) struct TaughtRow {
        pub(crate) id: String,
        pub(crate) name: String,
        pub(crate) created_at: i64,
        /// What the model was told of it; absent where it had no label then, and taught nothing.
        pub(crate) label: Option<String>,
    }
}

row! {
    /// Where an example came from.
    #[derive(Debug, Clone)]
    pub(crate) struct OriginRow {
        /// The number at which it came; 0 where that is not known.
        pub(crate) came: i64,
        /// The deployment that was asked about it.
        pub(crate) came_from: Option<String>,
        pub(crate) removed: i64,
        /// When the data came that it came with.
        pub(crate) imported_at: Option<i64>,
    }
}

impl Db {
    /// How many examples there were at a number, and how many of them had a label.
    pub(crate) async fn counts_at(
        &self,
        tenant: &Tenant,
        dataset: &str,
        seq: i64,
    ) -> Result<(i64, i64), sqlx::Error> {
        let (label, there) = (label_at("$3"), there_at("$3"));
        let sql = format!(
            "SELECT COUNT(*), COUNT({label}) FROM example e WHERE e.tenant = $1 AND e.dataset = $2 AND {there}"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset).bind(seq);
        ask.fetch_one(&mut *self.of(tenant).await?).await
    }

    /// The next examples behind one, as they were at a number.
    pub(crate) async fn examples_at(
        &self,
        tenant: &Tenant,
        dataset: &str,
        seq: i64,
        (position, id): (i64, &str),
        count: i64,
    ) -> Result<Vec<ExampleRow>, sqlx::Error> {
        let (label, marks, there) = (label_at("$6"), marks_at("$6"), there_at("$6"));
        let sql = format!(
            "SELECT e.id, e.dataset, e.position, e.name, e.blob, e.body, e.part_group, {label} AS label, \
             CAST(NULL AS TEXT) AS label_by, {marks} AS marks, e.marks_seq, e.marks_by, e.width, e.height, e.part, e.decided, e.senses, e.piece_ms, e.piece FROM example e \
             WHERE e.tenant = $1 AND e.dataset = $2 AND (e.position > $3 OR (e.position = $3 AND e.id > $4)) AND {there} \
             ORDER BY e.position, e.id LIMIT $5"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset).bind(position);
        ask.bind(id).bind(count).bind(seq).fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Those of the examples that taught at a number, with their labels of then.
    pub(crate) async fn taught_at(
        &self,
        tenant: &Tenant,
        ids: &[String],
        seq: i64,
    ) -> Result<Vec<(String, String)>, sqlx::Error> {
        let places: Vec<String> = (3..ids.len() + 3).map(|place| format!("${place}")).collect();
        let (label, there) = (label_at("$2"), there_at("$2"));
        let sql = format!(
            "SELECT e.id, {label} AS label FROM example e WHERE e.tenant = $1 AND e.id IN ({}) AND {there} AND {label} IS NOT NULL",
            places.join(", ")
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(seq);
        ids.iter().fold(ask, |ask, id| ask.bind(id)).fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Where an example came from.
    pub(crate) async fn origin(
        &self,
        tenant: &Tenant,
        example: &str,
    ) -> Result<Option<OriginRow>, sqlx::Error> {
        let sql = "SELECT e.came, e.came_from, e.removed, (SELECT m.at FROM milestone m WHERE m.dataset = e.dataset \
             AND m.kind = 'import' AND m.seq >= e.came AND e.came > 0 AND e.came_from IS NULL ORDER BY m.seq LIMIT 1) AS imported_at \
             FROM example e WHERE e.tenant = $1 AND e.id = $2";
        sqlx::query_as(sql).bind(tenant.id()).bind(example).fetch_optional(&mut *self.of(tenant).await?).await
    }

    /// Models made of an example's data set while it was there, the newest first.
    pub(crate) async fn taught_by(
        &self,
        tenant: &Tenant,
        example: &str,
    ) -> Result<Vec<TaughtRow>, sqlx::Error> {
        let (label, there) = (label_at("m.seq"), there_at("m.seq"));
        let sql = format!(
            "SELECT m.id, m.name, m.created_at, {label} AS label FROM example e JOIN model m \
             ON m.tenant = $1 AND m.dataset = e.dataset AND m.seq IS NOT NULL \
             WHERE e.tenant = $1 AND e.id = $2 AND {there} ORDER BY m.created_at DESC, m.id"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(example);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }
}
