//! A data set is looked at: its features are computed or come from the cache, and the answers so far are read.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use dataset::Problem;
use pipeline::{Event, Lang, Quick, Run, Step, words};

use super::known::Known;
use super::opinion::Opinion;
use super::{Live, SEED, State};
use crate::App;
use crate::blobs::Blobs;
use crate::clock::now;
use crate::db::arriving::LeftOut;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::gathering;
use crate::tasks::Task;

/// What looking brought.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) quick: Arc<Quick>,
    pub(super) ids: Arc<Vec<String>>,
    pub(super) rows: Arc<HashMap<String, usize>>,
    pub(super) known: Known,
    /// The number of the last change of the data that is known here.
    pub(super) heard: i64,
    /// When it was looked at.
    pub(super) at: i64,
    /// Whether doubtful inputs came back since, which are not here.
    pub(super) misses_some: bool,
    pub(super) opinion: Option<Arc<Opinion>>,
}

/// Looks at a data set, then lets the quick model judge.
pub(super) async fn look(app: Arc<App>, live: Arc<Live>) {
    let looked = look_at(&app, &live).await;
    *live.state() = match looked {
        Ok(looked) => State::Ready(Box::new(looked)),
        Err(error) => State::Failed(error, now()),
    };
    live.think(&app);
    // What was said while it looked.
    live.hear(&app).await;
}

async fn look_at(app: &Arc<App>, live: &Arc<Live>) -> Result<Looked, ApiError> {
    let dataset = app.db.dataset(&live.tenant, &live.dataset).await?.ok_or_else(ApiError::not_found)?;
    let rows = app.db.all_examples(&live.tenant, &live.dataset).await?;
    let data = gathering::dataset(&dataset, &rows, &app.blobs)?;
    let task = Task::named(&dataset.task)?;
    let files: Vec<String> = rows.iter().flat_map(ExampleRow::blobs).collect();
    // Ids are random, and so is their order: chance asks in it from the first label on, also before anything was looked at.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| rows[*a].id.cmp(&rows[*b].id));
    let (home, blobs, watched) = (app.home.clone(), app.blobs.clone(), live.clone());
    let (quick, kept, problems) = app
        .blocking(move || {
            let _here = blobs.fetch(files.iter().map(String::as_str))?;
            let observe = |event: Event| {
                if let Event::Progress { step: Step::Features, done, total, .. } = event {
                    watched.done.store(done, Ordering::Relaxed);
                    watched.total.store(total, Ordering::Relaxed);
                }
            };
            let run = Run::new(&observe, &watched.stop);
            Ok(Quick::look(&home, data, &order, SEED, &run).map_err(ApiError::from))
        })
        .await?
        .map_err(|error| named(error, &rows, &app.blobs))?;
    let (problems, rows) = told(app, problems, rows).await?;
    app.db.note_problems(&live.tenant, &live.dataset, &problems).await?;
    let ids: Vec<String> = kept.iter().map(|place| rows[*place].id.clone()).collect();
    let places = ids.iter().enumerate().map(|(row, id)| (id.clone(), row)).collect();
    // Labels of now, not of when looking began.
    let given: HashMap<String, (Option<String>, i64)> = app
        .db
        .labels(&live.tenant, &live.dataset)
        .await?
        .into_iter()
        .map(|(id, label, drawn)| (id, (label, drawn)))
        .collect();
    let classes = app.db.classes(&live.tenant, &live.dataset).await?;
    let classes = classes.into_iter().map(|(name, _)| name).collect();
    let mut known = Known::nothing(task, classes, ids.len());
    for (row, id) in ids.iter().enumerate() {
        if let Some((label, drawn)) = given.get(id) {
            known.take(row, label.as_deref(), *drawn == 1);
        }
    }
    let (quick, ids, rows) = (Arc::new(quick), Arc::new(ids), Arc::new(places));
    Ok(Looked { quick, ids, rows, known, heard: dataset.seq, at: now(), misses_some: false, opinion: None })
}

/// Where blobs lie here, with the names that people gave what is in them.
fn names<'r>(rows: &'r [ExampleRow], blobs: &Blobs) -> impl Iterator<Item = (String, &'r str)> {
    let blobs = blobs.clone();
    let named = rows.iter().flat_map(|row| row.blobs().map(|blob| (blob, row.name.as_str())));
    named.map(move |(blob, name)| (blobs.path(&blob).display().to_string(), name))
}

/// An error with names in place of where files lie here.
fn named(error: ApiError, rows: &[ExampleRow], blobs: &Blobs) -> ApiError {
    let found = names(rows, blobs).find(|(path, _)| error.en.contains(path));
    let Some((path, name)) = found else { return error };
    ApiError { en: error.en.replace(&path, name), zh: error.zh.replace(&path, name), ..error }
}

/// The examples that could not be looked at, away from the threads that answer: there may be as many as there are examples.
async fn told(
    app: &App,
    problems: Vec<Problem>,
    rows: Vec<ExampleRow>,
) -> Result<(Vec<LeftOut>, Vec<ExampleRow>), ApiError> {
    if problems.is_empty() {
        return Ok((Vec::new(), rows));
    }
    let blobs = app.blobs.clone();
    app.blocking(move || {
        let names: HashMap<String, &str> = names(&rows, &blobs).collect();
        let told = problems.iter().map(|problem| left_out(problem, &names)).collect();
        Ok((told, rows))
    })
    .await
}

/// An example that could not be looked at.
fn left_out(problem: &Problem, names: &HashMap<String, &str>) -> LeftOut {
    let place = problem.place();
    LeftOut {
        place: names.get(&place).map_or(place, |name| (*name).to_owned()),
        en: words::problem_kind(&problem.kind, Lang::En),
        zh: words::problem_kind(&problem.kind, Lang::Zh),
    }
}
