//! Examples: found, counted, read whole, taken out of sight.

use std::collections::HashMap;

use super::{Db, Tenant};
use crate::senses::{self, Known};
use crate::tasks::inside;

row! {
    /// An example as it stands.
    #[derive(Debug, Clone)]
    pub(crate) struct ExampleRow {
        pub(crate) id: String,
        pub(crate) dataset: String,
        pub(crate) position: i64,
        pub(crate) name: String,
        pub(crate) blob: Option<String>,
        pub(crate) body: Option<String>,
        pub(crate) part_group: Option<String>,
        /// The answer, as its [`Task`](crate::tasks::Task) keeps it.
        pub(crate) label: Option<String>,
        pub(crate) label_by: Option<String>,
        /// As JSON.
        pub(crate) marks: Option<String>,
        /// The number of the event that changed them last; 0 where nobody has.
        pub(crate) marks_seq: i64,
        /// Who marked it last; absent where the marks came with the data.
        pub(crate) marks_by: Option<String>,
        pub(crate) width: Option<i64>,
        pub(crate) height: Option<i64>,
        pub(crate) part: Option<String>,
        /// 1 where somebody decided what holds.
        pub(crate) decided: i64,
        /// What several senses know of it, as [`senses`] keeps it; then `body` holds their texts.
        pub(crate) senses: Option<String>,
        /// Of a piece of a longer sound, how long it is in thousandths of a second.
        pub(crate) piece_ms: Option<i64>,
        /// And where it was cut out, as JSON.
        pub(crate) piece: Option<String>,
    }
}

impl ExampleRow {
    /// The names of its files.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = String> + use<> {
        self.blob.clone().into_iter().chain(senses::blobs(self.senses.as_deref()))
    }

    /// What it is to be shown by: what the named sense knows, else what shows most of it.
    pub(crate) fn face(&self, sense: Option<&str>) -> Option<Known> {
        let Some(kept) = &self.senses else {
            return self.body.clone().map(Known::Text).or(self.blob.clone().map(Known::Blob));
        };
        let mut known = senses::of(Some(kept));
        match sense {
            Some(sense) => known.remove(sense),
            None => senses::face(&known).cloned(),
        }
    }
}

/// Which examples are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// A class.
    pub(crate) label: Option<String>,
    pub(crate) labelled: Option<bool>,
    pub(crate) marked: Option<bool>,
    /// Whether people said different things about it or marked different things on it, and nobody decided. Marks are those that were compared: see
    /// [`Db::open_pairs`].
    pub(crate) disputed: bool,
    /// Whether it was taken out of sight.
    pub(crate) removed: bool,
    /// What the name or the text must contain.
    pub(crate) words: Option<String>,
}

const EXAMPLE: &str = "SELECT id, dataset, position, name, blob, body, part_group, label, label_by, marks, marks_seq, marks_by, width, height, \
     part, decided, senses, piece_ms, piece FROM example";

/// Which of them: any but the first two may be absent. One of several labels stands inside what is kept.
const WANTED: &str = "WHERE removed = $9 AND tenant = $1 AND dataset = $2 \
     AND ($3 IS NULL OR label = $3 OR REPLACE(label, $6, '') <> label) \
     AND ($4 IS NULL OR (CASE WHEN label IS NULL THEN 0 ELSE 1 END) = $4) \
     AND ($5 IS NULL OR LOWER(name) LIKE $5 ESCAPE '!' OR LOWER(body) LIKE $5 ESCAPE '!') \
     AND ($7 IS NULL OR (CASE WHEN marks IS NULL THEN 0 ELSE 1 END) = $7) \
     AND ($8 = 0 OR ((SELECT annotators FROM dataset WHERE id = $2) > 1 AND ((decided = 0 AND \
     (SELECT COUNT(DISTINCT v.label) FROM vote v WHERE v.example = example.id) > 1) OR (marks_took IS NULL AND EXISTS (SELECT 1 FROM mark_pair p \
     JOIN marking a ON a.example = p.example AND a.person = p.one AND a.seq = p.seq_one \
     JOIN marking b ON b.example = p.example AND b.person = p.other AND b.seq = p.seq_other \
     WHERE p.example = example.id AND 2 * p.n_same <> p.n_one + p.n_other)))))";

impl Wanted {
    /// Whether every example is.
    pub(crate) fn is_everything(&self) -> bool {
        let Self { label, labelled, marked, disputed, removed, words } = self;
        !removed && label.is_none() && labelled.is_none() && marked.is_none() && !disputed && words.is_none()
    }
}

/// Binds what [`WANTED`] asks for.
macro_rules! bind_wanted {
    ($ask:expr, $tenant:expr, $dataset:expr, $wanted:expr) => {{
        let Wanted { label, labelled, marked, disputed, removed, words } = $wanted;
        let plain =
            |words: &String| words.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
        $ask.bind($tenant.id())
            .bind($dataset)
            .bind(label.as_deref())
            .bind(labelled.map(i64::from))
            .bind(words.as_ref().map(|words| format!("%{}%", plain(words))))
            .bind(label.as_deref().map(inside))
            .bind(marked.map(i64::from))
            .bind(i64::from(*disputed))
            .bind(i64::from(*removed))
    }};
}

impl Db {
    pub(crate) async fn example(&self, tenant: &Tenant, id: &str) -> Result<Option<ExampleRow>, sqlx::Error> {
        let sql = format!("{EXAMPLE} WHERE tenant = $1 AND id = $2 AND removed = 0");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(id)
            .fetch_optional(&mut *self.of(tenant).await?)
            .await
    }

    /// One page of the examples that are wanted, in their order, and how many there are.
    pub(crate) async fn page(
        &self,
        tenant: &Tenant,
        dataset: &str,
        wanted: &Wanted,
        offset: i64,
        limit: i64,
    ) -> Result<(Vec<ExampleRow>, i64), sqlx::Error> {
        let sql = format!("SELECT COUNT(*) FROM example {WANTED}");
        let ask = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        let ask = bind_wanted!(ask, tenant, dataset, wanted);
        let total: i64 = ask.fetch_one(&mut *self.of(tenant).await?).await?;
        let sql = format!("{EXAMPLE} {WANTED} ORDER BY position, id LIMIT $10 OFFSET $11");
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql));
        let ask = bind_wanted!(ask, tenant, dataset, wanted).bind(limit).bind(offset);
        let page = ask.fetch_all(&mut *self.of(tenant).await?).await?;
        Ok((page, total))
    }

    /// The ids of all examples that are wanted.
    pub(crate) async fn wanted(
        &self,
        tenant: &Tenant,
        dataset: &str,
        wanted: &Wanted,
    ) -> Result<Vec<String>, sqlx::Error> {
        let sql = format!("SELECT id FROM example {WANTED}");
        let ask = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        let ask = bind_wanted!(ask, tenant, dataset, wanted);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }

    /// An example, also one that was taken out.
    pub(crate) async fn example_ever(
        &self,
        tenant: &Tenant,
        id: &str,
    ) -> Result<Option<ExampleRow>, sqlx::Error> {
        let sql = format!("{EXAMPLE} WHERE tenant = $1 AND id = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(id)
            .fetch_optional(&mut *self.of(tenant).await?)
            .await
    }

    /// Those of the examples that the tenant has, also where they were taken out, in the order asked for.
    pub(crate) async fn examples_ever(
        &self,
        tenant: &Tenant,
        ids: &[String],
    ) -> Result<Vec<ExampleRow>, sqlx::Error> {
        self.by_id(tenant, ids, "removed <= 1").await
    }

    /// Every example of a data set, in their order, with the number of the state that they are.
    pub(crate) async fn state_now(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Option<(i64, Vec<ExampleRow>)>, sqlx::Error> {
        let mut tx = self.look(tenant).await?;
        let sql = "SELECT seq FROM dataset WHERE tenant = $1 AND id = $2";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset);
        let Some(seq): Option<i64> = ask.fetch_optional(&mut *tx).await? else { return Ok(None) };
        let sql =
            format!("{EXAMPLE} WHERE tenant = $1 AND dataset = $2 AND removed = 0 ORDER BY position, id");
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        let rows = ask.fetch_all(&mut *tx).await?;
        tx.commit().await?;
        Ok(Some((seq, rows)))
    }

    /// Every example of a data set, in their order.
    pub(crate) async fn all_examples(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<ExampleRow>, sqlx::Error> {
        let sql =
            format!("{EXAMPLE} WHERE tenant = $1 AND dataset = $2 AND removed = 0 ORDER BY position, id");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// The first examples without a label as chance orders them, which is by their ids; where they are marked rather than answered about
    /// (`by_marks`), also without a mark; one that several people are asked about comes first to whom it is half done for, and not from here.
    pub(crate) async fn next_by_chance(
        &self,
        tenant: &Tenant,
        dataset: &str,
        by_marks: bool,
        count: i64,
    ) -> Result<Vec<String>, sqlx::Error> {
        let sql = "SELECT id FROM example WHERE tenant = $1 AND dataset = $2 AND removed = 0 AND label IS NULL \
             AND ($3 = 0 OR (marks IS NULL AND NOT EXISTS (SELECT 1 FROM dataset d JOIN marking m ON m.example = example.id \
             WHERE d.id = $2 AND d.annotators > 1))) ORDER BY id LIMIT $4";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(i64::from(by_marks));
        ask.bind(count).fetch_all(&mut *self.of(tenant).await?).await
    }

    /// The next examples behind one, by its position and id, in their order.
    pub(crate) async fn examples_after(
        &self,
        tenant: &Tenant,
        dataset: &str,
        (position, id): (i64, &str),
        count: i64,
    ) -> Result<Vec<ExampleRow>, sqlx::Error> {
        let sql = format!(
            "{EXAMPLE} WHERE tenant = $1 AND dataset = $2 AND removed = 0 \
             AND (position > $3 OR (position = $3 AND id > $4)) ORDER BY position, id LIMIT $5"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        ask.bind(position).bind(id).bind(count).fetch_all(&mut *self.of(tenant).await?).await
    }

    /// The label of every example, and whether it was drawn at random or came with its label (1).
    pub(crate) async fn labels(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<(String, Option<String>, i64)>, sqlx::Error> {
        let sql = "SELECT id, label, drawn FROM example WHERE tenant = $1 AND dataset = $2 AND removed = 0";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Those of the examples that the tenant has, in the order asked for.
    pub(crate) async fn examples_by_id(
        &self,
        tenant: &Tenant,
        ids: &[String],
    ) -> Result<Vec<ExampleRow>, sqlx::Error> {
        self.by_id(tenant, ids, "removed = 0").await
    }

    async fn by_id(
        &self,
        tenant: &Tenant,
        ids: &[String],
        which: &str,
    ) -> Result<Vec<ExampleRow>, sqlx::Error> {
        let mut found = HashMap::new();
        // SQLite takes some thirty thousand values at once; a page is far below.
        for ids in ids.chunks(500) {
            let places: Vec<String> = (2..ids.len() + 2).map(|place| format!("${place}")).collect();
            let sql = format!("{EXAMPLE} WHERE {which} AND tenant = $1 AND id IN ({})", places.join(", "));
            let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id());
            let ask = ids.iter().fold(ask, |ask, id| ask.bind(id));
            let rows: Vec<ExampleRow> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
            found.extend(rows.into_iter().map(|row| (row.id.clone(), row)));
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Those of the names that examples of a data set have.
    pub(crate) async fn examples_by_name(
        &self,
        tenant: &Tenant,
        dataset: &str,
        names: &[&str],
    ) -> Result<Vec<ExampleRow>, sqlx::Error> {
        let mut found = Vec::new();
        for names in names.chunks(500) {
            let places: Vec<String> = (3..names.len() + 3).map(|place| format!("${place}")).collect();
            let sql = format!(
                "{EXAMPLE} WHERE removed = 0 AND tenant = $1 AND dataset = $2 AND name IN ({})",
                places.join(", ")
            );
            let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
            let ask = names.iter().fold(ask, |ask, name| ask.bind(*name));
            found.extend(ask.fetch_all(&mut *self.of(tenant).await?).await?);
        }
        Ok(found)
    }
}
