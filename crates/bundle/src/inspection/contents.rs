//! The bundle of an inspector, and its way to disk and back.
//!
//! Besides what every bundle has, it holds `inspector.json` and `inspector.safetensors` (scales, memories, units, what defects
//! taught), `alarm.json` (the threshold with its promise, and the good scores behind it) and `learned.json` (by what the photos that
//! it learned from are known).

use std::path::Path;

use base::depict::Canvas;
use evaluate::inspect::{AlarmThreshold, GoodScores};
use serde::{Deserialize, Serialize};
use tune::detect::{Aligner, Bank, LocalMemory, PatchLogit, PatchMemory, PixelReference, Subspace};

use super::ground::Ground;
use super::inspector::{Inspector, Joining, Teaching};
use super::kinds::Kinds;
use super::learned::Learned;
use super::marks::Marks;
use super::memories::Memories;
use super::sight::{Look, Sight};
use super::weighing::{Units, Usual};
use crate::archive::{self, Files};
use crate::files::{
    self, Banks, BundleKind, Tensors, banks, bytes_with_banks, json, malformed, parse, tensors,
};
use crate::{BundleError, Evaluation, Form, Golden, Manifest};

/// The oldest format of inspectors that is read: before, photos were not scaled to whole cells, so that patches showed something else.
const FORMAT_FROM: u32 = 4;

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
        let (stored, tensors, banks) = put(&self.inspector);
        let files = Files::from([
            ("inspector.json".to_owned(), json(&stored)),
            ("inspector.safetensors".to_owned(), bytes_with_banks(&tensors, &banks)),
            ("alarm.json".to_owned(), json(&self.alarm)),
            ("evaluation.json".to_owned(), json(&self.evaluation)),
            ("learned.json".to_owned(), json(&self.learned)),
            ("golden.json".to_owned(), json(&self.golden)),
        ]);
        files::write(&mut self.manifest, files, path, form, created)
    }

    /// Opens a bundle and checks every byte against the manifest. Running it needs a [`super::InspectionPredictor`].
    ///
    /// What it remembers stays in the file, which is mapped as long as the bundle lives. Replace a bundle in use by renaming another
    /// over it: one that is overwritten in place changes unseen, and one that is cut short ends the program.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let files = archive::read(path)?;
        let manifest = files::checked_manifest(path, &files)?;
        files::expect(path, &manifest, BundleKind::Inspector)?;
        if manifest.format < FORMAT_FROM {
            let (path, got) = (path.to_owned(), manifest.format);
            return Err(BundleError::OlderFormat { path, got, needed: FORMAT_FROM });
        }
        let stored: Stored = parse(path, &files, "inspector.json")?;
        expect_drawn_alike(path, stored.sight.canvas.as_ref())?;
        let name = "inspector.safetensors";
        let inspector = get(stored, &tensors(path, &files, name)?, &banks(path, &files, name)?)
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

fn put(inspector: &Inspector) -> (Stored, Tensors, Banks) {
    let (mut all, mut banks) = (Tensors::new(), Banks::new());
    let mut remember = |name: &str, bank: &Bank| banks.insert(format!("{name}.bank"), bank.clone());
    let mut keep = |name: &str, part| files::keep(&mut all, name, part);
    let memories = &inspector.memories;
    let mut local = |name: &str, at: usize, memory: &LocalMemory| {
        let name = format!("{name}{at}");
        remember(&name, memory.bank());
        keep(&name, memory.to_tensors())
    };
    let views = memories.views.iter().enumerate();
    let views = views.map(|(at, memory)| memory.as_ref().map(|memory| local("view", at, memory))).collect();
    let pooled = memories.pooled.iter().enumerate();
    let pooled = pooled.map(|(at, memory)| local("whole", at, memory)).collect();
    let residuals = memories.residuals.iter().enumerate();
    let residuals =
        residuals.map(|(at, residual)| keep(&format!("residual{at}"), residual.to_tensors())).collect();
    let place = memories.place.as_ref().map(|place| {
        remember("place", place.bank());
        keep("place", place.to_tensors())
    });
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
    (stored, all, banks)
}

fn get(stored: Stored, tensors: &Tensors, banks: &Banks) -> Result<Inspector, String> {
    let of = |name: &str| files::kept(tensors, name);
    let bank = |name: &str| {
        let name = format!("{name}.bank");
        banks.get(&name).cloned().ok_or_else(|| format!("tensor `{name}` is missing"))
    };
    let told = |error: tune::TuneError| error.to_string();
    let memory = |name: &str, (at, structure): (usize, &serde_json::Value)| {
        let name = format!("{name}{at}");
        LocalMemory::from_tensors(structure, &of(&name), bank(&name)?).map_err(told)
    };
    let view = |(at, structure): (usize, &Option<serde_json::Value>)| {
        structure.as_ref().map(|structure| memory("view", (at, structure))).transpose()
    };
    let residual = |(at, structure): (usize, &serde_json::Value)| {
        Subspace::from_tensors(structure, &of(&format!("residual{at}"))).map_err(told)
    };
    let pixels = stored.pixels.map(|structure| PixelReference::from_tensors(&structure, &of("pixels")));
    let aligner = stored.aligner.map(|structure| Aligner::from_tensors(&structure, &of("aligner")));
    let place = stored
        .place
        .map(|structure| PatchMemory::from_tensors(&structure, &of("place"), bank("place")?).map_err(told));
    let memories = Memories {
        views: stored.views.iter().enumerate().map(view).collect::<Result<_, _>>()?,
        residuals: stored.residuals.iter().enumerate().map(residual).collect::<Result<_, _>>()?,
        place: place.transpose()?,
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

/// Refuses what learned from pictures that are drawn otherwise now.
fn expect_drawn_alike(path: &Path, canvas: Option<&Canvas>) -> Result<(), BundleError> {
    match canvas {
        Some(canvas) if canvas.is_older() => Err(BundleError::OlderDrawing { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// Whether all parts were made for each other.
fn check(inspector: &Inspector) -> Result<(), String> {
    let Inspector { sight, memories, units, .. } = inspector;
    let no_fit = || Err("scales, memories and units do not fit together".to_owned());
    let canvas_is_sound = sight.canvas.as_ref().is_none_or(Canvas::is_sound);
    if !canvas_is_sound || !sight.looks.iter().all(Look::is_sound) || sight.looks.iter().all(Look::is_detail)
    {
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
    if !units.ground.as_ref().is_none_or(Ground::is_sound) {
        return Err("what is taken from its maps is no number".to_owned());
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

#[cfg(test)]
mod tests {
    use base::patches::{PatchGrid, PatchPlan};
    use base::prep::Depth;
    use evaluate::inspect::estimated_threshold;
    use linalg::{Cell, Matrix, Seed, random};
    use tune::detect::{MemoryConfig, Patches};

    use super::super::memories::Good;
    use super::super::sight::Seen;
    use super::super::votes::Detector;
    use super::*;
    use crate::{BaseReference, DataReference, FORMAT, TaskReference};

    /// Cells of a photo.
    const SIZE: (usize, usize) = (6, 8);

    /// A look at two views of four and two columns, or only at the detail of three.
    fn sight() -> Sight {
        let look = |views: &[std::ops::Range<usize>], pooled| {
            let maps = vec!["a".to_owned()];
            let plan = PatchPlan { scale: 1.0, tiles: vec![160], margin: 32, cell: 8, maps };
            Look { plan, views: views.to_vec(), pooled }
        };
        let looks = vec![look(&[0..4, 4..6], 0..4), look(std::slice::from_ref(&(0..3)), 0..0)];
        Sight { looks, without_background: false, depth: Depth::FULL, canvas: None, sides: None }
    }

    fn seen(seed: u64) -> Seen {
        let mut rng = Seed(seed).rng();
        let mut grid = |dim: usize| {
            let (rows, cols) = SIZE;
            let values = (0..rows * cols * dim).map(|_| random::normal(&mut rng) as f32).collect();
            PatchGrid { rows, cols, x: Matrix::from_vec(rows * cols, dim, values) }
        };
        Seen { size: (64, 48), grids: vec![grid(6), grid(3)], laid: None }
    }

    /// Every detector that keeps a bank, the one of places included.
    fn memories(sight: &Sight, photos: &[Seen]) -> Memories {
        let good: Vec<Good<'_>> = photos.iter().map(|seen| Good { seen, turned: &[] }).collect();
        let mut memories = Memories::fit(sight, &good, &Detector::ALL, Seed(1)).unwrap();
        let rows: Vec<Vec<f32>> =
            photos.iter().flat_map(|seen| seen.grids[0].x.iter_rows()).map(|row| row[..4].to_vec()).collect();
        let (x, cells) = (Matrix::from_rows(&rows), (0..rows.len()).map(|at| at % (SIZE.0 * SIZE.1)));
        let cells: Vec<Cell> =
            cells.map(|at| Cell { row: (at / SIZE.1) as u16, col: (at % SIZE.1) as u16 }).collect();
        let photos = vec![0; rows.len()];
        let patches = Patches { x: x.view(), photos: &photos, cells: &cells };
        memories.place = Some(PatchMemory::fit(&patches, &MemoryConfig::default(), Seed(1)).unwrap());
        memories
    }

    fn bundle() -> InspectionBundle {
        let (sight, photos) = (sight(), (0..5).map(seen).collect::<Vec<_>>());
        let memories = memories(&sight, &photos);
        let raws: Vec<_> = photos.iter().map(|seen| memories.say(&sight, seen).unwrap()).collect();
        let units = Units::learn(&raws.iter().collect::<Vec<_>>());
        let good = GoodScores::of_parts(&[1.0, 2.0, 3.0]).unwrap();
        let threshold = AlarmThreshold::Estimated(estimated_threshold(&good, 0.1).unwrap());
        let manifest = Manifest {
            format: FORMAT,
            name: "parts".to_owned(),
            dianjing: "0".to_owned(),
            seed: 1,
            task: TaskReference::Inspection { kinds: Vec::new() },
            data: DataReference { fingerprint: String::new(), n_examples: 5 },
            base: BaseReference {
                id: "a".to_owned(),
                hash: "b".to_owned(),
                modality: "image".to_owned(),
                licence: "c".to_owned(),
                sensors: None,
            },
            senses: Vec::new(),
            piece_seconds: None,
            files: std::collections::BTreeMap::new(),
        };
        InspectionBundle {
            manifest,
            inspector: Inspector { sight, aligner: None, memories, units, taught: None, kinds: None },
            alarm: Alarm { threshold, good, mark: threshold, mm_per_pixel: None },
            evaluation: Evaluation::default(),
            learned: Learned::default(),
            golden: Golden { engine: String::new(), rows: Vec::new() },
        }
    }

    fn banks_of(memories: &Memories) -> Vec<&Bank> {
        let local = memories.views.iter().flatten().chain(&memories.pooled).map(LocalMemory::bank);
        local.chain(memories.place.as_ref().map(PatchMemory::bank)).collect()
    }

    #[test]
    fn from_a_file_or_a_folder_it_thinks_as_in_memory_and_its_banks_stay_there() {
        let dir = tempfile::tempdir().unwrap();
        let mut made = bundle();
        for (name, form) in [("parts.djm", Form::File), ("parts", Form::Folder)] {
            let path = dir.path().join(name);
            made.write(&path, form, "2026-01-01T00:00:00Z").unwrap();
            let opened = InspectionBundle::open(&path).unwrap();
            for photo in 0..8 {
                let seen = seen(photo);
                assert_eq!(opened.inspector.opinion(&seen).unwrap(), made.inspector.opinion(&seen).unwrap());
                let said = |bundle: &InspectionBundle| {
                    bundle.inspector.memories.say(&bundle.inspector.sight, &seen).unwrap()
                };
                assert_eq!(said(&opened), said(&made), "{name}");
            }
            assert_eq!(banks_of(&opened.inspector.memories), banks_of(&made.inspector.memories));
            assert_eq!(banks_of(&opened.inspector.memories).len(), 5);
            #[cfg(target_os = "linux")]
            for bank in banks_of(&opened.inspector.memories) {
                let file = if form == Form::File { path.clone() } else { path.join("inspector.safetensors") };
                assert!(archive::tests::is_mapped(bank.bytes(), &file), "{name}");
            }
        }
    }

    #[test]
    fn what_learned_from_other_drawings_of_series_is_refused_by_an_error_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("parts.djm");
        let mut made = bundle();
        // As it was stored before a drawing had a number.
        let canvas =
            r#"{"sensors": {"channels": ["a"]}, "steps": 300, "values": [[0, 1]], "powers": [[0, 1]]}"#;
        made.inspector.sight.canvas = Some(serde_json::from_str(canvas).unwrap());
        made.write(&path, Form::File, "2026-01-01T00:00:00Z").unwrap();
        assert!(matches!(InspectionBundle::open(&path), Err(BundleError::OlderDrawing { .. })));
    }

    #[test]
    fn files_that_are_cut_or_changed_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (file, folder) = (dir.path().join("parts.djm"), dir.path().join("parts"));
        bundle().write(&file, Form::File, "2026-01-01T00:00:00Z").unwrap();
        bundle().write(&folder, Form::Folder, "2026-01-01T00:00:00Z").unwrap();
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 200]).unwrap();
        assert!(matches!(InspectionBundle::open(&file), Err(BundleError::Truncated { .. })));
        let tensors = folder.join("inspector.safetensors");
        let whole = std::fs::read(&tensors).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        for bytes in [&whole[..whole.len() - 2], &changed] {
            std::fs::write(&tensors, bytes).unwrap();
            let error = InspectionBundle::open(&folder).unwrap_err();
            assert!(
                matches!(&error, BundleError::Changed { file, .. } if file == "inspector.safetensors"),
                "{error}"
            );
        }
    }
}
