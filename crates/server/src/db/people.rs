//! People, sessions and tokens.

use sqlx::{Any, AnyConnection, Transaction};

use super::{Db, Tenant};
use crate::clock::now;
use crate::ids::{fingerprint, new_id, new_secret};

/// Among owners that of the tenant that was there first.
pub(super) const FIRST_OWNER: &str =
    "WHERE p.role = $1 ORDER BY t.created_at, t.id, p.created_at, p.id LIMIT 1";
/// How long a session lasts: a working fortnight.
const SESSION: i64 = 14 * 24 * 3600 * 1000;

row! {
    /// A person, and whose people they are.
    #[derive(Debug, Clone)]
    pub(crate) struct PersonRow {
        pub(crate) id: String,
        pub(crate) tenant: String,
        pub(crate) tenant_name: String,
        pub(crate) name: String,
        pub(crate) role: String,
        pub(crate) password: Option<String>,
        /// In small letters.
        pub(crate) email: Option<String>,
        /// With providers of log-ins.
        pub(crate) n_accounts: i64,
        pub(crate) created_at: i64,
    }
}

/// Somebody who is let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewPerson<'a> {
    pub(crate) name: &'a str,
    pub(crate) role: &'a str,
    /// As a hash.
    pub(crate) password: Option<&'a str>,
    /// In small letters.
    pub(crate) email: Option<&'a str>,
}

row! {
    /// A token, without its secret.
    #[derive(Debug, Clone)]
    pub(crate) struct TokenRow {
        pub(crate) id: String,
        pub(crate) name: String,
        pub(crate) scopes: String,
        pub(crate) prefix: String,
        pub(crate) created_at: i64,
        pub(crate) used_at: Option<i64>,
    }
}

impl Db {
    /// Whether anybody is known yet.
    pub(crate) async fn has_people(&self) -> Result<bool, sqlx::Error> {
        let n: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM person").fetch_one(&mut *self.whole().await?).await?;
        Ok(n > 0)
    }

    /// All tenants, always in the same order.
    pub(crate) async fn tenants(&self) -> Result<Vec<Tenant>, sqlx::Error> {
        let sql = "SELECT id FROM tenant ORDER BY id";
        let ids: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *self.whole().await?).await?;
        Ok(ids.into_iter().map(Tenant::of_row).collect())
    }

    /// The first tenant and its owner, who has no password yet; `None` when somebody was quicker.
    pub(crate) async fn found(&self, tenant: &str, name: &str) -> Result<Option<String>, sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        let n: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM person").fetch_one(&mut *tx).await?;
        if n > 0 {
            return Ok(None);
        }
        let person = add_tenant(&mut tx, tenant, name, None).await?;
        tx.commit().await?;
        Ok(Some(person))
    }

    /// Another tenant with its owner; `None` when the name of the owner is taken.
    pub(crate) async fn add_tenant(
        &self,
        tenant: &str,
        name: &str,
        password: &str,
    ) -> Result<Option<String>, sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        let sql = "SELECT COUNT(*) FROM person WHERE name = $1";
        let n: i64 = sqlx::query_scalar(sql).bind(name).fetch_one(&mut *tx).await?;
        if n > 0 {
            return Ok(None);
        }
        let person = add_tenant(&mut tx, tenant, name, Some(password)).await?;
        tx.commit().await?;
        Ok(Some(person))
    }

    /// Another person of the same tenant; `None` when the name is taken, or somebody of the tenant has the e-mail. What other tenants have is
    /// not told: of several invitations of one e-mail the first counts.
    pub(crate) async fn add_person(
        &self,
        tenant: &Tenant,
        new: NewPerson<'_>,
    ) -> Result<Option<PersonRow>, sqlx::Error> {
        let id = new_id();
        let insert = "INSERT INTO person (id, tenant, name, role, password, email, created_at) \
             SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT 1 FROM person WHERE name = $3 OR (tenant = $2 AND email = $6)) \
             ON CONFLICT DO NOTHING";
        let done = sqlx::query(insert)
            .bind(&id)
            .bind(tenant.id())
            .bind(new.name)
            .bind(new.role)
            .bind(new.password)
            .bind(new.email)
            .bind(now())
            .execute(&mut *self.whole().await?)
            .await?;
        if done.rows_affected() == 0 { Ok(None) } else { self.person(&id).await }
    }

    pub(crate) async fn person(&self, id: &str) -> Result<Option<PersonRow>, sqlx::Error> {
        one(&mut *self.whole().await?, "WHERE p.id = $1", id).await
    }

    pub(crate) async fn person_by_name(&self, name: &str) -> Result<Option<PersonRow>, sqlx::Error> {
        one(&mut *self.whole().await?, "WHERE p.name = $1", name).await
    }

    /// Whom the first invitation of an e-mail is for.
    pub(crate) async fn person_by_email(&self, email: &str) -> Result<Option<PersonRow>, sqlx::Error> {
        one(&mut *self.whole().await?, "WHERE p.email = $1 ORDER BY p.created_at, p.id LIMIT 1", email).await
    }

    /// The owner of the tenant that was there first.
    pub(crate) async fn first_owner(&self) -> Result<Option<PersonRow>, sqlx::Error> {
        one(&mut *self.whole().await?, FIRST_OWNER, "owner").await
    }

    /// Gives a person another password, and ends all their sessions: whoever is in by the old one, or by a cookie of theirs, is out.
    pub(crate) async fn set_password(&self, id: &str, password: &str) -> Result<(), sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        let sql = "UPDATE person SET password = $1 WHERE id = $2";
        sqlx::query(sql).bind(password).bind(id).execute(&mut *tx).await?;
        end_sessions(&mut tx, id).await?;
        tx.commit().await
    }

    pub(crate) async fn people(&self, tenant: &Tenant) -> Result<Vec<PersonRow>, sqlx::Error> {
        let sql = format!("{PERSON} WHERE p.tenant = $1 ORDER BY p.created_at, p.id");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// Gives a person another role; the last owner stays one. `false` when nothing was changed.
    pub(crate) async fn set_role(&self, tenant: &Tenant, id: &str, role: &str) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        // Two owners who make each other something less at the same moment come one after the other.
        hold_tenant(&mut tx, tenant).await?;
        let sql = "UPDATE person SET role = $1 WHERE id = $2 AND tenant = $3 AND (role <> 'owner' OR $1 = 'owner' OR \
             EXISTS (SELECT 1 FROM person o WHERE o.tenant = $3 AND o.role = 'owner' AND o.id <> $2))";
        let done = sqlx::query(sql).bind(role).bind(id).bind(tenant.id()).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a person out, with their sessions and tokens; the last owner stays.
    pub(crate) async fn remove_person(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        hold_tenant(&mut tx, tenant).await?;
        let sql = "DELETE FROM person WHERE id = $1 AND tenant = $2 AND (role <> 'owner' OR \
             EXISTS (SELECT 1 FROM person o WHERE o.tenant = $2 AND o.role = 'owner' AND o.id <> $1))";
        let done = sqlx::query(sql).bind(id).bind(tenant.id()).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Begins a session and returns its secret. Those that are over are forgotten.
    pub(crate) async fn begin_session(&self, person: &str) -> Result<String, sqlx::Error> {
        let secret = new_secret();
        sqlx::query("DELETE FROM session WHERE expires_at < $1")
            .bind(now())
            .execute(&mut *self.whole().await?)
            .await?;
        sqlx::query("INSERT INTO session (hash, person, created_at, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(fingerprint(&secret))
            .bind(person)
            .bind(now())
            .bind(now() + SESSION)
            .execute(&mut *self.whole().await?)
            .await?;
        Ok(secret)
    }

    pub(crate) async fn end_session(&self, secret: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM session WHERE hash = $1")
            .bind(fingerprint(secret))
            .execute(&mut *self.whole().await?)
            .await?;
        Ok(())
    }

    /// Ends all sessions of a person.
    pub(crate) async fn end_all_sessions(&self, person: &str) -> Result<(), sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        end_sessions(&mut tx, person).await?;
        tx.commit().await
    }

    /// Who a session belongs to, unless it is over.
    pub(crate) async fn session(&self, secret: &str) -> Result<Option<PersonRow>, sqlx::Error> {
        let sql =
            format!("{PERSON} JOIN session s ON s.person = p.id WHERE s.hash = $1 AND s.expires_at > $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(fingerprint(secret))
            .bind(now())
            .fetch_optional(&mut *self.whole().await?)
            .await
    }

    /// Makes a token and returns it with its secret.
    pub(crate) async fn add_token(
        &self,
        tenant: &Tenant,
        person: &str,
        name: &str,
        scopes: &str,
    ) -> Result<(TokenRow, String), sqlx::Error> {
        let secret = format!("djt_{}", new_secret());
        let row = TokenRow {
            id: new_id(),
            name: name.to_owned(),
            scopes: scopes.to_owned(),
            prefix: secret[..10].to_owned(),
            created_at: now(),
            used_at: None,
        };
        let insert = "INSERT INTO token (id, tenant, person, name, hash, prefix, scopes, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        sqlx::query(insert)
            .bind(&row.id)
            .bind(tenant.id())
            .bind(person)
            .bind(&row.name)
            .bind(fingerprint(&secret))
            .bind(&row.prefix)
            .bind(&row.scopes)
            .bind(row.created_at)
            .execute(&mut *self.of(tenant).await?)
            .await?;
        Ok((row, secret))
    }

    pub(crate) async fn tokens(&self, tenant: &Tenant) -> Result<Vec<TokenRow>, sqlx::Error> {
        let sql = "SELECT id, name, scopes, prefix, created_at, used_at FROM token WHERE tenant = $1 ORDER BY created_at, id";
        sqlx::query_as(sql).bind(tenant.id()).fetch_all(&mut *self.of(tenant).await?).await
    }

    pub(crate) async fn remove_token(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM token WHERE id = $1 AND tenant = $2";
        let done = sqlx::query(sql).bind(id).bind(tenant.id()).execute(&mut *self.of(tenant).await?).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whose token this is and what it may do; notes that it was used, to the minute.
    pub(crate) async fn token(&self, secret: &str) -> Result<Option<(PersonRow, String)>, sqlx::Error> {
        let hash = fingerprint(secret);
        let sql = "SELECT person, scopes FROM token WHERE hash = $1";
        let found: Option<(String, String)> =
            sqlx::query_as(sql).bind(&hash).fetch_optional(&mut *self.whole().await?).await?;
        let Some((person, scopes)) = found else { return Ok(None) };
        let at = now();
        sqlx::query("UPDATE token SET used_at = $1 WHERE hash = $2 AND (used_at IS NULL OR used_at < $3)")
            .bind(at)
            .bind(&hash)
            .bind(at - 60_000)
            .execute(&mut *self.whole().await?)
            .await?;
        Ok(self.person(&person).await?.map(|person| (person, scopes)))
    }
}

pub(super) const PERSON: &str = "SELECT p.id, p.tenant, t.name AS tenant_name, p.name, p.role, p.password, p.email, \
     (SELECT COUNT(*) FROM account a WHERE a.person = p.id) AS n_accounts, p.created_at FROM person p JOIN tenant t ON t.id = p.tenant";

/// Keeps everybody else from changing what a tenant is until the transaction ends.
pub(super) async fn hold_tenant(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
) -> Result<(), sqlx::Error> {
    // An update of nothing takes the lock on either database.
    let sql = "UPDATE tenant SET name = name WHERE id = $1";
    sqlx::query(sql).bind(tenant.id()).execute(&mut **tx).await.map(drop)
}

/// Ends all sessions of a person.
pub(super) async fn end_sessions(
    tx: &mut Transaction<'static, Any>,
    person: &str,
) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM session WHERE person = $1";
    sqlx::query(sql).bind(person).execute(&mut **tx).await.map(drop)
}

pub(super) async fn one(
    connection: &mut AnyConnection,
    which: &'static str,
    value: &str,
) -> Result<Option<PersonRow>, sqlx::Error> {
    let sql = sqlx::AssertSqlSafe(format!("{PERSON} {which}"));
    sqlx::query_as(sql).bind(value).fetch_optional(connection).await
}

/// A tenant with its owner, whose id is returned.
pub(super) async fn add_tenant(
    tx: &mut Transaction<'static, Any>,
    tenant: &str,
    name: &str,
    password: Option<&str>,
) -> Result<String, sqlx::Error> {
    let (home, person) = (new_id(), new_id());
    let insert = "INSERT INTO tenant (id, name, created_at) VALUES ($1, $2, $3)";
    sqlx::query(insert).bind(&home).bind(tenant).bind(now()).execute(&mut **tx).await?;
    let insert = "INSERT INTO person (id, tenant, name, role, password, created_at) VALUES ($1, $2, $3, 'owner', $4, $5)";
    let ask = sqlx::query(insert).bind(&person).bind(&home).bind(name).bind(password).bind(now());
    ask.execute(&mut **tx).await?;
    let insert = "INSERT INTO room (tenant, examples, bytes) VALUES ($1, 0, 0)";
    sqlx::query(insert).bind(&home).execute(&mut **tx).await?;
    Ok(person)
}

#[cfg(test)]
mod tests {
    use testkit::Postgres;

    use super::*;

    /// Two owners make each other viewers, again and again; one of them is always left.
    async fn quarrel(db: &Db) {
        let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
        let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
        let new = NewPerson { name: "ben", role: "owner", password: None, email: None };
        let ben = db.add_person(&tenant, new).await.expect("asked").expect("added").id;
        for _ in 0..20 {
            let less = [&ann, &ben].map(|id| {
                let (db, tenant, id) = (db.clone(), tenant.clone(), id.clone());
                tokio::spawn(async move { db.set_role(&tenant, &id, "viewer").await.expect("asked") })
            });
            let mut done = Vec::new();
            for less in less {
                done.push(less.await.expect("ended"));
            }
            assert_eq!(done.iter().filter(|done| **done).count(), 1, "one of them stays an owner");
            for id in [&ann, &ben] {
                db.set_role(&tenant, id, "owner").await.expect("asked");
            }
        }
        let leave = [&ann, &ben].map(|id| {
            let (db, tenant, id) = (db.clone(), tenant.clone(), id.clone());
            tokio::spawn(async move { db.remove_person(&tenant, &id).await.expect("asked") })
        });
        for leave in leave {
            leave.await.expect("ended");
        }
        assert_eq!(db.people(&tenant).await.expect("asked").len(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_owner_is_always_left() {
        let dir = tempfile::tempdir().expect("a folder");
        quarrel(&Db::open(dir.path(), None).await.expect("a database")).await;
        let postgres = Postgres::start();
        quarrel(&Db::open(dir.path(), Some(&postgres.url())).await.expect("a database")).await;
    }
}
