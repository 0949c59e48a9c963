//! What tuning takes.

use linalg::Matrix;

use crate::TuneError;

/// Most scores (examples times classes) that are held at a time: 4 GB in double precision.
const MAX_SCORES: usize = 500_000_000;

/// One kind of feature of all examples.
#[derive(Debug, Clone)]
pub struct FeatureSet {
    /// Its name in the base's layout, such as `pooled`.
    pub name: String,
    /// `[n, d]`.
    pub x: Matrix<f32>,
}

/// What is known about the examples, all in the same row order.
#[derive(Debug, Clone, Copy)]
pub struct TuneInput<'a> {
    /// One or more kinds of feature; the first one is the pooled vector.
    pub features: &'a [FeatureSet],
    /// The texts themselves, for counting words.
    pub texts: Option<&'a [String]>,
    /// What is to be predicted.
    pub targets: Targets<'a>,
    /// `[n]`: rows with the same number stay together in every fold.
    pub groups: &'a [u32],
}

/// What is to be predicted.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// `[n]` classes, each below `n_classes`.
    Single {
        /// The class of each row.
        labels: &'a [u32],
        /// How many classes there are.
        n_classes: usize,
    },
    /// `[n]` sets of classes.
    Multi {
        /// The classes of each row, ascending.
        labels: &'a [Vec<u32>],
        /// How many classes there are.
        n_classes: usize,
    },
    /// `[n]` numbers.
    Numbers(&'a [f64]),
}

impl Targets<'_> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Single { labels, .. } => labels.len(),
            Self::Multi { labels, .. } => labels.len(),
            Self::Numbers(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of outputs: classes, or one.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Single { n_classes, .. } | Self::Multi { n_classes, .. } => *n_classes,
            Self::Numbers(_) => 1,
        }
    }

    /// What folds are balanced by: the class; for sets the rarest label; nothing for numbers.
    pub(crate) fn strata(&self) -> Vec<u32> {
        match self {
            Self::Single { labels, .. } => labels.to_vec(),
            Self::Multi { labels, n_classes } => {
                let mut counts = vec![0_usize; *n_classes];
                labels.iter().flatten().for_each(|label| counts[*label as usize] += 1);
                let rarest = |set: &Vec<u32>| {
                    set.iter().copied().min_by_key(|label| (counts[*label as usize], *label))
                };
                labels.iter().map(|set| rarest(set).map_or(0, |label| label + 1)).collect()
            }
            Self::Numbers(values) => vec![0; values.len()],
        }
    }

    /// `[n, outputs]` with 1 where a label applies; the numbers themselves for regression.
    pub(crate) fn matrix(&self) -> Matrix<f32> {
        let mut matrix = Matrix::zeros(self.len(), self.outputs());
        match self {
            Self::Single { labels, .. } => {
                for (row, label) in labels.iter().enumerate() {
                    matrix.row_mut(row)[*label as usize] = 1.0;
                }
            }
            Self::Multi { labels, .. } => {
                for (row, set) in labels.iter().enumerate() {
                    set.iter().for_each(|label| matrix.row_mut(row)[*label as usize] = 1.0);
                }
            }
            Self::Numbers(values) => {
                for (row, value) in values.iter().enumerate() {
                    matrix.row_mut(row)[0] = *value as f32;
                }
            }
        }
        matrix
    }
}

impl TuneInput<'_> {
    /// Number of examples.
    pub fn n(&self) -> usize {
        self.targets.len()
    }

    pub(crate) fn check(&self) -> Result<(), TuneError> {
        let expected = self.n();
        if expected == 0 || self.features.is_empty() {
            return Err(TuneError::Empty);
        }
        let same = |what: &str, got: usize| {
            if got == expected {
                Ok(())
            } else {
                Err(TuneError::Rows { what: what.to_owned(), got, expected })
            }
        };
        same("the groups", self.groups.len())?;
        if let Some(texts) = self.texts {
            same("the texts", texts.len())?;
        }
        for set in self.features {
            same(&format!("feature set `{}`", set.name), set.x.rows())?;
            if let Some(row) = set.x.iter_rows().position(|row| row.iter().any(|value| !value.is_finite())) {
                return Err(TuneError::NotFinite { set: set.name.clone(), row });
            }
        }
        self.check_targets()
    }

    fn check_targets(&self) -> Result<(), TuneError> {
        let (n, n_classes) = (self.n(), self.targets.outputs());
        if n.saturating_mul(n_classes) > MAX_SCORES {
            return Err(TuneError::TooLarge { n, n_classes });
        }
        let check = |row: usize, class: u32| {
            if (class as usize) < n_classes {
                Ok(())
            } else {
                Err(TuneError::ClassIndex { row, class, n_classes })
            }
        };
        match self.targets {
            Targets::Single { labels, .. } => {
                labels.iter().enumerate().try_for_each(|(row, class)| check(row, *class))?;
                if labels.iter().all(|label| *label == labels[0]) {
                    return Err(TuneError::OneClass { n });
                }
            }
            Targets::Multi { labels, .. } => {
                for (row, set) in labels.iter().enumerate() {
                    set.iter().try_for_each(|class| check(row, *class))?;
                }
            }
            Targets::Numbers(values) => {
                if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                    return Err(TuneError::TargetNotFinite { row });
                }
            }
        }
        Ok(())
    }
}
