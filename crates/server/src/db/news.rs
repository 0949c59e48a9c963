//! What happened to a data set since somebody last asked: how a quick model hears of labels, whichever server they were given on.

use super::{Db, Tenant};

/// What happened.
#[derive(Debug)]
pub(crate) struct News {
    /// The number of the last change that is told here.
    pub(crate) seq: i64,
    /// The question that is asked now.
    pub(crate) task: String,
    /// Whether examples were brought in or went for good, or a class is called otherwise: then labels alone do not tell what is there.
    pub(crate) other: bool,
    /// Whether doubtful inputs of deployments came back.
    pub(crate) came_back: bool,
    pub(crate) words: Vec<Word>,
}

row! {
    /// What holds now of an example about which something was said.
    #[derive(Debug)]
    pub(crate) struct Word {
        pub(crate) example: String,
        /// Absent as well where it is out of sight.
        pub(crate) label: Option<String>,
        /// 1 where chance picked it, or it came with its label.
        pub(crate) drawn: i64,
        /// More than 0 where it went out of sight or came back.
        pub(crate) moved: i64,
    }
}

impl Db {
    /// What happened since the change with the number `heard`; `None` when the tenant has no such data set. Numbers are given out and seen in
    /// one order, since who takes one holds the data set: nothing is ever told too late to be heard.
    pub(crate) async fn news(
        &self,
        tenant: &Tenant,
        dataset: &str,
        heard: i64,
    ) -> Result<Option<News>, sqlx::Error> {
        let mut connection = self.of(tenant).await?;
        let sql = "SELECT seq, task FROM dataset WHERE tenant = $1 AND id = $2";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(dataset);
        let Some((seq, task)): Option<(i64, String)> = ask.fetch_optional(&mut *connection).await? else {
            return Ok(None);
        };
        if seq == heard {
            return Ok(Some(News { seq, task, other: false, came_back: false, words: Vec::new() }));
        }
        let sql = "SELECT (SELECT COUNT(*) FROM example WHERE tenant = $1 AND dataset = $2 AND came > $3 AND came_from IS NULL) \
             + (SELECT COUNT(*) FROM milestone WHERE tenant = $1 AND dataset = $2 AND seq > $3 AND kind = 'rename') \
             + (SELECT COUNT(*) FROM dataset WHERE tenant = $1 AND id = $2 AND went > $3)";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(heard);
        let other: i64 = ask.fetch_one(&mut *connection).await?;
        let sql = "SELECT COUNT(*) FROM example WHERE tenant = $1 AND dataset = $2 AND came > $3 AND came_from IS NOT NULL";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(heard);
        let came_back: i64 = ask.fetch_one(&mut *connection).await?;
        let sql = "SELECT e.id AS example, CASE WHEN e.removed = 0 THEN e.label END AS label, e.drawn, \
             (SELECT COUNT(*) FROM label_event m WHERE m.example = e.id AND m.seq > $3 AND m.what = 'presence') AS moved \
             FROM example e WHERE e.tenant = $1 AND e.dataset = $2 AND e.id IN \
             (SELECT l.example FROM label_event l WHERE l.dataset = $2 AND l.seq > $3 AND l.what NOT IN ('marks', 'marking'))";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(dataset).bind(heard);
        let words = ask.fetch_all(&mut *connection).await?;
        Ok(Some(News { seq, task, other: other > 0, came_back: came_back > 0, words }))
    }
}
