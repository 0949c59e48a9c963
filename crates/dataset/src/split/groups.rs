//! What must stay together.

use std::collections::HashMap;

/// A partition of rows into groups, grown by joining (union-find with path halving).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    parent: Vec<u32>,
}

impl Groups {
    /// Every row for itself.
    pub fn singletons(n: usize) -> Self {
        Self { parent: (0..u32::try_from(n).expect("fewer than 2^32 rows")).collect() }
    }

    /// Rows with the same name together; rows without a name for themselves.
    pub fn from_names<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Self {
        let names: Vec<Option<&str>> = names.collect();
        let mut groups = Self::singletons(names.len());
        let mut first_of = HashMap::new();
        for (row, name) in names.iter().enumerate() {
            if let Some(name) = name {
                groups.join(*first_of.entry(*name).or_insert(row), row);
            }
        }
        groups
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.parent.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.parent.is_empty()
    }

    /// Puts the groups of two rows together. The smaller row leads.
    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.leader(a), self.leader(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    /// The smallest row of this row's group: its name.
    fn leader(&mut self, row: usize) -> u32 {
        let mut at = row;
        while self.parent[at] as usize != at {
            self.parent[at] = self.parent[self.parent[at] as usize];
            at = self.parent[at] as usize;
        }
        u32::try_from(at).expect("fewer than 2^32 rows")
    }

    /// The group of every row, numbered from 0 in order of first appearance.
    pub fn numbers(&self) -> Vec<u32> {
        let mut groups = self.clone();
        let mut number_of = HashMap::new();
        (0..self.len())
            .map(|row| {
                let leader = groups.leader(row);
                let next = u32::try_from(number_of.len()).expect("fewer than 2^32 groups");
                *number_of.entry(leader).or_insert(next)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_is_transitive() {
        let mut groups = Groups::from_names(
            ["a", "", "b", "a", "b"].into_iter().map(|name| (!name.is_empty()).then_some(name)),
        );
        assert_eq!(groups.numbers(), [0, 1, 2, 0, 2]);
        groups.join(4, 1);
        assert_eq!(groups.numbers(), [0, 1, 1, 0, 1]);
    }
}
