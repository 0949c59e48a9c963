//! The rows that a method looks at: those that are known, then those that are open.

use linalg::{Matrix, dot};

use super::{Budget, Pool};

/// Rows of a pool with what is known of them. Lists are `[p]`, one entry a place; the first places are the known rows.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// `[p, d]`.
    pub(super) x: Matrix,
    pub(super) n_known: usize,
    /// The row in the pool.
    pub(super) rows: Vec<usize>,
    /// Absent without a model.
    margins: Option<Vec<f64>>,
    /// All 1 where examples are counted.
    pub(super) costs: Vec<f64>,
}

impl Field {
    pub(super) fn of(pool: Pool<'_>, budget: Budget<'_>) -> Self {
        let n = pool.x.rows();
        let (known, open): (Vec<usize>, Vec<usize>) = (0..n).partition(|row| pool.known[*row]);
        let n_known = known.len();
        let rows = [known, open].concat();
        let cost = |row: &usize| if let Budget::Cost { of, .. } = budget { of[*row] } else { 1.0 };
        Self {
            x: pool.x.to_owned().select_rows(&rows),
            n_known,
            margins: pool.margins.map(|margins| rows.iter().map(|row| margins[*row]).collect()),
            costs: rows.iter().map(cost).collect(),
            rows,
        }
    }

    /// The same rows with directions seen from the middle of them all, as unit vectors: what all rows share tells none of them apart.
    pub(super) fn centred(mut self) -> Self {
        to_unit_rows(&mut self.x);
        let mut sums = vec![0.0_f64; self.x.cols()];
        for row in self.x.iter_rows() {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let n = self.x.rows() as f64;
        for row in 0..self.x.rows() {
            let values = self.x.row_mut(row).iter_mut();
            values.zip(&sums).for_each(|(value, sum)| *value = (f64::from(*value) - sum / n) as f32);
        }
        to_unit_rows(&mut self.x);
        self
    }

    pub(super) fn n_open(&self) -> usize {
        self.rows.len() - self.n_known
    }

    /// How sure the model is; without one, of everything.
    pub(super) fn margin(&self, place: usize) -> f64 {
        self.margins.as_ref().map_or(1.0, |margins| margins[place])
    }

    /// How much a row counts: as much as a model is unsure of it; without one, as much as any other.
    pub(super) fn weight(&self, place: usize) -> f64 {
        self.margins.as_ref().map_or(1.0, |margins| 1.0 - margins[place])
    }

    /// The places that may be picked.
    pub(super) fn open(&self) -> std::ops::Range<usize> {
        self.n_known..self.rows.len()
    }

    /// The known rows and these open places.
    pub(super) fn with_open(&self, open: &[usize]) -> Self {
        let places: Vec<usize> = (0..self.n_known).chain(open.iter().copied()).collect();
        self.at(&places, self.n_known)
    }

    /// The same rows, with these open ones of the pool known too.
    pub(super) fn with_known(&self, rows: &[usize]) -> Self {
        let mut is_known = vec![false; self.rows.iter().max().map_or(0, |last| last + 1)];
        rows.iter().for_each(|row| is_known[*row] = true);
        let (known, open): (Vec<usize>, Vec<usize>) =
            (0..self.rows.len()).partition(|place| *place < self.n_known || is_known[self.rows[*place]]);
        self.at(&[&known[..], &open].concat(), known.len())
    }

    fn at(&self, places: &[usize], n_known: usize) -> Self {
        let pick = |values: &[f64]| places.iter().map(|place| values[*place]).collect();
        Self {
            x: self.x.select_rows(places),
            n_known,
            rows: places.iter().map(|place| self.rows[*place]).collect(),
            margins: self.margins.as_deref().map(pick),
            costs: pick(&self.costs),
        }
    }
}

/// Brings rows to length 1; zeros stay zeros.
fn to_unit_rows(x: &mut Matrix) {
    for row in 0..x.rows() {
        let length = dot(x.row(row), x.row(row)).sqrt();
        if length > 0.0 {
            x.row_mut(row).iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        }
    }
}
