//! What an audit looks at, wherever it came from.

use curate::attributes::Attribute;
use curate::faults::{self, Fault, Picture};
use dataset::{Content, Dataset, Example, Part, Target, Task, split};
use linalg::{Matrix, Neighbours, Seed};

use super::attributes;
use crate::features::Table;
use crate::report::Sentence;

/// Folds that heads are asked about.
const FOLDS: usize = 5;

/// Examples with everything the checks want to know. All lists are `[n]`.
pub(super) struct Material {
    pub(super) name: String,
    pub(super) ids: Vec<String>,
    /// The labels as text, whatever their kind.
    pub(super) given: Vec<Option<String>>,
    /// The classes, where there is one a label; each name in [`Material::classes`].
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
    /// `[n, d]`; absent when only probabilities were given.
    pub(super) x: Option<Matrix<f32>>,
    /// Why labels are not judged, if they are not.
    pub(super) unjudged: Option<Sentence>,
    pub(super) skip: Vec<Fault>,
    pub(super) seed: Seed,
}

impl Material {
    /// From examples with their features. Classes without an example that could be read have no number.
    pub(super) fn of_table(table: &Table, pictures: &[Option<Picture>], skip: &[Fault], seed: Seed) -> Self {
        let data = &table.data;
        let columns = attributes::columns(data);
        let numbering = faults::identifiers(&columns);
        let tells = |column: &&Attribute| numbering.iter().all(|found| found.column != column.name);
        let mut attributes: Vec<Attribute> = columns.iter().filter(tells).cloned().collect();
        attributes.extend(attributes::measured(data, pictures));
        let class = |target: &Target| if let Target::Class(class) = target { Some(class.0) } else { None };
        let all: Vec<Option<u32>> = data.examples.iter().map(|example| class(&example.target)).collect();
        let mut present: Vec<u32> = all.iter().flatten().copied().collect();
        present.sort_unstable();
        present.dedup();
        let number =
            |class: u32| present.binary_search(&class).expect("every class of a label is listed") as u32;
        let name = |class: u32| data.classes()[class as usize].clone();
        Self {
            name: data.name.clone(),
            ids: data.examples.iter().map(|example| example.id.0.clone()).collect(),
            given: data.examples.iter().map(|example| given(&example.target, data.classes())).collect(),
            labels: all.iter().map(|label| label.map(number)).collect(),
            classes: present.iter().map(|class| name(*class)).collect(),
            parts: data.examples.iter().map(|example| example.part).collect(),
            groups: data.examples.iter().map(|example| example.group.clone()).collect(),
            texts: table.texts.clone(),
            names: file_names(data),
            columns,
            attributes,
            x: Some(table.pooled().clone()),
            unjudged: unjudged(&data.task, present.len()),
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

    /// The rows whose label can be judged, ascending.
    pub(super) fn labelled(&self) -> Vec<usize> {
        (0..self.n()).filter(|row| self.labels[*row].is_some()).collect()
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
    let name = |example: &Example| match &example.content {
        Content::Image(path) => Some(path.file_stem()?.to_string_lossy().into_owned()),
        Content::Text(_) => None,
    };
    data.examples.iter().map(name).collect::<Option<_>>().unwrap_or_default()
}

fn given(target: &Target, classes: &[String]) -> Option<String> {
    Some(match target {
        Target::Unlabelled => return None,
        Target::Class(class) => classes[class.0 as usize].clone(),
        Target::Classes(set) => {
            set.iter().map(|class| classes[class.0 as usize].as_str()).collect::<Vec<_>>().join(", ")
        }
        Target::Number(value) => value.to_string(),
    })
}

fn unjudged(task: &Task, n_classes: usize) -> Option<Sentence> {
    let (en, zh) = match task {
        Task::SingleLabel { .. } if n_classes > 1 => return None,
        Task::SingleLabel { .. } => {
            ("Labels were not judged: only one class has examples.", "未检查标注：只有一个类别有样本。")
        }
        Task::MultiLabel { .. } => (
            "Labels were not judged: several labels an example are not judged yet; everything else was looked at.",
            "未检查标注：暂不检查一个样本有多个标签的情况；其余均已检查。",
        ),
        Task::Regression { .. } => (
            "Labels were not judged: numbers are not judged yet; everything else was looked at.",
            "未检查标注：暂不检查数值标注；其余均已检查。",
        ),
    };
    Some(Sentence { en: en.to_owned(), zh: zh.to_owned() })
}
