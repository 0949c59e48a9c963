//! The classes of a set, numbered in the order in which they became known.

use std::collections::HashMap;

/// Names with their numbers, from 0.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Classes {
    pub(crate) fn new(names: &[String]) -> Self {
        let mut classes = Self::default();
        names.iter().for_each(|name| {
            classes.number(name);
        });
        classes
    }

    /// The number of a class, a new one when the name is new.
    pub(crate) fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn into_names(self) -> Vec<String> {
        self.names
    }
}
