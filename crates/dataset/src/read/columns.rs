//! Which column is what: by what the person said, by name, then by content.

use std::collections::BTreeSet;
use std::path::Path;

use super::contents::{self, ContentColumn};
use super::{Cell, ReadOptions, Table};
use crate::{Modality, Part, Problem, ProblemKind, ReadError, Sense};

/// The roles of a table's columns, as places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    /// What the example is: at least one column.
    pub(super) contents: Vec<ContentColumn>,
    /// Whether examples have several senses, of which a table may hold one alone.
    pub(super) several: bool,
    pub(super) label: Option<usize>,
    /// Other columns whose names could be labels too, when the person did not say.
    pub(super) label_rivals: Vec<usize>,
    pub(super) group: Option<usize>,
    pub(super) annotator: Option<usize>,
    pub(super) part: Option<usize>,
    /// The picture that marks where the defect is.
    pub(super) mask: Option<usize>,
    /// Where a piece of a sound starts and ends, in seconds.
    pub(super) span: Option<(usize, usize)>,
    /// Such columns where they cut nothing, though what lies in the files has a length.
    pub(super) unused_times: Vec<usize>,
    /// Columns named for a sense whose files are of a kind that is not known, with their ending.
    pub(super) unknown_files: Vec<(usize, String)>,
    /// What names an example when several rows are about the same one.
    pub(super) id: Option<usize>,
}

/// The surest names first; from `score` on they are labels only when nothing else is.
const LABEL_NAMES: &[&str] = &[
    "label",
    "labels",
    "label(s)",
    "class",
    "category",
    "target",
    "intent",
    "tag",
    "tags",
    "sentiment",
    "domain",
    "标签",
    "类别",
    "分类",
    "意图",
    "情感",
    "领域",
    "intents",
    "answer",
    "答案",
    "y",
    "score",
    "rating",
    "评分",
];
/// Among the labels, names of columns that often hold texts of their own.
const ANSWER_NAMES: &[&str] = &["answer", "答案"];
/// Below this many answers nothing is said about how they repeat.
const FEW_ANSWERS: usize = 20;
pub(super) const GROUP_NAMES: &[&str] =
    &["group", "group_id", "lot", "batch", "camera", "patient", "author", "分组", "批次", "相机"];
pub(super) const ANNOTATOR_NAMES: &[&str] =
    &["annotator", "worker", "labeler", "labeller", "rater", "标注员", "标注人"];
pub(super) const PART_NAMES: &[&str] = &["split", "part", "partition", "subset", "划分"];
pub(super) const MASK_NAMES: &[&str] =
    &["mask", "mask_path", "mask_file", "ground_truth", "gt", "掩膜", "掩码"];
pub(super) const START_NAMES: &[&str] =
    &["start", "start_s", "start_time", "onset", "begin", "开始", "起始", "开始时间", "起始时间"];
pub(super) const END_NAMES: &[&str] = &["end", "end_s", "end_time", "offset", "结束", "终止", "结束时间"];
const ID_NAMES: &[&str] = &["id", "item", "example", "编号"];

impl Columns {
    /// Whether a column says what the example is, rather than something about it.
    pub(super) fn has_role(&self, column: usize) -> bool {
        let (start, end) = self.span.unzip();
        let Self { contents, label, group, annotator, part, mask, id, .. } = self;
        contents.iter().any(|content| content.column == column)
            || [*label, *group, *annotator, *part, *mask, start, end, *id].contains(&Some(column))
    }

    /// What the examples are.
    pub(super) fn modality(&self) -> Modality {
        if self.several { Modality::Senses } else { self.contents[0].modality }
    }

    /// The columns with times that cut nothing, as a problem.
    pub(super) fn told_of_times(&self, file: &Path, table: &Table) -> Option<Problem> {
        let columns: Vec<String> =
            self.unused_times.iter().map(|column| table.columns[*column].clone()).collect();
        (!columns.is_empty()).then(|| Problem::in_file(ProblemKind::TimesUnused { columns }, file))
    }

    /// The columns that would be senses, were the kind of their files known, as problems.
    pub(super) fn told_of_files<'a>(
        &'a self,
        file: &'a Path,
        table: &'a Table,
    ) -> impl Iterator<Item = Problem> + 'a {
        self.unknown_files.iter().map(move |(column, ending)| {
            let kind = ProblemKind::UnknownFiles { ending: ending.clone() };
            Problem::in_file(kind, file).column(table.columns[*column].clone())
        })
    }

    /// The senses, where there are several.
    pub(super) fn senses(&self, table: &Table) -> Vec<Sense> {
        let sense = |content: &ContentColumn| Sense {
            name: table.columns[content.column].clone(),
            modality: content.modality,
        };
        if self.several { self.contents.iter().map(sense).collect() } else { Vec::new() }
    }
}

/// Decides the role of each column.
pub(super) fn find(
    path: &Path,
    table: &Table,
    options: &ReadOptions,
    labels_needed: bool,
) -> Result<Columns, ReadError> {
    let named = |name: &Option<String>| -> Result<Option<usize>, ReadError> {
        let Some(name) = name else { return Ok(None) };
        let no_column = || ReadError::NoColumn {
            path: path.to_owned(),
            column: name.clone(),
            existing: table.columns.clone(),
        };
        table.column(name).map(Some).ok_or_else(no_column)
    };
    // A column that nobody filled in is the label only when there is no other.
    let is_filled = |column: &usize| table.cells(*column).any(|cell| !cell.is_empty());
    let mut candidates = all_by_name(table, LABEL_NAMES);
    candidates.retain(|column| !holds_free_answers(table, *column));
    if let Some(sense) = options.contents.iter().find(|sense| options.label.as_ref() == Some(&sense.name)) {
        return Err(ReadError::SameColumn { path: path.to_owned(), column: sense.name.clone() });
    }
    let given = given(path, table, &options.contents)?;
    // What a person names as content is no label.
    candidates.retain(|column| given.iter().all(|content| content.column != *column));
    let label = match named(&options.label)? {
        Some(label) => Some(label),
        None => candidates.iter().copied().find(is_filled).or(candidates.first().copied()),
    };
    let contents = contents::find(path, table, &given, label, options.wanted)?;
    // Where labels may be missing, a column of another name is not taken for them.
    let label = label.or_else(|| if labels_needed { only_other_column(table, &contents) } else { None });
    if labels_needed && label.is_none() {
        return Err(ReadError::NoLabelColumn { path: path.to_owned(), existing: table.columns.clone() });
    }
    let taken: Vec<usize> = contents.iter().map(|content| content.column).chain(label).collect();
    // Who names the columns knows of the others.
    let unknown_files = if given.is_empty() {
        contents::unknown_files(table, &|column| !taken.contains(column))
    } else {
        Vec::new()
    };
    let is_rival = |column: &usize| options.label.is_none() && !taken.contains(column) && is_filled(column);
    let or_by_name = |given: Option<usize>, names: &[&str]| given.or_else(|| by_name(table, names, &taken));
    // A column called `split` whose cells are mostly something else is not about parts; a stray cell does not undo it.
    let part = or_by_name(named(&options.part)?, PART_NAMES).filter(|part| {
        let known = table.cells(*part).filter(|cell| Part::from_name(&cell.text()).is_some()).count();
        options.part.is_some() || 2 * known >= table.rows.len()
    });
    let (span, unused_times) = times(table, &contents, &taken);
    Ok(Columns {
        several: contents.len() > 1,
        contents,
        label,
        label_rivals: candidates.into_iter().filter(is_rival).collect(),
        group: or_by_name(named(&options.group)?, GROUP_NAMES),
        annotator: or_by_name(named(&options.annotator)?, ANNOTATOR_NAMES),
        part,
        mask: by_name(table, MASK_NAMES, &taken),
        span,
        unused_times,
        unknown_files,
        id: by_name(table, ID_NAMES, &taken),
    })
}

/// The columns between whose times pieces lie, and those that look like it and are none: only a sound that is the whole example has pieces.
fn times(table: &Table, contents: &[ContentColumn], taken: &[usize]) -> (Option<(usize, usize)>, Vec<usize>) {
    let is_sound = matches!(contents, [ContentColumn { modality: Modality::Sound, .. }]);
    let has_length =
        contents.iter().any(|content| matches!(content.modality, Modality::Sound | Modality::Video));
    match [START_NAMES, END_NAMES].map(|names| by_name(table, names, taken)) {
        [Some(start), Some(end)] if is_sound => (Some((start, end)), Vec::new()),
        found if has_length => (None, found.into_iter().flatten().collect()),
        _ => (None, Vec::new()),
    }
}

fn by_name(table: &Table, names: &[&str], taken: &[usize]) -> Option<usize> {
    all_by_name(table, names).into_iter().find(|column| !taken.contains(column))
}

/// The columns with one of these names, the surest name first. Case, spaces and hyphens do not matter.
pub(super) fn all_by_name(table: &Table, names: &[&str]) -> Vec<usize> {
    let called = |column: &String| column.trim().to_lowercase().replace([' ', '-'], "_");
    let columns: Vec<String> = table.columns.iter().map(called).collect();
    let places = |name: &&str| {
        let name = (*name).to_owned();
        columns.iter().enumerate().filter(move |(_, column)| **column == name).map(|(place, _)| place)
    };
    names.iter().flat_map(places).collect()
}

impl Columns {
    /// The same columns in another table of the data set, by name. It may lack all but the content.
    pub(super) fn in_table(&self, path: &Path, lead: &Table, table: &Table) -> Result<Self, ReadError> {
        if lead.columns == table.columns {
            return Ok(self.clone());
        }
        let same = |column: usize| table.column(&lead.columns[column]);
        let no_column = |column: usize| ReadError::NoColumn {
            path: path.to_owned(),
            column: lead.columns[column].clone(),
            existing: table.columns.clone(),
        };
        // One of several senses may be missing in a table, the only one may not.
        let there = self.contents.iter().filter_map(|content| {
            same(content.column).map(|column| ContentColumn { column, modality: content.modality })
        });
        let contents: Vec<ContentColumn> = there.collect();
        if contents.is_empty() {
            return Err(no_column(self.contents[0].column));
        }
        Ok(Self {
            contents,
            several: self.several,
            label: self.label.and_then(same),
            label_rivals: Vec::new(),
            group: self.group.and_then(same),
            annotator: self.annotator.and_then(same),
            part: self.part.and_then(same),
            mask: self.mask.and_then(same),
            span: self.span.and_then(|(start, end)| same(start).zip(same(end))),
            unused_times: Vec::new(),
            unknown_files: Vec::new(),
            id: self.id.and_then(same),
        })
    }
}

/// The columns that a person named as what examples are, each once.
fn given(path: &Path, table: &Table, senses: &[Sense]) -> Result<Vec<ContentColumn>, ReadError> {
    let mut given: Vec<ContentColumn> = Vec::new();
    for sense in senses {
        let column = table.column(&sense.name).ok_or_else(|| ReadError::NoColumn {
            path: path.to_owned(),
            column: sense.name.clone(),
            existing: table.columns.clone(),
        })?;
        if given.iter().any(|content| content.column == column) {
            return Err(ReadError::SameSense { path: path.to_owned(), column: sense.name.clone() });
        }
        given.push(ContentColumn { column, modality: sense.modality });
    }
    Ok(given)
}

/// Answers that nearly all differ are texts of their own and no classes.
fn holds_free_answers(table: &Table, column: usize) -> bool {
    if !ANSWER_NAMES.contains(&table.columns[column].trim().to_lowercase().as_str()) {
        return false;
    }
    let answers: Vec<String> = table.cells(column).filter(|cell| !cell.is_empty()).map(Cell::text).collect();
    let distinct: BTreeSet<&String> = answers.iter().collect();
    answers.len() >= FEW_ANSWERS && 10 * distinct.len() > 9 * answers.len()
}

/// In a table of two columns the other one can only be the label, if its name does not say what else it is.
fn only_other_column(table: &Table, contents: &[ContentColumn]) -> Option<usize> {
    let [content] = contents else { return None };
    let other = if table.columns.len() == 2 { 1 - content.column } else { return None };
    let known = [ID_NAMES, GROUP_NAMES, ANNOTATOR_NAMES, PART_NAMES, MASK_NAMES];
    known.iter().all(|names| !all_by_name(table, names).contains(&other)).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::parse_separated;

    #[track_caller]
    fn check(csv: &str, expect: &str) {
        let (table, _) = parse_separated(Path::new("t.csv"), csv.as_bytes()).unwrap();
        let found = find(Path::new("t.csv"), &table, &ReadOptions::default(), true);
        let got = match found {
            Ok(columns) => {
                let name =
                    |column: Option<usize>| column.map_or("-", |column| table.columns[column].as_str());
                let contents = columns.contents.iter().map(|content| name(Some(content.column)));
                format!(
                    "{} {} {} {}",
                    columns.modality(),
                    contents.collect::<Vec<_>>().join("+"),
                    name(columns.label),
                    name(columns.group)
                )
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn columns_are_found_by_name_and_by_content() {
        check("id,text,label\n1,hello there,x\n", "text text label -");
        check("文本,意图,批次\n你好吗朋友,问候,7\n", "text 文本 意图 批次");
        check("path,class\na.jpg,x\n", "image path class -");
        check("what,verdict\nthe lid is loose,bad\n", "text what verdict -");
        check("file,label,fold\na.ogg,x,1\n", "sound file label -");
        check("clip,note_to_self,label\nb.wav,loud,x\n", "sound clip label -");
        check("photo,place,label\na.png,near the rim,bad\n", "image photo label -");
        check("photo,remark,label\na.png,scratched near the rim,bad\n", "senses photo+remark label -");
        check(
            "photo,sound,note,trace,label\na.png,a.wav,it hums,a.csv,bad\n",
            "senses photo+sound+note+trace label -",
        );
        check(
            "file,front,image_1,image_2,label\na.png,b.png,c.png,d.png,bad\n",
            "senses image_1+image_2 label -",
        );
        check("image,photo,label\na/b.png,b.png,bad\n", "image image label -");
        check(
            "image,caption_en,标题_zh,label\na.png,a red hat,红帽子,hat\n",
            "senses image+caption_en+标题_zh label -",
        );
        check("trace,label\nx.parquet,worn\n", "series trace label -");
        check("image_1,image_2,label\nfront/1.png,back/1.png,x\n", "senses image_1+image_2 label -");
        check("photo,caption,caption_id,label\na.png,a red hat,77,x\n", "senses photo+caption label -");
        let stray = "photo,note,label\na.png,it hums,x\nb.png,quiet,y\nc.png,q,x\nd.png,q,y\nn/a,loud,y\n";
        check(stray, "senses photo+note label -");
        check(
            "a,b,c\nlong words here,x,y\n",
            "no column of `t.csv` looks like a label; it has `a`, `b`, `c`",
        );
        check(
            "text,labl,lot no\nlong words here,x,y\n",
            "no column of `t.csv` looks like a label; it has `text`, `labl`, `lot no`; `labl` is nearly one",
        );
        check("Text,Label(s),Group-ID\nlong words here,x,y\n", "text Text Label(s) Group-ID");
        for name in
            ["answer", "intent", "category", "class", "target", "domain", "sentiment", "label", "labels"]
        {
            check(&format!("n,question,{name}\n1,is it round?,yes\n"), &format!("text question {name} -"));
        }
        for name in ["类别", "标签", "意图"] {
            check(&format!("序号,文本,{name}\n1,你好你好,a\n"), &format!("text 文本 {name} -"));
        }
        check("a,b,text\nx,y,z\n", "no column of `t.csv` looks like a label; it has `a`, `b`, `text`");
        check(
            "item,worker,label\n1,A1VW9W0DWX,z\n",
            "no column of `t.csv` looks like text, pictures, sounds, videos or series; it has `item`, `worker`, `label`",
        );
        let faq: String = (0..30).map(|row| format!("what is it?,answer {row}\n")).collect();
        check(
            &format!("question,answer,n\n{faq}").replace("\n", ",1\n").replace("answer,n,1", "answer,n"),
            "no column of `t.csv` looks like a label; it has `question`, `answer`, `n`; `answer` is nearly one",
        );
        check("id,text\n1,z\n", "no column of `t.csv` looks like a label; it has `id`, `text`");
        check("text,label,intent\nlong words here,,x\n", "text text intent -");
    }
}
