//! Examples, labels, groups, splits, revisions, and the readers of every format.
