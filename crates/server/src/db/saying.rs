//! One thing that somebody says about an example: an event, and what all events add up to.

use sqlx::{Any, Transaction};

use super::Tenant;
use super::datasets::{Held, next_seqs, with_class};
use super::labels::{Act, Said, What};
use super::votes::{majority, vote};
use crate::clock::now;

/// What holds of an example.
struct Holds {
    label: Option<String>,
    marks: Option<String>,
    decided: bool,
}

/// Writes one event and what it adds up to, in a transaction that holds the data set. Returns its number, 0 where nothing changed;
/// `None` when the data set has no such example.
pub(super) async fn say(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    said: &Said<'_>,
    undoes: Option<i64>,
) -> Result<Option<i64>, sqlx::Error> {
    let sql = "SELECT label, marks, decided FROM example WHERE tenant = $1 AND dataset = $2 AND id = $3 AND removed = 0";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(&held.dataset).bind(said.example);
    let row: Option<(Option<String>, Option<String>, i64)> = ask.fetch_optional(&mut **tx).await?;
    let Some((label, marks, decided)) = row else { return Ok(None) };
    let mut holds = Holds { label, marks, decided: decided == 1 };
    // Of several people each has an own word to take back.
    let own = held.several && said.act != Act::Decide;
    let before = match said.what {
        What::Marks => holds.marks.clone(),
        What::Label if own => {
            let sql = "SELECT label FROM vote WHERE example = $1 AND person = $2";
            sqlx::query_scalar(sql).bind(said.example).bind(said.person).fetch_optional(&mut **tx).await?
        }
        What::Label => holds.label.clone(),
    };
    // To decide for what holds already is a decision: nobody's later vote changes it.
    let settles = said.act == Act::Decide && held.several && !holds.decided;
    if before.as_deref() == said.after && undoes.is_none() && !settles {
        return Ok(Some(0));
    }
    let Some(seq) = next_seqs(tx, tenant, &held.dataset, 1).await? else { return Ok(None) };
    for class in &said.classes {
        with_class(tx, tenant, &held.dataset, class).await?;
    }
    write(tx, tenant, held, said, (seq, before.as_deref(), undoes)).await?;
    match said.what {
        What::Marks => holds.marks = said.after.map(str::to_owned),
        What::Label => {
            if said.act != Act::Decide {
                vote(tx, tenant, &held.dataset, (said.example, said.person), said.after).await?;
            }
            if !own {
                holds.label = said.after.map(str::to_owned);
                holds.decided = said.act == Act::Decide;
            } else if !holds.decided {
                holds.label = majority(tx, said.example).await?;
            }
        }
    }
    keep(tx, said, &holds).await?;
    Ok(Some(seq))
}

/// Writes the event.
async fn write(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    said: &Said<'_>,
    (seq, before, undoes): (i64, Option<&str>, Option<i64>),
) -> Result<(), sqlx::Error> {
    let event = "INSERT INTO label_event (tenant, dataset, seq, example, person, label, before, milliseconds, undoes, act, at, what) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    sqlx::query(event)
        .bind(tenant.id())
        .bind(&held.dataset)
        .bind(seq)
        .bind(said.example)
        .bind(said.person)
        .bind(said.after)
        .bind(before)
        .bind(said.milliseconds)
        .bind(undoes)
        .bind(said.act.name())
        .bind(now())
        .bind(said.what.name())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes what holds.
async fn keep(tx: &mut Transaction<'static, Any>, said: &Said<'_>, holds: &Holds) -> Result<(), sqlx::Error> {
    if said.what == What::Marks {
        let sql = "UPDATE example SET marks = $1 WHERE id = $2";
        sqlx::query(sql).bind(holds.marks.as_deref()).bind(said.example).execute(&mut **tx).await?;
        return Ok(());
    }
    let sql = "UPDATE example SET label = $1, label_by = $2, decided = $3, drawn = CASE WHEN $4 = 1 THEN 1 ELSE drawn END WHERE id = $5";
    let by = holds.label.as_deref().filter(|label| said.after == Some(*label)).map(|_| said.person);
    let ask = sqlx::query(sql).bind(holds.label.as_deref()).bind(by).bind(i64::from(holds.decided));
    ask.bind(i64::from(said.drawn)).bind(said.example).execute(&mut **tx).await?;
    Ok(())
}
