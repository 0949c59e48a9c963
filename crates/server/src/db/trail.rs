//! The audit log: who did what, each entry sealed with the hash of the one before.

use super::people::hold_tenant;
use super::{Db, Tenant};
use crate::clock::now;

row! {
    /// An entry, oldest fields first.
    #[derive(Debug, Clone)]
    pub(crate) struct TrailRow {
        pub(crate) seq: i64,
        pub(crate) at: i64,
        pub(crate) person: String,
        pub(crate) action: String,
        pub(crate) subject: String,
        pub(crate) hash: String,
    }
}

impl TrailRow {
    /// What seals it.
    pub(crate) fn seal(&self, before: &str) -> String {
        let mut hasher = store::Hasher::new("dianjing.trail.1");
        hasher.field("before", before.as_bytes());
        hasher.field("seq", self.seq.to_string().as_bytes()).field("at", self.at.to_string().as_bytes());
        hasher.field("person", self.person.as_bytes()).field("action", self.action.as_bytes());
        hasher.field("subject", self.subject.as_bytes());
        hasher.finish().to_string()
    }
}

/// How the audit log of a tenant stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seal {
    /// That fit, from the first on.
    pub(crate) n_entries: i64,
    /// Of the last of them.
    pub(crate) hash: String,
    /// The first entry that is other than it was written, or does not follow the one before.
    pub(crate) broken_at: Option<i64>,
}

impl Seal {
    /// Goes on over the next entries, until one does not fit.
    fn follow(&mut self, rows: Vec<TrailRow>) {
        for row in rows {
            if row.seq != self.n_entries + 1 || row.hash != row.seal(&self.hash) {
                self.broken_at = Some(row.seq);
                return;
            }
            (self.n_entries, self.hash) = (row.seq, row.hash);
        }
    }
}

/// Entries that are read at once when all of them are.
const PAGE: i64 = 1000;

impl Db {
    /// Adds an entry.
    pub(crate) async fn note(
        &self,
        tenant: &Tenant,
        person: &str,
        action: &str,
        subject: &str,
    ) -> Result<(), sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        // Two that write at once take turns.
        hold_tenant(&mut tx, tenant).await?;
        let sql = "SELECT seq, hash FROM audit_log WHERE tenant = $1 ORDER BY seq DESC LIMIT 1";
        let last: Option<(i64, String)> =
            sqlx::query_as(sql).bind(tenant.id()).fetch_optional(&mut *tx).await?;
        let (seq, before) = last.unwrap_or_default();
        let mut row = TrailRow {
            seq: seq + 1,
            at: now(),
            person: person.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            hash: String::new(),
        };
        row.hash = row.seal(&before);
        let sql = "INSERT INTO audit_log (tenant, seq, at, person, action, subject, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        sqlx::query(sql)
            .bind(tenant.id())
            .bind(row.seq)
            .bind(row.at)
            .bind(&row.person)
            .bind(&row.action)
            .bind(&row.subject)
            .bind(&row.hash)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    /// The last entries before one, the newest first.
    pub(crate) async fn trail(
        &self,
        tenant: &Tenant,
        before: i64,
        limit: i64,
    ) -> Result<Vec<TrailRow>, sqlx::Error> {
        let sql = "SELECT seq, at, person, action, subject, hash FROM audit_log WHERE tenant = $1 AND seq < $2 \
             ORDER BY seq DESC LIMIT $3";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(before).bind(limit);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }

    /// Whether every entry is as it was written, and none is missing but at the end. A page at a time: the log may be long.
    pub(crate) async fn seal(&self, tenant: &Tenant) -> Result<Seal, sqlx::Error> {
        let mut seal = Seal::default();
        loop {
            let sql = "SELECT seq, at, person, action, subject, hash FROM audit_log WHERE tenant = $1 AND seq > $2 \
                 ORDER BY seq LIMIT $3";
            let ask = sqlx::query_as(sql).bind(tenant.id()).bind(seal.n_entries).bind(PAGE);
            let rows: Vec<TrailRow> = ask.fetch_all(&mut *self.of(tenant).await?).await?;
            let is_last = (rows.len() as i64) < PAGE;
            seal.follow(rows);
            if is_last || seal.broken_at.is_some() {
                return Ok(seal);
            }
        }
    }
}
