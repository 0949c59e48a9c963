//! Which bases there are, where they come from, and under which licence.
