//! The package of a small model: writes, signs, checks, opens, predicts, exports.
