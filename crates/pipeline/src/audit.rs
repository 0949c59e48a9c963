//! The light look at the data before tuning: what is the same, and, once there are predictions, which labels look wrong.

use curate::Duplicates;
use dataset::Target;
use dataset::split::Groups;

use crate::features::Table;
use crate::{PipelineError, Run, Step};

/// What the examples have to do with each other.
#[derive(Debug)]
pub(crate) struct Relations {
    /// Sets of rows that are the same or nearly so, each ascending.
    pub(crate) duplicates: Vec<Vec<usize>>,
    /// Groups that stay together in every split: duplicates and the user's own groups.
    pub(crate) groups: Groups,
}

/// Finds duplicates and joins them with the user's groups.
pub(crate) fn relations(table: &Table, run: &Run<'_>) -> Result<Relations, PipelineError> {
    run.step(Step::Audit, || {
        let Duplicates { components, .. } = curate::duplicates(table.pooled().view())?;
        let names = table.data.examples.iter().map(|example| example.group.as_deref());
        let groups = joined(names, &components);
        Ok(Relations { duplicates: components, groups })
    })
}

/// The user's groups, with sets of duplicates joined.
pub(crate) fn joined<'a>(names: impl Iterator<Item = Option<&'a str>>, duplicates: &[Vec<usize>]) -> Groups {
    let mut groups = Groups::from_names(names);
    for pair in duplicates.iter().flat_map(|set| set.windows(2)) {
        groups.join(pair[0], pair[1]);
    }
    groups
}

/// The class of each example; only for single-label data, where every kept example has one.
pub(crate) fn classes_of(targets: &[Target]) -> Vec<u32> {
    targets
        .iter()
        .map(|target| match target {
            Target::Class(class) => class.0,
            other => unreachable!("single-label data has one class per labelled example, got {other:?}"),
        })
        .collect()
}
