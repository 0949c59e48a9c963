//! From rows to examples: contents, votes, targets, groups and parts.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::columns::{self, Columns};
use super::contents::ContentColumn;
use super::{Cell, Labels, ReadOptions, Row, Table, TaskKind, ids, votes};
use crate::task::{self, Decided, Kind};
use crate::{
    Content, Dataset, Decision, Example, ExampleId, Modality, Origin, Part, Problem, ProblemKind, ReadError,
    Sense, Span, Target, Task, Vote,
};

/// Bytes of the longest cell that describes an example.
const LONGEST_DETAIL: usize = 200;

/// A table with where it came from.
pub(super) struct Source {
    pub(super) table: Table,
    pub(super) file: PathBuf,
    /// The part that the file's or the folder's name declares.
    pub(super) part: Option<Part>,
}

/// A row on its way to becoming an example.
pub(super) struct Draft {
    pub(super) example: Example,
    pub(super) label: Cell,
    /// Whether the id was given, not made of file and row.
    pub(super) has_own_id: bool,
}

/// Makes a data set of the tables found at `root`.
pub(super) fn dataset(
    root: &Path,
    sources: &[Source],
    layout: &str,
    options: &ReadOptions,
    labels: Labels,
) -> Result<(Dataset, Vec<Problem>), ReadError> {
    // A test table may lack labels; what is to be learned is decided by one that teaches.
    let lead = sources.iter().find(|source| source.part != Some(Part::Test)).unwrap_or(&sources[0]);
    let columns = columns::find(&lead.file, &lead.table, options, labels.are_required())?;
    let mut problems: Vec<Problem> = columns.told_of_times(&lead.file, &lead.table).into_iter().collect();
    problems.extend(columns.told_of_files(&lead.file, &lead.table));
    let drafts = drafts(root, sources, &lead.table, &columns, &mut problems)?;
    let kind = kind_of(&drafts, options);
    let name = |column: usize| lead.table.columns[column].clone();
    let label_name = columns.label.map(name);
    let drafts = match columns.annotator {
        Some(_) => {
            let votes = without_misfits(drafts, &kind, label_name.as_deref(), &mut problems);
            votes::join(votes, &kind, &mut problems)
        }
        None => drafts,
    };
    if drafts.is_empty() {
        return Err(match problems.first() {
            Some(first) => ReadError::NothingUsable { path: root.to_owned(), first: first.to_string() },
            None => ReadError::NoRows { path: root.to_owned() },
        });
    }
    let cells: Vec<&Cell> = drafts.iter().map(|draft| &draft.label).collect();
    let decided = task::decide(&cells, label_name.as_deref().unwrap_or("label"), &kind);
    tell_misfits(&drafts, &decided, label_name.as_deref(), &mut problems);
    let rivals: Vec<String> = columns.label_rivals.iter().copied().map(name).collect();
    let decision = Decision {
        layout: layout.to_owned(),
        content: columns.contents.iter().map(|content| name(content.column)).collect::<Vec<_>>().join(", "),
        task: task_name(&decided.task).to_owned(),
        why: why(&kind, label_name.as_deref(), &rivals, columns.annotator.is_some()),
        label: label_name,
    };
    let mut examples: Vec<Example> = drafts.into_iter().map(|draft| draft.example).collect();
    for (example, target) in examples.iter_mut().zip(decided.targets) {
        example.target = target;
    }
    ids::make_unique(root, &mut examples);
    let dataset = Dataset {
        name: name_of(root),
        root: root.to_owned(),
        task: decided.task,
        decision,
        modality: columns.modality(),
        senses: columns.senses(&lead.table),
        examples,
    };
    check_classes(&dataset, labels, &mut problems)?;
    Ok((dataset, problems))
}

fn drafts(
    root: &Path,
    sources: &[Source],
    lead: &Table,
    columns: &Columns,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Draft>, ReadError> {
    let mut drafts = Vec::new();
    for source in sources {
        let columns = columns.in_table(&source.file, lead, &source.table)?;
        for row in &source.table.rows {
            match draft(root, source, row, &columns, problems) {
                Ok(draft) => drafts.push(draft),
                Err(problem) => problems.push(problem),
            }
        }
    }
    Ok(drafts)
}

fn kind_of(drafts: &[Draft], options: &ReadOptions) -> Kind {
    let cells: Vec<&Cell> = drafts.iter().map(|draft| &draft.label).collect();
    task::kind_of(&cells, options.task, options.separator)
}

/// What was decided and why, with the flags that decide otherwise.
fn why(kind: &Kind, label: Option<&str>, rivals: &[String], has_votes: bool) -> String {
    let mut why = kind.why.clone();
    if has_votes && kind.kind == TaskKind::Regression {
        why.push_str("; the numbers of several annotators are averaged");
    }
    let (same, others): (Vec<&String>, Vec<&String>) =
        rivals.iter().partition(|rival| Some(rival.as_str()) == label);
    let Some(label) = label else { return why };
    if !same.is_empty() {
        let n = same.len() + 1;
        why.push_str(&format!(
            "; {n} columns are called `{label}` and the first was taken: rename it to take another"
        ));
    }
    if let Some(first) = others.first() {
        let all = others.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        why.push_str(&format!(
            "; column `{label}` was taken as the label, {all} could be one too: pass --label {first} to take that"
        ));
    }
    why
}

fn draft(
    root: &Path,
    source: &Source,
    row: &Row,
    columns: &Columns,
    problems: &mut Vec<Problem>,
) -> Result<Draft, Problem> {
    let Source { file, part, .. } = source;
    let text_of =
        |column: Option<usize>| column.map(|column| row.cells[column].text()).filter(|text| !text.is_empty());
    let content = content(source, row, columns, problems)?;
    // `train/1.png` says its part as the folders of classes do.
    let folder_part = || {
        let in_files = columns.contents.iter().filter(|content| content.modality.is_in_files());
        let mut named = in_files.map(|content| row.cells[content.column].text());
        named.find_map(|name| name.split(['/', '\\']).next().and_then(Part::from_name))
    };
    // Pieces of one sound stay together: they have more in common than their labels.
    let cut_from = columns.span.and(content.file()).map(|path| name_below(root, path));
    let own_id = text_of(columns.id);
    let has_own_id = own_id.is_some();
    let example = Example {
        id: ExampleId(own_id.unwrap_or_else(|| format!("{}:{}", ids::place_of(root, file), row.number))),
        content,
        target: Target::Unlabelled,
        votes: text_of(columns.annotator)
            .zip(text_of(columns.label))
            .map(|(annotator, label)| Vote { annotator, label })
            .into_iter()
            .collect(),
        group: text_of(columns.group).or(cut_from),
        part: part
            .or_else(|| text_of(columns.part).and_then(|part| Part::from_name(&part)))
            .or_else(folder_part),
        details: details(source, row, columns),
        origin: Origin { path: file.clone(), row: Some(row.number) },
    };
    let label = columns.label.map_or(Cell::Empty, |label| row.cells[label].clone());
    Ok(Draft { example, label, has_own_id })
}

/// What the example is: what one column says, or what each of several does.
fn content(
    source: &Source,
    row: &Row,
    columns: &Columns,
    problems: &mut Vec<Problem>,
) -> Result<Content, Problem> {
    let Source { table, file, .. } = source;
    let problem =
        |column: usize, kind| Problem::in_row(kind, file, row.number).column(table.columns[column].clone());
    let of = |content: &ContentColumn| match (content.modality, row.cells[content.column].text()) {
        (_, text) if text.is_empty() => Err(ProblemKind::EmptyCell),
        (Modality::Text, text) => Ok(Content::Text(text)),
        (modality, name) => file_beside(file, &name).map(|path| Content::in_file(modality, path)),
    };
    if !columns.several {
        let only = &columns.contents[0];
        let whole = of(only).map_err(|kind| problem(only.column, kind))?;
        return match (whole, columns.span) {
            (Content::Sound(path), Some((start, end))) => {
                let [from, to] = [start, end].map(|column| row.cells[column].text());
                piece(path, &from, &to)
                    .ok_or_else(|| problem(start, ProblemKind::NotAPiece { start: from, end: to }))
            }
            (whole, _) => Ok(whole),
        };
    }
    let mut senses = BTreeMap::new();
    for content in &columns.contents {
        let sense = table.columns[content.column].clone();
        match of(content) {
            Ok(there) => {
                senses.insert(sense, there);
            }
            // A sense that nobody recorded needs no word.
            Err(ProblemKind::EmptyCell) => {}
            Err(reason) => {
                let kind = ProblemKind::WithoutSense { sense, reason: Box::new(reason) };
                problems.push(problem(content.column, kind));
            }
        }
    }
    if senses.is_empty() {
        return Err(problem(columns.contents[0].column, ProblemKind::EmptyCell));
    }
    Ok(Content::Senses(senses))
}

/// The same example as one of several senses, where its table has a column for only one of them.
pub(super) fn of_senses(mut example: Example, senses: &[Sense]) -> Example {
    if let ([only], false) = (senses, matches!(example.content, Content::Senses(_))) {
        example.content = Content::Senses(BTreeMap::from([(only.name.clone(), example.content)]));
    }
    example
}

/// What the columns without a role say, as far as it is short: texts of their own describe no example.
fn details(source: &Source, row: &Row, columns: &Columns) -> BTreeMap<String, String> {
    let free = (0..source.table.columns.len()).filter(|column| !columns.has_role(*column));
    let told = free.map(|column| (source.table.columns[column].clone(), row.cells[column].text()));
    told.filter(|(_, text)| !text.is_empty() && text.len() <= LONGEST_DETAIL).collect()
}

/// A piece of a sound between two times in seconds: an empty start is the beginning, an empty end the end, and both are all of it.
fn piece(path: PathBuf, start: &str, end: &str) -> Option<Content> {
    let seconds = |text: &str| text.trim().parse::<f64>().ok();
    let start = if start.is_empty() { Some(0.0) } else { seconds(start) }?;
    let end = if end.is_empty() { None } else { Some(seconds(end)?) };
    if start == 0.0 && end.is_none() {
        return Some(Content::Sound(path));
    }
    Span::seconds(start, end).map(|span| Content::Piece(path, span))
}

/// One name for a file, however the rows of tables name it: below what is read, where it lies there.
fn name_below(root: &Path, path: &Path) -> String {
    let folder = if root.is_file() { root.parent().unwrap_or(Path::new("")) } else { root };
    let plain: PathBuf = path.components().collect();
    plain.strip_prefix(folder).unwrap_or(&plain).to_string_lossy().replace('\\', "/")
}

/// A file named in a row: relative to the table, never outside its folder.
pub(super) fn file_beside(file: &Path, name: &str) -> Result<PathBuf, ProblemKind> {
    let relative = Path::new(name);
    let folder = file.parent().unwrap_or(Path::new(""));
    if !relative.is_absolute() && relative.components().any(|part| part == Component::ParentDir) {
        return Err(ProblemKind::OutsideRoot { name: name.to_owned() });
    }
    let path = folder.join(relative);
    if path.is_file() {
        return Ok(path);
    }
    // Tables written on Windows have backslashes between folders.
    let turned = name.replace('\\', "/");
    if turned != name {
        return file_beside(file, &turned).map_err(|_| ProblemKind::MissingFile { name: name.to_owned() });
    }
    Err(ProblemKind::MissingFile { name: name.to_owned() })
}

/// Votes that are no numbers where numbers are asked for are told and left out, so that they do not count in a mean.
fn without_misfits(
    mut drafts: Vec<Draft>,
    kind: &Kind,
    label: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Vec<Draft> {
    if kind.kind == TaskKind::Regression {
        drafts.retain(|draft| {
            let fits = draft.label.is_empty() || draft.label.number().is_some();
            if !fits {
                problems.push(not_a_number(draft, draft.label.text(), label));
            }
            fits
        });
    }
    drafts
}

fn tell_misfits(drafts: &[Draft], decided: &Decided, label: Option<&str>, problems: &mut Vec<Problem>) {
    let told = |(row, value): &(usize, String)| not_a_number(&drafts[*row], value.clone(), label);
    problems.extend(decided.misfits.iter().map(told));
}

fn not_a_number(draft: &Draft, value: String, label: Option<&str>) -> Problem {
    let Origin { path, row } = &draft.example.origin;
    let kind = ProblemKind::NotANumber { value };
    Problem { kind, path: path.clone(), row: *row, column: label.map(str::to_owned) }
}

/// One class cannot be learned; a class with one example can, but not be checked.
pub(super) fn check_classes(
    dataset: &Dataset,
    labels: Labels,
    problems: &mut Vec<Problem>,
) -> Result<(), ReadError> {
    let Task::SingleLabel { classes } = &dataset.task else { return Ok(()) };
    if labels != Labels::Needed {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_in_two_folders_have_two_names() {
        let root = tempfile::tempdir().unwrap();
        let below = |name: &str| name_below(root.path(), &root.path().join(name));
        assert_eq!(
            (below("train/a.wav"), below("./test/a.wav")),
            ("train/a.wav".into(), "test/a.wav".into())
        );
        let table = root.path().join("list.csv");
        std::fs::write(&table, "file,start,end\n").unwrap();
        assert_eq!(name_below(&table, &root.path().join("a.wav")), "a.wav");
        assert_eq!(name_below(&table, Path::new("/else/a.wav")), "/else/a.wav");
    }
}
