//! What an audit looks at, wherever it came from.

use curate::attributes::Attribute;
use curate::faults::{self, Fault};
use curate::labels::{self, regression};
use curate::{Fingerprint, Look};
use dataset::{ClassIdx, Dataset, Example, Part, Target, Task, join_labels, split};
use linalg::decompose::row_space;
use linalg::{Matrix, Neighbours, Seed};

use super::attributes;
use super::media::Media;
use crate::features::Table;
use crate::report::Sentence;

/// Columns from which features are wide: those of series are, networks have fewer.
const WIDE: usize = 2048;
/// From this many classes on, and with fewer than two labels a class, labels name examples.
const MANY: usize = 20;
/// Most numbers that one view says of all labels: several such tables take a few hundred megabytes.
const MOST_SAID: usize = 10_000_000;
/// Folds that heads are asked about.
const FOLDS: usize = 5;

/// What labels answer, as far as they can be judged.
pub(super) enum Question {
    /// One class an example: [`Material::labels`].
    Classes,
    /// Any number of labels an example.
    Sets(Sets),
    /// `[n]`: a number an example.
    Numbers(Vec<Option<f64>>),
    /// Why they are not judged.
    Nothing(Sentence),
}

/// Labels that are sets.
pub(super) struct Sets {
    pub(super) classes: Vec<String>,
    /// `[n]`, each ascending.
    pub(super) of: Vec<Option<Vec<u32>>>,
}

impl Sets {
    pub(super) fn names(&self, set: &[u32]) -> Vec<String> {
        set.iter().map(|class| self.classes[*class as usize].clone()).collect()
    }

    /// As a table has it.
    pub(super) fn text(&self, set: &[u32]) -> String {
        join_labels(&self.names(set))
    }
}

/// Examples with everything the checks want to know. All lists are `[n]`.
pub(super) struct Material {
    pub(super) name: String,
    pub(super) ids: Vec<String>,
    /// The labels as text, whatever their kind.
    pub(super) given: Vec<Option<String>>,
    /// The classes, where each label is one; each name in [`Material::classes`].
    pub(super) labels: Vec<Option<u32>>,
    pub(super) classes: Vec<String>,
    pub(super) parts: Vec<Option<Part>>,
    /// The user's groups.
    pub(super) groups: Vec<Option<String>>,
    pub(super) texts: Option<Vec<String>>,
    /// Names of files without their folders; empty where examples are no files.
    pub(super) names: Vec<String>,
    /// Columns of the table that have no role.
    pub(super) columns: Vec<Attribute>,
    /// Those that do not only number the examples, and what was measured.
    pub(super) attributes: Vec<Attribute>,
    /// Of pictures.
    pub(super) looks: Vec<Option<Look>>,
    /// Of sounds.
    pub(super) fingerprints: Vec<Option<Fingerprint>>,
    /// `[n, d]`; absent when only probabilities were given.
    pub(super) x: Option<Matrix<f32>>,
    /// What the labels answer.
    pub(super) question: Question,
    pub(super) skip: Vec<Fault>,
    pub(super) seed: Seed,
}

/// The same rows in the space that they span, where they have many more numbers than there are rows: no distance and no linear model
/// changes, and everything costs as much as there are rows.
pub(super) fn narrow(x: &Matrix<f32>) -> Matrix<f32> {
    if x.cols() < WIDE || x.cols() <= x.rows() {
        return x.clone();
    }
    row_space(x.map(f64::from).view()).coordinates.map(|value| value as f32)
}

impl Material {
    /// From examples with their features. Classes without an example that could be read have no number; where they look like ids, no
    /// example has one.
    pub(super) fn of_table(table: &Table, media: Media, skip: &[Fault], seed: Seed) -> Self {
        let data = &table.data;
        let columns = attributes::columns(data);
        let numbering = faults::identifiers(&columns);
        let tells = |column: &&Attribute| numbering.iter().all(|found| found.column != column.name);
        let mut attributes: Vec<Attribute> = columns.iter().filter(tells).cloned().collect();
        attributes.extend(attributes::measured(data, &media));
        let class = |target: &Target| if let Target::Class(class) = target { Some(class.0) } else { None };
        let mut all: Vec<Option<u32>> = data.examples.iter().map(|example| class(&example.target)).collect();
        let mut present: Vec<u32> = all.iter().flatten().copied().collect();
        let n_labelled = present.len();
        present.sort_unstable();
        present.dedup();
        let question = match ids(n_labelled, present.len()) {
            Some(why) => {
                present.clear();
                all.fill(None);
                Question::Nothing(why)
            }
            None => question(data, present.len()),
        };
        let number =
            |class: u32| present.binary_search(&class).expect("every class of a label is listed") as u32;
        let name = |class: u32| data.classes()[class as usize].clone();
        Self {
            name: data.name.clone(),
            ids: data.examples.iter().map(|example| example.id.0.clone()).collect(),
            given: data.examples.iter().map(|example| label_text(data, example)).collect(),
            labels: all.iter().map(|label| label.map(number)).collect(),
            classes: present.iter().map(|class| name(*class)).collect(),
            parts: data.examples.iter().map(|example| example.part).collect(),
            groups: data.examples.iter().map(|example| example.group.clone()).collect(),
            texts: table.texts.clone(),
            names: file_names(data),
            columns,
            attributes,
            looks: media.looks,
            fingerprints: media.fingerprints,
            x: Some(narrow(table.pooled())),
            question,
            skip: skip.to_vec(),
            seed,
        }
    }

    pub(super) fn n(&self) -> usize {
        self.ids.len()
    }

    /// Whether the person wants this to be looked for.
    pub(super) fn wants(&self, fault: Fault) -> bool {
        !self.skip.contains(&fault)
    }

    /// The fold of every row: what is the same, or of one group, stays together.
    pub(super) fn folds(&self, nearness: &Nearness) -> Vec<u8> {
        let labels: Vec<u32> = self.labels.iter().map(|label| label.map_or(0, |label| label + 1)).collect();
        split::folds(&labels, &nearness.groups, FOLDS, self.seed.derive("audit"))
    }

    /// The rows that have a class, ascending.
    pub(super) fn labelled(&self) -> Vec<usize> {
        (0..self.n()).filter(|row| self.labels[*row].is_some()).collect()
    }

    /// The rows whose label can be judged, ascending.
    pub(super) fn judged(&self) -> Vec<usize> {
        match &self.question {
            Question::Classes => self.labelled(),
            Question::Sets(sets) => (0..self.n()).filter(|row| sets.of[*row].is_some()).collect(),
            Question::Numbers(numbers) => (0..self.n()).filter(|row| numbers[*row].is_some()).collect(),
            Question::Nothing(_) => Vec::new(),
        }
    }

    /// Why labels are not judged, where they are not.
    pub(super) fn unjudged(&self) -> Option<Sentence> {
        let fewest = match &self.question {
            Question::Nothing(why) => return Some(why.clone()),
            Question::Classes | Question::Sets(_) => labels::FEWEST,
            Question::Numbers(_) => regression::FEWEST,
        };
        let n = self.judged().len();
        (n < fewest).then(|| Sentence {
            en: format!("Labels were not judged: there are {n} of them, and of fewer than {fewest} nothing is typical."),
            zh: format!("未检查标注：只有 {n} 个标注，少于 {fewest} 个时无从判断什么是常态。"),
        })
    }

    /// Whether labels are classes that can be judged.
    pub(super) fn has_classes(&self) -> bool {
        matches!(self.question, Question::Classes)
    }

    /// Classes, or labels that sets are of; none of numbers.
    pub(super) fn n_classes(&self) -> usize {
        if let Question::Sets(sets) = &self.question { sets.classes.len() } else { self.classes.len() }
    }

    /// Whether they are so many that no table of every example and class is made.
    pub(super) fn is_vast(&self) -> bool {
        self.has_classes() && self.labelled().len().saturating_mul(self.classes.len()) > MOST_SAID
    }
}

/// The neighbours of every row, and which rows are the same.
pub(super) struct Nearness {
    pub(super) near: Neighbours,
    pub(super) duplicates: curate::Duplicates,
    /// `[n]`: duplicates and the user's groups.
    pub(super) groups: Vec<u32>,
}

fn file_names(data: &Dataset) -> Vec<String> {
    let name = |example: &Example| Some(example.content.file()?.file_stem()?.to_string_lossy().into_owned());
    data.examples.iter().map(name).collect::<Option<_>>().unwrap_or_default()
}

/// The label of an example, as a table has it.
pub(crate) fn label_text(data: &Dataset, example: &Example) -> Option<String> {
    let name = |class: &ClassIdx| data.classes()[class.0 as usize].as_str();
    Some(match &example.target {
        Target::Unlabelled => return None,
        Target::Class(class) => name(class).to_owned(),
        Target::Classes(set) => join_labels(&set.iter().map(name).collect::<Vec<_>>()),
        Target::Number(value) => value.to_string(),
    })
}

/// Why labels that look like ids are not judged.
fn ids(n: usize, n_classes: usize) -> Option<Sentence> {
    (n_classes >= MANY && 2 * n_classes > n).then(|| Sentence {
        en: format!(
            "Labels were not judged: {n} labels name {n_classes} classes; the label column looks like an id, or most classes have one example each. Name another column with --label."
        ),
        zh: format!(
            "未检查标注：{n} 个标注共有 {n_classes} 个类别；标注列像是编号，或多数类别只有一个样本。请用 --label 指定另一列。"
        ),
    })
}

/// Why sets of so many labels are not judged.
fn too_many(n: usize, n_classes: usize) -> Option<Sentence> {
    (n.saturating_mul(n_classes) > MOST_SAID).then(|| Sentence {
        en: format!(
            "Labels were not judged: {n} examples have sets of {n_classes} labels; that is too much to ask of every label. Merge labels, or take a part of them."
        ),
        zh: format!("未检查标注：{n} 个样本的标签共有 {n_classes} 种，数量过大，无法逐一核对。请合并标签，或只取其中一部分。"),
    })
}

fn question(data: &Dataset, n_classes: usize) -> Question {
    match &data.task {
        Task::SingleLabel { .. } if n_classes > 1 => Question::Classes,
        Task::SingleLabel { .. } => Question::Nothing(Sentence {
            en: "Labels were not judged: only one class has examples.".to_owned(),
            zh: "未检查标注：只有一个类别有样本。".to_owned(),
        }),
        Task::MultiLabel { classes } => {
            let of = |example: &Example| match &example.target {
                Target::Classes(set) => Some(set.iter().map(|class| class.0).collect()),
                _ => None,
            };
            let of: Vec<Option<Vec<u32>>> = data.examples.iter().map(of).collect();
            match too_many(of.iter().flatten().count(), classes.len()) {
                Some(why) => Question::Nothing(why),
                None => Question::Sets(Sets { classes: classes.clone(), of }),
            }
        }
        Task::Regression { .. } => {
            let of = |example: &Example| match example.target {
                Target::Number(value) => Some(value),
                _ => None,
            };
            Question::Numbers(data.examples.iter().map(of).collect())
        }
    }
}
