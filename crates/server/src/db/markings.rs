//! What each of several people marked on each example, and which of it holds.

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::{Any, Transaction};

use super::datasets::{Held, hold, with_class};
use super::labels::{Act, Said, What};
use super::mark_pairs::RECKONED;
use super::marking::Marking;
use super::saying::say;
use super::votes::NOBODY;
use super::{Db, Tenant};
use crate::clock::now;
use crate::marks;

/// What is kept of who looked and marked nothing.
pub(crate) const NOTHING: &str = "[]";
/// What is kept of a decision for what most people found.
pub(crate) const MOST: &str = "most";

row! {
    /// What one person marked on an example.
    #[derive(Debug, Clone)]
    pub(crate) struct MarkingRow {
        /// Empty where it came with the data.
        pub(crate) person: String,
        /// As JSON.
        pub(crate) marks: String,
        /// The number of the event that made them so; 0 where they came with the data.
        pub(crate) seq: i64,
        pub(crate) at: i64,
    }
}

/// What several people marked on an example, as it is at one moment.
#[derive(Debug)]
pub(crate) struct Markings {
    /// The one who began first; what came with the data before all.
    pub(crate) rows: Vec<MarkingRow>,
    /// The number of the last event that changed any of them; 0 where there was none.
    pub(crate) event: i64,
    pub(crate) decision: Option<DecisionRow>,
}

row! {
    /// Somebody's decision for marks.
    #[derive(Debug, Clone)]
    pub(crate) struct DecisionRow {
        /// [`MOST`], the id of the person whose marks they are, or empty for those that came with the data.
        pub(crate) took: String,
        pub(crate) decided_by: Option<String>,
        pub(crate) at: i64,
    }
}

/// Marks that somebody decides on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled<'a> {
    pub(crate) example: &'a str,
    /// As in a [`DecisionRow`], and the marks; absent to take a decision back.
    pub(crate) took: Option<(&'a str, Option<&'a str>)>,
    /// The event of the [`Markings`] that were looked at.
    pub(crate) seen: i64,
    pub(crate) person: &'a str,
}

/// The number of the last event about the markings of the example $1: given, taken back, or renamed.
const LAST: &str = "SELECT COALESCE(MAX(l.seq), 0) FROM (SELECT seq FROM label_event WHERE example = $1 AND what = 'marking' \
     UNION ALL SELECT seq FROM marking WHERE example = $1) l";

impl Db {
    /// What several people marked on an example, and what was decided.
    pub(crate) async fn markings(&self, tenant: &Tenant, example: &str) -> Result<Markings, sqlx::Error> {
        let mut tx = self.look(tenant).await?;
        let sql = "SELECT person, marks, seq, at FROM marking WHERE tenant = $1 AND example = $2 ORDER BY began, person";
        let rows = sqlx::query_as(sql).bind(tenant.id()).bind(example).fetch_all(&mut *tx).await?;
        let event = sqlx::query_scalar(LAST).bind(example).fetch_one(&mut *tx).await?;
        // Who changed the one list, while one person was asked, decided as well: see `overrule`.
        let sql = "SELECT e.marks_took AS took, l.person AS decided_by, l.at FROM example e JOIN label_event l ON l.example = e.id \
             WHERE e.tenant = $1 AND e.id = $2 AND e.marks_took IS NOT NULL AND l.what = 'marks' AND l.act IN ('settle', 'give', 'undo', 'restore') \
             ORDER BY l.seq DESC LIMIT 1";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(example);
        let decision = ask.fetch_optional(&mut *tx).await?;
        tx.commit().await?;
        Ok(Markings { rows, event, decision })
    }

    /// What one person marked on these examples, with the numbers of the events that made it so.
    pub(crate) async fn markings_by(
        &self,
        tenant: &Tenant,
        person: &str,
        examples: &[String],
    ) -> Result<HashMap<String, (String, i64)>, sqlx::Error> {
        let mut found = HashMap::new();
        for ids in examples.chunks(500) {
            let places: Vec<String> = (3..ids.len() + 3).map(|place| format!("${place}")).collect();
            let sql = format!(
                "SELECT example, marks, seq FROM marking WHERE tenant = $1 AND person = $2 AND example IN ({})",
                places.join(", ")
            );
            let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(person);
            let ask = ids.iter().fold(ask, |ask, id| ask.bind(id));
            let rows: Vec<(String, String, i64)> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
            found.extend(rows.into_iter().map(|(example, marks, seq)| (example, (marks, seq))));
        }
        Ok(found)
    }

    /// The examples of a data set that a person marked, or looked at and marked nothing.
    pub(crate) async fn marked_by(
        &self,
        tenant: &Tenant,
        dataset: &str,
        person: &str,
    ) -> Result<HashSet<String>, sqlx::Error> {
        let sql = "SELECT example FROM marking WHERE tenant = $1 AND dataset = $2 AND person = $3";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(person);
        Ok(ask.fetch_all(&mut *self.of(tenant).await?).await?.into_iter().collect())
    }

    /// Examples that somebody else marked, that still want another's marks, and that this person has not seen, the first begun first.
    pub(crate) async fn half_marked(
        &self,
        tenant: &Tenant,
        dataset: &str,
        person: &str,
        limit: i64,
    ) -> Result<Vec<String>, sqlx::Error> {
        let sql = "SELECT m.example FROM marking m JOIN example e ON e.id = m.example AND e.removed = 0 AND e.marks_took IS NULL \
             WHERE m.tenant = $1 AND m.dataset = $2 AND m.person <> '' GROUP BY m.example \
             HAVING COUNT(*) < (SELECT annotators FROM dataset WHERE id = $2) \
             AND SUM(CASE WHEN m.person = $3 THEN 1 ELSE 0 END) = 0 ORDER BY MIN(m.began), m.example LIMIT $4";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(person).bind(limit);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Examples on which several people marked different things and nobody decided whose marks hold; where they were not compared yet, things that
    /// are not the same to the letter.
    pub(crate) async fn n_unsettled(&self, tenant: &Tenant, dataset: &str) -> Result<i64, sqlx::Error> {
        let sql = format!(
            "SELECT COUNT(*) FROM example e JOIN dataset d ON d.id = e.dataset AND d.annotators > 1 \
             WHERE e.tenant = $1 AND e.dataset = $2 AND e.removed = 0 AND e.marks_took IS NULL \
             AND EXISTS (SELECT 1 FROM marking a JOIN marking b ON b.example = a.example AND b.person > a.person \
             WHERE a.example = e.id AND a.person <> '' AND a.marks <> b.marks \
             AND NOT EXISTS (SELECT 1 FROM mark_pair p WHERE {RECKONED} AND 2 * p.n_same = p.n_one + p.n_other))"
        );
        let ask = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        ask.fetch_one(&mut *self.of(tenant).await?).await
    }

    /// Decides which marks of an example hold, whatever people give later, or takes that back.
    pub(crate) async fn settle_marks(
        &self,
        tenant: &Tenant,
        dataset: &str,
        settled: Settled<'_>,
    ) -> Result<Marking, sqlx::Error> {
        let Settled { example, took, seen, person } = settled;
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(Marking::Missing) };
        let event: i64 = sqlx::query_scalar(LAST).bind(example).fetch_one(&mut *tx).await?;
        if event != seen || !held.several {
            return Ok(Marking::Changed);
        }
        let sql = "UPDATE example SET marks_took = $1 WHERE id = $2";
        let ask = sqlx::query(sql).bind(took.map(|(took, _)| took)).bind(example);
        ask.execute(&mut *tx).await?;
        let (marks, by) = first(&mut tx, example).await?.unzip();
        let marks = match took {
            Some((_, marks)) => marks,
            None => marks.as_ref().and_then(Option::as_deref),
        };
        let classes = marks.map(marks::classes).unwrap_or_default();
        let said = Said {
            example,
            what: What::Marks,
            after: marks,
            classes: classes.iter().map(String::as_str).collect(),
            person,
            milliseconds: None,
            drawn: false,
            act: Act::Settle,
        };
        let Some(seq) = say(&mut tx, tenant, &held, &said, None).await? else { return Ok(Marking::Missing) };
        if took.is_none() {
            // They are whose they were before anybody decided.
            let by = by.filter(|by| by != NOBODY);
            let sql = "UPDATE example SET marks_by = $1 WHERE id = $2";
            sqlx::query(sql).bind(by).bind(example).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(Marking::Kept(seq))
    }
}

/// From now on several people mark. What each of them marked before one was asked is still there; of other examples the one list is what somebody
/// marked.
pub(super) async fn begin(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO marking (tenant, dataset, example, person, marks, began, seq, at) \
         SELECT e.tenant, e.dataset, e.id, COALESCE(e.marks_by, ''), e.marks, e.marks_seq, e.marks_seq, \
         COALESCE((SELECT l.at FROM label_event l WHERE l.dataset = e.dataset AND l.seq = e.marks_seq), $2) FROM example e \
         WHERE e.dataset = $1 AND e.marks IS NOT NULL AND NOT EXISTS (SELECT 1 FROM marking m WHERE m.example = e.id)";
    sqlx::query(sql).bind(dataset).bind(now()).execute(&mut **tx).await?;
    // A class may have been taken out while nobody saw its marks.
    let sql = "SELECT marks FROM marking WHERE dataset = $1";
    let kept: Vec<String> = sqlx::query_scalar(sql).bind(dataset).fetch_all(&mut **tx).await?;
    let classes: BTreeSet<String> = kept.iter().flat_map(|kept| marks::classes(kept)).collect();
    for class in classes {
        with_class(tx, tenant, dataset, &class).await?;
    }
    Ok(())
}

/// While one person is asked about an example that several marked before, whoever changes the one list decides for what they make of it, as their
/// own: what the others marked is not lost, should several be asked again.
pub(super) async fn overrule(
    tx: &mut Transaction<'static, Any>,
    said: &Said<'_>,
    seq: i64,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO marking (tenant, dataset, example, person, marks, began, seq, at) \
         SELECT e.tenant, e.dataset, e.id, $2, $3, $4, $4, $5 FROM example e \
         WHERE e.id = $1 AND EXISTS (SELECT 1 FROM marking m WHERE m.example = e.id) \
         ON CONFLICT (example, person) DO UPDATE SET marks = excluded.marks, seq = excluded.seq, at = excluded.at";
    let ask = sqlx::query(sql).bind(said.example).bind(said.person).bind(said.after.unwrap_or(NOTHING));
    if ask.bind(seq).bind(now()).execute(&mut **tx).await?.rows_affected() == 0 {
        return Ok(());
    }
    let sql = "UPDATE example SET marks_took = $2 WHERE id = $1";
    sqlx::query(sql).bind(said.example).bind(said.person).execute(&mut **tx).await.map(drop)
}

/// As [`overrule`], of all examples whose one list was changed behind a number. Where somebody marked just that, it is theirs that holds, and nobody's
/// own marks are touched.
pub(super) async fn overrule_since(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    (dataset, since): (&str, i64),
    person: &str,
) -> Result<(), sqlx::Error> {
    let changed = "l.dataset = $2 AND l.seq > $3 AND l.what = 'marks' AND EXISTS (SELECT 1 FROM marking m WHERE m.example = l.example)";
    let sql = format!(
        "UPDATE example AS e SET marks_took = COALESCE((SELECT m.person FROM marking m WHERE m.example = e.id AND m.marks = COALESCE(e.marks, '{NOTHING}') \
         ORDER BY CASE WHEN m.person = $4 THEN 0 ELSE 1 END, m.person LIMIT 1), $4) \
         WHERE e.tenant = $1 AND e.dataset = $2 AND e.id IN (SELECT l.example FROM label_event l WHERE {changed})"
    );
    let ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
    ask.bind(since).bind(person).execute(&mut **tx).await?;
    let sql = format!(
        "INSERT INTO marking (tenant, dataset, example, person, marks, began, seq, at) \
         SELECT l.tenant, l.dataset, l.example, $4, COALESCE(l.label, '{NOTHING}'), l.seq, l.seq, l.at FROM label_event l JOIN example e ON e.id = l.example \
         WHERE l.tenant = $1 AND {changed} AND e.marks_took = $4 \
         ON CONFLICT (example, person) DO UPDATE SET marks = excluded.marks, seq = excluded.seq, at = excluded.at"
    );
    let ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
    ask.bind(since).bind(person).execute(&mut **tx).await.map(drop)
}

/// Marks that come with the data, behind a number, are nobody's.
pub(super) async fn arrive(
    tx: &mut Transaction<'static, Any>,
    dataset: &str,
    before: i64,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO marking (tenant, dataset, example, person, marks, began, seq, at) \
         SELECT e.tenant, e.dataset, e.id, '', e.marks, 0, 0, $3 FROM example e JOIN dataset d ON d.id = e.dataset AND d.annotators > 1 \
         WHERE e.dataset = $1 AND e.came > $2 AND e.marks IS NOT NULL";
    sqlx::query(sql).bind(dataset).bind(before).bind(now()).execute(&mut **tx).await.map(drop)
}

/// What a person marked on an example, and the number of the event that made it so.
pub(super) async fn marking_of(
    tx: &mut Transaction<'static, Any>,
    example: &str,
    person: &str,
) -> Result<Option<(String, i64)>, sqlx::Error> {
    let sql = "SELECT marks, seq FROM marking WHERE example = $1 AND person = $2";
    sqlx::query_as(sql).bind(example).bind(person).fetch_optional(&mut **tx).await
}

/// The marks that came with the data or were given first, `None` where they are none, and whose they are.
pub(super) async fn first(
    tx: &mut Transaction<'static, Any>,
    example: &str,
) -> Result<Option<(Option<String>, String)>, sqlx::Error> {
    let sql = "SELECT marks, person FROM marking WHERE example = $1 ORDER BY began, person LIMIT 1";
    let found: Option<(String, String)> = sqlx::query_as(sql).bind(example).fetch_optional(&mut **tx).await?;
    Ok(found.map(|(marks, person)| (Some(marks).filter(|marks| marks != NOTHING), person)))
}

/// Writes down what a person marks, or that they say nothing any more.
pub(super) async fn put_marking(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    said: &Said<'_>,
    seq: i64,
) -> Result<(), sqlx::Error> {
    let Some(marks) = said.after else {
        let sql = "DELETE FROM marking WHERE example = $1 AND person = $2";
        return sqlx::query(sql).bind(said.example).bind(said.person).execute(&mut **tx).await.map(drop);
    };
    let sql = "INSERT INTO marking (tenant, dataset, example, person, marks, began, seq, at) VALUES ($1, $2, $3, $4, $5, $6, $6, $7) \
         ON CONFLICT (example, person) DO UPDATE SET marks = excluded.marks, seq = excluded.seq, at = excluded.at";
    let ask = sqlx::query(sql).bind(tenant.id()).bind(&held.dataset).bind(said.example).bind(said.person);
    ask.bind(marks).bind(seq).bind(now()).execute(&mut **tx).await.map(drop)
}
