//! Rules of a label book that are known by numbers, whatever base each was decided with.

use curate::book::{self, Book, BookError, Entry, Expected, NewLabel};

use crate::report::Sentence;

/// Rules under the numbers that people know them by. Those that were decided with one base make one book; only rules of the base
/// that looks are heard.
#[derive(Debug, Default)]
pub struct Rulebook {
    books: Vec<(Book, Vec<usize>)>,
}

/// A label that a rule speaks against.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// Of the rule.
    pub number: usize,
    /// What it says.
    pub expected: Expected,
}

impl Rulebook {
    /// Takes a rule in, after those that were decided before it. `dim` is the number of features of the base.
    pub fn add(&mut self, number: usize, base: &str, dim: usize, entry: Entry) {
        let place = self.books.iter().position(|(book, _)| book.base == base && book.dim == dim);
        let place = place.unwrap_or_else(|| {
            self.books.push((Book::new(base, dim), Vec::new()));
            self.books.len() - 1
        });
        let (book, numbers) = &mut self.books[place];
        book.entries.push(entry);
        numbers.push(number);
    }

    /// The rules that were decided with a base, with their numbers.
    pub(super) fn of(&self, base: &str, dim: usize) -> Option<(&Book, &[usize])> {
        let found = self.books.iter().find(|(book, _)| book.base == base && book.dim == dim);
        found.map(|(book, numbers)| (book, numbers.as_slice()))
    }

    /// The book of the base that was decided with last.
    pub fn last(&self) -> Option<&Book> {
        let last = self.books.iter().max_by_key(|(_, numbers)| numbers.last().copied());
        last.map(|(book, _)| book)
    }

    /// A rule by its number.
    pub fn rule(&self, number: usize) -> Option<&Entry> {
        self.rules().into_iter().find(|(other, _)| *other == number).map(|(_, entry)| entry)
    }

    /// All rules with their numbers, ascending.
    pub fn rules(&self) -> Vec<(usize, &Entry)> {
        let mut all: Vec<(usize, &Entry)> = self
            .books
            .iter()
            .flat_map(|(book, numbers)| numbers.iter().copied().zip(&book.entries))
            .collect();
        all.sort_by_key(|(number, _)| *number);
        all
    }

    /// The rule that speaks most lately against a label; `None` where none does.
    ///
    /// # Errors
    /// Features that are not finite.
    pub fn check(&self, base: &str, label: NewLabel<'_>) -> Result<Option<Broken>, BookError> {
        let Some((book, numbers)) = self.of(base, label.features.len()) else { return Ok(None) };
        let against = book::check(book, base, label)?.into_iter().next();
        Ok(against.map(|against| Broken { number: numbers[against.entry], expected: against.expected }))
    }

    /// Says of which rules nothing was heard.
    pub(super) fn unheard(&self, base: &str, dim: usize) -> Option<Sentence> {
        let n = self.rules().len() - self.of(base, dim).map_or(0, |(_, numbers)| numbers.len());
        (n > 0).then(|| Sentence {
            en: format!("Labels were not checked against rules that were decided with another base ({n})."),
            zh: format!("标签手册中有 {n} 条规则是用另一个底座裁定的，未据此检查标注。"),
        })
    }
}

#[cfg(test)]
mod tests {
    use curate::book::{Region, Rule};

    use super::*;

    /// All of what lies around `at` are scratches.
    fn scratches(at: f32) -> Entry {
        Entry {
            a: "scratch".to_owned(),
            b: "dent".to_owned(),
            rule: Rule::AllA,
            region: Region { centroid: vec![at, 0.0], radius: 0.5, reach: 0.5 },
            exemplars: Vec::new(),
            members: Vec::new(),
            date: "2031-05-28".to_owned(),
            author: "Wang Li".to_owned(),
            fingerprint: String::new(),
        }
    }

    #[test]
    fn rules_keep_their_numbers_and_only_those_of_the_base_are_heard() {
        let mut book = Rulebook::default();
        book.add(2, "old", 2, scratches(0.0));
        book.add(5, "new", 2, scratches(0.0));
        book.add(7, "new", 2, scratches(3.0));
        let check = |base: &str, at: f32| {
            let features = [at, 0.0];
            let label = NewLabel { id: "x", features: &features, attributes: &[], row: 0, label: "dent" };
            book.check(base, label).expect("finite features").map(|broken| broken.number)
        };
        assert_eq!([check("new", 0.1), check("new", 3.1), check("new", 9.0)], [Some(5), Some(7), None]);
        assert_eq!([check("old", 0.1), check("other", 0.1)], [Some(2), None]);
        assert_eq!(book.rules().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 5, 7]);
        assert_eq!(book.last().map(|last| last.base.as_str()), Some("new"));
        assert!(book.unheard("new", 2).is_some_and(|told| told.en.contains("(1)")));
        assert_eq!(book.unheard("old", 2).map(|told| told.en.contains("(2)")), Some(true));
        assert!(book.rule(7).is_some_and(|rule| rule.region.centroid[0] > 2.0) && book.rule(1).is_none());
    }
}
