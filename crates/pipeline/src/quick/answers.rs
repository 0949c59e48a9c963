//! What people answered, and what the quick model says of it.

use linalg::Matrix;

use super::classes::counts;
use crate::report::Measure;

/// Answers of people, one for each example, absent where nobody gave one. All lists are `[n]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// One class of several.
    Classes(Vec<Option<u32>>),
    /// Any number of labels, ascending.
    Sets(Vec<Option<Vec<u32>>>),
    /// A finite number.
    Numbers(Vec<Option<f64>>),
}

/// What the quick model says.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// Examples with an answer.
    pub n_labelled: usize,
    /// Of those, the ones that are a fair draw.
    pub n_drawn: usize,
    /// How good it is on a fair draw, as [`tune`](fn@crate::tune) measures it: `accuracy`; or `label-accuracy`, `micro-f1` and
    /// `subset-accuracy`; or `mae`, `rmse` and `r2`. Empty below ten of them, and while there is no model.
    pub measures: Vec<Measure>,
    /// The first measure, on the same examples, of who always says the same: the most common class, of each label what is more often
    /// so, the median. 0 where there are none.
    pub chance: f64,
    /// What it would answer.
    pub says: Says,
    /// `[n]`: how sure it is of each example, in [0, 1]: by how much the first class leads; how few labels it expects to have wrong; how much
    /// is known of such examples. Empty while there is no model.
    pub margins: Vec<f64>,
}

/// What the quick model would answer, each time by a model that the example did not teach.
#[derive(Debug, Clone, Default)]
pub enum Says {
    /// There is no model yet.
    #[default]
    Nothing,
    /// `[n]`: the most probable class and its calibrated probability.
    Classes(Vec<Option<(u32, f64)>>),
    /// `[n, k]`: the calibrated probability of each label.
    Sets(Matrix<f64>),
    /// Numbers, and how far they may be off.
    Numbers {
        /// `[n]`
        told: Vec<f64>,
        /// Half the width of the interval that holds nine of ten; absent while too few were drawn to say.
        likely: Option<f64>,
        /// Half the width of the interval that holds 99 of 100; below a hundred drawn answers, if errors are normal.
        possible: Option<f64>,
    },
}

impl Answers {
    /// `[n]`: whether there is an answer.
    pub fn given(&self) -> Vec<bool> {
        match self {
            Self::Classes(all) => all.iter().map(Option::is_some).collect(),
            Self::Sets(all) => all.iter().map(Option::is_some).collect(),
            Self::Numbers(all) => all.iter().map(Option::is_some).collect(),
        }
    }

    /// How many classes there are, as far as answers tell; only where each is one class.
    pub(super) fn n_classes(&self) -> Option<usize> {
        match self {
            Self::Classes(all) => Some(counts(all.iter().flatten()).len()),
            Self::Sets(_) | Self::Numbers(_) => None,
        }
    }
}

impl Judged {
    /// The measure to show first.
    pub fn headline(&self) -> Option<&Measure> {
        self.measures.first()
    }
}
