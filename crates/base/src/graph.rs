//! A network as operations over named weights.
