//! What differs between two states of a data set. Only examples that something happened to are looked at, and the database counts.

use tokio_stream::StreamExt as _;

use super::states::{label_at, marks_at, there_at};
use super::{Db, Tenant};
use crate::marks;

/// New names of classes that are looked for on marks: as many as a statement may nest.
const MOST_RENAMES: usize = 400;

/// From one number to another, in either direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

row! {
    /// So many examples changed in the same way.
    #[derive(Debug, Clone)]
    pub(crate) struct GroupRow {
        /// `added`, `removed`, `relabelled` or `marked`.
        pub(crate) kind: String,
        pub(crate) label_before: Option<String>,
        pub(crate) label_after: Option<String>,
        pub(crate) n: i64,
    }
}

row! {
    /// One example that changed.
    #[derive(Debug, Clone)]
    pub(crate) struct DifferentRow {
        pub(crate) id: String,
        pub(crate) label_before: Option<String>,
        pub(crate) label_after: Option<String>,
    }
}

/// Labels before and after, as they are kept.
pub(crate) type Labels = (Option<String>, Option<String>);

impl Db {
    /// Every way in which examples differ, the most frequent first, told one by one: numbers may differ in as many ways as there are examples.
    /// `renames` are those from the earlier number to the later.
    pub(crate) async fn differences(
        &self,
        tenant: &Tenant,
        dataset: &str,
        (span, renames): (Span, &[(String, String)]),
        mut tell: impl FnMut(GroupRow),
    ) -> Result<(), sqlx::Error> {
        let sql = format!(
            "{} SELECT kind, label_before, label_after, COUNT(*) AS n FROM change GROUP BY kind, label_before, label_after \
             ORDER BY n DESC, kind, label_before, label_after",
            changes(renames, 7)
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        let ask = ask.bind(span.from).bind(span.to).bind(span.from.min(span.to)).bind(span.from.max(span.to));
        let ask = on_marks(renames).fold(ask, |ask, name| ask.bind(name));
        let mut connection = self.of(tenant).await?;
        let mut rows = ask.fetch(&mut *connection);
        while let Some(row) = rows.next().await {
            tell(row?);
        }
        Ok(())
    }

    /// A page of the examples that differ in one kind, or in one way of it.
    pub(crate) async fn different(
        &self,
        tenant: &Tenant,
        dataset: &str,
        (span, renames): (Span, &[(String, String)]),
        (kind, labels): (&str, Option<&Labels>),
        (offset, limit): (i64, i64),
    ) -> Result<Vec<DifferentRow>, sqlx::Error> {
        let sql = format!(
            "{} SELECT id, label_before, label_after FROM change WHERE kind = $7 \
             AND ($8 = 0 OR (label_before IS NOT DISTINCT FROM $9 AND label_after IS NOT DISTINCT FROM $10)) \
             ORDER BY position, id LIMIT $11 OFFSET $12",
            changes(renames, 13)
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        let ask = ask.bind(span.from).bind(span.to).bind(span.from.min(span.to)).bind(span.from.max(span.to));
        let (before, after) =
            labels.map_or((None, None), |(before, after)| (before.as_deref(), after.as_deref()));
        let ask = ask.bind(kind).bind(i64::from(labels.is_some())).bind(before).bind(after);
        let ask = ask.bind(limit).bind(offset);
        let ask = on_marks(renames).fold(ask, |ask, name| ask.bind(name));
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }
}

/// What the old and new names of classes look like on marks, one after the other.
fn on_marks(renames: &[(String, String)]) -> impl Iterator<Item = String> {
    renames.iter().take(MOST_RENAMES).flat_map(|(from, to)| [marks::named(from), marks::named(to)])
}

/// The table `change` between the numbers $3 and $4, of which $5 is the lower and $6 the higher. A class that only got another name changes no marks;
/// the names are bound from `first` on.
fn changes(renames: &[(String, String)], first: usize) -> String {
    let (was, is) = (there_at("$3"), there_at("$4"));
    let (before, after) = (label_at("$3"), label_at("$4"));
    let names = (first..).step_by(2).take(renames.len().min(MOST_RENAMES));
    let marks_early =
        names.fold(marks_at("$5"), |marks, name| format!("REPLACE({marks}, ${name}, ${})", name + 1));
    let marks_late = marks_at("$6");
    format!(
        "WITH touched AS (SELECT example AS id FROM label_event WHERE tenant = $1 AND dataset = $2 AND seq > $5 AND seq <= $6 \
         UNION SELECT id FROM example WHERE tenant = $1 AND dataset = $2 AND came > $5 AND came <= $6), \
         seen AS (SELECT e.id, e.position, CASE WHEN {was} THEN 1 ELSE 0 END AS was, CASE WHEN {is} THEN 1 ELSE 0 END AS there, \
         {before} AS label_before, {after} AS label_after, {marks_early} AS marks_early, {marks_late} AS marks_late \
         FROM touched JOIN example e ON e.id = touched.id), \
         change AS (\
         SELECT id, position, 'added' AS kind, CAST(NULL AS TEXT) AS label_before, label_after FROM seen WHERE was = 0 AND there = 1 \
         UNION ALL SELECT id, position, 'removed', label_before, CAST(NULL AS TEXT) FROM seen WHERE was = 1 AND there = 0 \
         UNION ALL SELECT id, position, 'relabelled', label_before, label_after FROM seen \
         WHERE was = 1 AND there = 1 AND label_before IS DISTINCT FROM label_after \
         UNION ALL SELECT id, position, 'marked', CAST(NULL AS TEXT), CAST(NULL AS TEXT) FROM seen \
         WHERE was = 1 AND there = 1 AND marks_early IS DISTINCT FROM marks_late AND EXISTS (SELECT 1 FROM label_event l \
         WHERE l.example = seen.id AND l.what = 'marks' AND l.act <> 'rename' AND l.seq > $5 AND l.seq <= $6))"
    )
}
