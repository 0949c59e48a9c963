//! What is known of the senses of labelled rows.

use linalg::Matrix;

use super::Subset;
use crate::TuneError;

/// One sense of all rows: a photo, a text, a sound, a table.
#[derive(Debug, Clone, Copy)]
pub struct Sense<'a> {
    /// What it is called in messages.
    pub name: &'a str,
    /// Out-of-fold log-probabilities by the head of this sense alone, `[n, k]`; whatever stands in rows without it is not read.
    pub log_probs: &'a Matrix<f64>,
    /// Its features, `[n, d]`, already of length 1 if they should be; without them there is no joint model.
    pub features: Option<&'a Matrix>,
    /// Which rows have it, `[n]`.
    pub present: &'a [bool],
}

/// Labelled rows with several senses.
#[derive(Debug, Clone, Copy)]
pub struct FuseInput<'a> {
    /// One to six senses.
    pub senses: &'a [Sense<'a>],
    /// `[n]`, each below `n_classes`.
    pub labels: &'a [u32],
    /// `k`.
    pub n_classes: usize,
    /// Rows that belong together have one number, `[n]`.
    pub groups: &'a [u32],
}

impl FuseInput<'_> {
    /// Number of rows.
    pub fn n(&self) -> usize {
        self.labels.len()
    }

    /// The senses that a row has.
    pub fn subset(&self, row: usize) -> Subset {
        Subset::of(self.senses.iter().map(|sense| sense.present[row]))
    }

    /// What the heads say of a row when only these senses are let speak.
    pub(crate) fn said(&self, row: usize, subset: Subset) -> Vec<Option<&[f64]>> {
        let senses = self.senses.iter().enumerate();
        senses.map(|(place, sense)| subset.contains(place).then(|| sense.log_probs.row(row))).collect()
    }

    /// Refuses what cannot be learned from.
    ///
    /// # Errors
    /// [`TuneError`] names the row or the sense at fault.
    pub fn check(&self) -> Result<(), TuneError> {
        let (n, k) = (self.n(), self.n_classes);
        if self.senses.is_empty() {
            return Err(TuneError::NoSense);
        }
        if self.senses.len() > Subset::MOST {
            return Err(TuneError::ManySenses { got: self.senses.len(), most: Subset::MOST });
        }
        if n == 0 {
            return Err(TuneError::Empty);
        }
        same_rows("the list of groups", self.groups.len(), n)?;
        if let Some(row) = (0..n).find(|row| self.labels[*row] as usize >= k) {
            return Err(TuneError::ClassIndex { row, class: self.labels[row], n_classes: k });
        }
        if self.labels.iter().all(|label| *label == self.labels[0]) {
            return Err(TuneError::OneClass { n });
        }
        self.senses.iter().try_for_each(|sense| sense.check(n, k))?;
        match (0..n).find(|row| self.subset(*row).is_empty()) {
            Some(row) => Err(TuneError::SilentRow { row }),
            None => Ok(()),
        }
    }
}

impl Sense<'_> {
    fn check(&self, n: usize, k: usize) -> Result<(), TuneError> {
        same_rows(self.name, self.log_probs.rows(), n)?;
        same_rows(self.name, self.present.len(), n)?;
        if self.log_probs.cols() != k {
            let what = self.name.to_owned();
            return Err(TuneError::Columns { what, got: self.log_probs.cols(), expected: k });
        }
        if !self.present.contains(&true) {
            return Err(TuneError::SilentSense { sense: self.name.to_owned() });
        }
        let not_finite = |row: usize| TuneError::NotFinite { set: self.name.to_owned(), row };
        let there = || (0..n).filter(|row| self.present[*row]);
        if let Some(row) = there().find(|row| !self.log_probs.row(*row).iter().all(|value| value.is_finite()))
        {
            return Err(not_finite(row));
        }
        let Some(features) = self.features else {
            return Ok(());
        };
        same_rows(self.name, features.rows(), n)?;
        match there().find(|row| !features.row(*row).iter().all(|value| value.is_finite())) {
            Some(row) => Err(not_finite(row)),
            None => Ok(()),
        }
    }
}

fn same_rows(what: &str, got: usize, expected: usize) -> Result<(), TuneError> {
    if got == expected { Ok(()) } else { Err(TuneError::Rows { what: what.to_owned(), got, expected }) }
}
