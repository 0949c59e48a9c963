//! What kind of files a column names, as their endings say.

use std::collections::BTreeMap;
use std::path::Path;

use super::Table;
use super::contents::LOOKED_AT;
use super::folders::{is_series_name, modality_of_name};
use crate::Modality;

const SENSES: [Modality; 4] = [Modality::Image, Modality::Sound, Modality::Video, Modality::Series];
/// Longest ending of a file's name.
const LONGEST_ENDING: usize = 5;
/// What is said of names without an ending.
const NO_ENDING: &str = "no ending";

/// The cells of a column that are not empty, as names of files.
pub(super) struct Names {
    filled: usize,
    /// How many name files of each of [`SENSES`].
    of_senses: [usize; 4],
    /// How often each ending that speaks to none of them is there; in lower case with its dot.
    others: BTreeMap<String, usize>,
    /// How many are single words and no numbers, as names of files may be.
    words: usize,
}

impl Names {
    pub(super) fn of(table: &Table, column: usize) -> Self {
        let mut names = Self { filled: 0, of_senses: [0; 4], others: BTreeMap::new(), words: 0 };
        for cell in table.cells(column).filter(|cell| !cell.is_empty()).take(LOOKED_AT) {
            names.filled += 1;
            let name = cell.text();
            let path = Path::new(&name);
            let series = || is_series_name(path).then_some(Modality::Series);
            let found = modality_of_name(path).or_else(series);
            if let Some(place) = SENSES.iter().position(|sense| Some(*sense) == found) {
                names.of_senses[place] += 1;
            } else if let Some(ending) = ending(&name) {
                *names.others.entry(ending).or_default() += 1;
            }
            names.words += usize::from(
                cell.number().is_none() && !name.contains(char::is_whitespace) && name.is_ascii(),
            );
        }
        names
    }

    /// The sense of nearly all files, where the column may hold something else: at least four of five.
    pub(super) fn nearly_all(&self) -> Option<Modality> {
        self.sense_of(4, 5)
    }

    /// The sense of most of them, where the column is named for files: at least every second one. The others are examples without it.
    pub(super) fn most(&self) -> Option<Modality> {
        self.sense_of(1, 2)
    }

    fn sense_of(&self, part: usize, whole: usize) -> Option<Modality> {
        let (sense, count) = SENSES.into_iter().zip(self.of_senses).rev().max_by_key(|(_, count)| *count)?;
        (self.filled > 0 && whole * count >= part * self.filled).then_some(sense)
    }

    /// The most frequent ending, in a column that is named for files, where most are names of files of a kind that is not known.
    pub(super) fn unknown(&self) -> Option<String> {
        self.unknown_of(1, 2)
    }

    /// The same in a column that a person names as what examples are: in one that is named for files names may have no ending, in another one
    /// texts may end as names do.
    pub(super) fn unknown_where_named(&self, for_files: bool) -> Option<String> {
        let are_words = self.filled > 0 && self.words == self.filled;
        let without = || {
            let has_none = self.others.is_empty() && self.of_senses == [0; 4];
            (are_words && has_none).then(|| NO_ENDING.to_owned())
        };
        match for_files {
            true => self.unknown().or_else(without),
            false => self.unknown_of(4, 5).filter(|_| are_words),
        }
    }

    fn unknown_of(&self, part: usize, whole: usize) -> Option<String> {
        let named: usize = self.others.values().chain(&self.of_senses).sum();
        let (ending, _) = self.others.iter().max_by_key(|(_, count)| **count)?;
        (self.most().is_none() && whole * named >= part * self.filled).then(|| ending.clone())
    }
}

/// The ending of a file's name with its dot, in lower case; `None` of what is no such name.
fn ending(name: &str) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.')?;
    let is_ending = (1..=LONGEST_ENDING).contains(&ending.len())
        && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && ending.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_stem = stem.chars().next_back().is_some_and(|last| !last.is_whitespace() && last != '.');
    (is_ending && is_stem).then(|| format!(".{}", ending.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::super::parse_separated;
    use super::*;

    #[track_caller]
    fn check(cells: &[&str], most: Option<Modality>, nearly_all: Option<Modality>, unknown: Option<&str>) {
        let text: String = cells.iter().map(|cell| format!("{cell},\n")).collect();
        let (table, _) = parse_separated(Path::new("t.csv"), format!("a,b\n{text}").as_bytes()).unwrap();
        let names = Names::of(&table, 0);
        assert_eq!((names.most(), names.nearly_all()), (most, nearly_all), "{cells:?}");
        assert_eq!(names.unknown_where_named(true).as_deref(), unknown, "{cells:?}");
    }

    #[test]
    fn endings_say_what_files_are() {
        let image = Some(Modality::Image);
        check(&["a.png", "b.PNG", "c.jpg", "d.png", "-"], image, image, None);
        check(&["a.png", "b.png", "c.ppm"], image, None, None);
        check(&["a.heic", "b.HEIC", "c.png"], None, None, Some(".heic"));
        check(&["a.txt", "b.txt"], None, None, Some(".txt"));
        check(&["IMG_1", "IMG_2"], None, None, Some(NO_ENDING));
        check(&["it hums", "quiet"], None, None, None);
        check(&["It hums. Loudly.", "v1.2", "7.5", "8"], None, None, None);
        check(&["7", "8"], None, None, None);
    }

    #[test]
    fn texts_that_end_as_names_do_are_texts() {
        let (table, _) =
            parse_separated(Path::new("t.csv"), b"a,b\nhe writes node.js,a.heic\nsee a.rs,b.heic\n").unwrap();
        let unknown = |column: usize| Names::of(&table, column).unknown_where_named(false);
        assert_eq!((unknown(0), unknown(1).as_deref()), (None, Some(".heic")));
    }
}
