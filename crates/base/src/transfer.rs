//! Carries bases to machines without a network.
