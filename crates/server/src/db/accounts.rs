//! Accounts that people have with a provider of log-ins.

use super::people::{PERSON, PersonRow, end_sessions};
use super::{Db, Tenant};
use crate::clock::now;

/// An account: who it is about, and who says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
}

impl Db {
    /// Whose account this is.
    pub(crate) async fn person_by_account(
        &self,
        account: Account<'_>,
    ) -> Result<Option<PersonRow>, sqlx::Error> {
        let sql =
            format!("{PERSON} JOIN account a ON a.person = p.id WHERE a.issuer = $1 AND a.subject = $2");
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(account.issuer).bind(account.subject);
        ask.fetch_optional(&mut *self.whole().await?).await
    }

    /// Gives a person their first account with an issuer; `false` when it is somebody else's, or they have another one.
    pub(crate) async fn add_account(
        &self,
        tenant: &Tenant,
        person: &str,
        account: Account<'_>,
    ) -> Result<bool, sqlx::Error> {
        let sql = "INSERT INTO account (issuer, subject, tenant, person, created_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING";
        let ask = sqlx::query(sql).bind(account.issuer).bind(account.subject).bind(tenant.id());
        let done = ask.bind(person).bind(now()).execute(&mut *self.of(tenant).await?).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a person this account in place of what they have with its issuer; `false` when it is somebody else's.
    pub(crate) async fn change_account(
        &self,
        tenant: &Tenant,
        person: &str,
        account: Account<'_>,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let sql = "DELETE FROM account WHERE tenant = $1 AND person = $2 AND issuer = $3";
        sqlx::query(sql).bind(tenant.id()).bind(person).bind(account.issuer).execute(&mut *tx).await?;
        let sql = "INSERT INTO account (issuer, subject, tenant, person, created_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING";
        let ask = sqlx::query(sql).bind(account.issuer).bind(account.subject).bind(tenant.id());
        let done = ask.bind(person).bind(now()).execute(&mut *tx).await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Takes a person's accounts away, and ends all their sessions; `false` where there is none.
    pub(crate) async fn remove_accounts(&self, tenant: &Tenant, person: &str) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let sql = "DELETE FROM account WHERE tenant = $1 AND person = $2";
        let gone = sqlx::query(sql).bind(tenant.id()).bind(person).execute(&mut *tx).await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        end_sessions(&mut tx, person).await?;
        tx.commit().await?;
        Ok(true)
    }
}
