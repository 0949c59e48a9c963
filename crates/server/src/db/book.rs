//! The label book of a data set: rules that were decided on, and a note for each class.

use curate::book::{Entry, Rule};
use sqlx::{Any, Transaction};

use super::datasets::{hold, next_seqs};
use super::renaming::Renaming;
use super::{Db, Tenant};
use crate::clock::now;

row! {
    /// A rule as it is kept.
    #[derive(Debug, Clone)]
    pub(crate) struct RuleRow {
        pub(crate) number: i64,
        pub(crate) base: String,
        pub(crate) dim: i64,
        /// An [`Entry`] as JSON.
        pub(crate) body: String,
    }
}

row! {
    /// What belongs into a class, and what does not.
    #[derive(Debug, Clone)]
    pub(crate) struct NoteRow {
        pub(crate) class: String,
        pub(crate) body: String,
        pub(crate) person: String,
        pub(crate) at: i64,
    }
}

impl Db {
    /// The place of the last change of a book in the life of its data set; `None` while there was never a rule.
    pub(crate) async fn book_changed(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Option<i64>, sqlx::Error> {
        let sql = "SELECT MAX(changed) FROM book_rule WHERE tenant = $1 AND dataset = $2";
        sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).fetch_one(&mut *self.of(tenant).await?).await
    }

    /// The rules that stand, in the order in which they were decided.
    pub(crate) async fn rules(&self, tenant: &Tenant, dataset: &str) -> Result<Vec<RuleRow>, sqlx::Error> {
        let sql = "SELECT number, base, dim, body FROM book_rule WHERE tenant = $1 AND dataset = $2 AND gone = 0 ORDER BY number";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Takes a rule out; labels stay as they are. `false` when there is none.
    pub(crate) async fn remove_rule(
        &self,
        tenant: &Tenant,
        dataset: &str,
        number: i64,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        if hold(&mut tx, tenant, dataset).await?.is_none() {
            return Ok(false);
        }
        let gone = strike(&mut tx, tenant, dataset, number).await?;
        tx.commit().await?;
        Ok(gone)
    }

    pub(crate) async fn notes(&self, tenant: &Tenant, dataset: &str) -> Result<Vec<NoteRow>, sqlx::Error> {
        let sql = "SELECT class, body, person, at FROM class_note WHERE tenant = $1 AND dataset = $2 ORDER BY class";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Writes the note of a class; an empty one is none. `false` when there is no such class.
    pub(crate) async fn set_note(
        &self,
        tenant: &Tenant,
        dataset: &str,
        (class, text): (&str, &str),
        person: &str,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        // Nobody takes the class out meanwhile.
        hold(&mut tx, tenant, dataset).await?;
        let sql = "SELECT COUNT(*) FROM class WHERE tenant = $1 AND dataset = $2 AND name = $3";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).bind(class);
        let there: i64 = ask.fetch_one(&mut *tx).await?;
        if there == 0 {
            return Ok(false);
        }
        if text.is_empty() {
            forget_note(&mut tx, dataset, class).await?;
        } else {
            let sql = "INSERT INTO class_note (tenant, dataset, class, body, person, at) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (dataset, class) DO UPDATE SET body = excluded.body, person = excluded.person, at = excluded.at";
            let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(class).bind(text);
            ask.bind(person).bind(now()).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Takes a rule out, in a transaction that holds the data set.
pub(super) async fn strike(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    number: i64,
) -> Result<bool, sqlx::Error> {
    let Some(changed) = next_seqs(tx, tenant, dataset, 1).await? else { return Ok(false) };
    let sql = "UPDATE book_rule SET gone = 1, changed = $4 WHERE tenant = $1 AND dataset = $2 AND number = $3 AND gone = 0";
    let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(number).bind(changed);
    Ok(ask.execute(&mut **tx).await?.rows_affected() == 1)
}

/// Forgets the note of a class.
pub(super) async fn forget_note(
    tx: &mut Transaction<'static, Any>,
    dataset: &str,
    class: &str,
) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM class_note WHERE dataset = $1 AND class = $2";
    sqlx::query(sql).bind(dataset).bind(class).execute(&mut **tx).await.map(drop)
}

/// Calls a class otherwise in the whole book. A rule about two classes that are one now is no rule any more; cases that wait were
/// found among the classes of before.
pub(super) async fn rename(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    renaming: &Renaming<'_>,
) -> Result<(), sqlx::Error> {
    let Renaming { name, to, .. } = *renaming;
    let sql = "SELECT number, base, dim, body FROM book_rule WHERE dataset = $1 AND gone = 0";
    let rows: Vec<RuleRow> = sqlx::query_as(sql).bind(dataset).fetch_all(&mut **tx).await?;
    for row in rows {
        let decode = |error: serde_json::Error| sqlx::Error::Decode(Box::new(error));
        let entry: Entry = serde_json::from_str(&row.body).map_err(decode)?;
        let Some(renamed) = renamed(&entry, name, to) else { continue };
        if renamed.a == renamed.b {
            strike(tx, tenant, dataset, row.number).await?;
            continue;
        }
        let changed = next_seqs(tx, tenant, dataset, 1).await?.unwrap_or(0);
        let sql = "UPDATE book_rule SET body = $3, changed = $4 WHERE dataset = $1 AND number = $2";
        let body = serde_json::to_string(&renamed).map_err(decode)?;
        let ask = sqlx::query(sql).bind(dataset).bind(row.number).bind(body).bind(changed);
        ask.execute(&mut **tx).await?;
    }
    sqlx::query("DELETE FROM conflict_case WHERE dataset = $1").bind(dataset).execute(&mut **tx).await?;
    rename_note(tx, dataset, name, to).await
}

/// Where both classes have a note, what stands in either is kept.
async fn rename_note(
    tx: &mut Transaction<'static, Any>,
    dataset: &str,
    name: &str,
    to: &str,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT body FROM class_note WHERE dataset = $1 AND class = $2";
    let ask = sqlx::query_scalar(sql).bind(dataset).bind(name);
    let Some(moved): Option<String> = ask.fetch_optional(&mut **tx).await? else { return Ok(()) };
    let sql = "UPDATE class_note SET body = body || $3 WHERE dataset = $1 AND class = $2";
    let ask = sqlx::query(sql).bind(dataset).bind(to).bind(format!("\n{moved}"));
    if ask.execute(&mut **tx).await?.rows_affected() == 1 {
        return forget_note(tx, dataset, name).await;
    }
    let sql = "UPDATE class_note SET class = $3 WHERE dataset = $1 AND class = $2";
    sqlx::query(sql).bind(dataset).bind(name).bind(to).execute(&mut **tx).await.map(drop)
}

/// An entry that calls a class otherwise; `None` when it does not name it.
fn renamed(entry: &Entry, name: &str, to: &str) -> Option<Entry> {
    let mut renamed = entry.clone();
    let mut named = false;
    let mut change = |class: &mut String| {
        if class == name {
            to.clone_into(class);
            named = true;
        }
    };
    change(&mut renamed.a);
    change(&mut renamed.b);
    renamed.exemplars.iter_mut().for_each(|exemplar| change(&mut exemplar.given));
    if let Rule::NewClass { name } = &mut renamed.rule {
        change(name);
    }
    // A new class that is one of the two after all.
    match &renamed.rule {
        Rule::NewClass { name } if *name == renamed.a => renamed.rule = Rule::AllA,
        Rule::NewClass { name } if *name == renamed.b => renamed.rule = Rule::AllB,
        _ => {}
    }
    named.then_some(renamed)
}

#[cfg(test)]
mod tests {
    use curate::book::Region;

    use super::*;

    #[test]
    fn a_new_class_that_is_joined_to_one_of_the_two_is_that_one() {
        let entry = |rule| Entry {
            a: "scratch".to_owned(),
            b: "dent".to_owned(),
            rule,
            region: Region { centroid: vec![0.0], radius: 1.0, reach: 1.0 },
            exemplars: Vec::new(),
            members: Vec::new(),
            date: "2031-05-28".to_owned(),
            author: "Wang Li".to_owned(),
            fingerprint: String::new(),
        };
        let nick = entry(Rule::NewClass { name: "nick".to_owned() });
        assert_eq!(renamed(&nick, "nick", "dent").map(|entry| entry.rule), Some(Rule::AllB));
        assert_eq!(renamed(&nick, "scratch", "line").map(|entry| entry.a), Some("line".to_owned()));
        assert_eq!(renamed(&nick, "hole", "pit"), None);
        let joined = renamed(&entry(Rule::AllA), "scratch", "dent").expect("it names the class");
        assert_eq!(joined.a, joined.b);
    }
}
