//! Which rows belong together when some pairs do (union-find).

/// Rows, each alone at first.
pub(crate) struct Joined {
    leader: Vec<usize>,
}

impl Joined {
    /// Rows 0 to n - 1.
    pub(crate) fn new(n: usize) -> Self {
        Self { leader: (0..n).collect() }
    }

    /// Says that two rows, and all that belong to them, belong together.
    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.leader[a.max(b)] = a.min(b);
    }

    /// The sets of two rows and more: each ascending, in the order of their first rows.
    pub(crate) fn sets(mut self) -> Vec<Vec<usize>> {
        let mut sets: Vec<Vec<usize>> = vec![Vec::new(); self.leader.len()];
        for row in 0..self.leader.len() {
            let first = self.find(row);
            sets[first].push(row);
        }
        sets.retain(|set| set.len() > 1);
        sets
    }

    fn find(&mut self, mut row: usize) -> usize {
        while self.leader[row] != row {
            self.leader[row] = self.leader[self.leader[row]];
            row = self.leader[row];
        }
        row
    }
}
