//! Automation and the checks of the house itself.

fn main() {}
