//! The features of a data set, aligned with its examples; what could not be read is left out and told.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Base;
use base::extract;
use dataset::{Content, Dataset, Example, Modality, Problem};
use linalg::Matrix;
use tune::{FeatureSet, Head};

use crate::senses::whole;
use crate::{Event, Home, PipelineError, Run, Step};

/// Examples with their features, row by row.
#[derive(Debug)]
pub(crate) struct Table {
    /// The examples that could be read, in the data set's order.
    pub(crate) data: Dataset,
    /// One matrix per feature set of the base, rows as in `data.examples`.
    pub(crate) sets: Vec<FeatureSet>,
    /// The texts, when the modality is text.
    pub(crate) texts: Option<Vec<String>>,
    /// What could not be read.
    pub(crate) problems: Vec<Problem>,
}

impl Table {
    /// The pooled vectors: what neighbours, duplicates and familiarity are judged by.
    pub(crate) fn pooled(&self) -> &Matrix<f32> {
        &self.sets[0].x
    }

    /// The same table with only some rows, in the order given.
    pub(crate) fn select(&self, rows: &[usize]) -> (Vec<FeatureSet>, Option<Vec<String>>) {
        let sets = self
            .sets
            .iter()
            .map(|set| FeatureSet { name: set.name.clone(), x: set.x.select_rows(rows) })
            .collect();
        let texts = self.texts.as_ref().map(|texts| rows.iter().map(|row| texts[*row].clone()).collect());
        (sets, texts)
    }

    /// The examples of some rows with all that belongs to them, in the order given.
    pub(crate) fn only(&self, rows: &[usize]) -> Self {
        let (sets, texts) = self.select(rows);
        let mut data = self.data.clone();
        data.examples = rows.iter().map(|row| self.data.examples[*row].clone()).collect();
        Self { data, sets, texts, problems: Vec::new() }
    }

    /// What a head that sits on the same features says of a row, before any calibration.
    pub(crate) fn logits(&self, head: &Head, row: usize) -> Vec<f64> {
        let sets: BTreeMap<&str, &[f32]> =
            self.sets.iter().map(|set| (set.name.as_str(), set.x.row(row))).collect();
        head.logits(&sets, self.texts.as_ref().map(|texts| texts[row].as_str()))
    }
}

/// The features of examples of one sense, or of several side by side, with the bases that made them.
pub(crate) fn of_all_senses(
    home: &Home,
    named: Option<&str>,
    data: Dataset,
    run: &Run<'_>,
) -> Result<(Table, Vec<Arc<Base>>), PipelineError> {
    if data.modality != Modality::Senses {
        let base = home.base_for(named, &data, run)?;
        return Ok((table(home, &base, data, run)?, vec![base]));
    }
    let (senses, problems) = whole::senses(home, named, &data, run)?;
    let bases = senses.iter().map(|sense| sense.base.clone()).collect();
    Ok((Table { problems, ..whole::table(data, &senses) }, bases))
}

/// Computes, or finds in the cache, the features of every example.
pub(crate) fn table(
    home: &Home,
    base: &Arc<Base>,
    data: Dataset,
    run: &Run<'_>,
) -> Result<Table, PipelineError> {
    if base.modality() != data.modality {
        let (base, takes) = (base.id().to_owned(), base.modality());
        return Err(PipelineError::OtherModality { base, takes, got: data.modality });
    }
    run.step(Step::Features, || {
        let store = home.features_of(base)?;
        let examples: Vec<&Example> = data.examples.iter().collect();
        let progress = |progress: extract::Progress| {
            run.tell(Event::Progress {
                step: Step::Features,
                done: progress.done as u64,
                total: progress.total as u64,
                cached: progress.cached as u64,
            });
        };
        let (features, problems) = extract::extract(base, &examples, &store, run.cancel_flag(), &progress)?;
        if run.is_cancelled() {
            return Err(PipelineError::Cancelled);
        }
        for problem in &problems {
            run.tell(Event::Problem(problem.clone()));
        }
        keep_readable(base, data, features.rows, problems)
    })
}

fn keep_readable(
    base: &Base,
    mut data: Dataset,
    rows: Vec<Option<Vec<f32>>>,
    problems: Vec<Problem>,
) -> Result<Table, PipelineError> {
    let n_examples = rows.len();
    let mut kept = rows.iter().map(Option::is_some);
    data.examples.retain(|_| kept.next().unwrap_or(false));
    let rows: Vec<Vec<f32>> = rows.into_iter().flatten().collect();
    if rows.is_empty() {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        return Err(PipelineError::NothingUsable { n_examples, n_problems: problems.len(), first });
    }
    let mut start = 0;
    let mut sets = Vec::new();
    for set in base.layout() {
        let values = rows.iter().flat_map(|row| row[start..start + set.dim].iter().copied()).collect();
        sets.push(FeatureSet { name: set.name.clone(), x: Matrix::from_vec(rows.len(), set.dim, values) });
        start += set.dim;
    }
    let texts = data.examples.iter().map(|example| match &example.content {
        Content::Text(text) => Some(text.clone()),
        _ => None,
    });
    let texts = texts.collect();
    Ok(Table { data, sets, texts, problems })
}
