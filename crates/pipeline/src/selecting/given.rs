//! The bundle that is asked what it doubts: over one sense, or over several.

use std::path::Path;
use std::sync::Arc;

use base::Base;
use bundle::{BundleKind, Prediction, Predictor, SensesPredictor};
use dataset::{Dataset, Sense};
use rayon::prelude::*;

use super::model::Model;
use crate::features::{self, Table};
use crate::senses::{predicting, whole};
use crate::{Home, PipelineError, Run};

pub(super) enum Given {
    One(Predictor),
    Several(SensesPredictor),
}

impl Given {
    pub(super) fn open(home: &Home, path: &Path, run: &Run<'_>) -> Result<Self, PipelineError> {
        match bundle::kind(path)? {
            BundleKind::Senses => home.open_senses(path, run).map(Self::Several),
            _ => home.open_bundle(path, run).map(Self::One),
        }
    }

    /// The columns it looks at, where they are several.
    pub(super) fn senses(&self) -> Option<Vec<Sense>> {
        match self {
            Self::One(_) => None,
            Self::Several(predictor) => Some(predictor.senses()),
        }
    }

    /// What the examples look like to its bases, and what it says of them.
    pub(super) fn look(
        &self,
        home: &Home,
        data: Dataset,
        run: &Run<'_>,
    ) -> Result<(Table, Vec<Arc<Base>>, Model), PipelineError> {
        match self {
            Self::One(predictor) => {
                let base = predictor.base().clone();
                let table = features::table(home, &base, data, run)?;
                let answers = answers(predictor, &table);
                let model = Model::given(&predictor.bundle().manifest.task, answers);
                Ok((table, vec![base], model))
            }
            Self::Several(predictor) => {
                let each = predicting::looked_at(home, predictor, &data, run)?;
                let n_examples = data.examples.len();
                if each.is_empty() {
                    return Err(PipelineError::NothingUsable {
                        n_examples,
                        n_problems: 0,
                        first: String::new(),
                    });
                }
                // Of what nobody can look at, the bundle would say how often each class is: it is not asked.
                let rows = whole::seen(&each);
                let answers = predicting::ask(predictor, &data, &rows, &each)?;
                let problems = each.iter().flat_map(|sense| sense.table.problems.iter().cloned()).collect();
                let table = Table { problems, ..whole::table_of(data, &each, &rows) };
                let model = Model::given(&predictor.bundle().manifest.task, answers);
                Ok((table, predictor.bases().to_vec(), model))
            }
        }
    }
}

fn answers(predictor: &Predictor, table: &Table) -> Vec<Prediction> {
    let answer = |row: usize| {
        let features: Vec<f32> = table.sets.iter().flat_map(|set| set.x.row(row).iter().copied()).collect();
        predictor.predict_features(&features, table.texts.as_ref().map(|texts| texts[row].as_str()))
    };
    (0..table.data.examples.len()).into_par_iter().map(answer).collect()
}
