//! Any number of labels an example: each is a question of its own.

use curate::labels::multilabel::JudgedSets;
use curate::labels::views::{fused, votes_of_neighbours};
use linalg::{Matrix, MatrixView};

use super::super::material::{Material, Nearness, Sets};
use super::{Among, Labels, Said, View, ViewSays, seen};
use crate::PipelineError;

/// The least probability that a logarithm is taken of.
const SMALLEST: f64 = 1e-12;
/// From this probability on a view says that the label is there.
const EVEN: f64 = 0.5;

/// `[rows, k]`: 1 where a row has the label.
pub(super) fn indicators(sets: &Sets, rows: &[usize]) -> Matrix {
    let mut has = Matrix::zeros(rows.len(), sets.classes.len());
    for (place, row) in rows.iter().enumerate() {
        for class in sets.of[*row].iter().flatten() {
            has.row_mut(place)[*class as usize] = 1.0;
        }
    }
    has
}

pub(super) fn sets(
    material: &Material,
    sets: &Sets,
    mut said: Vec<Said>,
    nearness: Option<&Nearness>,
) -> Result<Labels, PipelineError> {
    let rows = material.judged();
    let given: Vec<Vec<u32>> = rows.iter().filter_map(|row| sets.of[*row].clone()).collect();
    for said in &said {
        JudgedSets::new(&given, said.values.view())?;
    }
    let has = indicators(sets, &rows);
    let (n, k) = (rows.len(), sets.classes.len());
    if let Some(Among { near, groups }) = Among::new(material, nearness, &rows)? {
        let mut values = Matrix::zeros(n, k);
        for class in 0..k {
            let votes = votes_of_neighbours(&answers(&has, class), 2, &near, &groups)?;
            (0..n).for_each(|row| values.row_mut(row)[class] = votes.row(row)[1]);
        }
        said.push(Said { view: View::Neighbours, values });
    }
    let probs = together(&has, &said)?;
    let found = JudgedSets::new(&given, probs.view())?.errors();
    let mut of = Labels::silent(material.n());
    of.cautions = seen::sets(&given, &said)?;
    for (place, row) in rows.iter().enumerate() {
        of.checked.scores[*row] = Some(found.scores[place]);
        let loss = |(p, has): (&f64, &f32)| -(if *has > 0.5 { *p } else { 1.0 - p }).max(SMALLEST).ln();
        of.losses[*row] = Some(probs.row(place).iter().zip(has.row(place)).map(loss).sum::<f64>() / k as f64);
    }
    for place in &found.flagged {
        let row = rows[*place];
        of.checked.flagged.push(row);
        of.sure[row] = sure(probs.row(*place), &given[*place], &found.suggested[*place]);
        of.sets[row] = Some(sets.names(&found.suggested[*place]));
        of.suggested[row] = Some(sets.text(&found.suggested[*place]));
        of.says[row] = said.iter().map(|said| says(sets, said, *place, &given[*place])).collect();
    }
    Ok(of)
}

/// How probable a set is beside another, by the probability of each label.
fn sure(probs: &[f64], given: &[u32], suggested: &[u32]) -> f64 {
    let differs = |class: &u32| given.contains(class) != suggested.contains(class);
    let odds = |class: u32| {
        let p = probs[class as usize].clamp(SMALLEST, 1.0 - SMALLEST);
        if suggested.contains(&class) { (p / (1.0 - p)).ln() } else { ((1.0 - p) / p).ln() }
    };
    let odds: f64 = (0..probs.len() as u32).filter(differs).map(odds).sum();
    1.0 / (1.0 + (-odds).exp())
}

/// `[n]`: 1 where the row has the label.
fn answers(has: &Matrix, class: usize) -> Vec<u32> {
    has.iter_rows().map(|row| u32::from(row[class] > 0.5)).collect()
}

/// `[n, k]`: what all views say together, label by label. One view is taken as it is.
fn together(has: &Matrix, said: &[Said]) -> Result<Matrix<f64>, PipelineError> {
    let (n, k) = (has.rows(), has.cols());
    let mut probs = Matrix::zeros(n, k);
    for class in 0..k {
        let pair = |said: &Said| {
            let column = said.values.iter_rows().flat_map(|row| [1.0 - row[class], row[class]]);
            Matrix::from_vec(n, 2, column.collect())
        };
        let pairs: Vec<Matrix<f64>> = said.iter().map(pair).collect();
        let views: Vec<MatrixView<'_, f64>> = pairs.iter().map(Matrix::view).collect();
        let both = fused(&answers(has, class), &views)?;
        (0..n).for_each(|row| probs.row_mut(row)[class] = both.row(row)[1]);
    }
    Ok(probs)
}

fn says(sets: &Sets, said: &Said, place: usize, given: &[u32]) -> ViewSays {
    let probs = said.values.row(place);
    let found: Vec<u32> = (0..).zip(probs).filter(|(_, p)| **p >= EVEN).map(|(class, _)| class).collect();
    ViewSays {
        view: said.view,
        sense: None,
        contradicts: found != given,
        label: sets.text(&found),
        probability: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_as_sure_as_the_labels_in_which_it_differs() {
        let probs = [0.8, 0.25, 0.01];
        assert!((sure(&probs, &[1], &[0, 1]) - 0.8).abs() < 1e-12);
        assert!((sure(&probs, &[1], &[0]) - 12.0 / 13.0).abs() < 1e-12);
        assert!((sure(&probs, &[0], &[0]) - 0.5).abs() < 1e-12);
    }
}
