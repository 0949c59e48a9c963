//! From rows to examples: contents, votes, targets, groups and parts.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::columns::{self, Columns};
use super::{Cell, Labels, ReadOptions, Row, Table};
use crate::task::{self, Decided};
use crate::{
    Content, Dataset, Decision, Example, ExampleId, Modality, Origin, Part, Problem, ProblemKind, ReadError,
    Target, Task, Vote,
};

/// A row on its way to becoming an example.
struct Draft {
    example: Example,
    label: Cell,
}

/// Makes a data set of one or more tables with the same columns; each may be a declared part.
pub(super) fn dataset(
    path: &Path,
    tables: &[(Table, Option<(PathBuf, Part)>)],
    layout: &str,
    options: &ReadOptions,
    labels: Labels,
) -> Result<(Dataset, Vec<Problem>), ReadError> {
    let first = &tables[0].0;
    let columns = columns::find(path, first, options, labels == Labels::Needed)?;
    let mut problems = Vec::new();
    let mut drafts = Vec::new();
    for (table, declared) in tables {
        let file = declared.as_ref().map_or(path, |(file, _)| file);
        let columns = if table.columns == first.columns {
            columns.clone()
        } else {
            columns::find(file, table, options, labels == Labels::Needed)?
        };
        for row in &table.rows {
            match draft(file, row, &columns, table, declared.as_ref().map(|(_, part)| *part)) {
                Ok(draft) => drafts.push(draft),
                Err(problem) => problems.push(problem),
            }
        }
    }
    let drafts = if columns.annotator.is_some() { join_votes(drafts, &mut problems) } else { drafts };
    if drafts.is_empty() {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        return Err(ReadError::NothingUsable { path: path.to_owned(), first });
    }
    let label_name = columns.label.map(|label| first.columns[label].clone());
    let cells: Vec<Cell> = drafts.iter().map(|draft| draft.label.clone()).collect();
    let decided =
        task::decide(&cells, label_name.as_deref().unwrap_or("label"), options.task, options.separator);
    tell_misfits(&drafts, &decided, label_name.as_deref(), &mut problems);
    let decision = Decision {
        layout: layout.to_owned(),
        content: first.columns[columns.content].clone(),
        label: label_name,
        task: task_name(&decided.task).to_owned(),
        why: decided.why,
    };
    let mut examples: Vec<Example> = drafts.into_iter().map(|draft| draft.example).collect();
    for (example, target) in examples.iter_mut().zip(decided.targets) {
        example.target = target;
    }
    let dataset = Dataset {
        name: name_of(path),
        root: path.to_owned(),
        task: decided.task,
        decision,
        modality: columns.modality,
        examples,
    };
    check_classes(&dataset, labels, &mut problems)?;
    Ok((dataset, problems))
}

fn draft(
    file: &Path,
    row: &Row,
    columns: &Columns,
    table: &Table,
    declared: Option<Part>,
) -> Result<Draft, Problem> {
    let text_of =
        |column: Option<usize>| column.map(|column| row.cells[column].text()).filter(|text| !text.is_empty());
    let problem =
        |kind| Problem::in_row(kind, file, row.number).column(table.columns[columns.content].clone());
    let content = text_of(Some(columns.content)).ok_or_else(|| problem(ProblemKind::EmptyCell))?;
    let content = match columns.modality {
        Modality::Text => Content::Text(content),
        Modality::Image => Content::Image(image_beside(file, &content).map_err(problem)?),
    };
    let file_name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let example = Example {
        id: ExampleId(text_of(columns.id).unwrap_or_else(|| format!("{file_name}:{}", row.number))),
        content,
        target: Target::Unlabelled,
        votes: text_of(columns.annotator)
            .zip(text_of(columns.label))
            .map(|(annotator, label)| Vote { annotator, label })
            .into_iter()
            .collect(),
        group: text_of(columns.group),
        part: declared.or_else(|| text_of(columns.part).and_then(|part| Part::from_name(&part))),
        origin: Origin { path: file.to_owned(), row: Some(row.number) },
    };
    Ok(Draft { example, label: columns.label.map_or(Cell::Empty, |label| row.cells[label].clone()) })
}

/// A picture named in a row: relative to the table, never outside its folder.
fn image_beside(file: &Path, name: &str) -> Result<PathBuf, ProblemKind> {
    let relative = Path::new(name);
    let folder = file.parent().unwrap_or(Path::new(""));
    if !relative.is_absolute() && relative.components().any(|part| part == Component::ParentDir) {
        return Err(ProblemKind::OutsideRoot { name: name.to_owned() });
    }
    let path = folder.join(relative);
    if path.is_file() { Ok(path) } else { Err(ProblemKind::MissingFile { name: name.to_owned() }) }
}

/// Rows about the same example become one: the label most annotators gave, the first in the alphabet on a tie.
fn join_votes(drafts: Vec<Draft>, problems: &mut Vec<Problem>) -> Vec<Draft> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut joined: Vec<Draft> = Vec::new();
    for draft in drafts {
        let key = match &draft.example.content {
            Content::Text(text) => text.clone(),
            Content::Image(path) => path.to_string_lossy().into_owned(),
        };
        match places.get(&key) {
            Some(place) => joined[*place].example.votes.extend(draft.example.votes),
            None => {
                places.insert(key, joined.len());
                joined.push(draft);
            }
        }
    }
    for draft in &mut joined {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for vote in &draft.example.votes {
            *counts.entry(&vote.label).or_default() += 1;
        }
        let most = counts.values().copied().max().unwrap_or(0);
        let winners: Vec<String> = counts
            .iter()
            .filter(|(_, count)| **count == most)
            .map(|(label, _)| (*label).to_owned())
            .collect();
        let Some(taken) = winners.first().cloned() else { continue };
        if winners.len() > 1 {
            let Origin { path, row } = &draft.example.origin;
            problems.push(Problem {
                kind: ProblemKind::Tie { labels: winners, taken: taken.clone() },
                path: path.clone(),
                row: *row,
                column: None,
            });
        }
        draft.label = Cell::Text(taken);
    }
    joined
}

fn tell_misfits(drafts: &[Draft], decided: &Decided, label: Option<&str>, problems: &mut Vec<Problem>) {
    for (row, value) in &decided.misfits {
        let Origin { path, row } = &drafts[*row].example.origin;
        let kind = ProblemKind::NotANumber { value: value.clone() };
        problems.push(Problem { kind, path: path.clone(), row: *row, column: label.map(str::to_owned) });
    }
}

/// One class cannot be learned; a class with one example can, but not be checked.
pub(super) fn check_classes(
    dataset: &Dataset,
    labels: Labels,
    problems: &mut Vec<Problem>,
) -> Result<(), ReadError> {
    let Task::SingleLabel { classes } = &dataset.task else { return Ok(()) };
    if labels == Labels::Ignored {
        return Ok(());
    }
    let mut counts = vec![0; classes.len()];
    for example in dataset.examples.iter().filter(|example| example.part != Some(Part::Test)) {
        if let Target::Class(class) = example.target {
            counts[class.0 as usize] += 1;
        }
    }
    if let [class] = &classes[..] {
        return Err(ReadError::OneClass { path: dataset.root.clone(), class: class.clone() });
    }
    for (class, count) in classes.iter().zip(counts).filter(|(_, count)| *count == 1) {
        problems
            .push(Problem::in_file(ProblemKind::RareClass { class: class.clone(), count }, &dataset.root));
    }
    Ok(())
}

/// The kind of task in the field's words.
pub(super) fn task_name(task: &Task) -> &'static str {
    match task {
        Task::SingleLabel { classes } if classes.len() == 2 => "binary",
        Task::SingleLabel { .. } => "single-label",
        Task::MultiLabel { .. } => "multi-label",
        Task::Regression { .. } => "regression",
    }
}

/// A short name: the file or folder without its ending, of the folder itself when the path is `.`.
pub(super) fn name_of(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = if full.is_dir() { full.file_name() } else { full.file_stem() };
    name.map_or_else(|| "data".to_owned(), |name| name.to_string_lossy().into_owned())
}
