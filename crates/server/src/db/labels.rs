//! Labels and marks: events that are never changed, and what they add up to.

use sqlx::{Any, Transaction};

use super::datasets::{Held, hold};
use super::presence::{ACT, Moved, set_presence};
use super::saying::say;
use super::{Db, Tenant};
use crate::marks;

/// What somebody says about an example.
#[derive(Debug, Clone)]
pub(crate) struct Said<'a> {
    pub(crate) example: &'a str,
    pub(crate) what: What,
    /// As it is kept; `None` takes away what is there.
    pub(crate) after: Option<&'a str>,
    /// That it names.
    pub(crate) classes: Vec<&'a str>,
    pub(crate) person: &'a str,
    pub(crate) milliseconds: Option<i64>,
    /// Whether it was drawn at random to be labelled.
    pub(crate) drawn: bool,
    pub(crate) act: Act,
}

/// What of an example is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Label,
    /// The marks that hold.
    Marks,
    /// What one of several people marks.
    Marking,
}

impl What {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Marks => "marks",
            Self::Marking => "marking",
        }
    }

    /// As it is called where it does not matter whether marks are one list or each person's own.
    pub(crate) fn told(self) -> &'static str {
        if self == Self::Marking { Self::Marks.name() } else { self.name() }
    }
}

/// Why a label was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Somebody labelled.
    Give,
    /// Somebody decided about a finding.
    Decide,
    /// Somebody decided a dispute.
    Settle,
    /// A label was taken back.
    Undo,
    /// What holds follows from what was said: it is no deed of its own.
    Follow,
}

impl Act {
    /// Whether it overrules what people said.
    pub(super) fn decides(self) -> bool {
        matches!(self, Self::Decide | Self::Settle)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Give => "give",
            Self::Decide => "decide",
            Self::Settle => "settle",
            Self::Undo => "undo",
            Self::Follow => "follow",
        }
    }
}

row! {
    /// An event, with the example's name.
    #[derive(Debug, Clone)]
    pub(crate) struct EventRow {
        pub(crate) seq: i64,
        pub(crate) example: String,
        pub(crate) example_name: String,
        /// `label`, `marks`, `marking` or `presence`.
        pub(crate) what: String,
        pub(crate) act: String,
        pub(crate) label: Option<String>,
        pub(crate) before: Option<String>,
        pub(crate) person: Option<String>,
        pub(crate) undoes: Option<i64>,
        pub(crate) at: i64,
    }
}

row! {
    /// The last event that can be taken back.
    pub(crate) struct Last {
        pub(crate) seq: i64,
        pub(crate) example: String,
        pub(crate) what: String,
        pub(crate) label: Option<String>,
        pub(crate) before: Option<String>,
        pub(crate) step: Option<i64>,
    }
}

/// What a request wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    /// The number of its last event; where it made none, of the last event before it.
    pub(crate) seq: i64,
    /// How many events it made.
    pub(crate) n_changed: usize,
}

/// What was taken back.
#[derive(Debug)]
pub(crate) struct Undone {
    pub(crate) example: String,
    /// `label`, `marks`, or `presence`: it was taken out or brought back.
    pub(crate) what: &'static str,
    pub(crate) label: Option<String>,
}

/// What a person gave that can be taken back: not taken back yet, and not changed by anybody since. Of several people's marks each takes back their
/// own, and not what holds. What was given before the data went back to a state is past: going back again is what takes that back, as a whole.
const GIVEN: &str = "SELECT l.seq, l.example, l.what, l.label, l.before, l.step FROM label_event l JOIN example e ON e.id = l.example \
     WHERE l.tenant = $1 AND l.dataset = $2 AND l.person = $3 AND l.act = 'give' \
     AND l.seq > (SELECT COALESCE(MAX(m.seq), 0) FROM milestone m WHERE m.tenant = $1 AND m.dataset = $2 AND m.kind = 'restore') \
     AND (l.what = 'presence' OR e.removed = 0) \
     AND l.what <> (CASE WHEN $4 = 1 THEN 'marks' ELSE 'marking' END) \
     AND (l.what <> 'presence' OR NOT EXISTS (SELECT 1 FROM label_event n WHERE n.example = l.example AND n.what = 'presence' AND n.seq > l.seq \
     AND n.undoes IS NULL AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.dataset = n.dataset AND u.undoes = n.seq))) \
     AND (CASE WHEN l.what = 'presence' THEN (CASE WHEN e.removed = 1 THEN 'gone' END) WHEN l.what = 'marks' THEN e.marks WHEN l.what = 'marking' THEN \
     (SELECT m.marks FROM marking m WHERE m.example = e.id AND m.person = $3) WHEN $4 = 1 THEN \
     (SELECT v.label FROM vote v WHERE v.example = e.id AND v.person = $3) ELSE e.label END) IS NOT DISTINCT FROM l.label \
     AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.dataset = l.dataset AND u.undoes = l.seq)";

impl Db {
    /// Gives examples their labels or marks, all or none. A label that an example has already makes no event, so that a request that is repeated does nothing twice. `None` when the tenant has no such example in this data set.
    pub(crate) async fn label(
        &self,
        tenant: &Tenant,
        dataset: &str,
        said: &[Said<'_>],
    ) -> Result<Option<Written>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(None) };
        let mut written = Written { seq: held.seq, n_changed: 0 };
        for said in said {
            match say(&mut tx, tenant, &held, said, None).await? {
                Some(0) => {}
                Some(seq) => written = Written { seq, n_changed: written.n_changed + 1 },
                None => return Ok(None),
            }
        }
        tx.commit().await?;
        Ok(Some(written))
    }

    /// Takes back the last label or marks that this person gave, or examples that they took out or brought back, with all of the same request: what they
    /// did not take back yet, and nobody has changed since. Returns what was taken back, the last of it first; nothing when nothing is left. Who may not
    /// take examples out brings none back either.
    pub(crate) async fn undo(
        &self,
        tenant: &Tenant,
        dataset: &str,
        (person, may_edit): (&str, bool),
    ) -> Result<Vec<Undone>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(Vec::new()) };
        let given = if may_edit { GIVEN.to_owned() } else { format!("{GIVEN} AND l.what <> 'presence'") };
        let sql = format!("{given} ORDER BY l.seq DESC LIMIT 1");
        let last: Option<Last> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .bind(person)
            .bind(i64::from(held.several))
            .fetch_optional(&mut *tx)
            .await?;
        let Some(last) = last else { return Ok(Vec::new()) };
        let step = last.step;
        let mut undone = vec![take_back(&mut tx, tenant, &held, last, person).await?];
        let sql = format!("{given} AND l.step = $5 ORDER BY l.seq DESC");
        while let Some(step) = step {
            let rest: Vec<Last> = sqlx::query_as(sqlx::AssertSqlSafe(sql.clone()))
                .bind(tenant.id())
                .bind(dataset)
                .bind(person)
                .bind(i64::from(held.several))
                .bind(step)
                .fetch_all(&mut *tx)
                .await?;
            // An example that was given two labels in one request comes again once the second is taken back.
            if rest.is_empty() {
                break;
            }
            for last in rest {
                undone.push(take_back(&mut tx, tenant, &held, last, person).await?);
            }
        }
        tx.commit().await?;
        Ok(undone)
    }

    /// The last events, the newest first.
    pub(crate) async fn events(
        &self,
        tenant: &Tenant,
        dataset: &str,
        (example, person): (Option<&str>, Option<&str>),
        limit: i64,
    ) -> Result<Vec<EventRow>, sqlx::Error> {
        let sql = format!(
            "SELECT l.seq, l.example, e.name AS example_name, l.what, {ACT} AS act, l.label, l.before, p.name AS person, l.undoes, l.at \
             FROM label_event l JOIN example e ON e.id = l.example LEFT JOIN person p ON p.id = l.person \
             WHERE l.tenant = $1 AND l.dataset = $2 AND l.act <> 'follow' \
             AND ($3 IS NULL OR l.example = $3) AND ($5 IS NULL OR l.person = $5) ORDER BY l.seq DESC LIMIT $4"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        let ask = ask.bind(example).bind(limit);
        ask.bind(person).fetch_all(&mut *self.of(tenant).await?).await
    }

    pub(crate) async fn n_labelled(&self, tenant: &Tenant, dataset: &str) -> Result<i64, sqlx::Error> {
        let sql = "SELECT COUNT(*) FROM example WHERE tenant = $1 AND dataset = $2 AND removed = 0 AND label IS NOT NULL";
        sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).fetch_one(&mut *self.of(tenant).await?).await
    }
}

/// Takes one event back.
async fn take_back(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    Last { seq, example, what, label, before, .. }: Last,
    person: &str,
) -> Result<Undone, sqlx::Error> {
    let what = match what.as_str() {
        "presence" => {
            let gone = label.is_none();
            let moved = Moved { example: &example, gone, person, act: Act::Undo, undoes: Some(seq) };
            set_presence(tx, tenant, held, moved).await?;
            return Ok(Undone { example, what: "presence", label: None });
        }
        "marks" => What::Marks,
        "marking" => What::Marking,
        _ => What::Label,
    };
    let before = match what {
        What::Label if held.several => earlier(tx, &held.dataset, (&example, person), seq).await?,
        What::Label | What::Marks | What::Marking => before,
    };
    // A class may have been taken out since.
    let classes = match (what, before.as_deref()) {
        (_, None) => Vec::new(),
        (What::Marks | What::Marking, Some(before)) => marks::classes(before),
        (What::Label, Some(before)) => held.task.classes(before).into_iter().map(str::to_owned).collect(),
    };
    let said = Said {
        example: &example,
        what,
        after: before.as_deref(),
        classes: classes.iter().map(String::as_str).collect(),
        person,
        milliseconds: None,
        drawn: false,
        act: Act::Undo,
    };
    say(tx, tenant, held, &said, Some(seq)).await?;
    Ok(Undone { example, what: what.told(), label })
}

/// What a person said about an example before one of their events, in their own words: `before` may be another's.
pub(super) async fn earlier(
    tx: &mut Transaction<'static, Any>,
    dataset: &str,
    (example, person): (&str, &str),
    seq: i64,
) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT l.label FROM label_event l WHERE l.dataset = $1 AND l.example = $2 AND l.person = $3 AND l.seq < $4 \
         AND l.act = 'give' AND l.what = 'label' \
         AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.dataset = l.dataset AND u.undoes = l.seq) \
         ORDER BY l.seq DESC LIMIT 1";
    let ask = sqlx::query_scalar(sql).bind(dataset).bind(example).bind(person).bind(seq);
    let found: Option<Option<String>> = ask.fetch_optional(&mut **tx).await?;
    Ok(found.flatten())
}
