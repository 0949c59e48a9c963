//! Log-ins with a provider that are under way: browsers that were sent there and are expected back, at whichever server of the team.

use super::Db;
use crate::clock::now;
use crate::ids::{fingerprint, new_secret};

/// How long somebody may take at the provider, in milliseconds.
const SPELL: i64 = 600_000;
/// Log-ins under way; the oldest gives way to one more, so that nobody who only begins fills the database or bars the door.
const MOST: i64 = 50_000;

row! {
    /// A log-in under way.
    #[derive(Debug, Clone)]
    pub(crate) struct Entrance {
        pub(crate) state: String,
        pub(crate) nonce: String,
        pub(crate) verifier: String,
        /// Where it comes back to.
        pub(crate) back: String,
        /// Whose account it is to be; absent for a log-in.
        pub(crate) links: Option<String>,
    }
}

impl Entrance {
    pub(crate) fn new(back: String, links: Option<String>) -> Self {
        let [state, nonce, verifier] = [new_secret(), new_secret(), new_secret()];
        Self { state, nonce, verifier, back, links }
    }
}

impl Db {
    /// Expects a browser back, and returns the secret that it is to bring; only its fingerprint is kept.
    pub(crate) async fn add_entrance(&self, entrance: &Entrance) -> Result<String, sqlx::Error> {
        self.add_entrance_at(entrance, now(), MOST).await
    }

    async fn add_entrance_at(&self, entrance: &Entrance, at: i64, most: i64) -> Result<String, sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        let sql = "DELETE FROM entrance WHERE created_at < $1";
        sqlx::query(sql).bind(at - SPELL).execute(&mut *tx).await?;
        let n: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM entrance").fetch_one(&mut *tx).await?;
        if n >= most {
            let sql = "DELETE FROM entrance WHERE created_at <= \
                 (SELECT created_at FROM entrance ORDER BY created_at DESC LIMIT 1 OFFSET $1)";
            sqlx::query(sql).bind(most - 1).execute(&mut *tx).await?;
        }
        let secret = new_secret();
        let sql = "INSERT INTO entrance (hash, state, nonce, verifier, back, links, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let Entrance { state, nonce, verifier, back, links } = entrance;
        let ask = sqlx::query(sql).bind(fingerprint(&secret)).bind(state).bind(nonce).bind(verifier);
        ask.bind(back).bind(links.as_deref()).bind(at).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// The log-in that a browser with this secret began and that has this state; once, and not for ever. One that is asked for with another
    /// state stays: whoever leads a browser here astray ends nothing.
    pub(crate) async fn take_entrance(
        &self,
        secret: &str,
        state: &str,
    ) -> Result<Option<Entrance>, sqlx::Error> {
        let sql = "DELETE FROM entrance WHERE hash = $1 AND state = $2 AND created_at > $3 \
             RETURNING state, nonce, verifier, back, links";
        let ask = sqlx::query_as(sql).bind(fingerprint(secret)).bind(state).bind(now() - SPELL);
        ask.fetch_optional(&mut *self.whole().await?).await
    }
}

#[cfg(test)]
mod tests {
    use testkit::Postgres;

    use super::*;

    async fn come_and_go(db: &Db) {
        let new = || Entrance::new("http://localhost/back".to_owned(), None);
        let (ann, ben) = (new(), new());
        let anns = db.add_entrance(&ann).await.expect("added");
        let bens = db.add_entrance(&ben).await.expect("added");
        let take = async |secret: &str, state: &str| db.take_entrance(secret, state).await.expect("asked");
        assert!(take(&anns, &ben.state).await.is_none() && take("", &ann.state).await.is_none());
        // Asked for by many at once, on whatever server: it serves one of them.
        let asking = (0..8).map(|_| {
            let (db, secret, state) = (db.clone(), anns.clone(), ann.state.clone());
            tokio::spawn(async move { db.take_entrance(&secret, &state).await.expect("asked").is_some() })
        });
        let mut served = 0;
        for asked in asking.collect::<Vec<_>>() {
            served += usize::from(asked.await.expect("ended"));
        }
        assert_eq!(served, 1);
        let came = take(&bens, &ben.state).await.expect("ben");
        assert_eq!((came.nonce, came.verifier, came.links), (ben.nonce, ben.verifier, None));
        // Who takes too long, and the oldest of too many, are not expected any more.
        let (late, first) = (new(), new());
        let slow = db.add_entrance_at(&late, now() - SPELL - 1, 3).await.expect("added");
        assert!(take(&slow, &late.state).await.is_none());
        let oldest = db.add_entrance_at(&first, now() - 10, 3).await.expect("added");
        for ago in (1..=3).rev() {
            db.add_entrance_at(&new(), now() - ago, 3).await.expect("added");
        }
        assert!(take(&oldest, &first.state).await.is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_browser_comes_back_once_with_what_it_took_along() {
        let dir = tempfile::tempdir().expect("a folder");
        come_and_go(&Db::open(dir.path(), None).await.expect("a database")).await;
        let postgres = Postgres::start();
        come_and_go(&Db::open(dir.path(), Some(&postgres.url())).await.expect("a database")).await;
    }
}
