//! Atomic files, content hashes and locks on a local disk.
