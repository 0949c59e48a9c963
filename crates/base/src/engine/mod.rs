//! What runs a network.
