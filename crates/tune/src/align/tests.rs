//! Facts about alignment on made pairs.
