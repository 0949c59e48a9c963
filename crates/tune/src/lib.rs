//! Fits heads on few examples, with seeds and checked settings.
