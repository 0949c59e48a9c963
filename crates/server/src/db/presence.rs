//! Examples that are taken out of sight, and come back: events like others, so that what a data set was can be told.

use sqlx::{Any, Transaction};

use super::datasets::{Held, hold, next_seqs, with_class};
use super::labels::{Act, Written};
use super::{Db, Tenant};
use crate::clock::now;
use crate::marks;

/// How the act of the event `l` is told: `remove` and `return` where an example is taken out and comes back, whatever for.
pub(super) const ACT: &str =
    "CASE WHEN l.what <> 'presence' THEN l.act WHEN l.label IS NULL THEN 'return' ELSE 'remove' END";

impl Db {
    /// Takes examples that somebody chose out of sight, or brings them back, all or none. One that is so already makes no event. `None` when the tenant
    /// has no such example in this data set.
    pub(crate) async fn set_removed(
        &self,
        tenant: &Tenant,
        dataset: &str,
        (examples, gone): (&[String], bool),
        person: &str,
    ) -> Result<Option<Written>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(None) };
        let mut written = Written { seq: held.seq, n_changed: 0 };
        for example in examples {
            let sql = "SELECT COUNT(*) FROM example WHERE tenant = $1 AND dataset = $2 AND id = $3";
            let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(example);
            let known: i64 = ask.fetch_one(&mut *tx).await?;
            if known == 0 {
                return Ok(None);
            }
            let moved = Moved { example, gone, person, act: Act::Give, undoes: None };
            if let Some(seq) = set_presence(&mut tx, tenant, &held, moved).await? {
                written = Written { seq, n_changed: written.n_changed + 1 };
            }
        }
        tx.commit().await?;
        Ok(Some(written))
    }
}

/// An example that is taken out of sight, or comes back.
pub(super) struct Moved<'a> {
    pub(super) example: &'a str,
    pub(super) gone: bool,
    pub(super) person: &'a str,
    pub(super) act: Act,
    pub(super) undoes: Option<i64>,
}

/// Takes an example out of sight, or brings it back, as a decision about a finding does, in a transaction that holds the data set. `false` when nothing
/// changed.
pub(super) async fn remove(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    (example, person): (&str, &str),
    gone: bool,
) -> Result<bool, sqlx::Error> {
    let moved = Moved { example, gone, person, act: Act::Decide, undoes: None };
    Ok(set_presence(tx, tenant, held, moved).await?.is_some())
}

/// Takes an example out of sight, or brings it back, in a transaction that holds the data set. Returns the number of the event; `None` when nothing
/// changed.
pub(super) async fn set_presence(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    Moved { example, gone, person, act, undoes }: Moved<'_>,
) -> Result<Option<i64>, sqlx::Error> {
    let sql = "UPDATE example SET removed = $4 WHERE tenant = $1 AND dataset = $2 AND id = $3 AND removed <> $4 RETURNING label, marks";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(&held.dataset).bind(example).bind(i64::from(gone));
    let found: Option<(Option<String>, Option<String>)> = ask.fetch_optional(&mut **tx).await?;
    let Some((label, marks)) = found else { return Ok(None) };
    if !gone {
        // A class may have been taken out while nobody saw what has it.
        for class in label.iter().flat_map(|label| held.task.classes(label)) {
            with_class(tx, tenant, &held.dataset, class).await?;
        }
        for class in marks.iter().flat_map(|kept| marks::classes(kept)) {
            with_class(tx, tenant, &held.dataset, &class).await?;
        }
    }
    let Some(seq) = next_seqs(tx, tenant, &held.dataset, 1).await? else { return Ok(None) };
    // What was decided about a finding is taken back there.
    let act = match (act, gone) {
        (Act::Decide, true) => "remove",
        (Act::Decide, false) => "return",
        (act, _) => act.name(),
    };
    let sql = "INSERT INTO label_event (tenant, dataset, seq, example, person, what, label, act, at, undoes, step) \
         VALUES ($1, $2, $3, $4, $5, 'presence', $6, $7, $8, $9, $10)";
    let ask = sqlx::query(sql).bind(tenant.id()).bind(&held.dataset).bind(seq).bind(example).bind(person);
    let ask = ask.bind(gone.then_some("gone")).bind(act).bind(now()).bind(undoes).bind(held.seq);
    ask.execute(&mut **tx).await?;
    Ok(Some(seq))
}
