//! Videos: a few frames of a file, decoded by `ffmpeg` as a limited child process, what moves in them, and pooling over time.
//!
//! Start at [`frames`]. Nothing here knows a network: [`Base`](crate::Base) runs its own over what comes out.

mod course;
mod ffmpeg;
mod frames;
mod moments;
mod moving;
mod pooling;

pub use course::{Shape, course, shape};
pub use ffmpeg::{Ffmpeg, FfmpegError, VideoError};
pub use frames::{Video, frames, glimpses};
pub use moments::moments;
pub use moving::{differences, moving_parts};
pub use pooling::{deviation, largest, last_less_first, mean, mean_step};
