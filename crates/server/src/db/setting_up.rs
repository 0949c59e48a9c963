//! The first to come in to a team's server, which may have been one person's studio.

use super::Db;
use super::people::{FIRST_OWNER, add_tenant, end_sessions, one};

/// How many owners of the tenant that was there first can come in by a password, an account, or an invitation to get one. That of a studio has none of them, whoever else
/// was let in.
const COMING_IN: &str = "SELECT COUNT(*) FROM person p WHERE p.role = 'owner' \
     AND p.tenant = (SELECT t.id FROM tenant t ORDER BY t.created_at, t.id LIMIT 1) \
     AND (p.password IS NOT NULL OR p.email IS NOT NULL OR EXISTS (SELECT 1 FROM account a WHERE a.person = p.id))";

/// What came of setting a server up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SetUp {
    /// The person with this id is its owner.
    Done(String),
    /// Somebody owns it, and can log in.
    Already,
    /// Somebody else has the name.
    NameTaken,
}

impl Db {
    /// Whether an owner of the server can log in.
    pub(crate) async fn is_set_up(&self) -> Result<bool, sqlx::Error> {
        let n: i64 = sqlx::query_scalar(COMING_IN).fetch_one(&mut *self.whole().await?).await?;
        Ok(n > 0)
    }

    /// Lets the first person in by a password: the owner of a folder that was a studio's, with all that is in it, or somebody who founds a
    /// tenant.
    pub(crate) async fn set_up(
        &self,
        tenant: &str,
        name: &str,
        password: &str,
    ) -> Result<SetUp, sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        if !self.is_sqlite() {
            // One after the other, also where there is no row yet that could be held.
            sqlx::query("SELECT 1 FROM pg_advisory_xact_lock(20261128)").execute(&mut *tx).await?;
        }
        let n: i64 = sqlx::query_scalar(COMING_IN).fetch_one(&mut *tx).await?;
        if n > 0 {
            return Ok(SetUp::Already);
        }
        let Some(owner) = one(&mut tx, FIRST_OWNER, "owner").await? else {
            let person = add_tenant(&mut tx, tenant, name, Some(password)).await?;
            tx.commit().await?;
            return Ok(SetUp::Done(person));
        };
        let sql = "UPDATE person SET name = $1, password = $2 WHERE id = $3 \
             AND NOT EXISTS (SELECT 1 FROM person o WHERE o.name = $1 AND o.id <> $3)";
        let done = sqlx::query(sql).bind(name).bind(password).bind(&owner.id).execute(&mut *tx).await?;
        if done.rows_affected() == 0 {
            return Ok(SetUp::NameTaken);
        }
        let sql = "UPDATE tenant SET name = $1 WHERE id = $2";
        sqlx::query(sql).bind(tenant).bind(&owner.tenant).execute(&mut *tx).await?;
        end_sessions(&mut tx, &owner.id).await?;
        tx.commit().await?;
        Ok(SetUp::Done(owner.id))
    }

    /// Ends every session of the tenant that was there first: what browsers of a studio began without a password is not to rule a server that
    /// others reach.
    pub(crate) async fn end_sessions_of_first(&self) -> Result<(), sqlx::Error> {
        let sql = "DELETE FROM session WHERE person IN (SELECT p.id FROM person p \
             WHERE p.tenant = (SELECT t.id FROM tenant t ORDER BY t.created_at, t.id LIMIT 1))";
        sqlx::query(sql).execute(&mut *self.whole().await?).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use testkit::Postgres;

    use super::*;
    use crate::db::Tenant;
    use crate::db::people::NewPerson;

    fn person<'a>(name: &'a str, role: &'a str, password: Option<&'a str>) -> NewPerson<'a> {
        NewPerson { name, role, password, email: None }
    }

    /// A studio's owner lets somebody in who labels; then the studio becomes a team's.
    async fn takes_a_studio_over(db: &Db) {
        let owner = db.found("local", "owner").await.expect("asked").expect("the first");
        let tenant = Tenant::of_row(db.person(&owner).await.expect("asked").expect("there").tenant);
        db.add_person(&tenant, person("ben", "labeller", Some("hash"))).await.expect("asked").expect("added");
        assert!(!db.is_set_up().await.expect("asked"), "who labels owns nothing");
        let set_up = async |name: &str| db.set_up("Works", name, "hash").await.expect("asked");
        assert_eq!(set_up("ben").await, SetUp::NameTaken);
        let both = tokio::join!(set_up("ann"), set_up("eve"));
        let done = SetUp::Done(owner);
        assert!(both == (done.clone(), SetUp::Already) || both == (SetUp::Already, done), "{both:?}");
        assert!(db.is_set_up().await.expect("asked"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_person_owns_what_was_a_studio() {
        let dir = tempfile::tempdir().expect("a folder");
        takes_a_studio_over(&Db::open(dir.path(), None).await.expect("a database")).await;
        let postgres = Postgres::start();
        takes_a_studio_over(&Db::open(dir.path(), Some(&postgres.url())).await.expect("a database")).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_person_founds_an_empty_server() {
        let dir = tempfile::tempdir().expect("a folder");
        let postgres = Postgres::start();
        for url in [None, Some(postgres.url())] {
            let db = Db::open(dir.path(), url.as_deref()).await.expect("a database");
            let set_up = async |name: &str| db.set_up("Works", name, "hash").await.expect("asked");
            let both = tokio::join!(set_up("ann"), set_up("eve"));
            let n_done = [&both.0, &both.1].iter().filter(|came| matches!(came, SetUp::Done(_))).count();
            assert_eq!((n_done, db.tenants().await.expect("asked").len()), (1, 1), "{both:?}");
        }
    }
}
