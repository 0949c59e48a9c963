//! Calibration, thresholds with guarantees, metrics with intervals, learning curves.
