//! What deployments answer, how fast, and whether what they are asked about has changed.
//!
//! Counted in memory and written down every few seconds; a server that is killed loses those few seconds of counts. How the base sees inputs
//! is written down by the hundred, and when the server closes or another model takes the place: one that is killed also loses, of each
//! deployment, the inputs that came since the last hundred.

mod day;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bundle::Verdict;
use evaluate::{Compared, DriftTest, ShiftTest, Sketch};
use linalg::Seed;

pub(crate) use day::Day;

use crate::App;
use crate::clock::{now, written};
use crate::db::Tenant;
use crate::db::monitors::Keeping;
use crate::db::trouble::Trouble;
use crate::error::ApiError;

/// How often counts are written down.
const EVERY: Duration = Duration::from_secs(3);
/// Chance that "something changed" is said of what never changes; half of it each for how familiar inputs are and for how the base sees them.
pub(crate) const LEVEL: f64 = 0.01;
/// Below this confidence an answer of which nothing is promised is for a person to look at.
const UNSURE: f64 = 0.75;
/// And below this familiarity; bundles that were taught by few examples know no smaller one.
const UNUSUAL: f64 = 0.05;

/// What is watched, by tenant and name.
#[derive(Debug, Default)]
pub(crate) struct Monitoring {
    of: Mutex<HashMap<(Tenant, String), Watched>>,
    /// One writes at a time, so that what is older is never written over what is newer.
    writing: tokio::sync::Mutex<()>,
}

/// A deployment.
#[derive(Debug)]
struct Watched {
    day: String,
    counts: Day,
    drift: Drift,
    /// Whether there is something to write down.
    changed: bool,
    /// And whether a hundred inputs more were compared.
    compared: bool,
    /// Whether inputs came of which it is not written down how the base sees them.
    unkept: bool,
    /// The comparison of inputs that is under way, by its seed, which no other has.
    comparing: Option<Seed>,
}

/// What is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// What changed, with how the base sees inputs where a hundred more were compared.
    Changed,
    /// Also how the base sees the inputs since the last hundred.
    Everything,
}

/// What is to be written down of a deployment.
struct Written {
    tenant: Tenant,
    name: String,
    day: String,
    counts: Day,
    drift: Drift,
    compared: bool,
}

impl Written {
    async fn keep(&self, app: &App) -> Result<Keeping, sqlx::Error> {
        let Self { tenant, name, day, counts, drift, compared } = self;
        let (of, counts, seen) =
            ((name.as_str(), app.name.as_str()), (day.as_str(), counts), (drift, *compared));
        app.db.keep_watched(tenant, of, counts, seen).await
    }
}

fn is_away(error: &sqlx::Error) -> bool {
    Trouble::of(error) == Trouble::Away
}

/// Whether what a model is asked about has changed.
#[derive(Debug, Clone)]
pub(crate) struct Drift {
    pub(crate) model: String,
    /// When the name began to answer, or somebody last said that what comes is usual.
    pub(crate) since: i64,
    pub(crate) test: DriftTest,
    pub(crate) changed_at: Option<i64>,
    /// Whether the base of each sense sees other inputs than before, by the sense's name; where there is only one it has none.
    pub(crate) shifts: BTreeMap<String, ShiftTest>,
    pub(crate) shifted_at: Option<i64>,
}

impl Drift {
    /// Of a model that was asked nothing yet.
    pub(crate) fn of(model: &str, since: i64) -> Self {
        let (test, shifts) = (DriftTest::new(), BTreeMap::new());
        Self { model: model.to_owned(), since, test, changed_at: None, shifts, shifted_at: None }
    }

    /// Chance that one sense is said to be seen otherwise while nothing changes: together they have as much as familiarity.
    pub(crate) fn level(&self) -> f64 {
        LEVEL / 2.0 / self.shifts.len().max(1) as f64
    }

    /// A sense of which enough came to be compared.
    fn due(&self) -> Option<&String> {
        self.shifts.iter().find(|(_, shift)| shift.is_due()).map(|(sense, _)| sense)
    }
}

/// One request with what came of it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) model: String,
    pub(crate) said: Vec<Said>,
    pub(crate) took: Duration,
}

/// What was said of an input.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) answer: String,
    /// Whether a person should look.
    pub(crate) doubtful: bool,
    /// P-value of being like what was learned, in (0, 1].
    pub(crate) familiarity: Option<f64>,
    /// What is kept of how the base of each sense sees it, as [`Drift::shifts`] names them; `None` of a sense that is missing.
    pub(crate) sketches: Vec<(String, Option<Sketch>)>,
}

impl Said {
    /// Whether a person should look at what is said of an input: the bundle does not answer, or nothing is promised of what it
    /// answers and it is not sure, or the input is unusual.
    pub(crate) fn is_doubtful(verdict: Verdict, confidence: Option<f64>, familiarity: Option<f64>) -> bool {
        match verdict {
            Verdict::DontKnow | Verdict::Unfamiliar => true,
            Verdict::Answered => false,
            Verdict::Unproven => {
                confidence.is_some_and(|confidence| confidence < UNSURE)
                    || familiarity.is_some_and(|familiarity| familiarity < UNUSUAL)
            }
        }
    }
}

impl Monitoring {
    /// Counts a request that was answered under a name. An answer that is made is given, whether or not it can be counted.
    pub(crate) async fn count(&self, app: &Arc<App>, tenant: &Tenant, name: &str, request: Request) {
        let key = (tenant.clone(), name.to_owned());
        let today = today();
        let known = |watched: &Watched| watched.day == today && watched.drift.model == request.model;
        let ready = self.lock().get(&key).is_some_and(known);
        if !ready && let Err(error) = self.begin(app, &key, &today, &request).await {
            return tracing::warn!(error = error.en, model = request.model, "a request could not be counted");
        }
        let full = self.lock().get_mut(&key).is_some_and(|watched| watched.take(&request));
        if full {
            let app = app.clone();
            tokio::task::spawn_blocking(move || app.monitoring.compare_inputs(&key));
        }
    }

    /// Compares inputs of a deployment with those before as long as a window of them is full. No request waits for it: it takes some ten
    /// milliseconds, and nothing is locked meanwhile.
    fn compare_inputs(&self, key: &(Tenant, String)) {
        while let Some((sense, shift, seed)) = self.to_compare(key) {
            let compared = shift.compare(seed);
            if let (Some(watched), Some(compared)) = (self.lock().get_mut(key), compared) {
                watched.learn(&sense, compared, seed);
            }
        }
    }

    fn to_compare(&self, key: &(Tenant, String)) -> Option<(String, ShiftTest, Seed)> {
        self.lock().get_mut(key)?.begin_comparison(Seed(getrandom::u64().ok()?))
    }

    /// Counts answers of a model that is asked as well and never answers.
    pub(crate) fn compare(&self, tenant: &Tenant, name: &str, shadow: &str, n: u64, same: u64) {
        if let Some(watched) = self.lock().get_mut(&(tenant.clone(), name.to_owned())) {
            let compared = watched.counts.compared.entry(shadow.to_owned()).or_default();
            *compared = (compared.0 + n, compared.1 + same);
            watched.changed = true;
        }
    }

    /// Begins to watch, from what was written down.
    async fn begin(
        &self,
        app: &App,
        key: &(Tenant, String),
        today: &str,
        request: &Request,
    ) -> Result<(), ApiError> {
        let (tenant, name) = key;
        if let Some(watched) = self.lock().get_mut(key)
            && watched.drift.model != request.model
        {
            // Another model takes the place, and this one may come back.
            watched.changed |= watched.unkept;
            watched.compared |= watched.unkept;
        }
        self.write_down(app).await?;
        let counts = app.db.monitor_of_day(tenant, name, today, &app.name).await?.unwrap_or_default();
        // Nothing is watched under a name that is gone.
        let Some(drift) = app.db.drift(tenant, name, &request.model, &app.name).await? else { return Ok(()) };
        let day = today.to_owned();
        let mut of = self.lock();
        // Another request may have been quicker.
        match of.get_mut(key) {
            Some(watched) if watched.drift.model == drift.model => {
                // Another day has other counts; the inputs before the next hundred are only in memory, and stay.
                if watched.day != day {
                    (watched.day, watched.counts) = (day, counts);
                }
            }
            _ => {
                of.insert(key.clone(), Watched::of(day, counts, drift));
            }
        }
        Ok(())
    }

    /// Writes down what is not written yet.
    pub(crate) async fn write_down(&self, app: &App) -> Result<(), ApiError> {
        self.write(app, What::Changed).await
    }

    /// As [`Monitoring::write_down`], when nobody is asked any more.
    pub(crate) async fn write_all(&self, app: &App) -> Result<(), ApiError> {
        self.write(app, What::Everything).await
    }

    async fn write(&self, app: &App, what: What) -> Result<(), ApiError> {
        let _writing = self.writing.lock().await;
        let changed: Vec<Written> = {
            let mut of = self.lock();
            of.iter_mut()
                .filter_map(|((tenant, name), watched)| {
                    let rest = what == What::Everything && watched.unkept;
                    (std::mem::take(&mut watched.changed) || rest).then(|| {
                        let (counts, drift) = (watched.counts.clone(), watched.drift.clone());
                        let compared = std::mem::take(&mut watched.compared) || rest;
                        watched.unkept &= !compared;
                        let (tenant, name, day) = (tenant.clone(), name.clone(), watched.day.clone());
                        Written { tenant, name, day, counts, drift, compared }
                    })
                })
                .collect()
        };
        let mut failed = None;
        for written in changed {
            // A database that is away is away for the rest as well, and each would wait for it.
            let kept = !failed.as_ref().is_some_and(is_away) && {
                let kept = written.keep(app).await;
                match kept {
                    Ok(Keeping::Gone) => self.forget(&written.tenant, &written.name),
                    Ok(Keeping::Anew(since)) => self.watch_anew(&written.tenant, &written.name, since),
                    Ok(Keeping::Kept) | Err(_) => {}
                }
                let done = kept.is_ok();
                failed = kept.err().or(failed);
                done
            };
            if !kept {
                self.unkept(written);
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// What could not be written down is to be written down later.
    fn unkept(&self, Written { tenant, name, compared, .. }: Written) {
        if let Some(watched) = self.lock().get_mut(&(tenant, name)) {
            watched.changed = true;
            watched.compared |= compared;
            watched.unkept |= compared;
        }
    }

    /// Begins to watch inputs anew, as somebody accepted a change; what was counted stays.
    pub(crate) fn watch_anew(&self, tenant: &Tenant, name: &str, since: i64) {
        if let Some(watched) = self.lock().get_mut(&(tenant.clone(), name.to_owned()))
            && watched.drift.since != since
        {
            watched.drift = Drift::of(&watched.drift.model, since);
            (watched.compared, watched.unkept, watched.comparing) = (false, false, None);
        }
    }

    /// Forgets a deployment that is gone.
    pub(crate) fn forget(&self, tenant: &Tenant, name: &str) {
        self.lock().remove(&(tenant.clone(), name.to_owned()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(Tenant, String), Watched>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn of(day: String, counts: Day, drift: Drift) -> Self {
        let [changed, compared, unkept] = [false; 3];
        Self { day, counts, drift, changed, compared, unkept, comparing: None }
    }

    /// Counts a request; whether inputs are to be compared now.
    fn take(&mut self, request: &Request) -> bool {
        self.counts.count_time(request.took);
        for said in &request.said {
            self.counts.count_answer(&request.model, &said.answer);
            self.counts.n_doubtful += u64::from(said.doubtful);
            if let Some(familiarity) = said.familiarity {
                self.drift.test.observe(familiarity, chance());
            }
            for (sense, sketch) in &said.sketches {
                // A sense that is missing is watched as well: how many there are decides what is evidence enough.
                let shift = self.drift.shifts.entry(sense.clone()).or_default();
                if let Some(sketch) = sketch {
                    self.unkept = true;
                    shift.observe(*sketch);
                }
            }
        }
        if self.drift.changed_at.is_none() && self.drift.test.has_changed(LEVEL / 2.0) {
            self.drift.changed_at = Some(now());
        }
        self.changed = true;
        self.comparing.is_none() && self.drift.due().is_some()
    }

    /// A copy of what is to be compared; `None` where there is nothing, or somebody is at it.
    fn begin_comparison(&mut self, seed: Seed) -> Option<(String, ShiftTest, Seed)> {
        if self.comparing.is_some() {
            return None;
        }
        let sense = self.drift.due()?.clone();
        self.comparing = Some(seed);
        let shift = self.drift.shifts.get(&sense)?.clone();
        Some((sense, shift, seed))
    }

    /// Takes in what a comparison came to, unless watching began anew meanwhile.
    fn learn(&mut self, sense: &str, compared: Compared, seed: Seed) {
        if self.comparing != Some(seed) {
            return;
        }
        self.comparing = None;
        let level = self.drift.level();
        let Some(shift) = self.drift.shifts.get_mut(sense) else { return };
        shift.learn(compared);
        if self.drift.shifted_at.is_none() && shift.has_changed(level) {
            self.drift.shifted_at = Some(now());
        }
        (self.compared, self.changed) = (true, true);
    }
}

/// Uniform in [0, 1).
fn chance() -> f64 {
    // Without chance from the system equal familiarities count as half.
    getrandom::u64().map_or(0.5, |bits| (bits >> 11) as f64 / (1_u64 << 53) as f64)
}

pub(crate) fn today() -> String {
    written(now())[..10].to_owned()
}

/// Writes counts down until the server closes, and once more then.
pub(crate) async fn watch(app: Arc<App>) {
    loop {
        let closing = app.is_closing();
        if let Err(error) = app.monitoring.write_down(&app).await {
            tracing::warn!(error = error.en, "counts of deployments could not be written down");
        }
        if closing {
            return;
        }
        let _ = tokio::time::timeout(EVERY, app.closed_for(Duration::ZERO)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> Watched {
        Watched::of(today(), Day::default(), Drift::of("m", 0))
    }

    /// A request about so many inputs, seen as one of two kinds; whether inputs are to be compared now.
    fn ask(watched: &mut Watched, n: usize, kind: usize) -> bool {
        let features: Vec<f32> = (0..8).map(|at| if at % 2 == kind { 1.0 } else { 0.1 }).collect();
        ask_senses(watched, n, vec![(String::new(), Sketch::of(&features))])
    }

    fn ask_senses(watched: &mut Watched, n: usize, sketches: Vec<(String, Option<Sketch>)>) -> bool {
        let said = Said { answer: "a".into(), doubtful: false, familiarity: None, sketches };
        watched.take(&Request { model: "m".into(), said: vec![said; n], took: Duration::ZERO })
    }

    #[test]
    fn a_request_compares_nothing_itself_and_what_comes_meanwhile_is_kept() {
        let mut watched = watched();
        assert!(!ask(&mut watched, 99, 0) && ask(&mut watched, 1, 0));
        let (sense, shift, seed) = watched.begin_comparison(Seed(1)).expect("a window is full");
        assert!(
            !ask(&mut watched, 120, 0) && watched.begin_comparison(Seed(2)).is_none(),
            "one is under way"
        );
        assert!(!watched.compared);
        watched.learn(&sense, shift.compare(seed).expect("a window is full"), seed);
        assert!(watched.compared && watched.drift.shifts[""].n() == 220);
        assert!(ask(&mut watched, 1, 0), "the next window is full already");
    }

    #[test]
    fn what_was_compared_before_watching_began_anew_is_forgotten() {
        let mut before = watched();
        ask(&mut before, 100, 0);
        let (sense, shift, seed) = before.begin_comparison(Seed(1)).expect("a window is full");
        let mut anew = watched();
        ask(&mut anew, 100, 0);
        anew.begin_comparison(Seed(2)).expect("a window is full");
        anew.learn(&sense, shift.compare(seed).expect("a window is full"), seed);
        assert!(!anew.compared && anew.drift.due().is_some());
    }

    #[test]
    fn other_inputs_are_noticed_by_comparing_beside_requests() {
        let monitoring = Monitoring::default();
        let key = (Tenant::of_row("t".to_owned()), "parts".to_owned());
        monitoring.lock().insert(key.clone(), watched());
        for kind in [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1] {
            let full = monitoring.lock().get_mut(&key).is_some_and(|watched| ask(watched, 100, kind));
            assert!(full);
            monitoring.compare_inputs(&key);
        }
        assert!(monitoring.lock()[&key].drift.shifted_at.is_some());
    }

    #[test]
    fn each_sense_is_watched_and_together_they_err_no_more_often_than_one() {
        let monitoring = Monitoring::default();
        let key = (Tenant::of_row("t".to_owned()), "things".to_owned());
        monitoring.lock().insert(key.clone(), watched());
        let sketch = |kind: usize| {
            Sketch::of(&(0..8).map(|at| if at % 2 == kind { 1.0 } else { 0.1 }).collect::<Vec<f32>>())
        };
        for round in 0..12 {
            // One sense is seen as before, one otherwise from the middle on, one never comes.
            let sketches = [("note", sketch(0)), ("photo", sketch(round / 6)), ("sound", None)];
            let sketches = sketches.map(|(sense, sketch)| (sense.to_owned(), sketch)).to_vec();
            let full =
                monitoring.lock().get_mut(&key).is_some_and(|watched| ask_senses(watched, 100, sketches));
            assert!(full, "{round}");
            monitoring.compare_inputs(&key);
        }
        let of = monitoring.lock();
        let drift = &of[&key].drift;
        assert_eq!(drift.level(), LEVEL / 6.0);
        let changed = |sense: &str| drift.shifts[sense].has_changed(drift.level());
        assert_eq!([changed("note"), changed("photo"), changed("sound")], [false, true, false]);
        assert_eq!(["note", "photo", "sound"].map(|sense| drift.shifts[sense].n()), [1200, 1200, 0]);
        assert!(drift.shifted_at.is_some());
    }
}
