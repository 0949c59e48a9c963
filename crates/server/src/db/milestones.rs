//! Numbers in the life of a data set that mean something, and who changed how much between them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{Any, Transaction};

use super::datasets::hold;
use super::presence::ACT;
use super::{Db, Tenant};
use crate::clock::now;
use crate::ids::new_id;
use crate::worklists::KeptAdvice;

/// Milestones that are told: more than a person looks through.
const MOST: i64 = 300;

/// What happened at a number, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Milestone {
    /// Data came.
    Import { n_examples: usize },
    /// A model was made of them.
    Tune { model: String, name: String },
    /// They were looked through.
    Audit {
        n_findings: usize,
        advice: Vec<KeptAdvice>,
        /// How often what was decided, by what was advised; written when another audit takes its place.
        #[serde(default)]
        decided: Decided,
    },
    /// A class got another name.
    Rename { from: String, to: String },
    /// Somebody named it.
    Name { name: String },
    /// The data went back to what they were at another number.
    Restore { state: i64 },
    /// They were left so when they went back, and nothing else happened here.
    Left,
}

/// By action and decision, how often.
pub(crate) type Decided = BTreeMap<String, BTreeMap<String, usize>>;

impl Milestone {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Import { .. } => "import",
            Self::Tune { .. } => "tune",
            Self::Audit { .. } => "audit",
            Self::Rename { .. } => "rename",
            Self::Name { .. } => "name",
            Self::Restore { .. } => "restore",
            Self::Left => "left",
        }
    }
}

/// What a class was called and what instead, where that is what happened; `body` is a [`Milestone`] as JSON.
pub(crate) fn renamed(body: &str) -> Option<(String, String)> {
    match serde_json::from_str(body) {
        Ok(Milestone::Rename { from, to }) => Some((from, to)),
        _ => None,
    }
}

row! {
    /// A milestone; `body` is a [`Milestone`] as JSON.
    #[derive(Debug, Clone)]
    pub(crate) struct MilestoneRow {
        pub(crate) id: String,
        pub(crate) seq: i64,
        pub(crate) body: String,
        pub(crate) person: Option<String>,
        pub(crate) at: i64,
    }
}

row! {
    /// What somebody did between two milestones.
    #[derive(Debug, Clone)]
    pub(crate) struct ChangeRow {
        /// The later of the two.
        pub(crate) seq: i64,
        pub(crate) person: Option<String>,
        /// `label`, `marks`, `marking` or `presence`.
        pub(crate) what: String,
        /// `give`, `decide` about a finding, `settle` a dispute, `undo`, `rename`, `restore`, `remove` or `return`.
        pub(crate) act: String,
        pub(crate) n: i64,
    }
}

row! {
    /// Several changes.
    #[derive(Debug, Clone)]
    pub(crate) struct ActsRow {
        pub(crate) first: Option<i64>,
        pub(crate) last: Option<i64>,
        pub(crate) n: i64,
    }
}

/// Each milestone's number with the one before, and the number of now.
const BETWEEN: &str = "WITH point AS (SELECT seq FROM milestone WHERE tenant = $1 AND dataset = $2 UNION \
     SELECT seq FROM dataset WHERE tenant = $1 AND id = $2), \
     span AS (SELECT seq, COALESCE(LAG(seq) OVER (ORDER BY seq), 0) AS since FROM point)";

impl Db {
    /// The last milestones, the newest first.
    pub(crate) async fn milestones(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<MilestoneRow>, sqlx::Error> {
        let sql = "SELECT id, seq, body, person, at FROM milestone WHERE tenant = $1 AND dataset = $2 \
             ORDER BY seq DESC, at DESC, id LIMIT $3";
        sqlx::query_as(sql)
            .bind(tenant.id())
            .bind(dataset)
            .bind(MOST)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// Those of one kind, the oldest first.
    pub(crate) async fn milestones_of(
        &self,
        tenant: &Tenant,
        dataset: &str,
        kind: &str,
    ) -> Result<Vec<MilestoneRow>, sqlx::Error> {
        let sql = "SELECT id, seq, body, person, at FROM milestone WHERE tenant = $1 AND dataset = $2 AND kind = $3 \
             ORDER BY seq, at, id";
        sqlx::query_as(sql)
            .bind(tenant.id())
            .bind(dataset)
            .bind(kind)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// Who did what how often between each milestone and the one before; imports are told by [`Db::arrivals`].
    pub(crate) async fn changes(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Vec<ChangeRow>, sqlx::Error> {
        let sql = format!(
            "{BETWEEN} SELECT span.seq, l.person, l.what, {ACT} AS act, COUNT(*) AS n FROM span JOIN label_event l \
             ON l.dataset = $2 AND l.seq > span.since AND l.seq <= span.seq AND l.act NOT IN ('import', 'follow') \
             GROUP BY span.seq, l.person, l.what, {ACT} ORDER BY span.seq, n DESC, l.person, l.what, {ACT}"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// How many examples came between each milestone and the one before.
    pub(crate) async fn arrivals(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<BTreeMap<i64, i64>, sqlx::Error> {
        let sql = format!(
            "{BETWEEN} SELECT span.seq, COUNT(*) FROM span JOIN example e \
             ON e.dataset = $2 AND e.came > span.since AND e.came <= span.seq GROUP BY span.seq"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        let rows: Vec<(i64, i64)> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
        Ok(rows.into_iter().collect())
    }

    /// Changes between two numbers that were decisions about an audit.
    pub(crate) async fn decided_between(
        &self,
        tenant: &Tenant,
        dataset: &str,
        from: i64,
        to: i64,
    ) -> Result<ActsRow, sqlx::Error> {
        let sql = "SELECT MIN(seq) AS first, MAX(seq) AS last, COUNT(*) AS n FROM label_event \
             WHERE tenant = $1 AND dataset = $2 AND seq > $3 AND seq <= $4 AND act IN ('decide', 'remove', 'return')";
        sqlx::query_as(sql)
            .bind(tenant.id())
            .bind(dataset)
            .bind(from)
            .bind(to)
            .fetch_one(&mut *self.of(tenant).await?)
            .await
    }

    /// Changes between two numbers that were none, also of examples that came.
    pub(crate) async fn others_between(
        &self,
        tenant: &Tenant,
        dataset: &str,
        from: i64,
        to: i64,
    ) -> Result<i64, sqlx::Error> {
        let sql = "SELECT COUNT(*) FROM label_event WHERE tenant = $1 AND dataset = $2 AND seq > $3 AND seq <= $4 \
             AND act NOT IN ('decide', 'remove', 'return', 'rename', 'follow')";
        sqlx::query_scalar(sql)
            .bind(tenant.id())
            .bind(dataset)
            .bind(from)
            .bind(to)
            .fetch_one(&mut *self.of(tenant).await?)
            .await
    }

    /// Gives a state a name, the state of now where none is meant; `None` when the tenant has no such set, or it was never in that state.
    pub(crate) async fn name_state(
        &self,
        tenant: &Tenant,
        dataset: &str,
        seq: Option<i64>,
        (name, person): (&str, &str),
    ) -> Result<Option<String>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(None) };
        let seq = seq.unwrap_or(held.seq);
        if !(0..=held.seq).contains(&seq) {
            return Ok(None);
        }
        let milestone = Milestone::Name { name: name.to_owned() };
        let id = remember(&mut tx, tenant, dataset, seq, &milestone, Some(person)).await?;
        tx.commit().await?;
        Ok(Some(id))
    }

    /// Takes a name away that somebody gave a state; the state stays.
    pub(crate) async fn forget_name(
        &self,
        tenant: &Tenant,
        dataset: &str,
        id: &str,
    ) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM milestone WHERE tenant = $1 AND dataset = $2 AND id = $3 AND kind = 'name'";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(id);
        Ok(ask.execute(&mut *self.of(tenant).await?).await?.rows_affected() == 1)
    }
}

/// Writes down that the data went back from one number to what they were at another, which is theirs at a third. The number that is left is told as well, so
/// that one finds the way back.
pub(super) async fn remember_restored(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    (left, state, seq): (i64, i64, i64),
    person: &str,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM milestone WHERE tenant = $1 AND dataset = $2 AND seq = $3";
    let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(left);
    let known: i64 = ask.fetch_one(&mut **tx).await?;
    if known == 0 {
        remember(tx, tenant, dataset, left, &Milestone::Left, Some(person)).await?;
    }
    remember(tx, tenant, dataset, seq, &Milestone::Restore { state }, Some(person)).await.map(drop)
}

/// Writes a milestone down, and returns its id.
pub(super) async fn remember(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    seq: i64,
    milestone: &Milestone,
    person: Option<&str>,
) -> Result<String, sqlx::Error> {
    let id = new_id();
    let sql = "INSERT INTO milestone (id, tenant, dataset, seq, kind, body, person, at) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE EXISTS (SELECT 1 FROM dataset WHERE id = $3 AND tenant = $2)";
    let ask = sqlx::query(sql).bind(&id).bind(tenant.id()).bind(dataset).bind(seq).bind(milestone.kind());
    ask.bind(written(milestone)).bind(person).bind(now()).execute(&mut **tx).await?;
    Ok(id)
}

/// Classes that got other names behind a number, what they were called and what since, in order.
pub(super) async fn renames_since(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    since: i64,
) -> Result<Vec<(String, String)>, sqlx::Error> {
    let sql = "SELECT body FROM milestone WHERE tenant = $1 AND dataset = $2 AND kind = 'rename' AND seq > $3 ORDER BY seq, at, id";
    let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(since);
    let rows: Vec<String> = ask.fetch_all(&mut **tx).await?;
    Ok(rows.iter().filter_map(|body| renamed(body)).collect())
}

/// Writes down what was decided about an audit before another takes its place.
pub(super) async fn remember_decided(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    seq: i64,
    counted: Decided,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT id, seq, body, person, at FROM milestone WHERE tenant = $1 AND dataset = $2 AND kind = 'audit' \
         AND seq = $3 ORDER BY at DESC, id LIMIT 1";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(dataset).bind(seq);
    let Some(row): Option<MilestoneRow> = ask.fetch_optional(&mut **tx).await? else { return Ok(()) };
    if let Ok(Milestone::Audit { n_findings, advice, .. }) = serde_json::from_str(&row.body) {
        let milestone = Milestone::Audit { n_findings, advice, decided: counted };
        let sql = "UPDATE milestone SET body = $2 WHERE id = $1";
        sqlx::query(sql).bind(&row.id).bind(written(&milestone)).execute(&mut **tx).await?;
    }
    Ok(())
}

fn written(milestone: &Milestone) -> String {
    serde_json::to_string(milestone).expect("plain values are written")
}
