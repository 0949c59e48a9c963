//! Which examples may teach and which may judge.
//!
//! [`Groups`] says what must stay together, [`folds`] and [`folds_of_sets`] deal groups into folds of similar class balance (methods 0.5), and
//! [`Train`], [`Calibrate`] and [`Test`] are different types made only by [`parts`], so that the wrong one cannot be passed.

mod folds;
mod groups;

pub use folds::{FoldPlan, folds, folds_of_sets, plan};
pub use groups::Groups;

use crate::{Dataset, Example, Part, Target};

/// Rows to learn from.
#[derive(Debug, Clone)]
pub struct Train<'a> {
    rows: Rows<'a>,
}

/// Rows to calibrate on; never learned from.
#[derive(Debug, Clone)]
pub struct Calibrate<'a> {
    rows: Rows<'a>,
}

/// Rows to measure on; neither learned from nor calibrated on.
#[derive(Debug, Clone)]
pub struct Test<'a> {
    rows: Rows<'a>,
}

#[derive(Debug, Clone)]
struct Rows<'a> {
    dataset: &'a Dataset,
    rows: Vec<usize>,
}

macro_rules! row_view {
    ($view:ident) => {
        impl<'a> $view<'a> {
            /// The rows' places in the data set, ascending.
            pub fn rows(&self) -> &[usize] {
                &self.rows.rows
            }

            /// The examples behind the rows.
            pub fn examples(&self) -> impl Iterator<Item = &'a Example> + '_ {
                self.rows.rows.iter().map(|row| &self.rows.dataset.examples[*row])
            }

            /// Whether there is none.
            pub fn is_empty(&self) -> bool {
                self.rows.rows.is_empty()
            }
        }
    };
}

row_view!(Train);
row_view!(Calibrate);
row_view!(Test);

/// The declared parts of a data set, labelled rows only.
///
/// Undeclared rows train. Declared validation rows train too: with few labels, out-of-fold predictions calibrate better than
/// a part set aside, and those labels are worth more as teachers (decision 0004). [`Calibrate`] is therefore only filled by
/// [`parts_with_calibration`].
pub fn parts(dataset: &Dataset) -> (Train<'_>, Test<'_>) {
    let (train, _, test) = divide(dataset, |part| part != Some(Part::Test));
    (train, test)
}

/// The declared parts, with validation rows kept apart for calibration.
pub fn parts_with_calibration(dataset: &Dataset) -> (Train<'_>, Calibrate<'_>, Test<'_>) {
    divide(dataset, |part| !matches!(part, Some(Part::Test | Part::Validation)))
}

fn divide(dataset: &Dataset, trains: impl Fn(Option<Part>) -> bool) -> (Train<'_>, Calibrate<'_>, Test<'_>) {
    let (mut train, mut calibrate, mut test) = (Vec::new(), Vec::new(), Vec::new());
    for (row, example) in dataset.examples.iter().enumerate() {
        if example.target == Target::Unlabelled {
            continue;
        }
        match example.part {
            part if trains(part) => train.push(row),
            Some(Part::Test) => test.push(row),
            _ => calibrate.push(row),
        }
    }
    let view = |rows| Rows { dataset, rows };
    (Train { rows: view(train) }, Calibrate { rows: view(calibrate) }, Test { rows: view(test) })
}
