//! Marks of an example are one list for all: whoever changes it says which one they saw, so that nobody's marks go unseen. Where several people are
//! asked about each example, each has a list of their own: see [`markings`](super::markings).

use super::datasets::hold;
use super::labels::{Said, What};
use super::markings::{NOTHING, marking_of};
use super::saying::say;
use super::{Db, Tenant};

/// How marking ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marking {
    /// With the number of the event that changed the marks last.
    Kept(i64),
    /// Somebody changed them since.
    Changed,
    /// The data set has no such example.
    Missing,
}

impl Db {
    /// Texts of a data set, with what is marked on them, neither of more bytes than `longest`; those marked last first.
    pub(crate) async fn marked_texts(
        &self,
        tenant: &Tenant,
        dataset: &str,
        count: i64,
        longest: i64,
    ) -> Result<Vec<(String, String)>, sqlx::Error> {
        let sql = "SELECT body, marks FROM example WHERE tenant = $1 AND dataset = $2 AND removed = 0 \
             AND OCTET_LENGTH(body) <= $4 AND OCTET_LENGTH(marks) <= $4 ORDER BY marks_seq DESC, position, id LIMIT $3";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(dataset).bind(count).bind(longest);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Puts marks in place of those that were `seen`, by the number of the event that made them; `None` in place of any. To say what holds
    /// already changes nothing, so that a request may be repeated.
    pub(crate) async fn mark(
        &self,
        tenant: &Tenant,
        dataset: &str,
        said: &Said<'_>,
        seen: Option<i64>,
    ) -> Result<Marking, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let Some(held) = hold(&mut tx, tenant, dataset).await? else { return Ok(Marking::Missing) };
        let own = Said { what: What::Marking, after: said.after.or(Some(NOTHING)), ..said.clone() };
        let said = if held.several { &own } else { said };
        let sql = "SELECT marks, marks_seq FROM example WHERE tenant = $1 AND dataset = $2 AND id = $3 AND removed = 0";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(dataset).bind(said.example);
        let found: Option<(Option<String>, i64)> = ask.fetch_optional(&mut *tx).await?;
        let Some(found) = found else { return Ok(Marking::Missing) };
        let (marks, seq) = match marking_of(&mut tx, said.example, said.person).await? {
            Some((marks, seq)) if held.several => (Some(marks), seq),
            None if held.several => (None, 0),
            _ => found,
        };
        if marks.as_deref() == said.after {
            return Ok(Marking::Kept(seq));
        }
        if seen.is_some_and(|seen| seen != seq) {
            return Ok(Marking::Changed);
        }
        let Some(seq) = say(&mut tx, tenant, &held, said, None).await? else { return Ok(Marking::Missing) };
        tx.commit().await?;
        Ok(Marking::Kept(seq))
    }
}
