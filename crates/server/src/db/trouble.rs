//! What a failure of the database means to whoever asked.

/// What is the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Its disk is full; nothing of what was begun is kept.
    Full,
    /// Others were in the way; the same once more will do.
    Busy,
    /// It cannot be reached, or is closing.
    Away,
    /// Something else, which waiting does not help.
    Wrong,
}

impl Trouble {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        use sqlx::Error as E;
        match error {
            E::Database(told) => told.code().map_or(Self::Wrong, |code| Self::coded(&code)),
            E::Io(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => Self::Away,
            _ => Self::Wrong,
        }
    }

    /// PostgreSQL's codes have five signs (its manual, appendix A); SQLite's are numbers whose last byte is the kind (sqlite.org/rescode.html).
    fn coded(code: &str) -> Self {
        match code {
            "53100" => Self::Full,
            // Serialization and deadlocks, locks that were not to be had, memory and connections that ran out.
            "40001" | "40P01" | "55P03" | "53200" | "53300" => Self::Busy,
            // It is being stopped, fell, or is starting.
            "57P01" | "57P02" | "57P03" => Self::Away,
            _ if code.len() == 5 => {
                if code.starts_with("08") {
                    Self::Away
                } else {
                    Self::Wrong
                }
            }
            _ => code.parse().map_or(Self::Wrong, Self::numbered),
        }
    }

    fn numbered(code: u32) -> Self {
        /// The memory that readers share is a file, which could not grow.
        const SHARED_MEMORY: u32 = 10 | (19 << 8);
        match (code, code & 0xff) {
            (SHARED_MEMORY, _) | (_, 13) => Self::Full,
            (_, 5 | 6) => Self::Busy,
            _ => Self::Wrong,
        }
    }

    /// Whether the same will do later, without anybody doing otherwise.
    pub(crate) fn passes(self) -> bool {
        self != Self::Wrong
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Executor as _;
    use testkit::Postgres;

    use super::*;
    use crate::db::Db;
    use crate::error::ApiError;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_postgresql_says_is_understood() {
        let (postgres, dir) = (Postgres::start(), tempfile::tempdir().expect("a folder"));
        let db = Db::open(dir.path(), Some(&postgres.url())).await.expect("a database");
        for (code, trouble, status) in [
            ("53100", Trouble::Full, 507),
            ("40P01", Trouble::Busy, 503),
            ("53300", Trouble::Busy, 503),
            ("57P01", Trouble::Away, 503),
            ("08006", Trouble::Away, 503),
            ("23505", Trouble::Wrong, 500),
        ] {
            let mut connection = db.whole().await.expect("a connection");
            let sql = format!("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$");
            let error = connection.execute(sqlx::AssertSqlSafe(sql)).await.expect_err("it was raised");
            assert_eq!(Trouble::of(&error), trouble, "{code}: {error}");
            assert_eq!(ApiError::from(error).status, status, "{code}");
        }
    }

    #[test]
    fn what_sqlite_says_is_understood() {
        for (code, trouble) in [
            ("13", Trouble::Full),
            ("4874", Trouble::Full),
            ("5", Trouble::Busy),
            ("517", Trouble::Busy),
            ("262", Trouble::Busy),
            ("11", Trouble::Wrong),
            ("2067", Trouble::Wrong),
        ] {
            assert_eq!(Trouble::coded(code), trouble, "{code}");
        }
    }
}
