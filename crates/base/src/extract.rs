//! Features of many examples: found in the cache, or decoded, prepared, inferred and kept.
//!
//! Every worker takes one picture, or a few texts, through all steps, so reading, decoding and inferring overlap and no core
//! waits. A network runs on one thread, and texts that run together get the bits that each gets alone: the result depends
//! neither on the number of threads nor on what else there is.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use dataset::{Content, Example, Modality, Problem, ProblemKind};
use rayon::prelude::*;
use store::{Hash, StoreError, VectorStore};

use crate::Base;
use crate::open::{BaseError, Embedded, Input};
use crate::prep::PrepError;
use crate::sound;
use crate::tokenizer::TokenizerError;

/// Texts that a worker takes at a time: the weights come from memory once for all of them.
const TEXTS_TOGETHER: usize = 8;
/// Vectors are written to the disk after this many: what a killed run loses at most.
const KEEP_EVERY: usize = 256;

/// How far an extraction got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Examples done, cached ones included.
    pub done: usize,
    /// All examples.
    pub total: usize,
    /// Examples that were in the cache.
    pub cached: usize,
}

/// Features in the order of the examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// All kinds one after the other; `None` where the example could not be read.
    pub rows: Vec<Option<Vec<f32>>>,
    /// How many came from the cache.
    pub cached: usize,
}

/// Why an extraction had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The network failed: that is never the example's fault.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// Features could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One distinct content and the examples that have it.
struct Work<'e> {
    key: Hash,
    /// Hash of the content alone, to notice a file that changes between the two reads.
    content_hash: Hash,
    content: &'e Content,
    rows: Vec<usize>,
}

impl<'e> Work<'e> {
    fn text(&self) -> Option<&'e str> {
        if let Content::Text(text) = self.content { Some(text) } else { None }
    }
}

/// What the workers have done so far.
struct Done {
    rows: Vec<Option<Vec<f32>>>,
    failures: Vec<(usize, ProblemKind)>,
    /// Rows whose content was damaged and has features all the same.
    damaged: Vec<(usize, ProblemKind)>,
    /// Computed and not yet on the disk.
    fresh: Vec<(Hash, Vec<f32>)>,
    progress: Progress,
}

/// Computes the features of all examples, or finds them in `store`.
///
/// Examples that cannot be read or decoded become problems. When `cancel` becomes true the work stops between examples;
/// what was computed is kept, also when the extraction ends with an error.
pub fn extract(
    base: &Base,
    examples: &[&Example],
    store: &VectorStore,
    cancel: &AtomicBool,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(Features, Vec<Problem>), ExtractError> {
    let (works, failures) = distinct(base, examples);
    let mut rows = vec![None; examples.len()];
    let mut cached = 0;
    let mut todo = Vec::new();
    for work in works {
        match store.get(&work.key) {
            Some(vector) => {
                cached += work.rows.len();
                work.rows.iter().for_each(|row| rows[*row] = Some(vector.clone()));
            }
            None => todo.push(work),
        }
    }
    let start = Progress { done: cached + failures.len(), total: examples.len(), cached };
    progress(start);
    let done = Mutex::new(Done { rows, failures, damaged: Vec::new(), fresh: Vec::new(), progress: start });
    let together = if base.modality() == Modality::Text { TEXTS_TOGETHER } else { 1 };
    let outcome = todo.par_chunks(together).try_for_each(|works| {
        if cancel.load(Ordering::Relaxed) {
            return Ok(());
        }
        works.iter().zip(compute(base, works, cancel)).try_for_each(|(work, embedded)| {
            let embedded = match embedded {
                // Neither done nor at fault: whoever asked to stop knows.
                Err(BaseError::Stopped) => return Ok(()),
                Err(error) => Err(problem_kind(error)?),
                Ok(embedded) => Ok(embedded),
            };
            finish(&done, work, embedded, store, progress)
        })
    });
    let mut done = done.into_inner().expect("a worker that panics takes the extraction with it");
    let kept = store.append(&done.fresh);
    outcome?;
    kept?;
    done.failures.append(&mut done.damaged);
    done.failures.sort_by_key(|(row, _)| *row);
    let problems = done.failures.into_iter().map(|(row, kind)| problem(examples[row], kind)).collect();
    Ok((Features { rows: done.rows, cached }, problems))
}

/// Takes one result in, and writes a segment when there is enough for one. The others go on computing meanwhile.
fn finish(
    done: &Mutex<Done>,
    work: &Work<'_>,
    embedded: Result<Embedded, ProblemKind>,
    store: &VectorStore,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(), ExtractError> {
    let full = {
        let mut done = done.lock().expect("a worker that panics takes the extraction with it");
        match embedded {
            Ok(Embedded { features, damage }) => {
                work.rows.iter().for_each(|row| done.rows[*row] = Some(features.clone()));
                match damage {
                    None => done.fresh.push((work.key, features)),
                    // Not kept, so that the next run tells it again.
                    Some(detail) => {
                        let kind = ProblemKind::damaged(work.content.modality(), detail);
                        done.damaged.extend(work.rows.iter().map(|row| (*row, kind.clone())));
                    }
                }
            }
            Err(kind) => done.failures.extend(work.rows.iter().map(|row| (*row, kind.clone()))),
        }
        done.progress.done += work.rows.len();
        // Told under the lock, so that the numbers a person sees only grow.
        progress(done.progress);
        if done.fresh.len() < KEEP_EVERY { Vec::new() } else { std::mem::take(&mut done.fresh) }
    };
    Ok(store.append(&full)?)
}

/// The examples by content: the same bytes are computed once, however often they occur.
fn distinct<'e>(base: &Base, examples: &[&'e Example]) -> (Vec<Work<'e>>, Vec<(usize, ProblemKind)>) {
    let contents: Vec<&Content> = examples.iter().map(|example| &example.content).collect();
    let hashes = dataset::content_hashes(&contents);
    let mut places: HashMap<Hash, usize> = HashMap::new();
    let mut works: Vec<Work<'e>> = Vec::new();
    let mut failures = Vec::new();
    for (row, hash) in hashes.into_iter().enumerate() {
        let content_hash = match hash {
            Ok(hash) => hash,
            Err(error) => {
                failures.push((row, ProblemKind::Unreadable { detail: error.to_string() }));
                continue;
            }
        };
        match places.get(&content_hash) {
            Some(place) => works[*place].rows.push(row),
            None => {
                places.insert(content_hash, works.len());
                let content = &examples[row].content;
                works.push(Work { key: key(base, &content_hash), content_hash, content, rows: vec![row] });
            }
        }
    }
    (works, failures)
}

/// Where the cache keeps these features. Engines differ in the last bits, so each has its own.
fn key(base: &Base, content: &Hash) -> Hash {
    let mut hasher = store::Hasher::new("dianjing.features.1");
    hasher.field("content", content.as_bytes()).field("base", base.hash().as_bytes());
    hasher.field("engine", base.engine_name().as_bytes()).finish()
}

/// The features of each; texts go through the network together.
fn compute(base: &Base, works: &[Work<'_>], cancel: &AtomicBool) -> Vec<Result<Embedded, BaseError>> {
    match works.iter().map(Work::text).collect::<Option<Vec<&str>>>() {
        Some(texts) if base.modality() == Modality::Text => {
            let whole = |features| Embedded { features, damage: None };
            base.embed_texts(&texts).into_iter().map(|features| features.map(whole)).collect()
        }
        _ => works.iter().map(|work| compute_one(base, work, cancel)).collect(),
    }
}

fn compute_one(base: &Base, work: &Work<'_>, cancel: &AtomicBool) -> Result<Embedded, BaseError> {
    let input = match work.content {
        Content::Text(text) => Input::Text(text.clone()),
        Content::Sound(path) => Input::SoundFile(path.clone()),
        Content::Piece(path, span) => {
            let piece = sound::piece(path, *span)?;
            let embedded = base.embed_until(&Input::Sound(piece.bytes), cancel)?;
            return Ok(Embedded { damage: embedded.damage.or(piece.damage), ..embedded });
        }
        Content::Video(path) => Input::VideoFile(path.clone()),
        Content::Series(path) => Input::SeriesFile(path.clone()),
        Content::Senses(_) => return Err(PrepError::OtherKind { expected: "one sense at a time" }.into()),
        Content::Image(path) => {
            let bytes =
                std::fs::read(path).map_err(|error| PrepError::Unreadable { detail: error.to_string() })?;
            // What is kept under a hash has to be computed from the bytes that have it.
            if Hash::of(&bytes) != work.content_hash {
                return Err(
                    PrepError::Unreadable { detail: "it changed while it was read".to_owned() }.into()
                );
            }
            Input::Image(bytes)
        }
    };
    base.embed_until(&input, cancel)
}

/// Sorts what is the example's fault from what is not.
fn problem_kind(error: BaseError) -> Result<ProblemKind, ExtractError> {
    match error {
        BaseError::Prep(error) => Ok(error.into()),
        BaseError::Tokenizer(error @ TokenizerError::Encode { .. }) => {
            Ok(ProblemKind::BadRow { detail: error.to_string() })
        }
        error => Err(error.into()),
    }
}

fn problem(example: &Example, kind: ProblemKind) -> Problem {
    let path = example.content.file().unwrap_or(&example.origin.path).to_owned();
    Problem { kind, path, row: example.origin.row, column: None }
}
