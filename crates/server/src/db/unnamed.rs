//! Files of the object store that no row names any more, with since when: a database may be restored from an older copy, which names them.

use std::collections::{HashMap, HashSet};

use super::Db;
use crate::clock::now;

impl Db {
    /// Takes in which files no row names now, and returns those of which that is known since before `then`. A file that was named again
    /// meanwhile, or is gone, is as if it had never been without a name.
    pub(crate) async fn unnamed_since(
        &self,
        files: &[String],
        then: i64,
    ) -> Result<Vec<String>, sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        let known: Vec<(String, i64)> =
            sqlx::query_as("SELECT file, since FROM unnamed").fetch_all(&mut *tx).await?;
        let known: HashMap<String, i64> = known.into_iter().collect();
        let unnamed: HashSet<&str> = files.iter().map(String::as_str).collect();
        for file in known.keys().filter(|file| !unnamed.contains(file.as_str())) {
            sqlx::query("DELETE FROM unnamed WHERE file = $1").bind(file).execute(&mut *tx).await?;
        }
        for file in files.iter().filter(|file| !known.contains_key(*file)) {
            // Another server may have seen it at the same time.
            let sql = "INSERT INTO unnamed (file, since) VALUES ($1, $2) ON CONFLICT (file) DO NOTHING";
            sqlx::query(sql).bind(file).bind(now()).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        let long = |file: &&String| known.get(*file).is_some_and(|since| *since < then);
        Ok(files.iter().filter(long).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_time_counts_from_when_a_file_lost_its_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let db = Db::open(dir.path(), None).await.expect("a database");
        let [old, new] = ["blobs/ab/old.png", "blobs/cd/new.png"].map(str::to_owned);
        let since = async |files: &[&String], then: i64| {
            let files: Vec<String> = files.iter().map(|file| (*file).clone()).collect();
            db.unnamed_since(&files, then).await.expect("asked")
        };
        let later = now() + 1000;
        assert!(since(&[&old], later).await.is_empty(), "however old the file is, it had a name until now");
        assert_eq!(since(&[&old, &new], later).await, std::slice::from_ref(&old));
        assert!(since(&[&old, &new], now() - 1000).await.is_empty(), "not for long");
        // It was named again, and lost that name.
        since(&[&new], later).await;
        assert_eq!(since(&[&old, &new], later).await, [new]);
    }
}
