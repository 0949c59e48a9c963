//! Speed on this machine, as ratios against naive versions and peers.

fn main() {}
