//! Features of many examples: decode, prepare, infer, keep.
