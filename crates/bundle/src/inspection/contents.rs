//! The bundle of an inspector, and its way to disk and back.
//!
//! Besides what every bundle has, it holds `inspector.json` and `inspector.safetensors` (scales, memories, units, what defects
//! taught), `alarm.json` (the threshold with its promise, and the good scores behind it) and `learned.json` (by what the photos that
//! it learned from are known).

use std::path::Path;

use evaluate::inspect::{AlarmThreshold, GoodScores};
use serde::{Deserialize, Serialize};
use tune::detect::{Aligner, LocalMemory, PatchLogit, PatchMemory, PixelReference, Subspace};

use super::inspector::{Inspector, Joining, Teaching};
use super::kinds::Kinds;
use super::learned::Learned;
use super::marks::Marks;
use super::memories::Memories;
use super::sight::{Look, Sight};
use super::weighing::{Units, Usual};
use crate::archive::{self, Files};
use crate::files::{self, BundleKind, Tensors, json, malformed, parse, tensor_bytes, tensors};
use crate::{BundleError, Evaluation, Form, Golden, Manifest};

/// The oldest format of inspectors that is read: before, nothing told which photos were learned from, nor how deep they are.
const FORMAT_FROM: u32 = 2;

/// Two scales and the look for detail.
const MOST_LOOKS: usize = 3;

/// When a part alarms, and where it is marked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// The score above which a part alarms, with its promise.
    pub threshold: AlarmThreshold,
    /// Scores of good parts that had not been seen, one for each group; p-values come from them.
    pub good: GoodScores,
    /// The suspicion of a place above which it is marked; good parts show a mark as seldom as they alarm.
    pub mark: AlarmThreshold,
    /// Millimetres a pixel, when known. Above 0.
    pub mm_per_pixel: Option<f64>,
}

/// A defect inspector with everything it needs except its base.
#[derive(Debug, Clone)]
pub struct InspectionBundle {
    /// The front page. Its `files` are filled in by [`InspectionBundle::write`].
    pub manifest: Manifest,
    /// From a photo to a score and a map.
    pub inspector: Inspector,
    /// From these to an alarm and marks.
    pub alarm: Alarm,
    /// What was measured; `recall` is that of each kind of defect.
    pub evaluation: Evaluation,
    /// The photos that it learned from.
    pub learned: Learned,
    /// The self-test.
    pub golden: Golden,
}

/// The structure of an inspector; its tensors lie beside.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    sight: Sight,
    views: Vec<Option<serde_json::Value>>,
    residuals: Vec<serde_json::Value>,
    place: Option<serde_json::Value>,
    pooled: Vec<serde_json::Value>,
    units: Units,
    aligner: Option<serde_json::Value>,
    pixels: Option<serde_json::Value>,
    taught: Option<StoredTeaching>,
    kinds: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredTeaching {
    patch: serde_json::Value,
    photo: serde_json::Value,
    marked: bool,
    joining: Joining,
}

impl InspectionBundle {
    /// Writes the bundle whole or not at all and returns its identity. `created` is an RFC 3339 time outside the identity.
    pub fn write(&mut self, path: &Path, form: Form, created: &str) -> Result<store::Hash, BundleError> {
        let (stored, tensors) = put(&self.inspector);
        let files = Files::from([
            ("inspector.json".to_owned(), json(&stored)),
            ("inspector.safetensors".to_owned(), tensor_bytes(&tensors)),
            ("alarm.json".to_owned(), json(&self.alarm)),
            ("evaluation.json".to_owned(), json(&self.evaluation)),
            ("learned.json".to_owned(), json(&self.learned)),
            ("golden.json".to_owned(), json(&self.golden)),
        ]);
        files::write(&mut self.manifest, files, path, form, created)
    }

    /// Opens a bundle and checks every byte against the manifest. Running it needs a [`super::InspectionPredictor`].
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let files = archive::read(path)?;
        let manifest = files::checked_manifest(path, &files)?;
        files::expect(path, &manifest, BundleKind::Inspector)?;
        if manifest.format < FORMAT_FROM {
            let (path, got) = (path.to_owned(), manifest.format);
            return Err(BundleError::OlderFormat { path, got, needed: FORMAT_FROM });
        }
        let stored = parse(path, &files, "inspector.json")?;
        let inspector = get(stored, &tensors(path, &files, "inspector.safetensors")?)
            .map_err(|detail| malformed(path, "inspector.json", detail))?;
        Ok(Self {
            inspector,
            alarm: parse(path, &files, "alarm.json")?,
            evaluation: parse(path, &files, "evaluation.json")?,
            learned: parse(path, &files, "learned.json")?,
            golden: parse(path, &files, "golden.json")?,
            manifest,
        })
    }
}

fn put(inspector: &Inspector) -> (Stored, Tensors) {
    let mut all = Tensors::new();
    let mut keep = |name: &str, (structure, tensors): (serde_json::Value, Tensors)| {
        all.extend(tensors.into_iter().map(|(key, tensor)| (format!("{name}.{key}"), tensor)));
        structure
    };
    let memories = &inspector.memories;
    let views = memories.views.iter().enumerate();
    let views = views
        .map(|(at, memory)| memory.as_ref().map(|memory| keep(&format!("view{at}"), memory.to_tensors())))
        .collect();
    let residuals = memories.residuals.iter().enumerate();
    let residuals =
        residuals.map(|(at, residual)| keep(&format!("residual{at}"), residual.to_tensors())).collect();
    let place = memories.place.as_ref().map(|place| keep("place", place.to_tensors()));
    let pooled = memories.pooled.iter().enumerate();
    let pooled = pooled.map(|(at, memory)| keep(&format!("whole{at}"), memory.to_tensors())).collect();
    let taught = inspector.taught.as_ref().map(|taught| StoredTeaching {
        patch: keep("patch", taught.marks.patch.to_tensors()),
        photo: keep("photo", taught.marks.photo.to_tensors()),
        marked: taught.marks.marked,
        joining: taught.joining,
    });
    let aligner = inspector.aligner.as_ref().map(|aligner| keep("aligner", aligner.to_tensors()));
    let pixels = memories.pixels.as_ref().map(|pixels| keep("pixels", pixels.to_tensors()));
    let kinds = inspector.kinds.as_ref().map(|kinds| keep("kinds", kinds.to_tensors()));
    let (sight, units) = (inspector.sight.clone(), inspector.units.clone());
    let stored = Stored { sight, views, residuals, place, pooled, units, aligner, pixels, taught, kinds };
    (stored, all)
}

fn get(stored: Stored, tensors: &Tensors) -> Result<Inspector, String> {
    let of = |name: &str| -> Tensors {
        let start = format!("{name}.");
        let named = tensors.iter().filter_map(|(key, tensor)| Some((key.strip_prefix(&start)?, tensor)));
        named.map(|(key, tensor)| (key.to_owned(), tensor.clone())).collect()
    };
    let told = |error: tune::TuneError| error.to_string();
    let memory = |name: &str, (at, structure): (usize, &serde_json::Value)| {
        LocalMemory::from_tensors(structure, &of(&format!("{name}{at}"))).map_err(told)
    };
    let view = |(at, structure): (usize, &Option<serde_json::Value>)| {
        structure.as_ref().map(|structure| memory("view", (at, structure))).transpose()
    };
    let residual = |(at, structure): (usize, &serde_json::Value)| {
        Subspace::from_tensors(structure, &of(&format!("residual{at}"))).map_err(told)
    };
    let pixels = stored.pixels.map(|structure| PixelReference::from_tensors(&structure, &of("pixels")));
    let aligner = stored.aligner.map(|structure| Aligner::from_tensors(&structure, &of("aligner")));
    let place = stored.place.map(|structure| PatchMemory::from_tensors(&structure, &of("place")));
    let memories = Memories {
        views: stored.views.iter().enumerate().map(view).collect::<Result<_, _>>()?,
        residuals: stored.residuals.iter().enumerate().map(residual).collect::<Result<_, _>>()?,
        place: place.transpose().map_err(told)?,
        pooled: stored.pooled.iter().enumerate().map(|at| memory("whole", at)).collect::<Result<_, _>>()?,
        pixels: pixels.transpose().map_err(told)?,
    };
    let taught = stored.taught.map(|taught| {
        let logit = |name: &str, structure| {
            PatchLogit::from_tensors(structure, &of(name)).map_err(|error| error.to_string())
        };
        let (patch, photo) = (logit("patch", &taught.patch)?, logit("photo", &taught.photo)?);
        let marks = Marks { patch, photo, marked: taught.marked };
        Ok::<_, String>(Teaching { marks, joining: taught.joining })
    });
    let kinds = stored.kinds.map(|structure| Kinds::from_tensors(&structure, &of("kinds")));
    let inspector = Inspector {
        sight: stored.sight,
        aligner: aligner.transpose().map_err(told)?,
        memories,
        units: stored.units,
        taught: taught.transpose()?,
        kinds: kinds.transpose()?,
    };
    check(&inspector)?;
    Ok(inspector)
}

/// Whether all parts were made for each other.
fn check(inspector: &Inspector) -> Result<(), String> {
    let Inspector { sight, memories, units, .. } = inspector;
    let no_fit = || Err("scales, memories and units do not fit together".to_owned());
    if !sight.looks.iter().all(Look::is_sound) || sight.looks.iter().all(Look::is_detail) {
        return no_fit();
    }
    if sight.looks.len() > MOST_LOOKS {
        return Err(format!(
            "it looks {} times at each photo, at most {MOST_LOOKS} are usual",
            sight.looks.len()
        ));
    }
    let joining = inspector.taught.iter().flat_map(|taught| taught.joining.all());
    if !units.all().chain(joining).all(Usual::is_sound) {
        return Err("a spread is not above 0".to_owned());
    }
    let views: Vec<usize> =
        sight.looks.iter().flat_map(|look| look.views.iter().map(ExactSizeIterator::len)).collect();
    let wide: Vec<&Look> = sight.looks.iter().filter(|look| !look.is_detail()).collect();
    let pooled: Vec<usize> = wide.iter().map(|look| 2 * look.pooled.len()).collect();
    let view_fits = |(memory, dim): (&Option<LocalMemory>, &usize)| {
        memory.as_ref().is_none_or(|memory| memory.dim() == *dim)
    };
    let views_fit = memories.views.len() == views.len() && memories.views.iter().zip(&views).all(view_fits);
    let surface_fits = |(scale, residual): (usize, &Subspace)| {
        wide.get(scale).is_some_and(|look| look.views[0].len() == residual.dim())
    };
    let surfaces_fit = memories.residuals.iter().enumerate().all(surface_fits)
        && memories.place.as_ref().is_none_or(|place| place.dim() == wide[0].views[0].len());
    let wholes_fit =
        memories.pooled.is_empty() || memories.pooled.iter().map(LocalMemory::dim).eq(pooled.iter().copied());
    let voices = memories.voices_of(sight);
    let units_fit = units.voices == voices
        && units.patches.len() == voices.len()
        && units.tops.len() == voices.len()
        && units.votes.iter().all(|vote| units.knows(*vote))
        && units.pooled.len() <= memories.pooled.len();
    let reference_fits = inspector.aligner.is_some() == memories.pixels.is_some()
        && memories.pixels.is_some() == units.pixels.is_some();
    if reference_fits && views_fit && surfaces_fit && wholes_fit && units_fit { Ok(()) } else { no_fit() }
}
