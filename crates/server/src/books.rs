//! Label books in memory: whoever gives a label is told at once when a rule speaks against it.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use curate::attributes::Attribute;
use curate::book::{BookError, Expected, NewLabel};
use pipeline::{Broken, Rulebook, Run, measured};

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

/// The rule that speaks against a label; `None` where none does, nothing is known of the example yet, or the rule cannot tell.
pub(crate) async fn against(
    app: &Arc<App>,
    tenant: &Tenant,
    of: &DatasetRow,
    (example, label): (&str, &str),
) -> Result<Option<(Arc<Rulebook>, Broken)>, ApiError> {
    if Task::named(&of.task)? != Task::Class {
        return Ok(None);
    }
    let Some(rules) = rules(app, tenant, &of.id).await? else { return Ok(None) };
    let Some((quick, place)) = app.lives.of(app, tenant, &of.id).seen(example) else { return Ok(None) };
    let Some(row) = app.db.example(tenant, example).await? else { return Ok(None) };
    let check = |attributes: &[Attribute]| {
        let (id, features) = (row.name.as_str(), quick.features(place));
        rules.check(quick.base(), NewLabel { id, features, attributes, row: 0, label })
    };
    let failed = |error: BookError| ApiError::internal(&error);
    let mut broken = check(&[]).map_err(failed)?;
    if let Some(Broken { expected: Expected::Unknown { .. }, .. }) = broken {
        // Only now its file is read: hardly any label lies where a rule asks for what is measured.
        broken = check(&measured_of(app, of, row.clone()).await?).map_err(failed)?;
    }
    let tells = |broken: &Broken| !matches!(broken.expected, Expected::Unknown { .. });
    Ok(broken.filter(tells).map(|broken| (rules, broken)))
}

/// What is measured of one example.
async fn measured_of(app: &Arc<App>, of: &DatasetRow, row: ExampleRow) -> Result<Vec<Attribute>, ApiError> {
    let data = gathering::dataset(of, std::slice::from_ref(&row), &app.blobs)?;
    let blobs = app.blobs.clone();
    app.blocking(move || {
        blobs.fetch(row.blob.as_deref().into_iter())?;
        measured(&data, &Run::new(&|_| {}, &AtomicBool::new(false))).map_err(ApiError::from)
    })
    .await
}
