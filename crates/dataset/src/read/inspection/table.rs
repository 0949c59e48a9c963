//! Tables of pictures for defect inspection: paths with labels, masks, groups and parts.

use std::path::{Path, PathBuf};

use super::super::columns::{self, Columns};
use super::super::rows::{Source, file_beside, name_of};
use super::super::{ReadOptions, Row, Table, ids};
use super::verdicts::{Labels, asking, is_score};
use super::{InspectionOptions, Purpose, UNNAMED_DEFECT};
use crate::{
    ExampleId, InspectionExample, InspectionSet, MeasuredOn, Modality, Part, Problem, ProblemKind, ReadError,
    Sense, Verdict, VerdictsBy, Why,
};

/// Makes a set of the tables found at `root`.
pub(super) fn read(
    root: &Path,
    sources: &[Source],
    layout: &str,
    options: &InspectionOptions,
    mut problems: Vec<Problem>,
) -> Result<(InspectionSet, Vec<Problem>), ReadError> {
    let lead = sources.iter().find(|source| source.part != Some(Part::Test)).unwrap_or(&sources[0]);
    let others = sources.iter().filter(|source| !std::ptr::eq(*source, lead));
    let all: Vec<&Table> = std::iter::once(lead).chain(others).map(|source| &source.table).collect();
    let columns = find(&lead.file, &all, options)?;
    let mut tables = Vec::with_capacity(sources.len());
    for source in sources {
        tables.push((source, columns.in_table(&source.file, &lead.table, &source.table)?));
    }
    let labels = Labels::of(&tables);
    problems.extend(columns.told_of_times(&lead.file, &lead.table));
    let mut examples = Vec::new();
    for (source, columns) in &tables {
        for row in &source.table.rows {
            match example(root, source, row, columns, labels, &mut problems) {
                Ok(example) => examples.push(example),
                Err(problem) => problems.push(problem),
            }
        }
    }
    if examples.is_empty() {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        return Err(ReadError::NothingUsable { path: root.to_owned(), first });
    }
    let by = match columns.label.map(|column| lead.table.columns[column].clone()) {
        Some(name) => {
            VerdictsBy::Column { name, either: labels.either(), blank_is_good: labels.blank_is_good }
        }
        None => VerdictsBy::NoColumn,
    };
    let has_test = examples.iter().any(|example| example.part == Some(Part::Test));
    let measured = if has_test { MeasuredOn::TestRows } else { MeasuredOn::OutOfFold };
    let why = Why { by, measured: (options.purpose == Purpose::Learn).then_some(measured) };
    let (name, root) = (name_of(root), root.to_owned());
    let modality = columns.contents[0].modality;
    Ok((InspectionSet { name, root, layout: layout.to_owned(), modality, why, examples }, problems))
}

/// The columns of the first of the tables, which the others share.
fn find(path: &Path, tables: &[&Table], options: &InspectionOptions) -> Result<Columns, ReadError> {
    let table = tables[0];
    let InspectionOptions { image, label, mask, group, part, group_by_folder: _, purpose: _, leave_out: _ } =
        options.clone();
    let image = image.map(|name| Sense { name, modality: Modality::Image });
    let contents = image.into_iter().collect();
    let options = ReadOptions { contents, label, group, part, ..ReadOptions::default() };
    let mut columns = columns::find(path, table, &options, false)?;
    if options.label.is_none() {
        let label = columns.label.filter(|column| !is_score(table, *column));
        columns.label = label.or_else(|| asking(tables)).or(columns.label);
    }
    // What other senses know of a part is not looked at; the first of these that is there is.
    let of = |modality| columns.contents.iter().copied().find(|content| content.modality == modality);
    columns.contents = of(Modality::Image)
        .or_else(|| of(Modality::Sound))
        .or_else(|| of(Modality::Video))
        .or_else(|| of(Modality::Series))
        .into_iter()
        .collect();
    if columns.contents.is_empty() {
        return Err(ReadError::NoContentColumn { path: path.to_owned(), existing: table.columns.clone() });
    }
    if let Some(column) = mask {
        let place = table.column(&column);
        let existing = || table.columns.clone();
        let no_column = || ReadError::NoColumn { path: path.to_owned(), column, existing: existing() };
        columns.mask = Some(place.ok_or_else(no_column)?);
    }
    Ok(columns)
}

fn example(
    root: &Path,
    source: &Source,
    row: &Row,
    columns: &Columns,
    labels: Labels,
    problems: &mut Vec<Problem>,
) -> Result<InspectionExample, Problem> {
    let Source { table, file, part } = source;
    let text_of = |column: usize| Some(row.cells[column].text()).filter(|text| !text.is_empty());
    let problem =
        |kind, column: usize| Problem::in_row(kind, file, row.number).column(table.columns[column].clone());
    let picture = |column: usize| -> Result<Option<PathBuf>, Problem> {
        let beside = |name: String| file_beside(file, &name).map_err(|kind| problem(kind, column));
        text_of(column).map(beside).transpose()
    };
    let content = columns.contents[0].column;
    let path = picture(content)?.ok_or_else(|| problem(ProblemKind::EmptyCell, content))?;
    if let Some(start) = columns.span.and_then(|(start, end)| text_of(start).or(text_of(end)).map(|_| start))
    {
        return Err(problem(ProblemKind::PieceOfSound, start));
    }
    // A picture whose mask is gone is still a picture.
    let mask = columns.mask.and_then(|column| {
        picture(column).unwrap_or_else(|problem| {
            problems.push(problem);
            None
        })
    });
    let verdict = match columns.label.map(|column| (column, text_of(column))) {
        Some((_, Some(label))) => labels.verdict(&label),
        Some((column, None)) if mask.is_none() && !labels.blank_is_good => {
            return Err(problem(ProblemKind::EmptyCell, column));
        }
        _ if mask.is_some() => Verdict::Defect { kind: UNNAMED_DEFECT.to_owned() },
        _ => Verdict::Good,
    };
    let by_mask = mask.is_some() && columns.label.and_then(text_of).is_none();
    Ok(InspectionExample {
        id: ExampleId(format!("{}:{}", ids::place_of(root, file), row.number)),
        path,
        verdict,
        mask,
        by_mask,
        group: columns.group.and_then(text_of),
        part: part.or_else(|| columns.part.and_then(text_of).and_then(|name| Part::from_name(&name))),
    })
}
