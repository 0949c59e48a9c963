//! One sense by itself: its features, its head, what is familiar to it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base::Base;
use dataset::split::Groups;
use dataset::{Dataset, Problem, ProblemKind, Sense};
use evaluate::OodDetector;
use linalg::Seed;
use linalg::logits::log_softmax;
use tune::{CheckedTune, TuneError, Tuned};

use crate::assess;
use crate::audit::{self, Relations};
use crate::features::{self, Table};
use crate::journey::Lesson;
use crate::{Event, Home, PipelineError, Run};

/// One sense of all examples that have it.
pub(crate) struct OneSense {
    pub(crate) sense: Sense,
    pub(crate) base: Arc<Base>,
    /// The examples that have it and could be read.
    pub(crate) table: Table,
    /// The example of the whole data set behind each row of the table.
    pub(crate) places: Vec<usize>,
}

/// What one sense learned.
pub(crate) struct Taught {
    pub(crate) lesson: Lesson,
    pub(crate) tuned: Tuned,
    pub(crate) familiar: Option<OodDetector>,
}

impl OneSense {
    /// Computes, or finds in the cache, the features of everything that this sense knows.
    pub(crate) fn new(
        home: &Home,
        named: Option<&str>,
        data: &Dataset,
        sense: &Sense,
        run: &Run<'_>,
    ) -> Result<Self, PipelineError> {
        let (alone, places) = data.of_sense(sense);
        let named = named.filter(|id| home.takes(id, sense.modality).unwrap_or(false));
        let base = home.base_for(named, &alone, run).map_err(|error| error.of_sense(&sense.name))?;
        Self::with(home, base, (alone, places), sense, run)
    }

    /// The same on a base that is open already.
    pub(crate) fn on(
        home: &Home,
        base: Arc<Base>,
        data: &Dataset,
        sense: &Sense,
        run: &Run<'_>,
    ) -> Result<Self, PipelineError> {
        Self::with(home, base, data.of_sense(sense), sense, run)
    }

    fn with(
        home: &Home,
        base: Arc<Base>,
        (alone, places): (Dataset, Vec<usize>),
        sense: &Sense,
        run: &Run<'_>,
    ) -> Result<Self, PipelineError> {
        let place_of: HashMap<String, usize> =
            alone.examples.iter().zip(places).map(|(example, place)| (example.id.0.clone(), place)).collect();
        let without = |event| run.tell(of_sense_event(sense, event));
        let run = Run::new(&without, run.cancel_flag());
        let mut table =
            features::table(home, &base, alone, &run).map_err(|error| error.of_sense(&sense.name))?;
        for problem in &mut table.problems {
            *problem = of_sense(sense, problem.clone());
        }
        let places = table.data.examples.iter().map(|example| place_of[&example.id.0]).collect();
        Ok(Self { sense: sense.clone(), base, table, places })
    }

    /// The row of an example, for every example of the whole data set; `None` where it lacks this sense.
    pub(crate) fn rows(&self, n_examples: usize) -> Vec<Option<usize>> {
        let mut rows = vec![None; n_examples];
        self.places.iter().enumerate().for_each(|(row, place)| rows[*place] = Some(row));
        rows
    }

    /// All kinds of feature of a row, one after the other, and its text.
    pub(crate) fn features(&self, row: usize) -> (Vec<f32>, Option<&str>) {
        let features = self.table.sets.iter().flat_map(|set| set.x.row(row).iter().copied()).collect();
        (features, self.table.texts.as_ref().map(|texts| texts[row].as_str()))
    }

    /// The feature sets of a row by name.
    pub(crate) fn sets(&self, row: usize) -> BTreeMap<&str, &[f32]> {
        self.table.sets.iter().map(|set| (set.name.as_str(), set.x.row(row))).collect()
    }

    /// Chooses and fits a head; `groups` are the numbers of the groups of all examples.
    pub(crate) fn teach(
        &self,
        groups: &[u32],
        config: &CheckedTune,
        seed: Seed,
        run: &Run<'_>,
    ) -> Result<Taught, PipelineError> {
        let names: Vec<String> = self.places.iter().map(|place| groups[*place].to_string()).collect();
        let groups = Groups::from_names(names.iter().map(|name| Some(name.as_str())));
        let lesson = Lesson::new(&self.table, &Relations { duplicates: Vec::new(), groups });
        let tuned = match tune::tune(lesson.input(), config, seed, run.cancel_flag()) {
            Err(TuneError::Cancelled) => Err(PipelineError::Cancelled),
            tuned => tuned.map_err(|error| PipelineError::from(error).of_sense(&self.sense.name)),
        }?;
        let familiar = assess::familiar(&lesson, seed);
        Ok(Taught { lesson, tuned, familiar })
    }

    /// What belongs together because this sense finds it the same: sets of examples.
    pub(crate) fn copies(&self, run: &Run<'_>) -> Result<Vec<Vec<usize>>, PipelineError> {
        let found = audit::relations(&self.table, run)?.duplicates;
        Ok(found.into_iter().map(|set| set.into_iter().map(|row| self.places[row]).collect()).collect())
    }
}

impl Taught {
    /// Out-of-fold log-probabilities, `[k]`, of each row of the table that some fold held out.
    pub(crate) fn said(&self) -> impl Iterator<Item = (usize, Vec<f64>)> + '_ {
        self.tuned
            .validated
            .iter()
            .map(|row| (self.lesson.rows[*row], log_softmax(self.tuned.oof_outputs.row(*row))))
    }
}

/// What is wrong with a file costs the example this sense, not its place in the data set.
fn of_sense(sense: &Sense, problem: Problem) -> Problem {
    if !problem.kind.leaves_out() {
        return problem;
    }
    let kind = ProblemKind::WithoutSense { sense: sense.name.clone(), reason: Box::new(problem.kind) };
    Problem { kind, ..problem }
}

fn of_sense_event(sense: &Sense, event: Event) -> Event {
    match event {
        Event::Problem(problem) => Event::Problem(of_sense(sense, problem)),
        event => event,
    }
}
