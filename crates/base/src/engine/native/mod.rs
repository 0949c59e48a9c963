//! Runs a graph directly on this machine's vector units.
