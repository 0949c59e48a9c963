//! Facts about fusion on made data.
