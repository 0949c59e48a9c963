//! What each person said about each example, and what holds where they differ.

use std::collections::{BTreeSet, HashMap};

use sqlx::{Any, Transaction};

use super::datasets::{Held, next_seqs, with_class};
use super::labels::{Act, Said, earlier};
use super::{Db, Tenant};
use crate::clock::now;

row! {
    /// The last word of one person about one example.
    #[derive(Debug, Clone)]
    pub(crate) struct VoteRow {
        pub(crate) example: String,
        pub(crate) person: String,
        pub(crate) label: String,
    }
}

/// Whose vote a label is that came with the data.
pub(super) const NOBODY: &str = "";

/// What people say: while one person is asked, whose word holds, and what several said before is out of sight.
const WORD: &str = "(SELECT o.tenant, o.dataset, o.example, o.person, o.label, o.at FROM vote o JOIN dataset d ON d.id = o.dataset AND d.annotators > 1 \
     UNION ALL SELECT o.tenant, o.dataset, o.id, o.label_by, o.label, 0 FROM example o JOIN dataset d ON d.id = o.dataset AND d.annotators = 1 \
     WHERE o.label IS NOT NULL AND o.label_by IS NOT NULL)";

impl Db {
    /// All votes about the examples of a data set, in the order of the examples.
    pub(crate) async fn votes(&self, tenant: &Tenant, dataset: &str) -> Result<Vec<VoteRow>, sqlx::Error> {
        let sql = format!(
            "SELECT v.example, v.person, v.label FROM {WORD} v JOIN example e ON e.id = v.example AND e.removed = 0 \
             WHERE v.tenant = $1 AND v.dataset = $2 AND v.person <> '' ORDER BY e.position, e.id, v.at, v.person"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// The votes about one example, the oldest first.
    pub(crate) async fn votes_about(
        &self,
        tenant: &Tenant,
        example: &str,
    ) -> Result<Vec<VoteRow>, sqlx::Error> {
        let sql = format!(
            "SELECT v.example, v.person, v.label FROM {WORD} v JOIN example e ON e.id = v.example AND e.removed = 0 \
             WHERE v.tenant = $1 AND v.example = $2 AND v.person <> '' ORDER BY v.at, v.person"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(example)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// What one person said in a data set, by example.
    pub(crate) async fn votes_by(
        &self,
        tenant: &Tenant,
        dataset: &str,
        person: &str,
    ) -> Result<HashMap<String, String>, sqlx::Error> {
        let sql = format!(
            "SELECT v.example, v.label FROM {WORD} v WHERE v.tenant = $1 AND v.dataset = $2 AND v.person = $3"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset).bind(person);
        let rows: Vec<(String, String)> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
        Ok(rows.into_iter().collect())
    }

    /// Examples that somebody else answered about, that still want an answer, and that this person has not seen, the first asked first.
    pub(crate) async fn half_voted(
        &self,
        tenant: &Tenant,
        dataset: &str,
        person: &str,
        limit: i64,
    ) -> Result<Vec<String>, sqlx::Error> {
        let sql = "SELECT v.example FROM vote v JOIN example e ON e.id = v.example AND e.removed = 0 AND e.decided = 0 \
             WHERE v.tenant = $1 AND v.dataset = $2 AND v.person <> '' GROUP BY v.example \
             HAVING COUNT(*) < (SELECT annotators FROM dataset WHERE id = $2) \
             AND SUM(CASE WHEN v.person = $3 THEN 1 ELSE 0 END) = 0 ORDER BY MIN(v.at), v.example LIMIT $4";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(person).bind(limit);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }
}

/// The last word of a person about an example.
pub(super) async fn vote_of(
    tx: &mut Transaction<'static, Any>,
    example: &str,
    person: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT label FROM vote WHERE example = $1 AND person = $2";
    sqlx::query_scalar(sql).bind(example).bind(person).fetch_optional(&mut **tx).await
}

/// Who said this about an example first; `None` where it came with the data.
pub(super) async fn voter(
    tx: &mut Transaction<'static, Any>,
    example: &str,
    label: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql =
        "SELECT person FROM vote WHERE example = $1 AND label = $2 AND person <> $3 ORDER BY at LIMIT 1";
    sqlx::query_scalar(sql).bind(example).bind(label).bind(NOBODY).fetch_optional(&mut **tx).await
}

/// Writes down what a person says, or that they say nothing any more.
pub(super) async fn vote(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    (example, person): (&str, &str),
    label: Option<&str>,
) -> Result<(), sqlx::Error> {
    let Some(label) = label else {
        let sql = "DELETE FROM vote WHERE example = $1 AND person = $2";
        return sqlx::query(sql).bind(example).bind(person).execute(&mut **tx).await.map(drop);
    };
    let sql = "INSERT INTO vote (tenant, dataset, example, person, label, at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (example, person) DO UPDATE SET label = excluded.label, at = excluded.at";
    let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(example).bind(person).bind(label);
    ask.bind(now()).execute(&mut **tx).await.map(drop)
}

/// From now on several people are asked. What each of them said before one was asked is still there; of other examples what holds is the one vote to
/// begin with, so that corrections are no disputes.
pub(super) async fn begin(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO vote (tenant, dataset, example, person, label, at) \
         SELECT e.tenant, e.dataset, e.id, COALESCE(e.label_by, ''), e.label, $2 FROM example e \
         WHERE e.dataset = $1 AND e.label IS NOT NULL AND NOT EXISTS (SELECT 1 FROM vote v WHERE v.example = e.id)";
    sqlx::query(sql).bind(&held.dataset).bind(now()).execute(&mut **tx).await?;
    // A class may have been taken out while nobody saw its votes.
    let sql = "SELECT DISTINCT label FROM vote WHERE dataset = $1 ORDER BY label";
    let labels: Vec<String> = sqlx::query_scalar(sql).bind(&held.dataset).fetch_all(&mut **tx).await?;
    for class in labels.iter().flat_map(|label| held.task.classes(label)).collect::<BTreeSet<&str>>() {
        with_class(tx, tenant, &held.dataset, class).await?;
    }
    // Meanwhile classes may have got one name, or somebody took the answer away that most gave.
    count_again(tx, tenant, &held.dataset, (Act::Follow.name(), None)).await
}

/// Counts the votes about examples that nobody decided and that have no answer: where most say the same now, that holds.
pub(super) async fn count_again(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    (act, person): (&str, Option<&str>),
) -> Result<(), sqlx::Error> {
    let sql = "SELECT DISTINCT v.example FROM vote v JOIN example e ON e.id = v.example \
         WHERE v.dataset = $1 AND e.decided = 0 AND e.label IS NULL";
    let open: Vec<String> = sqlx::query_scalar(sql).bind(dataset).fetch_all(&mut **tx).await?;
    for example in open {
        let Some(label) = majority(tx, &example).await? else { continue };
        let seq = next_seqs(tx, tenant, dataset, 1).await?;
        let event = "INSERT INTO label_event (tenant, dataset, seq, example, person, label, holds, act, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)";
        let ask = sqlx::query(event).bind(tenant.id()).bind(dataset).bind(seq).bind(&example).bind(person);
        ask.bind(&label).bind(act).bind(now()).execute(&mut **tx).await?;
        let sql = "UPDATE example SET label = $1 WHERE id = $2";
        sqlx::query(sql).bind(label).bind(example).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Labels that come with the data, behind a number, are nobody's word.
pub(super) async fn arrive(
    tx: &mut Transaction<'static, Any>,
    dataset: &str,
    before: i64,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO vote (tenant, dataset, example, person, label, at) \
         SELECT e.tenant, e.dataset, e.id, '', e.label, $3 FROM example e JOIN dataset d ON d.id = e.dataset AND d.annotators > 1 \
         WHERE e.dataset = $1 AND e.came > $2 AND e.label IS NOT NULL";
    sqlx::query(sql).bind(dataset).bind(before).bind(now()).execute(&mut **tx).await.map(drop)
}

/// While one person is asked about an example that several answered before, whoever answers decides for theirs: their vote becomes that, and the
/// others' are not lost, should several be asked again. Returns whether what is said is a decision: votes that say otherwise do not change it.
pub(super) async fn overrule(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    said: &Said<'_>,
    (holds, undoes): (Option<&str>, Option<i64>),
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM vote WHERE example = $1";
    let n_votes: i64 = sqlx::query_scalar(sql).bind(said.example).fetch_one(&mut **tx).await?;
    if n_votes == 0 || said.act.decides() {
        return Ok(said.act.decides());
    }
    let whose = (said.example, said.person);
    let Some(undone) = undoes else {
        vote(tx, tenant, &held.dataset, whose, said.after).await?;
        return Ok(true);
    };
    if vote_of(tx, said.example, said.person).await?.as_deref() == holds {
        let word = earlier(tx, &held.dataset, whose, undone).await?;
        vote(tx, tenant, &held.dataset, whose, word.as_deref()).await?;
    }
    // What comes back may have been decided, or be what most say.
    Ok(majority(tx, said.example).await?.as_deref() != said.after)
}

/// Who said what comes back when an event of theirs is undone, while one person is asked, and whether as a decision; nobody where it came with the data.
/// Who went back to a state only repeated what somebody had said, perhaps by another name.
pub(super) async fn author(
    tx: &mut Transaction<'static, Any>,
    example: &str,
    label: &str,
    undone: i64,
) -> Result<(Option<String>, bool), sqlx::Error> {
    let sql = "SELECT l.person, l.act FROM label_event l WHERE l.example = $1 AND l.what = 'label' AND l.label = $2 AND l.seq < $3 \
         AND l.act <> 'undo' AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.dataset = l.dataset AND u.undoes = l.seq) \
         ORDER BY CASE WHEN l.act = 'restore' THEN 1 ELSE 0 END, l.seq DESC LIMIT 1";
    let ask = sqlx::query_as(sql).bind(example).bind(label).bind(undone);
    let found: Option<(Option<String>, String)> = ask.fetch_optional(&mut **tx).await?;
    let decided = |act: &str| [Act::Decide, Act::Settle].iter().any(|decides| decides.name() == act);
    Ok(found.map_or((None, false), |(person, act)| (person, decided(&act))))
}

/// What most say of an example; `None` where nobody says anything, or two answers have as many votes.
pub(super) async fn majority(
    tx: &mut Transaction<'static, Any>,
    example: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT label, COUNT(*) AS n FROM vote WHERE example = $1 GROUP BY label ORDER BY n DESC, label LIMIT 2";
    let counts: Vec<(String, i64)> = sqlx::query_as(sql).bind(example).fetch_all(&mut **tx).await?;
    Ok(match counts.as_slice() {
        [(_, first), (_, second)] if first == second => None,
        [(label, _), ..] => Some(label.clone()),
        [] => None,
    })
}
