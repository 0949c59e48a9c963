//! Classes that are called otherwise at another state of a data set.

use crate::db::milestones::{self, MilestoneRow};
use crate::tasks::{Task, renamed};

/// Classes that got other names on the way from one state to a later one, in order.
#[derive(Debug, Default)]
pub(super) struct Renames(Vec<(String, String)>);

impl Renames {
    /// From the earlier of two states to the later; `rows` are the oldest first.
    pub(super) fn between(rows: &[MilestoneRow], one: i64, other: i64) -> Self {
        let (low, high) = (one.min(other), one.max(other));
        let on_the_way = rows.iter().filter(|row| row.seq > low && row.seq <= high);
        Self(on_the_way.filter_map(|row| milestones::renamed(&row.body)).collect())
    }

    /// What classes were called and what instead, in order.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// What a class of the beginning is called at the end.
    pub(super) fn now(&self, class: &str) -> String {
        let next =
            |class: String, (from, to): &(String, String)| if class == *from { to.clone() } else { class };
        self.0.iter().fold(class.to_owned(), next)
    }

    /// What each class that has another name at the end was called at the beginning.
    pub(super) fn net(&self) -> impl Iterator<Item = (String, String)> {
        let mut names: Vec<(String, String)> = Vec::new();
        for (from, to) in &self.0 {
            let mut known = false;
            for (_, now) in names.iter_mut().filter(|(_, now)| now == from) {
                now.clone_from(to);
                known = true;
            }
            if !known {
                names.push((from.clone(), to.clone()));
            }
        }
        names.into_iter().filter(|(from, to)| from != to)
    }

    /// Whether new names are all that is new about a label, which was `early` and is `late`.
    pub(super) fn explain(&self, (early, late): (Option<&str>, Option<&str>), task: Task) -> bool {
        let (Some(early), Some(late)) = (early, late) else { return false };
        let mut label = early.to_owned();
        for (from, to) in &self.0 {
            label = match task {
                Task::Class if label == *from => to.clone(),
                Task::Classes => renamed(&label, from, to),
                Task::Class | Task::Number => label,
            };
        }
        label == late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renames(pairs: &[(&str, &str)]) -> Renames {
        Renames(pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect())
    }

    #[track_caller]
    fn check_net(pairs: &[(&str, &str)], expect: &[(&str, &str)]) {
        let net: Vec<(String, String)> = renames(pairs).net().collect();
        assert_eq!(Renames(net).0, renames(expect).0);
    }

    #[test]
    fn names_that_change_twice_changed_once() {
        check_net(&[("a", "b"), ("b", "c")], &[("a", "c")]);
        check_net(&[("a", "b"), ("b", "a")], &[]);
        check_net(&[("a", "b"), ("c", "b")], &[("a", "b"), ("c", "b")]);
        check_net(&[("a", "b"), ("c", "b"), ("b", "d")], &[("a", "d"), ("c", "d")]);
    }

    #[test]
    fn a_new_name_explains_a_label_and_nothing_else() {
        let one = renames(&[("a", "b"), ("b", "c")]);
        let explain = |early: &str, late: &str, task| one.explain((Some(early), Some(late)), task);
        assert!(explain("a", "c", Task::Class) && explain("b", "c", Task::Class));
        assert!(!explain("a", "b", Task::Class));
        assert!(!one.explain((None, Some("c")), Task::Class));
        assert!(!explain("a", "c", Task::Number));
        assert_eq!([one.now("a"), one.now("b"), one.now("d")], ["c", "c", "d"]);
    }
}
