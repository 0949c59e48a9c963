//! How good an inspector is with few good parts, and with the first defects: the whole path, on sets in MVTec's layout.
//!
//! Every row of the table is a run of the product on a folder of links: some good parts to learn from, perhaps some labelled
//! defects with or without their masks, and the whole rest of the test part to measure on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use dataset::{InspectionExample, InspectionOptions, InspectionSet, Part, read_inspection};
use linalg::{Seed, random};
use pipeline::{Home, Run};

use crate::run::inspect_request;

/// The promise that is asked for: false alarms and confidence.
pub(crate) const PROMISE: (f64, f64) = (0.05, 0.95);

/// What an inspector is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    /// Good parts to learn from; `None` for all.
    pub(crate) good: Option<usize>,
    /// Labelled defects of each kind.
    pub(crate) defects: usize,
    /// Whether those are marked.
    pub(crate) masks: bool,
}

impl Given {
    /// What the table has: good parts alone, then the first defects.
    pub(crate) const ALL: [Self; 6] = [
        Self { good: Some(1), defects: 0, masks: false },
        Self { good: Some(4), defects: 0, masks: false },
        Self { good: Some(16), defects: 0, masks: false },
        Self { good: None, defects: 0, masks: false },
        Self { good: None, defects: 10, masks: false },
        Self { good: None, defects: 10, masks: true },
    ];

    /// In words.
    pub(crate) fn name(self) -> String {
        let good = self.good.map_or_else(|| "all good".to_owned(), |count| format!("{count} good"));
        match (self.defects, self.masks) {
            (0, _) => good,
            (count, false) => format!("{good} + {count} of each defect"),
            (count, true) => format!("{good} + {count} of each defect, marked"),
        }
    }
}

/// What was measured, metric by metric.
pub(crate) type Row = BTreeMap<String, f64>;

/// Runs the product on one draw of a set.
pub(crate) fn run(set: &Path, given: Given, draw: u64) -> anyhow::Result<Row> {
    run_without(set, given, None, draw)
}

/// The same, with one kind of defect measured but never shown.
pub(crate) fn run_without(set: &Path, given: Given, hidden: Option<&str>, draw: u64) -> anyhow::Result<Row> {
    let (all, _) = read_inspection(set, &InspectionOptions::default())?;
    let place = Place::new(draw)?;
    place.fill(&all, given, hidden, Seed(draw))?;
    inspect(&place, draw)
}

/// Learns from half of all good parts of a set, and gives the share of the other half that alarms.
pub(crate) fn false_alarms_on_other_half(set: &Path, split: u64) -> anyhow::Result<f64> {
    let (all, _) = read_inspection(set, &InspectionOptions::default())?;
    let place = Place::new(split)?;
    let mut good: Vec<&InspectionExample> =
        all.examples.iter().filter(|example| example.verdict.kind().is_none()).collect();
    random::shuffle(&mut good, &mut Seed(split).derive("halves").rng());
    for (at, example) in good.into_iter().enumerate() {
        place.link(example, if at % 2 == 0 { "train" } else { "test" }, false)?;
    }
    inspect(&place, split)?.remove("false-alarms").context("good parts are measured")
}

/// Runs the product on a folder of links.
fn inspect(place: &Place, draw: u64) -> anyhow::Result<Row> {
    let home = Home::by_default().context("no home folder and no DIANJING_CACHE")?;
    let request = inspect_request(&place.dir, PROMISE, draw);
    let made = pipeline::inspect(&home, &request, &Run::new(&|_| (), &AtomicBool::new(false)))?;
    let measured = made.bundle.evaluation.measured.into_iter();
    Ok(measured.map(|measured| (measured.metric, measured.estimate.value)).collect())
}

/// A folder of links that goes away.
struct Place {
    dir: PathBuf,
}

impl Place {
    fn new(draw: u64) -> anyhow::Result<Self> {
        let dir = std::env::temp_dir().join(format!("dianjing-inspection-{}-{draw}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        Ok(Self { dir })
    }

    /// Deals the good parts and defects of a set; what is not learned from is measured on.
    fn fill(
        &self,
        all: &InspectionSet,
        given: Given,
        hidden: Option<&str>,
        seed: Seed,
    ) -> anyhow::Result<()> {
        let mut good: Vec<&InspectionExample> = all
            .examples
            .iter()
            .filter(|example| example.verdict.kind().is_none() && example.part != Some(Part::Test))
            .collect();
        random::shuffle(&mut good, &mut seed.derive("good").rng());
        good.truncate(given.good.unwrap_or(usize::MAX));
        for example in good {
            self.link(example, "train", false)?;
        }
        let mut of_kind: BTreeMap<&str, Vec<&InspectionExample>> = BTreeMap::new();
        for example in all.examples.iter().filter(|example| example.part == Some(Part::Test)) {
            match example.verdict.kind() {
                Some(kind) => of_kind.entry(kind).or_default().push(example),
                None => self.link(example, "test", false)?,
            }
        }
        for (kind, mut defects) in of_kind {
            random::shuffle(&mut defects, &mut seed.derive(kind).rng());
            // A defect whose mask is empty teaches nothing where masks do.
            let shown = if hidden == Some(kind) { 0 } else { given.defects.min(defects.len()) };
            let (learn, measure) = defects.split_at(shown);
            for example in learn {
                self.link(example, "train", given.masks)?;
            }
            for example in measure {
                self.link(example, "test", true)?;
            }
        }
        Ok(())
    }

    fn link(&self, example: &InspectionExample, part: &str, mask: bool) -> anyhow::Result<()> {
        let class = example.verdict.kind().unwrap_or("good");
        let name = example.path.file_name().context("a photo has a name")?;
        self.link_to(&example.path, &format!("set/{part}/{class}"), Path::new(name))?;
        if let Some(path) = example.mask.as_ref().filter(|_| mask) {
            let name = path.file_name().context("a mask has a name")?;
            self.link_to(path, &format!("set/ground_truth/{class}"), Path::new(name))?;
        }
        Ok(())
    }

    fn link_to(&self, from: &Path, folder: &str, name: &Path) -> anyhow::Result<()> {
        let folder = self.dir.join(folder);
        std::fs::create_dir_all(&folder)?;
        let to = folder.join(name);
        std::os::unix::fs::symlink(std::path::absolute(from)?, &to)
            .with_context(|| format!("cannot link `{}`", to.display()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Links to elsewhere; a leftover is the system's to clean.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
