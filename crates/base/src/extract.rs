//! Features of many examples: found in the cache, or decoded, prepared, inferred and kept.
//!
//! Every worker takes one example through all steps, so reading, decoding and inferring overlap and no core waits. One
//! example is one run of a single-threaded network: the result does not depend on the number of threads or on what else is
//! in the batch.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use dataset::{Content, Example, Problem, ProblemKind};
use rayon::prelude::*;
use store::{Hash, StoreError, VectorStore};

use crate::Base;
use crate::open::{BaseError, Input};

/// Vectors are written to the disk after this many: what a stopped run loses at most.
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
    content: &'e Content,
    rows: Vec<usize>,
}

/// Computes the features of all examples, or finds them in `store`.
///
/// Examples that cannot be read or decoded become problems. When `cancel` becomes true the work stops between examples;
/// what was computed is kept.
pub fn extract(
    base: &Base,
    examples: &[&Example],
    store: &VectorStore,
    cancel: &AtomicBool,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(Features, Vec<Problem>), ExtractError> {
    let total = examples.len();
    let (works, mut failures) = distinct(base, examples);
    let mut rows: Vec<Option<Vec<f32>>> = vec![None; total];
    let (known, todo): (Vec<Work<'_>>, Vec<Work<'_>>) = works.into_iter().partition(|work| store.contains(&work.key));
    let cached = known.iter().map(|work| work.rows.len()).sum();
    let done = Mutex::new(Progress { done: cached + failures.len(), total, cached });
    progress(*done.lock().expect("no thread panics while it counts"));
    for work in &known {
        let vector = store.get(&work.key);
        work.rows.iter().for_each(|row| rows[*row].clone_from(&vector));
    }
    for chunk in todo.chunks(KEEP_EVERY) {
        let computed: Vec<Option<Result<Vec<f32>, BaseError>>> = chunk
            .par_iter()
            .map(|work| {
                let result = (!cancel.load(Ordering::Relaxed)).then(|| compute(base, work.content));
                let mut done = done.lock().expect("no thread panics while it counts");
                done.done += work.rows.len();
                progress(*done);
                result
            })
            .collect();
        let mut fresh = Vec::new();
        for (work, result) in chunk.iter().zip(computed) {
            match result {
                None => {}
                Some(Ok(vector)) => {
                    work.rows.iter().for_each(|row| rows[*row] = Some(vector.clone()));
                    fresh.push((work.key, vector));
                }
                Some(Err(BaseError::Prep(error))) => failures.extend(work.rows.iter().map(|row| (*row, error.clone().into()))),
                Some(Err(error)) => return Err(error.into()),
            }
        }
        store.append(&fresh)?;
        if cancel.load(Ordering::Relaxed) {
            break;
        }
    }
    failures.sort_by_key(|(row, _)| *row);
    let problems = failures.into_iter().map(|(row, kind)| problem(examples[row], kind)).collect();
    Ok((Features { rows, cached }, problems))
}

/// The examples by content: the same bytes are computed once, however often they occur.
fn distinct<'e>(base: &Base, examples: &[&'e Example]) -> (Vec<Work<'e>>, Vec<(usize, ProblemKind)>) {
    let keys: Vec<Result<Hash, ProblemKind>> = examples
        .par_iter()
        .map(|example| {
            let content = dataset::content_hash(&example.content);
            let content = content.map_err(|error| ProblemKind::Unreadable { detail: error.to_string() })?;
            Ok(store::Hasher::new("dianjing.features.1").field("content", content.as_bytes()).field("base", base.hash().as_bytes()).finish())
        })
        .collect();
    let mut places: HashMap<Hash, usize> = HashMap::new();
    let mut works: Vec<Work<'e>> = Vec::new();
    let mut failures = Vec::new();
    for (row, key) in keys.into_iter().enumerate() {
        match key {
            Err(kind) => failures.push((row, kind)),
            Ok(key) => match places.get(&key) {
                Some(place) => works[*place].rows.push(row),
                None => {
                    places.insert(key, works.len());
                    works.push(Work { key, content: &examples[row].content, rows: vec![row] });
                }
            },
        }
    }
    (works, failures)
}

fn compute(base: &Base, content: &Content) -> Result<Vec<f32>, BaseError> {
    base.embed(&match content {
        Content::Text(text) => Input::Text(text.clone()),
        Content::Image(path) => match std::fs::read(path) {
            Ok(bytes) => Input::Image(bytes),
            Err(error) => return Err(crate::prep::PrepError::Broken { detail: error.to_string() }.into()),
        },
    })
}

fn problem(example: &Example, kind: ProblemKind) -> Problem {
    let path = match &example.content {
        Content::Image(path) => path.clone(),
        Content::Text(_) => example.origin.path.clone(),
    };
    Problem { kind, path, row: example.origin.row, column: None }
}
