//! A decision about one example that was found: what it changes, and the decision, both or neither; and the same taken back.

use sqlx::{Any, Transaction};

use super::datasets::{Held, hold};
use super::presence::remove;
use super::ruling::{Was, decide, put_back, still_holds};
use super::{Db, Tenant};
use crate::clock::now;

/// What is decided about the first example of a finding.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verdict<'a> {
    /// It gets this answer, as its task keeps it; one that was taken out comes back.
    Relabel(&'a str),
    /// It stays as it was found: what was decided before is taken back, where it still holds.
    Keep,
    /// It goes out of sight.
    Remove,
}

impl Verdict<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Relabel(_) => "relabelled",
            Self::Keep => "kept",
            Self::Remove => "removed",
        }
    }
}

/// How deciding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deciding {
    Decided,
    /// The data were looked through again: the number means another finding.
    Renewed,
    /// The data set has no such example.
    Missing,
}

row! {
    /// The example now.
    pub(crate) struct Now {
        pub(crate) label: Option<String>,
        pub(crate) label_by: Option<String>,
        pub(crate) decided: i64,
        pub(crate) removed: i64,
    }
}

impl Db {
    /// Decides about an example of a finding, by the finding's number and the time of its audit; a decision before is replaced.
    pub(crate) async fn decide(
        &self,
        tenant: &Tenant,
        dataset: &str,
        (number, audited): (i64, i64),
        (example, verdict): (&str, Verdict<'_>),
        person: &str,
    ) -> Result<Deciding, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(Deciding::Missing) };
        let sql = "SELECT COUNT(*) FROM audit WHERE tenant = $1 AND dataset = $2 AND at = $3";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(audited);
        let same: i64 = ask.fetch_one(&mut *tx).await?;
        if same == 0 {
            return Ok(Deciding::Renewed);
        }
        let Some(now) = stands(&mut tx, tenant, &held, example).await? else { return Ok(Deciding::Missing) };
        let earlier = decided(&mut tx, tenant, dataset, number).await?;
        let earlier = earlier.filter(|was| still_holds(was, now.label.as_deref(), now.removed));
        let was = apply(&mut tx, tenant, &held, (example, verdict), (earlier, now), person).await?;
        note(&mut tx, tenant, dataset, (number, verdict.name(), was.as_ref()), person).await?;
        tx.commit().await?;
        Ok(Deciding::Decided)
    }
}

/// Does what was decided. Returns what held before anybody decided about the finding, to be put back by who decides otherwise.
async fn apply(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    (example, verdict): (&str, Verdict<'_>),
    (earlier, now): (Option<Was>, Now),
    person: &str,
) -> Result<Option<Was>, sqlx::Error> {
    let Now { label, label_by, decided, removed } = now;
    let before = |gave: Option<&str>, earlier: Option<Was>| {
        let gave = gave.map(str::to_owned);
        let example = example.to_owned();
        match earlier {
            Some(was) => Was { gave, ..was },
            None => Was { example, label, label_by, decided, gave },
        }
    };
    match verdict {
        Verdict::Keep => {
            if let Some(was) = earlier {
                put_back(tx, tenant, held, &was, person).await?;
            }
            Ok(None)
        }
        Verdict::Relabel(label) => {
            if removed == 1 {
                remove(tx, tenant, held, (example, person), false).await?;
            }
            decide(tx, tenant, held, (example, Some(label)), person).await?;
            Ok(Some(before(Some(label), earlier)))
        }
        Verdict::Remove => {
            let went = remove(tx, tenant, held, (example, person), true).await?;
            // What somebody took out by hand does not come back with the decision.
            Ok((went || earlier.is_some()).then(|| before(None, earlier)))
        }
    }
}

async fn stands(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    example: &str,
) -> Result<Option<Now>, sqlx::Error> {
    let sql = "SELECT label, label_by, decided, removed FROM example WHERE tenant = $1 AND dataset = $2 AND id = $3";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(&held.dataset).bind(example);
    ask.fetch_optional(&mut **tx).await
}

/// What an earlier decision about the finding changed.
async fn decided(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    number: i64,
) -> Result<Option<Was>, sqlx::Error> {
    let sql = "SELECT before FROM decision WHERE tenant = $1 AND dataset = $2 AND number = $3";
    let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(number);
    let before: Option<Option<String>> = ask.fetch_optional(&mut **tx).await?;
    let read =
        |before: String| serde_json::from_str(&before).map_err(|error| sqlx::Error::Decode(Box::new(error)));
    before.flatten().map(read).transpose()
}

/// Notes what was decided about a finding, and what held before.
pub(super) async fn note(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    (number, decision, was): (i64, &str, Option<&Was>),
    person: &str,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO decision (tenant, dataset, number, decision, person, at, before) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (dataset, number) DO UPDATE SET decision = excluded.decision, person = excluded.person, at = excluded.at, \
         before = excluded.before";
    let was = was.map(serde_json::to_string).transpose();
    let was = was.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(number).bind(decision).bind(person);
    ask.bind(now()).bind(was).execute(&mut **tx).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::labels::{Act, Said, What};
    use crate::tasks::Task;

    /// The audit of the data set of [`set`].
    const AUDITED: i64 = 7;

    /// A data set of one example `e`, labelled `cat`, which an audit found.
    async fn set(db: &Db) -> (Tenant, String, String) {
        let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
        let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
        let set = db.add_dataset(&tenant, "set", Task::Class).await.expect("added");
        let mut connection = db.of(&tenant).await.expect("a connection");
        for sql in [
            "INSERT INTO example (tenant, dataset, id, position, name, body, label) VALUES ($1, $2, 'e', 0, 'e', 'x', 'cat')",
            "INSERT INTO audit (tenant, dataset, seq, at, body) VALUES ($1, $2, 0, 7, '{}')",
        ] {
            sqlx::query(sql).bind(tenant.id()).bind(&set).execute(&mut *connection).await.expect("added");
        }
        (tenant, set, ann)
    }

    /// A database with [`set`].
    struct Found {
        _dir: tempfile::TempDir,
        db: Db,
        tenant: Tenant,
        set: String,
        ann: String,
    }

    impl Found {
        async fn new() -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let db = Db::open(dir.path(), None).await.expect("a database");
            let (tenant, set, ann) = set(&db).await;
            Self { _dir: dir, db, tenant, set, ann }
        }

        async fn decide(&self, audited: i64, verdict: Verdict<'_>) -> Deciding {
            let decided =
                self.db.decide(&self.tenant, &self.set, (1, audited), ("e", verdict), &self.ann).await;
            decided.expect("asked")
        }

        /// Somebody labels it.
        async fn label(&self, label: &str) {
            let said = Said {
                example: "e",
                what: What::Label,
                after: Some(label),
                classes: vec![label],
                person: &self.ann,
                milliseconds: None,
                drawn: false,
                act: Act::Give,
            };
            self.db.label(&self.tenant, &self.set, &[said]).await.expect("asked").expect("labelled");
        }

        /// Its label, where it is in sight, and what was decided about the finding.
        async fn told(&self) -> (Option<String>, Option<String>) {
            let row = self.db.example(&self.tenant, "e").await.expect("asked");
            let decision = self.db.decisions(&self.tenant, &self.set).await.expect("asked").remove(&1);
            (row.and_then(|row| row.label), decision)
        }
    }

    #[track_caller]
    fn same(told: (Option<String>, Option<String>), label: Option<&str>, decision: Option<&str>) {
        assert_eq!((told.0.as_deref(), told.1.as_deref()), (label, decision));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_found_by_another_audit_is_not_decided_about() {
        let found = Found::new().await;
        assert_eq!(found.decide(AUDITED - 1, Verdict::Relabel("dog")).await, Deciding::Renewed);
        assert_eq!(found.decide(AUDITED - 1, Verdict::Remove).await, Deciding::Renewed);
        same(found.told().await, Some("cat"), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keeping_takes_a_decision_back_however_often_it_was_changed() {
        let found = Found::new().await;
        for verdict in [Verdict::Relabel("dog"), Verdict::Remove, Verdict::Relabel("cow")] {
            assert_eq!(found.decide(AUDITED, verdict).await, Deciding::Decided);
        }
        same(found.told().await, Some("cow"), Some("relabelled"));
        found.decide(AUDITED, Verdict::Keep).await;
        same(found.told().await, Some("cat"), Some("kept"));
        found.decide(AUDITED, Verdict::Remove).await;
        same(found.told().await, None, Some("removed"));
        found.decide(AUDITED, Verdict::Keep).await;
        same(found.told().await, Some("cat"), Some("kept"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keeping_leaves_what_somebody_said_since() {
        let found = Found::new().await;
        found.decide(AUDITED, Verdict::Relabel("dog")).await;
        found.label("cow").await;
        found.decide(AUDITED, Verdict::Keep).await;
        same(found.told().await, Some("cow"), Some("kept"));
    }
}
