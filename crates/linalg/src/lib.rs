//! Dense row-major matrices, decompositions, exact nearest neighbours and seeded randomness, no I/O.
