//! Inputs that came back from deployments go when their days are over. What somebody has said something of is theirs, and stays.

use std::collections::HashSet;

use sqlx::{Any, Transaction};

use super::datasets::{hold, next_seqs};
use super::deployments::USUAL_DAYS;
use super::room::give_back;
use super::{Db, Tenant};
use crate::clock::now;
use crate::senses;

/// Milliseconds.
pub(super) const DAY: i64 = 86_400_000;
/// Examples of one statement.
const ROWS_AT_ONCE: usize = 500;

row! {
    /// An input that is to go, with what is known of it.
    #[derive(Debug)]
    pub(crate) struct GoingRow {
        pub(crate) id: String,
        pub(crate) blob: Option<String>,
        pub(crate) body: Option<String>,
        pub(crate) senses: Option<String>,
    }
}

/// Of the example `e`: it came back, its days were over at `$1`, and nobody has labelled, marked or decided anything of it. Who took it out of
/// sight did not ask for it to be kept.
const GOES: &str = "e.came_from IS NOT NULL AND e.goes_at < $1 \
     AND NOT EXISTS (SELECT 1 FROM label_event l WHERE l.example = e.id AND l.what <> 'presence')";

impl Db {
    /// Data sets in which inputs are to go, with whose they are.
    pub(crate) async fn expiring(&self) -> Result<Vec<(Tenant, String)>, sqlx::Error> {
        let mut connection = self.whole().await?;
        let sql = "UPDATE example SET goes_at = $1 + $2 * COALESCE((SELECT d.keep_days FROM deployment d \
             WHERE d.tenant = example.tenant AND d.name = example.came_from), $3) WHERE came_from IS NOT NULL AND goes_at IS NULL";
        sqlx::query(sql).bind(now()).bind(DAY).bind(USUAL_DAYS).execute(&mut *connection).await?;
        let sql = format!("SELECT DISTINCT e.tenant, e.dataset FROM example e WHERE {GOES} ORDER BY 1, 2");
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(now());
        let found: Vec<(String, String)> = ask.fetch_all(&mut *connection).await?;
        Ok(found.into_iter().map(|(tenant, dataset)| (Tenant::of_row(tenant), dataset)).collect())
    }

    /// Takes the inputs out of a data set whose days are over, and returns how many there were. Their files have no name any more then, and
    /// are swept.
    pub(crate) async fn expire(&self, tenant: &Tenant, dataset: &str) -> Result<usize, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        if hold(&mut tx, tenant, dataset).await?.is_none() {
            return Ok(0);
        }
        let sql = format!(
            "SELECT e.id, e.blob, e.body, e.senses FROM example e WHERE e.tenant = $2 AND e.dataset = $3 AND {GOES}"
        );
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(now()).bind(tenant.id()).bind(dataset);
        let going: Vec<GoingRow> = ask.fetch_all(&mut *tx).await?;
        if going.is_empty() {
            return Ok(0);
        }
        for rows in going.chunks(ROWS_AT_ONCE) {
            let places: Vec<String> = (2..rows.len() + 2).map(|place| format!("${place}")).collect();
            let sql = format!("DELETE FROM example WHERE tenant = $1 AND id IN ({})", places.join(", "));
            let ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant.id());
            rows.iter().fold(ask, |ask, row| ask.bind(&row.id)).execute(&mut *tx).await?;
        }
        let files = no_longer_named(&mut tx, tenant, dataset, &going).await?;
        let texts = going.iter().filter_map(|row| row.body.as_ref()).map(String::len).sum::<usize>();
        let beside = i64::try_from(texts).unwrap_or(i64::MAX);
        give_back(&mut tx, tenant, dataset, going.len() as i64, &files, beside).await?;
        // Whoever looked at the data set looked at another one, on whichever server.
        let seq = next_seqs(&mut tx, tenant, dataset, 1).await?;
        let sql = "UPDATE dataset SET went = $3 WHERE tenant = $1 AND id = $2";
        sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(seq).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(going.len())
    }
}

/// The files of examples that went which no other example of the data set has.
async fn no_longer_named(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    gone: &[GoingRow],
) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT DISTINCT blob, senses FROM example WHERE tenant = $1 AND dataset = $2 AND (blob IS NOT NULL OR senses IS NOT NULL)";
    let rows: Vec<(Option<String>, Option<String>)> =
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut **tx).await?;
    let of = |blob: Option<String>, senses: Option<&str>| blob.into_iter().chain(senses::blobs(senses));
    let named: HashSet<String> =
        rows.into_iter().flat_map(|(blob, senses)| of(blob, senses.as_deref())).collect();
    let files = gone.iter().flat_map(|row| of(row.blob.clone(), row.senses.as_deref()));
    let files: HashSet<String> = files.filter(|file| !named.contains(file)).collect();
    Ok(files.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::presence::remove;
    use crate::tasks::Task;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_taken_out_goes_as_well_and_every_server_hears_of_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let db = Db::open(dir.path(), None).await.expect("a database");
        let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
        let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
        let set = db.add_dataset(&tenant, "set", Task::Class).await.expect("added");
        let mut tx = db.begin(&tenant).await.expect("a transaction");
        let sql = "INSERT INTO example (tenant, dataset, id, position, name, body, came_from, goes_at) \
             VALUES ($1, $2, 'e', 0, 'e', 'x', 'parts', 1)";
        sqlx::query(sql).bind(tenant.id()).bind(&set).execute(&mut *tx).await.expect("added");
        let held = hold(&mut tx, &tenant, &set).await.expect("asked").expect("a data set");
        assert!(remove(&mut tx, &tenant, &held, ("e", &ann), true).await.expect("asked"));
        tx.commit().await.expect("committed");
        let heard = db.dataset(&tenant, &set).await.expect("asked").expect("a data set").seq;
        let news = async || db.news(&tenant, &set, heard).await.expect("asked").expect("a data set");
        assert!(!news().await.other);
        assert_eq!(db.expiring().await.expect("asked").len(), 1);
        assert_eq!(db.expire(&tenant, &set).await.expect("asked"), 1);
        assert!(news().await.other, "labels alone do not tell what is there");
    }
}
