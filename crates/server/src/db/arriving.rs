//! Examples that come in: all of an import, or nothing.

use std::collections::{BTreeSet, HashMap};

use sqlx::{Any, Transaction};

use super::datasets::{hold, next_seqs, with_class};
use super::jobs::{Held, end};
use super::milestones::{Milestone, remember};
use super::room::{Full, Limits, More};
use super::{Db, Tenant, markings, votes};
use crate::blobs::Blobs;
use crate::clock::now;
use crate::error::ApiError;
use crate::ids::new_id;
use crate::senses;
use crate::tasks::Task;

/// Rows of one statement: SQLite takes some thirty thousand values.
const ROWS_AT_ONCE: usize = 200;

/// An example that comes in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incoming {
    pub(crate) name: String,
    pub(crate) blob: Option<String>,
    /// Its files among the blobs, with their sizes.
    pub(crate) files: Vec<(String, i64)>,
    pub(crate) body: Option<String>,
    pub(crate) group: Option<String>,
    /// As the task keeps it.
    pub(crate) label: Option<String>,
    /// As JSON.
    pub(crate) marks: Option<String>,
    /// Of a picture, in pixels.
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) part: Option<dataset::Part>,
    /// Of a piece of a sound, how long it is in thousandths of a second.
    pub(crate) piece_ms: Option<i64>,
    /// And where it was cut out, as JSON.
    pub(crate) piece: Option<String>,
    /// What several senses know of it, as JSON; then `body` holds their texts.
    pub(crate) senses: Option<String>,
}

impl Incoming {
    /// With how much room its files take.
    pub(crate) fn measured(mut self, blobs: &Blobs) -> Result<Self, ApiError> {
        let files = self.blob.clone().into_iter().chain(senses::blobs(self.senses.as_deref()));
        for file in files {
            let bytes = blobs.size(&file)?.map_or(0, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
            self.files.push((file, bytes));
        }
        Ok(self)
    }

    /// Its files with their sizes.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (&str, i64)> {
        self.files.iter().map(|(file, bytes)| (file.as_str(), *bytes))
    }

    /// Bytes that it takes beside its files: its text.
    pub(crate) fn beside(&self) -> i64 {
        self.body.as_ref().map_or(0, |body| i64::try_from(body.len()).unwrap_or(i64::MAX))
    }
}

/// What could not be brought in, and why, in both languages.
#[derive(Debug, Clone)]
pub(crate) struct LeftOut {
    pub(crate) place: String,
    pub(crate) en: String,
    pub(crate) zh: String,
}

/// Everything that one import brings.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) modality: String,
    /// The senses of the data set before and after, as JSON, where there are several.
    pub(crate) senses: (Option<String>, Option<String>),
    pub(crate) task: Task,
    /// Beside those that examples have.
    pub(crate) classes: Vec<String>,
    pub(crate) examples: Vec<Incoming>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// How bringing in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brought {
    Came,
    /// The job is no longer held, or the data set is gone.
    Lost,
    /// Meanwhile others brought in or answered something of another kind, or the data set is gone.
    Changed,
    /// The tenant would have more than it may; nothing came.
    Full(Full),
}

impl Db {
    /// Brings examples in and ends the job that does so, all or nothing: labels become events, classes are made known. What is there
    /// already, by name and content, does not come twice.
    pub(crate) async fn bring_in(
        &self,
        tenant: &Tenant,
        dataset: &str,
        arrived: &Arrived,
        held: &Held,
        limits: Limits,
    ) -> Result<Brought, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        if !held.still(&mut tx).await? {
            return Ok(Brought::Lost);
        }
        let sql = "UPDATE dataset SET modality = $3, task = $4, senses = $6 WHERE tenant = $1 AND id = $2 AND (modality IS NULL OR modality = $3) \
             AND senses IS NOT DISTINCT FROM $5 \
             AND (task = $4 OR NOT EXISTS (SELECT 1 FROM label_event WHERE dataset = $2 AND what = 'label'))";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(&arrived.modality);
        let ask = ask.bind(arrived.task.name()).bind(arrived.senses.0.as_deref());
        if ask.bind(arrived.senses.1.as_deref()).execute(&mut *tx).await?.rows_affected() == 0 {
            return Ok(Brought::Changed);
        }
        // An example may bring a label and marks: two events.
        let count = 2 * arrived.examples.len() as i64 + 1;
        let Some(last) = next_seqs(&mut tx, tenant, dataset, count).await? else { return Ok(Brought::Lost) };
        let labels = arrived.examples.iter().filter_map(|example| example.label.as_deref());
        for class in labels.flat_map(|label| arrived.task.classes(label)).collect::<BTreeSet<&str>>() {
            with_class(&mut tx, tenant, dataset, class).await?;
        }
        for class in &arrived.classes {
            with_class(&mut tx, tenant, dataset, class).await?;
        }
        let sql = "SELECT COALESCE(MAX(position), -1) FROM example WHERE dataset = $1";
        let position: i64 = sqlx::query_scalar(sql).bind(dataset).fetch_one(&mut *tx).await?;
        let sql = "SELECT name, blob, body, senses FROM example WHERE dataset = $1";
        let known = sqlx::query_as(sql).bind(dataset).fetch_all(&mut *tx).await?;
        let known = known.into_iter().map(|(name, blob, body, senses)| (name, (blob, body, senses)));
        let rows: Vec<NewRow<'_>> = new_among(&arrived.examples, known.collect())
            .into_iter()
            .zip(position + 1..)
            .zip((last - count + 1..).step_by(2))
            .map(|(((name, example), position), seq)| NewRow { id: new_id(), name, position, seq, example })
            .collect();
        let counts = serde_json::json!({ "n_examples": rows.len(), "n_problems": arrived.left_out.len() });
        // The room of the upload is given back with the end of its job, and may be taken again.
        end(&mut tx, held, "done", Some(&counts.to_string()), None).await?;
        let examples = || rows.iter().map(|row| row.example);
        let more = More {
            examples: rows.len() as i64,
            files: (dataset, examples().flat_map(Incoming::sizes).collect()),
            bytes: examples().map(Incoming::beside).sum(),
        };
        if let Some(full) = limits.take(&mut tx, tenant, &more).await? {
            return Ok(Brought::Full(full));
        }
        for rows in rows.chunks(ROWS_AT_ONCE) {
            add(&mut tx, tenant, dataset, rows).await?;
        }
        votes::arrive(&mut tx, dataset, last - count).await?;
        markings::arrive(&mut tx, dataset, last - count).await?;
        add_problems(&mut tx, tenant, dataset, &arrived.left_out).await?;
        remember(&mut tx, tenant, dataset, last, &Milestone::Import { n_examples: rows.len() }, None).await?;
        tx.commit().await?;
        Ok(Brought::Came)
    }

    /// Notes what could not be used of a data set, each place once.
    pub(crate) async fn note_problems(
        &self,
        tenant: &Tenant,
        dataset: &str,
        problems: &[LeftOut],
    ) -> Result<(), sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        // Another server may note some at the same time.
        hold(&mut tx, tenant, dataset).await?;
        add_problems(&mut tx, tenant, dataset, problems).await?;
        tx.commit().await
    }
}

/// An example that is about to be written.
struct NewRow<'a> {
    id: String,
    name: String,
    position: i64,
    seq: i64,
    example: &'a Incoming,
}

/// What an example is: a file, a text, or what several senses know.
type Content = (Option<String>, Option<String>, Option<String>);

/// Those that are not there yet, each under a name of its own: the same name with other content gets a number.
fn new_among(arrived: &[Incoming], mut known: HashMap<String, Content>) -> Vec<(String, &Incoming)> {
    let mut new = Vec::new();
    for example in arrived {
        let content = (example.blob.clone(), example.body.clone(), example.senses.clone());
        let numbered = (2..).map(|number| format!("{} ({number})", example.name));
        for name in std::iter::once(example.name.clone()).chain(numbered) {
            match known.get(&name) {
                Some(there) if *there == content => break,
                Some(_) => {}
                None => {
                    known.insert(name.clone(), content);
                    new.push((name, example));
                    break;
                }
            }
        }
    }
    new
}

/// Adds examples with the events of their labels.
async fn add(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    rows: &[NewRow<'_>],
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO example (tenant, dataset, id, position, name, blob, body, part_group, label, drawn, \
         marks, width, height, part, came, senses, piece_ms, piece) VALUES";
    let sql = format!("{sql} {}", places(rows.len(), 16));
    let mut ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
    for NewRow { id, name, position, seq, example } in rows {
        ask = ask
            .bind(id)
            .bind(position)
            .bind(name)
            .bind(example.blob.as_deref())
            .bind(example.body.as_deref());
        ask = ask.bind(example.group.as_deref()).bind(example.label.as_deref());
        let [width, height] = [0, 1].map(|side| example.size.map(|(width, height)| [width, height][side]));
        ask = ask.bind(i64::from(example.label.is_some())).bind(example.marks.as_deref());
        ask = ask.bind(width.map(i64::from)).bind(height.map(i64::from)).bind(example.part.map(name_of_part));
        ask = ask.bind(seq).bind(example.senses.as_deref()).bind(example.piece_ms);
        ask = ask.bind(example.piece.as_deref());
    }
    ask.execute(&mut **tx).await?;
    let labels = rows.iter().filter_map(|row| Some((row, row.seq, "label", row.example.label.as_deref()?)));
    let marks =
        rows.iter().filter_map(|row| Some((row, row.seq + 1, "marks", row.example.marks.as_deref()?)));
    let events: Vec<(&NewRow<'_>, i64, &str, &str)> = labels.chain(marks).collect();
    if events.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO label_event (tenant, dataset, seq, example, what, label, holds, act, at) VALUES";
    let sql = format!("{sql} {}", places(events.len(), 7));
    let mut ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
    for (row, seq, what, after) in events {
        let holds = Some(after).filter(|_| what == "label");
        ask = ask.bind(seq).bind(&row.id).bind(what).bind(after).bind(holds).bind("import").bind(now());
    }
    ask.execute(&mut **tx).await?;
    Ok(())
}

/// As [`dataset::Part::from_name`] reads it.
fn name_of_part(part: dataset::Part) -> &'static str {
    match part {
        dataset::Part::Train => "train",
        dataset::Part::Validation => "validation",
        dataset::Part::Test => "test",
    }
}

/// In a transaction that holds the data set.
async fn add_problems(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    problems: &[LeftOut],
) -> Result<(), sqlx::Error> {
    for problem in problems {
        let sql = "INSERT INTO problem (tenant, dataset, seq, place, en, zh) \
             SELECT $1, $2, (SELECT COALESCE(MAX(seq), -1) + 1 FROM problem WHERE dataset = $2), $3, $4, $5 \
             WHERE EXISTS (SELECT 1 FROM dataset WHERE id = $2 AND tenant = $1) \
             AND NOT EXISTS (SELECT 1 FROM problem WHERE dataset = $2 AND place = $3 AND en = $4)";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(&problem.place);
        ask.bind(&problem.en).bind(&problem.zh).execute(&mut **tx).await?;
    }
    Ok(())
}

/// `($1, $2, $3, $4), ($1, $2, $5, $6)`: rows that share the first two values.
fn places(rows: usize, own: usize) -> String {
    let row = |row: usize| {
        let own: Vec<String> = (0..own).map(|place| format!("${}", 3 + row * own + place)).collect();
        format!("($1, $2, {})", own.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use testkit::Postgres;

    use super::*;

    fn text(name: &str, body: &str) -> Incoming {
        Incoming { name: name.to_owned(), body: Some(body.to_owned()), ..Incoming::default() }
    }

    #[test]
    fn nothing_comes_twice_and_nothing_is_lost_for_its_name() {
        let known = HashMap::from([("a".to_owned(), (None, Some("one".to_owned()), None))]);
        let arrived =
            [text("a", "one"), text("a", "two"), text("a", "two"), text("b", "one"), text("a", "three")];
        let names: Vec<String> = new_among(&arrived, known).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a (2)", "b", "a (3)"]);
    }

    #[test]
    fn rows_share_their_first_values() {
        assert_eq!(places(2, 2), "($1, $2, $3, $4), ($1, $2, $5, $6)");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn servers_that_note_problems_at_once_lose_none() {
        let (dir, postgres) = (tempfile::tempdir().expect("a folder"), Postgres::start());
        let db = Db::open(dir.path(), Some(&postgres.url())).await.expect("a database");
        let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
        let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
        let set = db.add_dataset(&tenant, "set", Task::Class).await.expect("added");
        let note = async |server: usize| {
            let place = |number: usize| format!("{server} {number}");
            let of = |place: String| LeftOut { place, en: "odd".to_owned(), zh: "奇怪".to_owned() };
            let problems: Vec<LeftOut> = (0..20).map(place).map(of).collect();
            db.note_problems(&tenant, &set, &problems).await
        };
        let noted = tokio::join!(note(0), note(1), note(2), note(3));
        assert!(noted.0.and(noted.1).and(noted.2).and(noted.3).is_ok());
        assert_eq!(db.problems(&tenant, &set).await.expect("asked").len(), 80);
    }
}
