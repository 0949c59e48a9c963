//! All senses side by side: what belongs together, and which examples are alike on the whole.

use std::collections::BTreeSet;
use std::ops::Range;

use dataset::{Dataset, Modality, Problem, ProblemKind, Sense};
use linalg::Matrix;
use tune::FeatureSet;

use super::check_base;
use super::each::OneSense;
use crate::audit::{self, Relations};
use crate::features::Table;
use crate::{Event, Home, PipelineError, Run};

/// Computes, or finds in the cache, the features of every sense that any example has. One of which nothing can be read is passed over;
/// this and what else is wrong with files is told.
///
/// # Errors
/// When not one sense can be read; when the machine or the person is why one cannot.
pub(crate) fn senses(
    home: &Home,
    named: Option<&str>,
    data: &Dataset,
    run: &Run<'_>,
) -> Result<(Vec<OneSense>, Vec<Problem>), PipelineError> {
    check_base(home, named, data)?;
    let (mut senses, mut problems, mut first) = (Vec::new(), Vec::new(), None);
    let is_there = |sense: &&Sense| !data.of_sense(sense).1.is_empty();
    for sense in data.senses.iter().filter(is_there) {
        match OneSense::new(home, named, data, sense, run) {
            Ok(one) => {
                problems.extend(one.table.problems.iter().cloned());
                senses.push(one);
            }
            Err(PipelineError::Sense { sense, source }) => {
                let kind = ProblemKind::SenseNotLearned { sense, detail: source.to_string() };
                let problem = Problem::in_file(kind, &data.root);
                run.tell(Event::Problem(problem.clone()));
                problems.push(problem);
                first.get_or_insert(*source);
            }
            Err(error) => return Err(error),
        }
    }
    if senses.is_empty() {
        let n_examples = data.examples.len();
        let nothing = PipelineError::NothingUsable { n_examples, n_problems: 0, first: String::new() };
        return Err(first.unwrap_or(nothing));
    }
    Ok((senses, problems))
}

/// Where what one sense sees stands among what all of them see.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Its name; empty where there is one sense only.
    pub(crate) sense: String,
    /// Catalogue id.
    pub(crate) base: String,
    pub(crate) columns: Range<usize>,
}

/// Looks at all senses of the examples, and puts what they see side by side. Examples without any sense that can be read are passed over.
///
/// # Errors
/// As [`senses`].
pub(crate) fn look(home: &Home, data: Dataset, run: &Run<'_>) -> Result<(Table, Vec<Part>), PipelineError> {
    let (senses, problems) = senses(home, None, &data, run)?;
    let table = table_of(data, &senses, &seen(&senses));
    let mut start = 0;
    let part = |of: &OneSense| {
        let columns = start..start + of.table.pooled().cols();
        start = columns.end;
        Part { sense: of.sense.name.clone(), base: of.base.id().to_owned(), columns }
    };
    let parts = senses.iter().map(part).collect();
    Ok((Table { problems, ..table }, parts))
}

/// The examples of which any sense could be read, ascending.
pub(crate) fn seen(senses: &[OneSense]) -> Vec<usize> {
    let places: BTreeSet<usize> = senses.iter().flat_map(|sense| sense.places.iter().copied()).collect();
    places.into_iter().collect()
}

/// The [`table`] of these examples alone, ascending.
pub(crate) fn table_of(data: Dataset, senses: &[OneSense], rows: &[usize]) -> Table {
    let whole = table(data, senses);
    let (sets, texts) = whole.select(rows);
    let Table { mut data, problems, .. } = whole;
    let mut kept = vec![false; data.examples.len()];
    rows.iter().for_each(|row| kept[*row] = true);
    let mut kept = kept.into_iter();
    data.examples.retain(|_| kept.next().unwrap_or(false));
    Table { data, sets, texts, problems }
}

/// The examples with the vectors of all senses side by side, each of length 1, or zeros where it is missing.
pub(crate) fn table(data: Dataset, senses: &[OneSense]) -> Table {
    let n = data.examples.len();
    let dim: usize = senses.iter().map(|sense| sense.table.pooled().cols()).sum();
    let mut x = Matrix::zeros(n, dim);
    let mut start = 0;
    for sense in senses {
        let pooled = sense.table.pooled();
        for (row, place) in sense.places.iter().enumerate() {
            let vector = pooled.row(row);
            lay(vector, &mut x.row_mut(*place)[start..start + vector.len()]);
        }
        start += pooled.cols();
    }
    let sets = vec![FeatureSet { name: "senses".to_owned(), x }];
    Table { data, sets, texts: None, problems: Vec::new() }
}

/// Lays a vector down with length 1; one without a direction is as none.
pub(crate) fn lay(vector: &[f32], to: &mut [f32]) {
    let length = linalg::dot(vector, vector).sqrt() as f32;
    if length > 0.0 {
        to.iter_mut().zip(vector).for_each(|(to, value)| *to = value / length);
    }
}

/// Examples of which one sense is the same are kept together. Short texts are alike for other reasons; they count only where
/// there is nothing else.
pub(crate) fn relations(
    data: &Dataset,
    senses: &[OneSense],
    run: &Run<'_>,
) -> Result<Relations, PipelineError> {
    let only_texts = senses.iter().all(|sense| sense.sense.modality == Modality::Text);
    let mut duplicates = Vec::new();
    for sense in senses.iter().filter(|sense| only_texts || sense.sense.modality != Modality::Text) {
        duplicates.extend(sense.copies(run)?);
    }
    let names = data.examples.iter().map(|example| example.group.as_deref());
    let groups = audit::joined(names, &duplicates);
    Ok(Relations { duplicates, groups })
}
