//! What an audit looks at, wherever it came from.

use curate::faults::Fault;
use dataset::{Part, Target, Task};
use linalg::{Matrix, Neighbours, Seed};

use crate::features::Table;
use crate::report::Sentence;

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
    /// `[n, d]`; absent when only probabilities were given.
    pub(super) x: Option<Matrix<f32>>,
    /// Why labels are not judged, if they are not.
    pub(super) unjudged: Option<Sentence>,
    pub(super) skip: Vec<Fault>,
    pub(super) seed: Seed,
}

impl Material {
    /// From examples with their features. Classes without an example that could be read have no number.
    pub(super) fn of_table(table: &Table, skip: &[Fault], seed: Seed) -> Self {
        let data = &table.data;
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
