//! Turns image files and text into a network's input.
