//! What neighbours say of labels, class by class that any of them has: of very many classes a table of every example and class would
//! not fit into memory, and an example hears ten neighbours.

use linalg::{Matrix, Neighbours};

use super::errors::{Believed, LabelErrors, errors};
use super::judged::{Note, notes_of_sizes};
use super::views::{NEIGHBOURS, PRIOR_VOTES};
use crate::CurateError;

/// The votes of the ten nearest examples of other groups, nearer ones counting more (`exp(-distance / median)`), with half a vote
/// spread over all classes.
#[derive(Debug, Clone)]
pub struct Votes<'a> {
    labels: &'a [u32],
    n_classes: usize,
    /// `[n]`
    rows: Vec<Row>,
}

/// The shares of one example; all sum to 1.
#[derive(Debug, Clone)]
struct Row {
    /// Of a class that has votes, ascending.
    voted: Vec<(u32, f64)>,
    /// Of each other.
    rest: f64,
}

impl<'a> Votes<'a> {
    /// Counts them. `labels` is `[n]`, each below `n_classes`; examples of one group (`groups`, `[n]`) do not vote for each other.
    ///
    /// # Errors
    /// When rows differ in number, or a label is not below `n_classes`.
    pub fn of_neighbours(
        labels: &'a [u32],
        n_classes: usize,
        near: &Neighbours,
        groups: &[u32],
    ) -> Result<Self, CurateError> {
        if groups.len() != labels.len() {
            return Err(CurateError::Shape { what: "groups", got: groups.len(), expected: labels.len() });
        }
        if let Some(row) = labels.iter().position(|label| *label as usize >= n_classes) {
            return Err(CurateError::LabelOutOfRange { row, label: labels[row], n_classes });
        }
        let rows = (0..labels.len()).map(|row| Row::of(row, labels, n_classes, near, groups)).collect();
        Ok(Self { labels, n_classes, rows })
    }

    /// All of them, `[n, k]`.
    pub fn table(&self) -> Matrix<f64> {
        let mut table = Matrix::zeros(self.rows.len(), self.n_classes);
        for (row, votes) in self.rows.iter().enumerate() {
            let to = table.row_mut(row);
            to.fill(votes.rest);
            votes.voted.iter().for_each(|(class, share)| to[*class as usize] = *share);
        }
        table
    }

    /// Finds the labels that are probably wrong, as [`label_errors`](super::errors::label_errors) does by the table of all.
    pub fn errors(&self) -> LabelErrors {
        errors(self, 0.0)
    }

    /// The class with the largest share, and its share.
    pub fn best(&self, row: usize) -> (u32, f64) {
        let class = self.predicted(row);
        (class, self.probability(row, class))
    }

    /// The share of a class.
    pub fn share(&self, row: usize, class: u32) -> f64 {
        self.probability(row, class)
    }
}

impl Row {
    fn of(row: usize, labels: &[u32], n_classes: usize, near: &Neighbours, groups: &[u32]) -> Self {
        let others: Vec<(usize, f32)> =
            near.of(row).filter(|(other, _)| groups[*other] != groups[row]).take(NEIGHBOURS).collect();
        let median = others.get(others.len() / 2).map_or(0.0, |(_, distance)| f64::from(*distance));
        let prior = PRIOR_VOTES / n_classes as f64;
        let mut voted: Vec<(u32, f64)> = Vec::new();
        for (other, distance) in &others {
            let weight = if median > 0.0 { (-f64::from(*distance) / median).exp() } else { 1.0 };
            let class = labels[*other];
            match voted.binary_search_by_key(&class, |(class, _)| *class) {
                Ok(place) => voted[place].1 += weight,
                Err(place) => voted.insert(place, (class, prior + weight)),
            }
        }
        let others = (n_classes - voted.len()) as f64;
        let sum = prior * others + voted.iter().map(|(_, votes)| votes).sum::<f64>();
        voted.iter_mut().for_each(|(_, votes)| *votes /= sum);
        Self { voted, rest: prior / sum }
    }

    /// The first of the most voted classes but `but`; the first of all where nobody voted.
    fn best_but(&self, but: Option<u32>) -> u32 {
        let first = u32::from(but == Some(0));
        let mut best = (first, self.rest);
        for (class, share) in self.voted.iter().filter(|(class, _)| Some(*class) != but) {
            if *share > best.1 {
                best = (*class, *share);
            }
        }
        best.0
    }
}

impl Believed for Votes<'_> {
    fn labels(&self) -> &[u32] {
        self.labels
    }

    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn probability(&self, row: usize, class: u32) -> f64 {
        let Row { voted, rest } = &self.rows[row];
        voted.binary_search_by_key(&class, |(class, _)| *class).map_or(*rest, |place| voted[place].1)
    }

    fn predicted(&self, row: usize) -> u32 {
        self.rows[row].best_but(None)
    }

    fn best_other(&self, row: usize) -> u32 {
        let given = self.labels[row];
        if self.n_classes > 1 { self.rows[row].best_but(Some(given)) } else { given }
    }

    fn sums(&self) -> Vec<f64> {
        let all: f64 = self.rows.iter().map(|row| row.rest).sum();
        let mut sums = vec![all; self.n_classes];
        for row in &self.rows {
            row.voted.iter().for_each(|(class, share)| sums[*class as usize] += share - row.rest);
        }
        sums
    }

    fn weighed(&self, weights: &[f64]) -> Vec<f64> {
        let all: f64 = weights.iter().sum();
        let of = |Row { voted, rest }: &Row| {
            let above = voted.iter().map(|(class, share)| (share - rest) * weights[*class as usize]);
            rest * all + above.sum::<f64>()
        };
        self.rows.iter().map(of).collect()
    }

    fn notes(&self) -> Vec<Note> {
        notes_of_sizes(self.labels, self.n_classes)
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;
    use crate::labels::Judged;
    use crate::labels::errors::label_errors;
    use crate::nearest;

    #[test]
    fn without_the_table_the_same_labels_are_found() {
        const K: usize = 40;
        // Rounding, of sums in another order.
        const TOLERANCE: f64 = 1e-9;
        let mut rng = Seed(2).rng();
        let centres: Vec<f64> = (0..K * 6).map(|_| 3.0 * random::normal(&mut rng)).collect();
        let value = |at: usize| centres[at / 6 % K * 6 + at % 6];
        let x: Vec<f32> = (0..400 * 6).map(|at| (value(at) + random::normal(&mut rng)) as f32).collect();
        let x = Matrix::from_vec(400, 6, x);
        let wrong = |row: usize| row.is_multiple_of(23);
        let labels: Vec<u32> = (0..400).map(|row| ((row + usize::from(wrong(row))) % K) as u32).collect();
        let groups: Vec<u32> = (0..400).map(|row| row / 2 * 2).collect();
        let near = nearest(x.view()).unwrap();
        let votes = Votes::of_neighbours(&labels, K, &near, &groups).unwrap();
        let table = votes.table();
        assert!(table.iter_rows().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < TOLERANCE));
        let expected = label_errors(Judged::new(&labels, table.view()).unwrap());
        let found = votes.errors();
        assert!(found.flagged.len() > 10 && found.flagged.iter().filter(|row| wrong(**row)).count() > 10);
        let (mut flagged, mut of_table) = (found.flagged, expected.flagged);
        flagged.sort_unstable();
        of_table.sort_unstable();
        assert_eq!((flagged, found.suggested), (of_table, expected.suggested));
        assert!(found.scores.iter().zip(&expected.scores).all(|(a, b)| (a - b).abs() < TOLERANCE));
        let sizes = expected.notes.iter().filter(|note| !matches!(note, Note::FitsTooWell { .. }));
        assert!(found.notes.iter().eq(sizes));
    }

    #[test]
    fn one_class_and_nobody_who_votes_are_defined() {
        let x = Matrix::from_rows(&[[1.0_f32], [2.0]]);
        let near = nearest(x.view()).unwrap();
        let alone = Votes::of_neighbours(&[0, 0], 1, &near, &[7, 7]).unwrap();
        assert_eq!((alone.best(0), alone.errors().suggested), ((0, 1.0), vec![0, 0]));
        let two = Votes::of_neighbours(&[0, 1], 2, &near, &[7, 7]).unwrap();
        assert_eq!((two.best(1), two.share(1, 1), two.best_other(0)), ((0, 0.5), 0.5, 1));
        assert!(Votes::of_neighbours(&[0, 2], 2, &near, &[7, 7]).is_err());
    }
}
