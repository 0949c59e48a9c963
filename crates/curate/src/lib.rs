//! Says what looks wrong in a data set: duplicates and suspicious labels.
