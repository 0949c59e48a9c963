//! What the search for conflicts looks at, checked once.

use linalg::{MatrixView, Neighbours};

use crate::CurateError;
use crate::nearest::check_finite;

/// Neighbours with a label that are heard about an example.
const HEARD: usize = 10;
/// Two neighbours of one group, with one label, whose distances differ by less are copies: one of them is heard.
const COPY: f32 = 1e-6;

/// Examples with their labels, some perhaps without, and who is near whom.
pub struct Labelled<'a> {
    x: MatrixView<'a>,
    labels: &'a [Option<u32>],
    n_classes: usize,
    groups: &'a [u32],
    heard: Vec<Vec<u32>>,
}

impl<'a> Labelled<'a> {
    /// Checks that all fits together.
    ///
    /// `x` is `[n, d]`; `near` are its neighbours, from [`crate::nearest`]; `labels` is `[n]`, each below `n_classes`; `groups`
    /// is `[n]`: examples of one group, such as near-duplicates or pictures of one part, are not heard about each other, and
    /// copies among them count once.
    ///
    /// # Errors
    /// Rows that differ in number, a label that is not below `n_classes`, or a feature that is not finite.
    pub fn new(
        x: MatrixView<'a>,
        near: &'a Neighbours,
        labels: &'a [Option<u32>],
        n_classes: usize,
        groups: &'a [u32],
    ) -> Result<Self, CurateError> {
        let n = x.rows();
        let shapes = [
            ("labels", labels.len(), n),
            ("groups", groups.len(), n),
            ("neighbours", near.indices.len(), n * near.k),
        ];
        if let Some((what, got, expected)) = shapes.into_iter().find(|(_, got, expected)| got != expected) {
            return Err(CurateError::Shape { what, got, expected });
        }
        let too_large = |label: &Option<u32>| label.is_some_and(|label| label as usize >= n_classes);
        if let Some(row) = labels.iter().position(too_large) {
            let label = labels[row].expect("it was just found to be too large");
            return Err(CurateError::LabelOutOfRange { row, label, n_classes });
        }
        check_finite(x)?;
        let heard = (0..n).map(|row| heard(near, labels, groups, row)).collect();
        Ok(Self { x, labels, n_classes, groups, heard })
    }

    /// Number of examples.
    pub fn n(&self) -> usize {
        self.labels.len()
    }

    /// `[n, d]`
    pub fn x(&self) -> MatrixView<'a> {
        self.x
    }

    /// Number of classes, with or without examples.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// `[n]`
    pub fn labels(&self) -> &'a [Option<u32>] {
        self.labels
    }

    /// `[n]`
    pub fn groups(&self) -> &'a [u32] {
        self.groups
    }

    /// The nearest labelled examples of other groups, at most ten, nearest first.
    pub fn heard(&self, row: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.heard[row].iter().map(|other| *other as usize)
    }

    /// Whether each of the two is heard about the other.
    pub fn mutual(&self, a: usize, b: usize) -> bool {
        self.heard[a].contains(&(b as u32)) && self.heard[b].contains(&(a as u32))
    }
}

fn heard(near: &Neighbours, labels: &[Option<u32>], groups: &[u32], row: usize) -> Vec<u32> {
    let mut heard: Vec<u32> = Vec::with_capacity(HEARD);
    let mut last: Option<(usize, f32)> = None;
    for (other, distance) in near.of(row) {
        if labels[other].is_none() || groups[other] == groups[row] {
            continue;
        }
        let copy = last.is_some_and(|(before, at)| {
            (groups[before], labels[before]) == (groups[other], labels[other]) && (distance - at).abs() < COPY
        });
        last = Some((other, distance));
        if !copy && heard.len() < HEARD {
            heard.push(other as u32);
        }
    }
    heard
}
