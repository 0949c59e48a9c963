//! Small seeded datasets and tolerances for tests.
