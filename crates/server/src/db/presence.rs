//! Examples that are taken out of sight, and come back: events like others, so that what a data set was can be told.

use sqlx::{Any, Transaction};

use super::Tenant;
use super::datasets::{Held, next_seqs};
use crate::clock::now;

/// Takes an example out of sight, or brings it back, in a transaction that holds the data set; `person` does so. `false` when nothing changed.
pub(super) async fn remove(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    (id, person): (&str, &str),
    gone: bool,
) -> Result<bool, sqlx::Error> {
    let sql =
        "UPDATE example SET removed = $4 WHERE tenant = $1 AND dataset = $2 AND id = $3 AND removed <> $4";
    let ask = sqlx::query(sql).bind(tenant.id()).bind(&held.dataset).bind(id).bind(i64::from(gone));
    if ask.execute(&mut **tx).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let seq = next_seqs(tx, tenant, &held.dataset, 1).await?;
    let sql = "INSERT INTO label_event (tenant, dataset, seq, example, person, what, label, act, at) \
         VALUES ($1, $2, $3, $4, $5, 'presence', $6, $7, $8)";
    let ask = sqlx::query(sql).bind(tenant.id()).bind(&held.dataset).bind(seq).bind(id).bind(person);
    let ask = ask.bind(gone.then_some("gone")).bind(if gone { "remove" } else { "return" });
    ask.bind(now()).execute(&mut **tx).await?;
    Ok(true)
}
