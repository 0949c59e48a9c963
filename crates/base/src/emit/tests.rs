//! What an emitted model says of itself; what it computes is tested against independent values in `tests/it/parity.rs`.
