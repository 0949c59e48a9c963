//! Label books in memory: whoever gives a label is told at once when a rule speaks against it.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use curate::attributes::Attribute;
use curate::book::{BookError, Expected, NewLabel};
use pipeline::{Broken, Quick, Rulebook, Run, measured};

use crate::App;
use crate::db::Tenant;
use crate::db::book::RuleRow;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::gathering;
use crate::tasks::Task;

/// Books that are kept in memory; one of a hundred rules takes some megabytes.
const MOST_BOOKS: usize = 64;
/// Of so many examples files are read to hear what rules have against their labels: who labels many at once does not wait longer.
const MOST_MEASURED: usize = 100;

/// Books that were asked for, by their data sets.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// Each as it was at a place in the life of its data set.
    kept: Mutex<HashMap<String, (i64, Arc<Rulebook>)>>,
}

/// The rules of a data set as they stand; another server may have changed them, so that the database is asked whether.
pub(crate) async fn rules(
    app: &App,
    tenant: &Tenant,
    dataset: &str,
) -> Result<Option<Arc<Rulebook>>, ApiError> {
    let Some(changed) = app.db.book_changed(tenant, dataset).await? else { return Ok(None) };
    if let Some(known) = app.books.known(dataset, changed) {
        return Ok(Some(known));
    }
    let rows = app.db.rules(tenant, dataset).await?;
    let book = Arc::new(read(rows)?);
    app.books.keep(dataset, changed, &book);
    Ok(Some(book))
}

impl Books {
    fn known(&self, dataset: &str, changed: i64) -> Option<Arc<Rulebook>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(dataset).filter(|(at, _)| *at == changed).map(|(_, book)| book.clone())
    }

    fn keep(&self, dataset: &str, changed: i64, book: &Arc<Rulebook>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_BOOKS && !kept.contains_key(dataset) {
            // Which goes matters little: it is read again in milliseconds.
            kept.clear();
        }
        kept.insert(dataset.to_owned(), (changed, book.clone()));
    }
}

fn read(rows: Vec<RuleRow>) -> Result<Rulebook, ApiError> {
    let mut book = Rulebook::default();
    for row in rows {
        let entry = serde_json::from_str(&row.body).map_err(|error| ApiError::internal(&error))?;
        let whole = |number: i64| usize::try_from(number).map_err(|error| ApiError::internal(&error));
        book.add(whole(row.number)?, &row.base, whole(row.dim)?, entry);
    }
    Ok(book)
}

/// What rules have against labels that were given.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) rules: Arc<Rulebook>,
    /// Each with the examples whose label it speaks against.
    pub(crate) broken: Vec<(Broken, Vec<String>)>,
    /// Labels of which a rule could not tell: what it asks for was not measured, or cannot be.
    pub(crate) n_unsure: usize,
}

/// A label with what is known of its example.
struct Label {
    row: ExampleRow,
    label: String,
    quick: Arc<Quick>,
    /// Where the example is among those that were looked at.
    place: usize,
}

/// The rules that speak against labels, each given as an example and its class; `None` where there are no rules. Of an example that is given
/// several times the last label stands; of one that nobody looked at yet no rule can tell.
pub(crate) async fn against(
    app: &Arc<App>,
    tenant: &Tenant,
    of: &DatasetRow,
    given: &[(&str, &str)],
) -> Result<Option<Heard>, ApiError> {
    if Task::named(&of.task)? != Task::Class {
        return Ok(None);
    }
    let rules = rules(app, tenant, &of.id).await?.filter(|book| !book.rules().is_empty());
    let Some(rules) = rules else { return Ok(None) };
    let live = app.lives.of(app, tenant, &of.id);
    let ids: Vec<String> = given.iter().map(|(example, _)| (*example).to_owned()).collect();
    let last: HashMap<&str, usize> = given.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    let standing = given.iter().enumerate().filter(|(place, (id, _))| last[id] == *place).map(|(_, one)| one);
    let rows = app.db.examples_by_id(tenant, &ids).await?.into_iter();
    let mut rows: HashMap<String, ExampleRow> = rows.map(|row| (row.id.clone(), row)).collect();
    let known = |(example, label): &(&str, &str)| {
        let ((quick, place), row) = (live.seen(example)?, rows.remove(*example)?);
        Some(Label { row, label: (*label).to_owned(), quick, place })
    };
    let labels: Arc<Vec<Label>> = Arc::new(standing.filter_map(known).collect());
    let all: Vec<usize> = (0..labels.len()).collect();
    let mut found = check(app, &rules, &labels, all, Vec::new()).await?;
    let is_unsure =
        |found: &Option<Broken>| matches!(found, Some(Broken { expected: Expected::Unknown { .. }, .. }));
    // Only now files are read: hardly any label lies where a rule asks for what is measured.
    let unsure = (0..labels.len()).filter(|place| is_unsure(&found[*place])).take(MOST_MEASURED);
    let unsure: Vec<usize> = unsure.collect();
    if !unsure.is_empty() {
        let rows: Vec<ExampleRow> = unsure.iter().map(|place| labels[*place].row.clone()).collect();
        let measured = measured_of(app, of, rows).await?;
        let again = check(app, &rules, &labels, unsure.clone(), measured).await?;
        unsure.into_iter().zip(again).for_each(|(place, again)| found[place] = again);
    }
    let n_unseen = last.len() - labels.len();
    let n_unsure = n_unseen + found.iter().filter(|found| is_unsure(found)).count();
    let mut broken: Vec<(Broken, Vec<String>)> = Vec::new();
    for (label, found) in labels.iter().zip(found) {
        let Some(found) = found.filter(|found| !matches!(found.expected, Expected::Unknown { .. })) else {
            continue;
        };
        let id = label.row.id.clone();
        match broken.iter_mut().find(|(known, _)| *known == found) {
            Some((_, examples)) => examples.push(id),
            None => broken.push((found, vec![id])),
        }
    }
    Ok(Some(Heard { rules, broken, n_unsure }))
}

/// What is against some of the labels, in the order of `places`, of whose examples `attributes` are measured.
async fn check(
    app: &Arc<App>,
    rules: &Arc<Rulebook>,
    labels: &Arc<Vec<Label>>,
    places: Vec<usize>,
    attributes: Vec<Attribute>,
) -> Result<Vec<Option<Broken>>, ApiError> {
    let (rules, labels) = (rules.clone(), labels.clone());
    let one = move |(row, place): (usize, &usize)| {
        let Label { row: example, label, quick, place } = &labels[*place];
        let (id, features) = (example.name.as_str(), quick.features(*place));
        rules.check(quick.base(), NewLabel { id, features, attributes: &attributes, row, label })
    };
    let found = app.blocking(move || Ok(places.iter().enumerate().map(one).collect::<Result<Vec<_>, _>>()));
    found.await?.map_err(|error: BookError| ApiError::internal(&error))
}

/// What is measured of some examples.
async fn measured_of(
    app: &Arc<App>,
    of: &DatasetRow,
    rows: Vec<ExampleRow>,
) -> Result<Vec<Attribute>, ApiError> {
    let data = gathering::dataset(of, &rows, &app.blobs)?;
    let blobs = app.blobs.clone();
    app.blocking(move || {
        let _here = blobs.fetch(rows.iter().filter_map(|row| row.blob.as_deref()))?;
        measured(&data, &Run::new(&|_| {}, &AtomicBool::new(false))).map_err(ApiError::from)
    })
    .await
}
