//! Names of files that give the label away: `cat_0013.jpg` (methods 4.11).

use std::collections::BTreeMap;

use linalg::Seed;

use super::telling::{Asked, largest};
use super::{Checked, Fault};

/// Score of all names below which they give labels away: more than half of the doubt is gone.
const TELLS: f64 = 0.5;
/// The largest p-value of a finding.
const SURE: f64 = 0.01;
/// Tokens looked at in one name.
const MOST_TOKENS: usize = 64;
/// A token in fewer names is not shown as evidence.
const FEWEST: usize = 3;
/// Share of a token's names that must be of one class for it to be shown.
const MOSTLY: f64 = 0.9;
/// Tokens shown.
const SHOWN: usize = 10;

/// What names say about labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelInName {
    /// Share of labels predicted rightly out of fold, each class counting the same.
    pub accuracy: f64,
    /// What chance reaches.
    pub baseline: f64,
    /// How often random labels are predicted as well.
    pub p_value: f64,
    /// The commonest tokens that stand for one class, and that class; at most ten.
    pub tokens: Vec<(String, u32)>,
    /// The score of a row is 0 where its name tells its label, else 1; such rows are flagged when names as a whole tell labels.
    pub checked: Checked,
}

/// Whether `names`, `[n]`, predict `labels`, `[n]`. A name is what a model or a person could see: **without** the folder that the
/// label was read from. Rows with the same number in `groups` judge together. `None` with fewer than two classes of five rows.
///
/// Naive Bayes over the words and numbers of a name, out of five folds.
///
/// # Panics
/// When the three differ in length.
pub fn label_in_name(
    names: &[&str],
    labels: &[Option<u32>],
    groups: &[u32],
    seed: Seed,
) -> Option<LabelInName> {
    assert!(
        names.len() == labels.len() && groups.len() == labels.len(),
        "every row has a name, a label and a group"
    );
    let asked = Asked::new(labels, groups, seed)?;
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut number_all = |row: &usize| -> Vec<usize> {
        let mut found: Vec<usize> = tokens(names[*row])
            .into_iter()
            .map(|token| {
                let next = numbers.len();
                *numbers.entry(token).or_insert(next)
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    let of_row: Vec<Vec<usize>> = asked.rows.iter().map(&mut number_all).collect();
    let predicted = predict(&asked, &of_row, numbers.len());
    let answer = asked.judge(std::slice::from_ref(&predicted), seed)[0];
    let score = asked.score(answer.accuracy);
    let mut scores = vec![None; names.len()];
    asked.rows.iter().for_each(|row| scores[*row] = Some(1.0));
    let told = asked.right(&predicted);
    told.iter().for_each(|row| scores[*row] = Some(0.0));
    let is_finding = score < TELLS && answer.p_value <= SURE;
    Some(LabelInName {
        accuracy: answer.accuracy,
        baseline: asked.baseline(),
        p_value: answer.p_value,
        tokens: telling(&asked, &of_row, &numbers),
        checked: Checked::new(Fault::LabelInName, scores, if is_finding { told } else { Vec::new() }),
    })
}

/// Words and numbers, in small letters: `catDog-07b.JPG` has cat, dog, 7, b and jpg.
fn tokens(name: &str) -> Vec<String> {
    let mut tokens = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let begins = before.is_numeric() != character.is_numeric()
            || (before.is_lowercase() && character.is_uppercase());
        if (begins || !character.is_alphanumeric()) && tokens.last().is_some_and(|token| !token.is_empty()) {
            tokens.push(String::new());
        }
        if let Some(token) = tokens.last_mut().filter(|_| character.is_alphanumeric()) {
            token.extend(character.to_lowercase());
        }
        before = character;
    }
    let plain =
        |token: String| if token.starts_with('0') { token.trim_start_matches('0').to_owned() } else { token };
    tokens.into_iter().map(plain).filter(|token| !token.is_empty()).take(MOST_TOKENS).collect()
}

fn predict(asked: &Asked, of_row: &[Vec<usize>], n_tokens: usize) -> Vec<Option<u32>> {
    let n_classes = asked.n_classes();
    asked.out_of_fold(|learned| {
        let mut counts = vec![0.0_f64; n_tokens * n_classes];
        let mut sizes = vec![0.0_f64; n_classes];
        for place in learned {
            let class = asked.labels[*place] as usize;
            sizes[class] += 1.0;
            of_row[*place].iter().for_each(|token| counts[token * n_classes + class] += 1.0);
        }
        move |place| {
            let of = |token: &usize| &counts[token * n_classes..(token + 1) * n_classes];
            let seen = |token: &&usize| of(token).iter().any(|count| *count > 0.0);
            let known: Vec<&usize> = of_row[place].iter().filter(seen).collect();
            let log = |class: usize| -> f64 {
                known.iter().map(|token| ((of(token)[class] + 1.0) / (sizes[class] + 2.0)).ln()).sum()
            };
            largest(&(0..n_classes).map(log).collect::<Vec<_>>()).filter(|_| !known.is_empty())
        }
    })
}

/// The commonest tokens that nearly always come with the same class.
fn telling(asked: &Asked, of_row: &[Vec<usize>], numbers: &BTreeMap<String, usize>) -> Vec<(String, u32)> {
    let mut counts = vec![vec![0_usize; asked.n_classes()]; numbers.len()];
    for (tokens, label) in of_row.iter().zip(&asked.labels) {
        tokens.iter().for_each(|token| counts[*token][*label as usize] += 1);
    }
    let of_class = |(token, number): (&String, &usize)| {
        let all: usize = counts[*number].iter().sum();
        let most = counts[*number].iter().copied().max()?;
        let class = counts[*number].iter().position(|count| *count == most)?;
        let shown = all >= FEWEST && most as f64 >= MOSTLY * all as f64;
        shown.then(|| (most, token.clone(), asked.classes[class]))
    };
    let mut found: Vec<(usize, String, u32)> = numbers.iter().filter_map(of_class).collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    found.into_iter().take(SHOWN).map(|(_, token, class)| (token, class)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: impl Fn(usize) -> String) -> LabelInName {
        let names: Vec<String> = (0..90).map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let labels: Vec<Option<u32>> = (0..90).map(|row| (row != 5).then_some(row as u32 % 3)).collect();
        label_in_name(&names, &labels, &(0..90).collect::<Vec<_>>(), Seed(1)).unwrap()
    }

    #[test]
    fn a_class_in_the_name_is_found() {
        let found = check(|row| format!("IMG_{row:04}_{}.jpg", ["cat", "dog", "Owl"][row % 3]));
        assert_eq!(found.checked.flagged.len(), 89);
        assert_eq!(found.checked.scores[5], None);
        assert_eq!(found.tokens[..3], [("cat".to_owned(), 0), ("dog".to_owned(), 1), ("owl".to_owned(), 2)]);
    }

    #[test]
    fn numbers_and_shared_words_are_no_finding() {
        let found = check(|row| format!("IMG_{row:04}.jpg"));
        assert!(found.checked.flagged.is_empty() && found.accuracy < 0.45, "{}", found.accuracy);
        let mixed = check(|row| format!("{}-{row}", ["cat", "dog", "owl"][row / 3 % 3]));
        assert!(mixed.checked.flagged.is_empty() && mixed.tokens.is_empty(), "{mixed:?}");
    }

    #[test]
    fn names_are_cut_into_words_and_numbers() {
        assert_eq!(tokens("catDog-007b.JPG"), ["cat", "dog", "7", "b", "jpg"]);
        assert_eq!(tokens("缺陷_划痕3"), ["缺陷", "划痕", "3"]);
        assert!(tokens("--00--").is_empty());
    }
}
