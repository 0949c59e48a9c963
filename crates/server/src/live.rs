//! What is known of a data set while somebody works on it: a quick model that learns with every label.
//!
//! A data set is looked at when it is first asked for; its features come from the cache from then on. Each label sets the quick
//! model to work in the background; labels that come meanwhile are taken together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dataset::Problem;
use pipeline::{Event, Half, Judged, Lang, Quick, Run, Step, words};

use crate::App;
use crate::blobs::Blobs;
use crate::clock::now;
use crate::db::Tenant;
use crate::db::arriving::LeftOut;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::gathering;
use crate::tasks::Task;

/// Data sets that are kept in memory: the one that was not asked for longest goes first.
const MOST_SETS: usize = 12;
/// Examples that wait in the queue.
const QUEUE: usize = 60;
/// How long a failed look is not repeated, in milliseconds.
const LOOK_AGAIN: i64 = 5000;
/// Seed of folds and picks.
const SEED: u64 = 1;

/// The data sets that are worked on.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    sets: Mutex<HashMap<String, (Arc<Live>, i64)>>,
}

/// One data set.
#[derive(Debug)]
pub(crate) struct Live {
    tenant: Tenant,
    dataset: String,
    state: Mutex<State>,
    /// How far looking has come.
    pub(crate) done: AtomicU64,
    pub(crate) total: AtomicU64,
    stop: AtomicBool,
    judging: AtomicBool,
    again: AtomicBool,
    /// Whether somebody draws the map already.
    drawing: AtomicBool,
    map: OnceLock<Vec<[f32; 2]>>,
}

#[derive(Debug)]
enum State {
    /// Labels that were given meanwhile wait here.
    Looking(Vec<Given>),
    Ready(Box<Looked>),
    /// And when: the next question after a while looks again.
    Failed(ApiError, i64),
}

/// A label that was given or taken away.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) example: String,
    pub(crate) label: Option<String>,
    /// Whether chance picked the example.
    pub(crate) drawn: bool,
}

/// What looking brought.
#[derive(Debug)]
struct Looked {
    task: Task,
    quick: Arc<Quick>,
    ids: Arc<Vec<String>>,
    rows: Arc<HashMap<String, usize>>,
    classes: Vec<String>,
    /// `[n]`
    labels: Vec<Option<u32>>,
    /// `[n]`: whether chance picked it to be labelled, or it came with its label.
    drawn: Vec<bool>,
    opinion: Option<Arc<Opinion>>,
}

/// What the quick model thinks.
#[derive(Debug)]
pub(crate) struct Opinion {
    pub(crate) judged: Judged,
    pub(crate) ids: Arc<Vec<String>>,
    pub(crate) classes: Vec<String>,
    pub(crate) labels: Vec<Option<u32>>,
    rows: Arc<HashMap<String, usize>>,
    /// What to label next, the most useful first, and whether chance picked it.
    pub(crate) queue: Vec<(String, Half)>,
}

/// Where a data set stands.
#[derive(Debug)]
pub(crate) enum Standing {
    Looking,
    Ready(Option<Arc<Opinion>>),
    Failed(ApiError),
}

impl Opinion {
    /// The class it would give an example, and how probable that is.
    pub(crate) fn suggestion(&self, example: &str) -> Option<(&str, f64)> {
        let (class, probability) = self.judged.suggestions[*self.rows.get(example)?]?;
        Some((self.classes.get(class as usize)?, probability))
    }

    /// Whether chance picked an example to be labelled next.
    pub(crate) fn draws(&self, example: &str) -> bool {
        self.queue.iter().any(|(id, half)| id == example && *half == Half::Random)
    }

    /// Examples whose label it would not have given, the surest first.
    pub(crate) fn disagrees(&self) -> Vec<&str> {
        let differs = |(row, suggestion): (usize, &Option<(u32, f64)>)| {
            let (class, probability) = (*suggestion)?;
            (self.labels[row]? != class).then_some((row, probability))
        };
        let mut rows: Vec<(usize, f64)> =
            self.judged.suggestions.iter().enumerate().filter_map(differs).collect();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        rows.into_iter().map(|(row, _)| self.ids[row].as_str()).collect()
    }

    /// All examples, the one it is least sure of first; none while there is no model.
    pub(crate) fn by_doubt(&self) -> Vec<&str> {
        let mut rows: Vec<usize> = (0..self.judged.margins.len()).collect();
        rows.sort_by(|a, b| self.judged.margins[*a].total_cmp(&self.judged.margins[*b]).then(a.cmp(b)));
        rows.into_iter().map(|row| self.ids[row].as_str()).collect()
    }

    /// Examples with this label that it would call that.
    pub(crate) fn confused(&self, label: &str, suggestion: &str) -> Vec<&str> {
        let class =
            |name: &str| self.classes.iter().position(|class| class == name).map(|class| class as u32);
        let (label, suggestion) = (class(label), class(suggestion));
        let is = |row: &usize| {
            label.is_some()
                && self.labels[*row] == label
                && self.judged.suggestions[*row].map(|(class, _)| class) == suggestion
        };
        (0..self.ids.len()).filter(is).map(|row| self.ids[row].as_str()).collect()
    }
}

impl Lives {
    /// The data set's live state; looking at it begins when nobody did yet.
    pub(crate) fn of(&self, app: &Arc<App>, tenant: &Tenant, dataset: &str) -> Arc<Live> {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        if let Some((live, asked)) = sets.get_mut(dataset)
            && !live.failed_before(now - LOOK_AGAIN)
        {
            *asked = now;
            return live.clone();
        }
        if sets.len() >= MOST_SETS
            && let Some(oldest) = sets.iter().min_by_key(|(_, (_, asked))| *asked).map(|(id, _)| id.clone())
            && let Some((live, _)) = sets.remove(&oldest)
        {
            live.stop.store(true, Ordering::Relaxed);
        }
        let live = Arc::new(Live {
            tenant: tenant.clone(),
            dataset: dataset.to_owned(),
            state: Mutex::new(State::Looking(Vec::new())),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            judging: AtomicBool::new(false),
            again: AtomicBool::new(false),
            drawing: AtomicBool::new(false),
            map: OnceLock::new(),
        });
        sets.insert(dataset.to_owned(), (live.clone(), now));
        tokio::spawn(look(app.clone(), live.clone()));
        live
    }

    /// Forgets what is known of a data set whose examples or classes changed; the next question looks again.
    pub(crate) fn forget(&self, dataset: &str) {
        let removed = self.sets.lock().unwrap_or_else(PoisonError::into_inner).remove(dataset);
        if let Some((live, _)) = removed {
            live.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Stops all looking: the server is closing.
    pub(crate) fn stop(&self) {
        let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.values().for_each(|(live, _)| live.stop.store(true, Ordering::Relaxed));
    }
}

impl Live {
    /// Where it stands.
    pub(crate) fn standing(&self) -> Standing {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Looking(_) => Standing::Looking,
            State::Ready(looked) => Standing::Ready(looked.opinion.clone()),
            State::Failed(error, _) => Standing::Failed(error.clone()),
        }
    }

    fn failed_before(&self, time: i64) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(&*state, State::Failed(_, at) if *at < time)
    }

    /// The opinion, if there is one.
    pub(crate) fn opinion(&self) -> Option<Arc<Opinion>> {
        if let Standing::Ready(opinion) = self.standing() { opinion } else { None }
    }

    /// Takes a label in, or away, and thinks again.
    pub(crate) fn label(self: &Arc<Self>, app: &Arc<App>, given: Given) {
        match &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Looking(waiting) => return waiting.push(given),
            State::Ready(looked) => looked.label(&given),
            State::Failed(..) => return,
        }
        self.think(app);
    }

    /// The examples most like one of them.
    pub(crate) fn similar(&self, example: &str, count: usize) -> Vec<String> {
        let (quick, ids, row) = match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Ready(looked) => match looked.rows.get(example) {
                Some(row) => (looked.quick.clone(), looked.ids.clone(), *row),
                None => return Vec::new(),
            },
            State::Looking(_) | State::Failed(..) => return Vec::new(),
        };
        quick.similar(row, count).into_iter().map(|row| ids[row].clone()).collect()
    }

    /// Where the examples lie on a plane, in the order of the opinion's ids; drawn in the background when it is first asked for.
    pub(crate) fn map(self: &Arc<Self>) -> Option<&[[f32; 2]]> {
        if let Some(map) = self.map.get() {
            return Some(map);
        }
        let State::Ready(looked) = &*self.state.lock().unwrap_or_else(PoisonError::into_inner) else {
            return None;
        };
        if !self.drawing.swap(true, Ordering::SeqCst) {
            let (live, quick) = (self.clone(), looked.quick.clone());
            tokio::task::spawn_blocking(move || live.map.get_or_init(|| quick.map()).len());
        }
        None
    }

    /// Lets the quick model judge in the background; a second call while it does makes it judge once more.
    fn think(self: &Arc<Self>, app: &Arc<App>) {
        self.again.store(true, Ordering::SeqCst);
        if self.judging.swap(true, Ordering::SeqCst) {
            return;
        }
        let (live, app) = (self.clone(), app.clone());
        tokio::task::spawn_blocking(move || {
            while live.again.swap(false, Ordering::SeqCst) {
                live.judge_once(&app);
            }
            live.judging.store(false, Ordering::SeqCst);
            // A label that came between the last look and the flag would wait for the next one.
            if live.again.load(Ordering::SeqCst) {
                live.think(&app);
            }
        });
    }

    fn judge_once(&self, app: &Arc<App>) {
        let (quick, ids, rows, classes, labels, drawn) =
            match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
                State::Ready(looked) => (
                    looked.quick.clone(),
                    looked.ids.clone(),
                    looked.rows.clone(),
                    looked.classes.clone(),
                    looked.labels.clone(),
                    looked.drawn.clone(),
                ),
                State::Looking(_) | State::Failed(..) => return,
            };
        let judged = quick.judge(&labels, &drawn);
        let queue = quick.next(&labels, &judged, QUEUE).unwrap_or_else(|error| {
            tracing::error!(%error, "the queue could not be made");
            Vec::new()
        });
        let queue = queue.into_iter().map(|(row, half)| (ids[row].clone(), half)).collect();
        self.remember(app, &judged);
        let opinion = Arc::new(Opinion { judged, ids, classes, labels, rows, queue });
        if let State::Ready(looked) = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            looked.opinion = Some(opinion);
        }
    }

    fn remember(&self, app: &Arc<App>, judged: &Judged) {
        let Some(accuracy) = judged.accuracy else { return };
        let (app, tenant, dataset) = (app.clone(), self.tenant.clone(), self.dataset.clone());
        let n_labelled = i64::try_from(judged.n_labelled).unwrap_or(i64::MAX);
        tokio::runtime::Handle::current().spawn(async move {
            if let Err(error) = app.db.remember_accuracy(&tenant, &dataset, n_labelled, &accuracy).await {
                tracing::warn!(%error, "an accuracy could not be kept");
            }
        });
    }
}

impl Looked {
    fn label(&mut self, given: &Given) {
        let Some(row) = self.rows.get(&given.example) else { return };
        self.labels[*row] = given.label.as_deref().map(|label| class_of(self.task, &mut self.classes, label));
        self.drawn[*row] |= given.drawn;
    }
}

/// The number of an answer's class. Several labels and numbers are all one: the model knows which examples have an answer, and judges none.
fn class_of(task: Task, classes: &mut Vec<String>, name: &str) -> u32 {
    if task != Task::Class {
        return 0;
    }
    let place = classes.iter().position(|class| class == name).unwrap_or_else(|| {
        classes.push(name.to_owned());
        classes.len() - 1
    });
    u32::try_from(place).expect("fewer than 2^32 classes")
}

/// Looks at a data set, then lets the quick model judge.
async fn look(app: Arc<App>, live: Arc<Live>) {
    let looked = look_at(&app, &live).await;
    {
        let mut state = live.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting =
            if let State::Looking(waiting) = &mut *state { std::mem::take(waiting) } else { Vec::new() };
        *state = match looked {
            Ok(mut looked) => {
                waiting.iter().for_each(|given| looked.label(given));
                State::Ready(Box::new(looked))
            }
            Err(error) => State::Failed(error, now()),
        };
    }
    live.think(&app);
}

async fn look_at(app: &Arc<App>, live: &Arc<Live>) -> Result<Looked, ApiError> {
    let dataset = app.db.dataset(&live.tenant, &live.dataset).await?.ok_or_else(ApiError::not_found)?;
    let rows = app.db.all_examples(&live.tenant, &live.dataset).await?;
    let data = gathering::dataset(&dataset, &rows, &app.blobs)?;
    let task = Task::named(&dataset.task)?;
    let files: Vec<String> = rows.iter().filter_map(|row| row.blob.clone()).collect();
    let (home, blobs, watched) = (app.home.clone(), app.blobs.clone(), live.clone());
    let (quick, kept, problems) = app
        .blocking(move || {
            blobs.fetch(files.iter().map(String::as_str))?;
            let observe = |event: Event| {
                if let Event::Progress { step: Step::Features, done, total, .. } = event {
                    watched.done.store(done, Ordering::Relaxed);
                    watched.total.store(total, Ordering::Relaxed);
                }
            };
            Ok(Quick::look(&home, data, SEED, &Run::new(&observe, &watched.stop)).map_err(ApiError::from))
        })
        .await?
        .map_err(|error| named(error, &rows, &app.blobs))?;
    let problems: Vec<LeftOut> =
        problems.iter().map(|problem| left_out(problem, &rows, &app.blobs)).collect();
    app.db.note_problems(&live.tenant, &live.dataset, &problems).await?;
    let ids: Vec<String> = kept.iter().map(|place| rows[*place].id.clone()).collect();
    let places = ids.iter().enumerate().map(|(row, id)| (id.clone(), row)).collect();
    // Labels of now, not of when looking began; those that come later wait in the state.
    let given: HashMap<String, (Option<String>, i64)> = app
        .db
        .labels(&live.tenant, &live.dataset)
        .await?
        .into_iter()
        .map(|(id, label, drawn)| (id, (label, drawn)))
        .collect();
    let classes = app.db.classes(&live.tenant, &live.dataset).await?;
    let mut classes: Vec<String> = classes.into_iter().map(|(name, _)| name).collect();
    let labels = ids.iter().map(|id| {
        let label = given.get(id)?.0.as_deref()?;
        Some(class_of(task, &mut classes, label))
    });
    let labels = labels.collect();
    let drawn = ids.iter().map(|id| given.get(id).is_some_and(|(_, drawn)| *drawn == 1)).collect();
    let (quick, ids, rows) = (Arc::new(quick), Arc::new(ids), Arc::new(places));
    Ok(Looked { task, quick, ids, rows, classes, labels, drawn, opinion: None })
}

/// Where blobs lie here, with the names that people gave what is in them.
fn names<'r>(rows: &'r [ExampleRow], blobs: &Blobs) -> impl Iterator<Item = (String, &'r str)> {
    let blobs = blobs.clone();
    rows.iter().filter_map(move |row| {
        Some((blobs.path(row.blob.as_deref()?).display().to_string(), row.name.as_str()))
    })
}

/// An error with names in place of where files lie here.
fn named(error: ApiError, rows: &[ExampleRow], blobs: &Blobs) -> ApiError {
    let found = names(rows, blobs).find(|(path, _)| error.en.contains(path));
    let Some((path, name)) = found else { return error };
    ApiError { en: error.en.replace(&path, name), zh: error.zh.replace(&path, name), ..error }
}

/// An example that could not be looked at.
fn left_out(problem: &Problem, rows: &[ExampleRow], blobs: &Blobs) -> LeftOut {
    let place = problem.place();
    let name = names(rows, blobs).find(|(path, _)| *path == place);
    LeftOut {
        place: name.map_or(place, |(_, name)| name.to_owned()),
        en: words::problem_kind(&problem.kind, Lang::En),
        zh: words::problem_kind(&problem.kind, Lang::Zh),
    }
}
