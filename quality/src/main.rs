//! Accuracy on real data, printed beside the peers and the floors.

fn main() {}
