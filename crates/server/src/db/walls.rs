//! Connections, and on PostgreSQL a second wall between tenants: a connection says whose rows it is to see, and sees no others.
//!
//! Each statement names its tenant all the same; one that forgot it would find nothing of others. The policies ask for the setting
//! `dianjing.tenant`, which is set when a connection is taken and emptied when it is given back: who does not say for whom they ask
//! sees nothing. What the server asks for itself, across tenants, says so: [`Db::whole`].

use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, Executor as _, Transaction};

use super::{Db, Tenant};

/// Sees everything; no tenant's id is so short.
const WHOLE: &str = "*";
/// Holds until the connection is given back.
const SEE: &str = "SELECT set_config('dianjing.tenant', $1, false)";
/// Holds until the transaction ends.
const SEE_HERE: &str = "SELECT set_config('dianjing.tenant', $1, true)";

/// All connections. Nobody takes one without saying what it is to see.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    pool: AnyPool,
}

impl Connections {
    pub(super) fn new(pool: AnyPool) -> Self {
        Self { pool }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Lets connections forget whose rows they saw before the next one has them.
pub(super) fn forgetful(options: AnyPoolOptions, sqlite: bool) -> AnyPoolOptions {
    options.after_release(move |connection, _| {
        Box::pin(async move {
            if !sqlite {
                connection.execute("SELECT set_config('dianjing.tenant', '', false)").await?;
            }
            Ok(true)
        })
    })
}

impl Db {
    /// A connection that sees what is a tenant's.
    pub(crate) async fn of(&self, tenant: &Tenant) -> Result<PoolConnection<Any>, sqlx::Error> {
        self.seeing(tenant.id()).await
    }

    /// A connection that sees what is everybody's, for what the server asks itself: who somebody is, what is to be done next.
    pub(crate) async fn whole(&self) -> Result<PoolConnection<Any>, sqlx::Error> {
        self.seeing(WHOLE).await
    }

    /// A transaction that may write what is a tenant's.
    pub(crate) async fn begin(&self, tenant: &Tenant) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.begin_seeing(tenant.id()).await
    }

    /// A transaction that may write what is anybody's.
    pub(crate) async fn begin_whole(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.begin_seeing(WHOLE).await
    }

    /// A transaction that reads what is a tenant's as it is at one moment, and keeps nobody waiting.
    pub(crate) async fn look(&self, tenant: &Tenant) -> Result<Transaction<'static, Any>, sqlx::Error> {
        let pool = &self.connections.pool;
        if self.sqlite {
            return pool.begin_with("BEGIN DEFERRED").await;
        }
        let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
        sqlx::query(SEE_HERE).bind(tenant.id()).execute(&mut *tx).await?;
        Ok(tx)
    }

    async fn seeing(&self, whose: &str) -> Result<PoolConnection<Any>, sqlx::Error> {
        let mut connection = self.connections.pool.acquire().await?;
        if !self.sqlite {
            sqlx::query(SEE).bind(whose).execute(&mut *connection).await?;
        }
        Ok(connection)
    }

    /// SQLite's takes its lock at once, so that it cannot fail half-way for another's sake.
    async fn begin_seeing(&self, whose: &str) -> Result<Transaction<'static, Any>, sqlx::Error> {
        if self.sqlite {
            return self.connections.pool.begin_with("BEGIN IMMEDIATE").await;
        }
        let mut tx = self.connections.pool.begin().await?;
        sqlx::query(SEE_HERE).bind(whose).execute(&mut *tx).await?;
        Ok(tx)
    }
}

/// Gives every table of tenants' things its policy, also those that a later version made.
pub(super) async fn build(tx: &mut Transaction<'static, Any>) -> Result<(), sqlx::Error> {
    let bare = "SELECT c.table_name::text, c.column_name::text FROM information_schema.columns c \
         WHERE c.table_schema = current_schema() AND (c.column_name = 'tenant' OR (c.table_name, c.column_name) = ('tenant', 'id')) \
         AND NOT EXISTS (SELECT 1 FROM pg_policies p \
         WHERE p.schemaname = c.table_schema AND p.tablename = c.table_name AND p.policyname = 'of_tenant') ORDER BY 1";
    let tables: Vec<(String, String)> = sqlx::query_as(bare).fetch_all(&mut **tx).await?;
    for (table, column) in tables {
        // The setting is read once a statement, not once a row. Owners of tables are not spared.
        let whose = "(SELECT current_setting('dianjing.tenant', true))";
        let policy =
            format!("CREATE POLICY of_tenant ON {table} USING ({column} = {whose} OR {whose} = '{WHOLE}')");
        for sql in [
            format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
            policy,
        ] {
            tx.execute(sqlx::AssertSqlSafe(sql)).await?;
        }
    }
    let passes = "SELECT COUNT(*) FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)";
    let passes: i64 = sqlx::query_scalar(passes).fetch_one(&mut **tx).await?;
    if passes > 0 {
        tracing::warn!(
            "the user of the database passes by row-level security: give the server one that is no superuser"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use testkit::Postgres;

    use super::*;

    /// What a statement sees that forgot to say whose rows it wants.
    async fn seen(connection: &mut sqlx::AnyConnection) -> Vec<String> {
        let sql = "SELECT name FROM person ORDER BY name";
        sqlx::query_scalar(sql).fetch_all(connection).await.expect("asked")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_forgets_a_tenant_sees_nothing_of_others() {
        let (postgres, dir) = (Postgres::start(), tempfile::tempdir().expect("a folder"));
        let db = Db::open(dir.path(), Some(&postgres.url())).await.expect("a database");
        let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
        let bob = db.add_tenant("theirs", "bob", "hash").await.expect("asked").expect("an owner");
        let tenant = async |person: &str| {
            Tenant::of_row(db.person(person).await.expect("asked").expect("somebody").tenant)
        };
        let (ours, theirs) = (tenant(&ann).await, tenant(&bob).await);
        assert_eq!(seen(&mut db.whole().await.expect("a connection")).await, ["ann", "bob"]);
        // More at once than there are connections: each hears what it asked for, whoever had the connection before.
        let asking = (0..200).map(|turn| {
            let (db, ours, theirs) = (db.clone(), ours.clone(), theirs.clone());
            tokio::spawn(async move {
                let (tenant, name) = if turn % 2 == 0 { (&ours, "ann") } else { (&theirs, "bob") };
                match turn % 5 {
                    0 => assert_eq!(seen(&mut db.whole().await.expect("a connection")).await.len(), 2),
                    1 => {
                        let mut tx = db.begin_whole().await.expect("a transaction");
                        assert_eq!(seen(&mut tx).await.len(), 2);
                        // It ends without a word, as when a request breaks off.
                    }
                    2 => {
                        let mut tx = db.begin(tenant).await.expect("a transaction");
                        assert_eq!(seen(&mut tx).await, [name]);
                        assert!(tx.execute("SELECT 1 / 0").await.is_err());
                    }
                    _ => assert_eq!(seen(&mut db.of(tenant).await.expect("a connection")).await, [name]),
                }
                let mut bare = db.connections.pool.acquire().await.expect("a connection");
                assert_eq!(seen(&mut bare).await, [""; 0], "who does not say whose rows sees none");
            })
        });
        for asked in asking.collect::<Vec<_>>() {
            asked.await.expect("all saw what is theirs");
        }
        let sql = "SELECT name FROM tenant";
        let tenants: Vec<String> = sqlx::query_scalar(sql)
            .fetch_all(&mut *db.of(&theirs).await.expect("a connection"))
            .await
            .expect("asked");
        assert_eq!(tenants, ["theirs"], "nor who the others are");
        // Nor does such a statement change or make anything of others.
        let mut connection = db.of(&ours).await.expect("a connection");
        let changed = connection.execute("UPDATE person SET role = 'viewer'").await.expect("asked");
        assert_eq!(changed.rows_affected(), 1);
        assert_eq!(
            connection.execute("DELETE FROM person WHERE name = 'bob'").await.expect("asked").rows_affected(),
            0
        );
        let sql =
            "INSERT INTO person (id, tenant, name, role, created_at) VALUES ('x', $1, 'eve', 'owner', 0)";
        assert!(
            sqlx::query(sql).bind(theirs.id()).execute(&mut *connection).await.is_err(),
            "not into another's"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_table_of_tenants_has_the_wall() {
        let (postgres, dir) = (Postgres::start(), tempfile::tempdir().expect("a folder"));
        let db = Db::open(dir.path(), Some(&postgres.url())).await.expect("a database");
        let without = "SELECT c.table_name::text FROM information_schema.columns c JOIN pg_class t \
             ON t.relname = c.table_name AND t.relnamespace = current_schema()::regnamespace \
             WHERE c.table_schema = current_schema() AND c.column_name = 'tenant' AND NOT t.relforcerowsecurity";
        let mut connection = db.whole().await.expect("a connection");
        let tables: Vec<String> =
            sqlx::query_scalar(without).fetch_all(&mut *connection).await.expect("asked");
        assert_eq!(tables, [""; 0]);
        let with = "SELECT COUNT(*) FROM pg_policies WHERE policyname = 'of_tenant'";
        let n: i64 = sqlx::query_scalar(with).fetch_one(&mut *connection).await.expect("asked");
        assert!(n >= 20, "{n} tables have it");
    }
}
