//! Labels of tokens in sentences (methods 3.5).
//!
//! As in cleanlab 2.9: a token is judged like an example of its own, a sentence by its worst token.

use linalg::Matrix;

use super::filter::{Filter, flagged, ranked};
use super::score::self_confidence;
use super::{Judged, softmin};
use crate::CurateError;

/// How sharply [`TokenQuality::soft_sentences`] looks at the worst token.
const TEMPERATURE: f64 = 0.05;

/// How the labels of tokens look. A sentence without tokens has nothing wrong, and scores 1.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenQuality {
    /// For each sentence, the self-confidence of each of its tokens.
    pub tokens: Vec<Vec<f64>>,
    /// `[sentences]`: the smallest of its tokens.
    pub sentences: Vec<f64>,
    /// `[sentences]`: the mean of its tokens, weighted toward the smallest.
    pub soft_sentences: Vec<f64>,
}

/// Scores tokens and sentences. `judged` has the tokens of all sentences one after the other, `lengths` how many each has.
///
/// # Errors
/// When the lengths do not add up to the number of tokens.
pub fn token_quality(judged: Judged<'_>, lengths: &[usize]) -> Result<TokenQuality, CurateError> {
    check_lengths(judged, lengths)?;
    let scores = self_confidence(judged);
    let mut rest = &scores[..];
    let mut tokens = Vec::with_capacity(lengths.len());
    for length in lengths {
        let (sentence, after) = rest.split_at(*length);
        tokens.push(sentence.to_vec());
        rest = after;
    }
    let worst = |sentence: &Vec<f64>| sentence.iter().copied().fold(1.0, f64::min);
    Ok(TokenQuality {
        sentences: tokens.iter().map(worst).collect(),
        soft_sentences: tokens.iter().map(|sentence| softmin(sentence, TEMPERATURE)).collect(),
        tokens,
    })
}

/// The tokens that a rule flags, as sentence and place in it, lowest self-confidence first.
///
/// # Errors
/// As [`token_quality`].
pub fn flagged_tokens(
    judged: Judged<'_>,
    lengths: &[usize],
    filter: Filter,
) -> Result<Vec<(usize, usize)>, CurateError> {
    check_lengths(judged, lengths)?;
    let places: Vec<(usize, usize)> = lengths
        .iter()
        .enumerate()
        .flat_map(|(sentence, length)| (0..*length).map(move |token| (sentence, token)))
        .collect();
    let rows = ranked(&flagged(judged, filter), &self_confidence(judged));
    Ok(rows.into_iter().map(|row| places[row]).collect())
}

/// Sums the probabilities of classes that count as one, such as `B-` and `I-` of the same entity.
///
/// `into[c]` is the new class of class c; the result has `1 + max into` columns.
///
/// # Errors
/// When there is not one entry for each column.
pub fn merge_classes(probs: &Matrix<f64>, into: &[u32]) -> Result<Matrix<f64>, CurateError> {
    if into.len() != probs.cols() {
        let (got, expected) = (into.len(), probs.cols());
        return Err(CurateError::Shape { what: "entries of the map of classes", got, expected });
    }
    let n_classes = into.iter().max().map_or(0, |class| *class as usize + 1);
    let mut merged = Matrix::zeros(probs.rows(), n_classes);
    for (row, values) in probs.iter_rows().enumerate() {
        let to = merged.row_mut(row);
        values.iter().zip(into).for_each(|(p, class)| to[*class as usize] += p);
    }
    Ok(merged)
}

fn check_lengths(judged: Judged<'_>, lengths: &[usize]) -> Result<(), CurateError> {
    let got: usize = lengths.iter().sum();
    let expected = judged.n();
    if got == expected {
        Ok(())
    } else {
        Err(CurateError::Shape { what: "tokens of all sentences", got, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_sentence_has_nothing_wrong() {
        let probs = Matrix::from_rows(&[[0.9, 0.1], [0.2, 0.8]]);
        let judged = Judged::new(&[0, 0], probs.view()).unwrap();
        let quality = token_quality(judged, &[0, 2]).unwrap();
        assert_eq!(quality.sentences, [1.0, 0.2]);
        assert_eq!(quality.soft_sentences[0], 1.0);
        let wrong = token_quality(judged, &[1]).unwrap_err();
        assert_eq!(wrong, CurateError::Shape { what: "tokens of all sentences", got: 1, expected: 2 });
    }

    #[test]
    fn merged_classes_add_up() {
        let probs = Matrix::from_rows(&[[0.5, 0.25, 0.25]]);
        assert_eq!(merge_classes(&probs, &[0, 1, 1]).unwrap().data(), [0.5, 0.5]);
        assert!(merge_classes(&probs, &[0, 1]).is_err());
    }
}
