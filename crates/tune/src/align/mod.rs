//! Lays the features of two bases over each other, from few pairs (methods 7.5).
