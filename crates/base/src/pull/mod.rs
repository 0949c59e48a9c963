//! Brings a base into the cache.
