//! A data set goes back to one of its states: by more events, so that nothing is erased and going back again takes it back.
//!
//! The events are drafted from what held then. The new names that classes got since are given to the draft in their order, and what says nothing new
//! is dropped; the rest is what happens. Examples that were not there then keep their labels and marks for the day they are brought back.

use std::collections::BTreeSet;

use sqlx::{Any, Transaction};
use tokio_stream::StreamExt as _;

use super::datasets::{hold, next_seqs, with_class};
use super::labels::What;
use super::milestones::{remember_restored, renames_since};
use super::states::{label_at, marks_at, there_at};
use super::{Db, Tenant, markings};
use crate::clock::now;
use crate::marks;
use crate::tasks::{Task, inside, renamed};

/// Where a data set is to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Going {
    /// A state by its number.
    pub(crate) state: i64,
    /// The number that the data set was seen with: where it has another one by now, nothing is done.
    pub(crate) seen: Option<i64>,
    /// It is only told what that would change.
    pub(crate) is_dry_run: bool,
}

/// How going back ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Restoring {
    Restored(Restored),
    /// The data set is not in the state any more that was seen, but in that of this number.
    Changed(i64),
    /// Several people are asked about each example: what each of them said is theirs.
    Several,
}

/// What going back changed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Restored {
    /// The number of now; where nothing changed, as it was.
    pub(crate) seq: i64,
    /// Examples that were not there then, and are taken out.
    pub(crate) n_removed: u64,
    /// Examples that were there then, and come back.
    pub(crate) n_returned: u64,
    /// Examples that get another label.
    pub(crate) n_relabelled: u64,
    /// Examples that get other marks.
    pub(crate) n_marked: u64,
}

/// Where a data set goes back to.
struct Goal<'a> {
    tenant: &'a Tenant,
    dataset: &'a str,
    task: Task,
    state: i64,
    /// The number of the last event that is not of this going back.
    since: i64,
    person: &'a str,
}

impl Db {
    /// Makes what is there, its labels and its marks what they were at a state, all or nothing; `None` when the tenant has no such data set.
    pub(crate) async fn restore(
        &self,
        tenant: &Tenant,
        dataset: &str,
        Going { state, seen, is_dry_run }: Going,
        person: &str,
    ) -> Result<Option<Restoring>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(None) };
        if seen.is_some_and(|seen| seen != held.seq) {
            return Ok(Some(Restoring::Changed(held.seq)));
        }
        if held.several {
            return Ok(Some(Restoring::Several));
        }
        let goal = Goal { tenant, dataset, task: held.task, state, since: held.seq, person };
        let renames = renames_since(&mut tx, tenant, dataset, state).await?;
        let n_moved = goal.draft_presence(&mut tx).await?;
        let (n_labels, n_relabelled) =
            goal.draft(&mut tx, What::Label, (held.seq + n_moved as i64, &renames)).await?;
        let last = held.seq + (n_moved + n_labels) as i64;
        let (n_marks, n_marked) = goal.draft(&mut tx, What::Marks, (last, &renames)).await?;
        if n_moved + n_relabelled + n_marked == 0 {
            return Ok(Some(Restoring::Restored(Restored { seq: held.seq, ..Restored::default() })));
        }
        let n_removed = goal.apply_presence(&mut tx).await?;
        let n_returned = n_moved - n_removed;
        if is_dry_run {
            // Nothing is committed.
            let would = Restored { seq: held.seq, n_removed, n_returned, n_relabelled, n_marked };
            return Ok(Some(Restoring::Restored(would)));
        }
        goal.apply_labels(&mut tx).await?;
        goal.apply_marks(&mut tx).await?;
        goal.know_classes(&mut tx).await?;
        // Numbers of what was dropped stay unused.
        let count = (n_moved + n_labels + n_marks) as i64;
        let seq = next_seqs(&mut tx, tenant, dataset, count).await?.unwrap_or(held.seq);
        remember_restored(&mut tx, tenant, dataset, (held.seq, state, seq), person).await?;
        tx.commit().await?;
        Ok(Some(Restoring::Restored(Restored { seq, n_removed, n_returned, n_relabelled, n_marked })))
    }
}

impl Goal<'_> {
    /// Drafts that examples go out of sight or come back. Returns how many.
    async fn draft_presence(&self, tx: &mut Transaction<'static, Any>) -> Result<u64, sqlx::Error> {
        let there = there_at("$3");
        // Who was there and is out, or the other way round.
        let sql = format!(
            "INSERT INTO label_event (tenant, dataset, seq, example, what, label, act, person, at, step) \
             SELECT $1, $2, $4 + ROW_NUMBER() OVER (ORDER BY s.position, s.id), s.id, 'presence', CASE WHEN s.was = 0 THEN 'gone' END, 'restore', $5, $6, $4 \
             FROM (SELECT e.id, e.position, e.removed, CASE WHEN {there} THEN 1 ELSE 0 END AS was FROM example e \
             WHERE e.tenant = $1 AND e.dataset = $2 AND e.id IN \
             (SELECT l.example FROM label_event l WHERE l.dataset = $2 AND l.seq > $3 AND l.what = 'presence' \
             UNION SELECT c.id FROM example c WHERE c.dataset = $2 AND c.came > $3)) s WHERE s.was = s.removed"
        );
        let ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(self.tenant.id()).bind(self.dataset);
        let ask = ask.bind(self.state).bind(self.since).bind(self.person).bind(now());
        Ok(ask.execute(&mut **tx).await?.rows_affected())
    }

    /// Drafts labels or marks as they were of what was there, with what classes are called now, behind the number `last`. Returns how many numbers were
    /// taken, and how many drafts say something new.
    async fn draft(
        &self,
        tx: &mut Transaction<'static, Any>,
        what: What,
        (last, renames): (i64, &[(String, String)]),
    ) -> Result<(u64, u64), sqlx::Error> {
        let (was, is) =
            if what == What::Label { (label_at("$3"), "e.label") } else { (marks_at("$3"), "e.marks") };
        let there = there_at("$3");
        let sql = format!(
            "INSERT INTO label_event (tenant, dataset, seq, example, what, label, holds, before, act, person, at, step) \
             SELECT $1, $2, $5 + ROW_NUMBER() OVER (ORDER BY s.position, s.id), s.id, $6, s.was, CASE WHEN $6 = 'label' THEN s.was END, s.before, \
             'restore', $7, $8, $4 \
             FROM (SELECT e.id, e.position, {was} AS was, {is} AS before FROM example e \
             WHERE e.tenant = $1 AND e.dataset = $2 AND {there} AND e.id IN \
             (SELECT l.example FROM label_event l WHERE l.dataset = $2 AND l.seq > $3 AND l.what = $6)) s"
        );
        let ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(self.tenant.id()).bind(self.dataset);
        let ask = ask.bind(self.state).bind(self.since).bind(last).bind(what.name()).bind(self.person);
        let drafted = ask.bind(now()).execute(&mut **tx).await?.rows_affected();
        for rename in renames {
            for (old, new) in self.called_now(tx, what, rename).await? {
                self.replace(tx, what, (&old, &new)).await?;
            }
        }
        let sql = "DELETE FROM label_event WHERE tenant = $1 AND dataset = $2 AND seq > $3 AND what = $4 AND label IS NOT DISTINCT FROM before";
        let ask = sqlx::query(sql).bind(self.tenant.id()).bind(self.dataset).bind(self.since);
        let dropped = ask.bind(what.name()).execute(&mut **tx).await?.rows_affected();
        Ok((drafted, drafted - dropped))
    }

    /// What in the drafts a new name of a class takes the place of, and by what.
    async fn called_now(
        &self,
        tx: &mut Transaction<'static, Any>,
        what: What,
        (from, to): &(String, String),
    ) -> Result<Vec<(String, String)>, sqlx::Error> {
        match (what, self.task) {
            (What::Label, Task::Number) => Ok(Vec::new()),
            (What::Label, Task::Class) => Ok(vec![(from.clone(), to.clone())]),
            (What::Label, Task::Classes) => {
                let sql = "SELECT DISTINCT label FROM label_event WHERE tenant = $1 AND dataset = $2 AND seq > $3 \
                     AND what = 'label' AND REPLACE(label, $4, '') <> label ORDER BY label";
                let ask = sqlx::query_scalar(sql).bind(self.tenant.id()).bind(self.dataset).bind(self.since);
                let kept: Vec<String> = ask.bind(inside(from)).fetch_all(&mut **tx).await?;
                Ok(kept.into_iter().map(|kept| (kept.clone(), renamed(&kept, from, to))).collect())
            }
            (What::Marks | What::Marking, _) => Ok(vec![(marks::named(from), marks::named(to))]),
        }
    }

    /// Replaces labels as a whole, and names on marks.
    async fn replace(
        &self,
        tx: &mut Transaction<'static, Any>,
        what: What,
        (old, new): (&str, &str),
    ) -> Result<(), sqlx::Error> {
        let sql = if what == What::Label {
            "UPDATE label_event SET label = $6, holds = $6 WHERE tenant = $1 AND dataset = $2 AND seq > $3 AND what = $4 AND label = $5"
        } else {
            "UPDATE label_event SET label = REPLACE(label, $5, $6) WHERE tenant = $1 AND dataset = $2 AND seq > $3 AND what = $4"
        };
        let ask = sqlx::query(sql).bind(self.tenant.id()).bind(self.dataset).bind(self.since);
        ask.bind(what.name()).bind(old).bind(new).execute(&mut **tx).await.map(drop)
    }

    /// Takes examples out of sight and brings others back. Returns how many went.
    async fn apply_presence(&self, tx: &mut Transaction<'static, Any>) -> Result<u64, sqlx::Error> {
        let sql = "UPDATE example SET removed = 1 - removed WHERE tenant = $1 AND dataset = $2 AND id IN \
             (SELECT l.example FROM label_event l WHERE l.dataset = $2 AND l.seq > $3 AND l.what = 'presence')";
        let ask = sqlx::query(sql).bind(self.tenant.id()).bind(self.dataset).bind(self.since);
        ask.execute(&mut **tx).await?;
        let sql = "SELECT COUNT(label) FROM label_event WHERE tenant = $1 AND dataset = $2 AND seq > $3 AND what = 'presence'";
        let ask = sqlx::query_scalar(sql).bind(self.tenant.id()).bind(self.dataset).bind(self.since);
        let n_removed: i64 = ask.fetch_one(&mut **tx).await?;
        Ok(n_removed.unsigned_abs())
    }

    /// Lets the labels hold, as the words of who gave them then. Where several people answered before one was asked, they hold as a decision.
    async fn apply_labels(&self, tx: &mut Transaction<'static, Any>) -> Result<(), sqlx::Error> {
        let was = label_at("$4");
        let (who, act) = (given("COALESCE(a.person, '')", &was), given("a.act", &was));
        let sql = format!(
            "UPDATE example AS e SET label = l.label, label_by = CASE WHEN l.label IS NOT NULL THEN NULLIF(COALESCE({who}, $5), '') END, \
             decided = CASE WHEN l.label IS NOT NULL AND (EXISTS (SELECT 1 FROM vote v WHERE v.example = e.id) OR {act} IN ('decide', 'settle')) \
             THEN 1 ELSE 0 END FROM label_event l \
             WHERE e.tenant = $1 AND l.dataset = $2 AND l.seq > $3 AND l.what = 'label' AND e.id = l.example"
        );
        let ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(self.tenant.id()).bind(self.dataset);
        let ask = ask.bind(self.since).bind(self.state).bind(self.person);
        ask.execute(&mut **tx).await.map(drop)
    }

    /// Lets the marks hold. Whoever still shows others has not seen these.
    async fn apply_marks(&self, tx: &mut Transaction<'static, Any>) -> Result<(), sqlx::Error> {
        let who = given("COALESCE(a.person, '')", &marks_at("$4"));
        let sql = format!(
            "UPDATE example AS e SET marks = l.label, marks_seq = l.seq, marks_by = NULLIF(COALESCE({who}, $5), '') FROM label_event l \
             WHERE e.tenant = $1 AND l.dataset = $2 AND l.seq > $3 AND l.what = 'marks' AND e.id = l.example"
        );
        let ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(self.tenant.id()).bind(self.dataset);
        let ask = ask.bind(self.since).bind(self.state).bind(self.person);
        ask.execute(&mut **tx).await?;
        markings::overrule_since(tx, self.tenant, (self.dataset, self.since), self.person).await
    }

    /// Makes sure that the classes of all that changed are known: some may have been taken out since.
    async fn know_classes(&self, tx: &mut Transaction<'static, Any>) -> Result<(), sqlx::Error> {
        let mut classes: BTreeSet<String> = BTreeSet::new();
        let changed = "FROM example e WHERE e.tenant = $1 AND e.dataset = $2 AND e.removed = 0 \
             AND e.id IN (SELECT l.example FROM label_event l WHERE l.dataset = $2 AND l.seq > $3)";
        let sql = format!("SELECT DISTINCT e.label {changed} AND e.label IS NOT NULL");
        let ask = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(self.tenant.id()).bind(self.dataset);
        let labels: Vec<String> = ask.bind(self.since).fetch_all(&mut **tx).await?;
        classes.extend(labels.iter().flat_map(|label| self.task.classes(label)).map(str::to_owned));
        let sql = format!("SELECT e.marks {changed} AND e.marks IS NOT NULL");
        let ask = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(self.tenant.id()).bind(self.dataset);
        let mut marked = ask.bind(self.since).fetch(&mut **tx);
        while let Some(kept) = marked.next().await {
            let kept: String = kept?;
            classes.extend(marks::classes(&kept));
        }
        drop(marked);
        for class in classes {
            with_class(tx, self.tenant, self.dataset, &class).await?;
        }
        Ok(())
    }
}

/// Of the last event that gave the example `e` what the event `l` brings back, as it `was` at the number $4, one column: who said so, or why. A class
/// that got another name since was said by who gave it, not by who named it.
fn given(column: &str, was: &str) -> String {
    let last = |more: &str| {
        format!(
            "(SELECT {column} FROM label_event a WHERE a.example = e.id AND a.what = l.what AND a.seq <= $4 AND a.act NOT IN ('undo', 'restore', 'rename') \
             AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.dataset = a.dataset AND u.undoes = a.seq){more} ORDER BY a.seq DESC LIMIT 1)"
        )
    };
    format!("COALESCE({}, {})", last(&format!(" AND a.label = {was}")), last(""))
}
