//! What labelling each example costs, from a column of the table it came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::read::{Table as Rows, read_rows};
use dataset::{Dataset, Example, Target};

use super::Amount;
use crate::PipelineError;

/// Why a cost is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum CostError {
    /// The example is a file, not a row.
    #[error("`{id}` is not a row of a table, so no column says what it costs")]
    NoTable { id: String },
    /// The table has no such column.
    #[error("`{}` has no column `{column}` with costs; it has {}", path.display(), existing.join(", "))]
    NoColumn { path: PathBuf, column: String, existing: Vec<String> },
    /// The cell holds no positive number.
    #[error("row {row} of `{}` has the cost `{value}`, which is not a positive number", path.display())]
    NotPositive { path: PathBuf, row: u64, value: String },
}

/// Costs by file and row.
#[derive(Debug)]
pub(super) struct Costs(BTreeMap<(PathBuf, u64), f64>);

impl Costs {
    /// `[n]`: 0 for what is labelled already.
    pub(super) fn of(&self, data: &Dataset) -> Vec<f64> {
        let cost = |example: &Example| {
            let row = example.origin.row?;
            self.0.get(&(example.origin.path.clone(), row)).copied()
        };
        data.examples.iter().map(|example| cost(example).unwrap_or(0.0)).collect()
    }
}

/// The costs of all examples without a label; `None` where examples are counted.
pub(super) fn costs(data: &Dataset, budget: &Amount) -> Result<Option<Costs>, PipelineError> {
    let Amount::Cost { column, .. } = budget else { return Ok(None) };
    let mut tables: BTreeMap<PathBuf, Rows> = BTreeMap::new();
    let mut costs = BTreeMap::new();
    for example in data.examples.iter().filter(|example| example.target == Target::Unlabelled) {
        let path = &example.origin.path;
        let Some(row) = example.origin.row else {
            return Err(CostError::NoTable { id: example.id.0.clone() }.into());
        };
        if !tables.contains_key(path) {
            tables.insert(path.clone(), read_rows(path)?.0);
        }
        costs.insert((path.clone(), row), cost(path, &tables[path], row, column)?);
    }
    Ok(Some(Costs(costs)))
}

fn cost(path: &Path, table: &Rows, number: u64, column: &str) -> Result<f64, CostError> {
    let Some(place) = table.column(column) else {
        return Err(CostError::NoColumn {
            path: path.to_owned(),
            column: column.to_owned(),
            existing: table.columns.clone(),
        });
    };
    // Rows are in the order of their numbers.
    let at = table.rows.partition_point(|row| row.number < number);
    let cell = table.rows.get(at).filter(|row| row.number == number).map(|row| &row.cells[place]);
    match cell.and_then(dataset::read::Cell::number) {
        Some(value) if value > 0.0 => Ok(value),
        _ => Err(CostError::NotPositive {
            path: path.to_owned(),
            row: number,
            value: cell.map(dataset::read::Cell::text).unwrap_or_default(),
        }),
    }
}
