//! Named tensors.
