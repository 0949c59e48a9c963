//! The dianjing command.

fn main() {}
