//! All senses side by side: what belongs together, and which examples are alike on the whole.

use dataset::{Dataset, Modality};
use linalg::Matrix;
use tune::FeatureSet;

use super::each::OneSense;
use crate::audit::{self, Relations};
use crate::features::Table;
use crate::{PipelineError, Run};

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
            let length = linalg::dot(vector, vector).sqrt() as f32;
            if length > 0.0 {
                let to = &mut x.row_mut(*place)[start..start + vector.len()];
                to.iter_mut().zip(vector).for_each(|(to, value)| *to = value / length);
            }
        }
        start += pooled.cols();
    }
    let sets = vec![FeatureSet { name: "senses".to_owned(), x }];
    Table { data, sets, texts: None, problems: Vec::new() }
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
