//! A class under another name: on every example, as events of their own.

use sqlx::{Any, Transaction};

use super::book;
use super::datasets::{hold, next_seqs, with_class};
use super::labels::What;
use super::milestones::{Milestone, remember};
use super::votes::count_again;
use super::{Db, Tenant};
use crate::clock::now;
use crate::marks;
use crate::tasks::{Task, inside, renamed};

/// A class and what it will be called, and who says so.
pub(crate) struct Renaming<'a> {
    pub(crate) name: &'a str,
    pub(crate) to: &'a str,
    pub(crate) person: &'a str,
}

impl Db {
    /// Gives a class another name: on its examples, among several labels, and on marks. `false` when there is no such class.
    pub(crate) async fn rename_class(
        &self,
        tenant: &Tenant,
        dataset: &str,
        renaming: &Renaming<'_>,
    ) -> Result<bool, sqlx::Error> {
        let Renaming { name, to, .. } = *renaming;
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(false) };
        let sql = "SELECT position FROM class WHERE tenant = $1 AND dataset = $2 AND name = $3";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(name);
        let Some(position): Option<i64> = ask.fetch_optional(&mut *tx).await? else { return Ok(false) };
        with_class(&mut tx, tenant, dataset, to).await?;
        // Numbers are no classes, also where a class of marks looks like one.
        if held.task != Task::Number {
            rename_whole(&mut tx, tenant, dataset, renaming).await?;
        }
        rename_inside(&mut tx, tenant, dataset, renaming).await?;
        book::rename(&mut tx, tenant, dataset, renaming).await?;
        if held.several {
            // Answers that are called the same now may be a majority where there was none.
            count_again(&mut tx, tenant, dataset, ("rename", Some(renaming.person))).await?;
        }
        let last = next_seqs(&mut tx, tenant, dataset, 1).await?.unwrap_or(0);
        let renamed = Milestone::Rename { from: name.to_owned(), to: to.to_owned() };
        remember(&mut tx, tenant, dataset, last, &renamed, Some(renaming.person)).await?;
        let sql = "DELETE FROM class WHERE dataset = $1 AND name = $2";
        sqlx::query(sql).bind(dataset).bind(name).execute(&mut *tx).await?;
        // A new name stands where the old one stood; one that was there stays where it is.
        let sql = "UPDATE class SET position = $3 WHERE dataset = $1 AND name = $2 AND position > $3";
        sqlx::query(sql).bind(dataset).bind(to).bind(position).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Of examples whose label it is. Those out of sight as well: one that comes back has a class that is there.
async fn rename_whole(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    Renaming { name, to, person }: &Renaming<'_>,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM example WHERE dataset = $1 AND label = $2";
    let count: i64 = sqlx::query_scalar(sql).bind(dataset).bind(name).fetch_one(&mut **tx).await?;
    let last = next_seqs(tx, tenant, dataset, count).await?.unwrap_or(0);
    let events = "INSERT INTO label_event (tenant, dataset, seq, example, person, label, before, act, at, holds) \
         SELECT $1, $2, $3 + ROW_NUMBER() OVER (ORDER BY position), id, $4, $5, $6, 'rename', $7, $5 \
         FROM example WHERE dataset = $2 AND label = $6";
    let ask = sqlx::query(events).bind(tenant.id()).bind(dataset).bind(last - count).bind(person);
    ask.bind(to).bind(name).bind(now()).execute(&mut **tx).await?;
    let sql = "UPDATE example SET label = $3, label_by = $4 WHERE dataset = $1 AND label = $2";
    sqlx::query(sql).bind(dataset).bind(name).bind(to).bind(person).execute(&mut **tx).await?;
    let sql = "UPDATE vote SET label = $3 WHERE dataset = $1 AND label = $2";
    sqlx::query(sql).bind(dataset).bind(name).bind(to).execute(&mut **tx).await?;
    Ok(())
}

/// Of examples that have it among other labels, or on a mark.
async fn rename_inside(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    Renaming { name, to, person }: &Renaming<'_>,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT id, label, marks FROM example \
         WHERE dataset = $1 AND (REPLACE(label, $2, '') <> label OR marks IS NOT NULL)";
    let ask = sqlx::query_as(sql).bind(dataset).bind(inside(name));
    let rows: Vec<(String, Option<String>, Option<String>)> = ask.fetch_all(&mut **tx).await?;
    let mut changes = Vec::new();
    for (id, label, marks) in rows {
        if let Some(label) = label.filter(|label| label.contains(&inside(name))) {
            changes.push((id.clone(), What::Label, renamed(&label, name, to), label));
        }
        if let Some((marks, after)) =
            marks.and_then(|marks| marks::renamed(&marks, name, to).map(|after| (marks, after)))
        {
            changes.push((id, What::Marks, after, marks));
        }
    }
    let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
    let last = next_seqs(tx, tenant, dataset, count).await?.unwrap_or(0);
    for ((id, what, after, before), seq) in changes.into_iter().zip(last - count + 1..) {
        let event = "INSERT INTO label_event (tenant, dataset, seq, example, person, label, before, act, at, what, holds) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'rename', $8, $9, $10)";
        let ask = sqlx::query(event).bind(tenant.id()).bind(dataset).bind(seq).bind(&id).bind(person);
        let holds = Some(&after).filter(|_| what == What::Label);
        let ask = ask.bind(&after).bind(before).bind(now()).bind(what.name()).bind(holds);
        ask.execute(&mut **tx).await?;
        let ask = if what == What::Label {
            sqlx::query("UPDATE example SET label = $1 WHERE id = $2").bind(&after).bind(&id)
        } else {
            // Whoever still shows the old name has not seen these marks.
            let sql = "UPDATE example SET marks = $1, marks_seq = $3 WHERE id = $2";
            sqlx::query(sql).bind(&after).bind(&id).bind(seq)
        };
        ask.execute(&mut **tx).await?;
    }
    rename_markings(tx, tenant, dataset, (name, to)).await?;
    let sql =
        "SELECT example, person, label FROM vote WHERE dataset = $1 AND REPLACE(label, $2, '') <> label";
    let votes: Vec<(String, String, String)> =
        sqlx::query_as(sql).bind(dataset).bind(inside(name)).fetch_all(&mut **tx).await?;
    for (example, voter, label) in votes {
        let sql = "UPDATE vote SET label = $3 WHERE example = $1 AND person = $2";
        let ask = sqlx::query(sql).bind(example).bind(voter).bind(renamed(&label, name, to));
        ask.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Of what each of several people marked.
async fn rename_markings(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    (name, to): (&str, &str),
) -> Result<(), sqlx::Error> {
    let sql = "SELECT example, person, marks FROM marking WHERE dataset = $1";
    let rows: Vec<(String, String, String)> = sqlx::query_as(sql).bind(dataset).fetch_all(&mut **tx).await?;
    let renamed = rows.iter().filter_map(|(example, person, kept)| {
        marks::renamed(kept, name, to).map(|after| (example, person, after))
    });
    let renamed: Vec<_> = renamed.collect();
    if renamed.is_empty() {
        return Ok(());
    }
    // Whoever still shows the old name has not seen these marks.
    let seq = next_seqs(tx, tenant, dataset, 1).await?.unwrap_or(0);
    for (example, person, after) in renamed {
        let sql = "UPDATE marking SET marks = $3, seq = $4 WHERE example = $1 AND person = $2";
        let ask = sqlx::query(sql).bind(example).bind(person).bind(after).bind(seq);
        ask.execute(&mut **tx).await?;
    }
    Ok(())
}
