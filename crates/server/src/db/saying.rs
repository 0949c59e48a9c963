//! One thing that somebody says about an example: an event, and what all events add up to.

use sqlx::{Any, Transaction};

use super::Tenant;
use super::datasets::{Held, next_seqs, with_class};
use super::labels::{Act, Said, What};
use super::markings::{self, marking_of, put_marking};
use super::votes::{NOBODY, author, majority, overrule, vote, vote_of, voter};
use crate::clock::now;

row! {
    /// What holds of an example.
    pub(crate) struct Holds {
        pub(crate) label: Option<String>,
        /// Whose word it is, where it is one person's.
        pub(crate) label_by: Option<String>,
        pub(crate) marks: Option<String>,
        /// 1 where somebody decided.
        pub(crate) decided: i64,
        /// Which marks somebody decided on.
        pub(crate) marks_took: Option<String>,
    }
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
    let sql = "SELECT label, label_by, marks, decided, marks_took FROM example WHERE tenant = $1 AND dataset = $2 AND id = $3 AND removed = 0";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(&held.dataset).bind(said.example);
    let found: Option<Holds> = ask.fetch_optional(&mut **tx).await?;
    let Some(mut holds) = found else { return Ok(None) };
    // Of several people each has an own word to take back.
    let own = held.several && !said.act.decides();
    let before = match said.what {
        What::Marks => holds.marks.clone(),
        What::Marking => marking_of(tx, said.example, said.person).await?.map(|(marks, _)| marks),
        What::Label if own => vote_of(tx, said.example, said.person).await?,
        What::Label => holds.label.clone(),
    };
    // To decide for what holds already is a decision: nobody's later vote changes it.
    let settles = said.act.decides() && held.several;
    if before.as_deref() == said.after && undoes.is_none() && !settles {
        return Ok(Some(0));
    }
    let Some(seq) = next_seqs(tx, tenant, &held.dataset, 1).await? else { return Ok(None) };
    for class in &said.classes {
        with_class(tx, tenant, &held.dataset, class).await?;
    }
    match said.what {
        What::Marks => holds.marks = said.after.map(str::to_owned),
        What::Marking => put_marking(tx, tenant, held, said, seq).await?,
        What::Label if held.several => holds.count(tx, tenant, held, said).await?,
        What::Label => holds.replace(tx, tenant, held, said, undoes).await?,
    }
    let event = Event { seq, before: before.as_deref(), undoes, holds: holds.label.as_deref() };
    write(tx, tenant, held, said, &event).await?;
    keep(tx, said, &holds, seq).await?;
    match said.what {
        What::Marking => follow(tx, tenant, held, (said.example, said.person), &holds).await?,
        What::Marks if !held.several => markings::overrule(tx, said, seq).await?,
        What::Marks | What::Label => {}
    }
    Ok(Some(seq))
}

/// Lets the marks hold that came with the data or were given first, as long as nobody decided, and they do not yet.
pub(super) async fn follow(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    (example, person): (&str, &str),
    holds: &Holds,
) -> Result<(), sqlx::Error> {
    let (marks, by) = markings::first(tx, example).await?.unzip();
    let (marks, by) = (marks.flatten(), by.filter(|by| by != NOBODY));
    if holds.marks_took.is_some() {
        return Ok(());
    }
    if marks == holds.marks {
        // Two may mark the same.
        let sql = "UPDATE example SET marks_by = $1 WHERE id = $2";
        return sqlx::query(sql).bind(by).bind(example).execute(&mut **tx).await.map(drop);
    }
    let Some(seq) = next_seqs(tx, tenant, &held.dataset, 1).await? else { return Ok(()) };
    let said = Said {
        example,
        what: What::Marks,
        after: marks.as_deref(),
        classes: Vec::new(),
        person,
        milliseconds: None,
        drawn: false,
        act: Act::Follow,
    };
    let event = Event { seq, before: holds.marks.as_deref(), undoes: None, holds: None };
    write(tx, tenant, held, &said, &event).await?;
    keep_marks(tx, &said, seq, by.as_deref()).await
}

impl Holds {
    /// Takes in what is said about the label where several people are asked: a vote, or a decision.
    async fn count(
        &mut self,
        tx: &mut Transaction<'static, Any>,
        tenant: &Tenant,
        held: &Held,
        said: &Said<'_>,
    ) -> Result<(), sqlx::Error> {
        let before = self.label.clone();
        if !said.act.decides() {
            vote(tx, tenant, &held.dataset, (said.example, said.person), said.after).await?;
        }
        if said.act.decides() && said.after.is_some() {
            (self.label, self.decided) = (said.after.map(str::to_owned), 1);
        } else {
            // Without an answer a decision is taken back.
            if said.act.decides() {
                self.decided = 0;
            }
            if self.decided == 0 {
                self.label = majority(tx, said.example).await?;
            }
        }
        if self.label != before {
            self.label_by = match (&self.label, said.act) {
                (Some(label), Act::Undo) => voter(tx, said.example, label).await?,
                (Some(label), _) if said.after == Some(label) => Some(said.person.to_owned()),
                _ => None,
            };
        }
        Ok(())
    }

    /// Takes in what is said about the label where one person is asked: the last word holds.
    async fn replace(
        &mut self,
        tx: &mut Transaction<'static, Any>,
        tenant: &Tenant,
        held: &Held,
        said: &Said<'_>,
        undoes: Option<i64>,
    ) -> Result<(), sqlx::Error> {
        let before = std::mem::replace(&mut self.label, said.after.map(str::to_owned));
        let overruled = overrule(tx, tenant, held, said, (before.as_deref(), undoes)).await?;
        // Whose answer was given while several were asked may have said nothing before, where the others did.
        if undoes.is_some()
            && self.label.is_none()
            && let Some(most) = majority(tx, said.example).await?
        {
            self.label_by = voter(tx, said.example, &most).await?;
            (self.label, self.decided) = (Some(most), 0);
            return Ok(());
        }
        let (by, decided) = match (&self.label, undoes) {
            (None, _) => (None, false),
            (Some(_), None) => (Some(said.person.to_owned()), overruled),
            // Of one's own correction that is taken back nothing is one's own word any more.
            (Some(label), Some(undone)) => {
                let (by, decided) = author(tx, said.example, label, undone).await?;
                (by, decided || overruled)
            }
        };
        (self.label_by, self.decided) = (by, i64::from(decided));
        Ok(())
    }
}

/// What an event holds beside what was said.
struct Event<'a> {
    seq: i64,
    before: Option<&'a str>,
    undoes: Option<i64>,
    /// The label that holds after it.
    holds: Option<&'a str>,
}

/// Writes the event.
async fn write(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    held: &Held,
    said: &Said<'_>,
    &Event { seq, before, undoes, holds }: &Event<'_>,
) -> Result<(), sqlx::Error> {
    let event = "INSERT INTO label_event (tenant, dataset, seq, example, person, label, before, milliseconds, undoes, act, at, what, holds, step) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
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
        .bind(holds.filter(|_| said.what == What::Label))
        .bind(held.seq)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes what holds.
async fn keep(
    tx: &mut Transaction<'static, Any>,
    said: &Said<'_>,
    holds: &Holds,
    seq: i64,
) -> Result<(), sqlx::Error> {
    match said.what {
        What::Marks => return keep_marks(tx, said, seq, Some(said.person)).await,
        What::Marking => return Ok(()),
        What::Label => {}
    }
    let sql = "UPDATE example SET label = $1, label_by = $2, decided = $3, drawn = CASE WHEN $4 = 1 THEN 1 ELSE drawn END WHERE id = $5";
    let ask = sqlx::query(sql).bind(holds.label.as_deref()).bind(holds.label_by.as_deref());
    let ask = ask.bind(holds.decided);
    ask.bind(i64::from(said.drawn)).bind(said.example).execute(&mut **tx).await?;
    Ok(())
}

/// Writes the marks that hold, and whose they are.
async fn keep_marks(
    tx: &mut Transaction<'static, Any>,
    said: &Said<'_>,
    seq: i64,
    by: Option<&str>,
) -> Result<(), sqlx::Error> {
    let sql = "UPDATE example SET marks = $1, marks_seq = $3, marks_by = $4 WHERE id = $2";
    let ask = sqlx::query(sql).bind(said.after).bind(said.example).bind(seq).bind(by);
    ask.execute(&mut **tx).await.map(drop)
}
