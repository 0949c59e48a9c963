//! A base that is ready to run.

/// A pretrained network, checked and loaded.
#[derive(Debug)]
pub struct Base {}
