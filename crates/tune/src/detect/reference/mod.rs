//! Compares photos of parts that are printed or machined to one pattern with a reference, pixel by pixel (methods 2.5).
//!
//! Where every part lies nearly the same way, a scratch is seen best by laying the photo over the good ones:
//!
//! | step | where |
//! |---|---|
//! | a photo is brought to a working size | [`Grey::resized`], [`Aligner::size_at`] |
//! | how it lies against the median good part; whether parts lie alike at all | [`Aligner`] |
//! | it is laid over the reference, and a map is laid back over the photo | [`Rigid`] |
//! | pixels that differ by more than good parts do | [`PixelReference`] |
//! | the photo's number | [`photo_score`] |

mod align;
mod filter;
mod grey;
mod median;
mod newton;
mod pixels;
mod warp;

pub use align::Aligner;
pub use grey::{Grey, Size};
pub use pixels::{Evened, PIXEL_SIDE, PixelReference, photo_score};
pub use warp::{Fill, Rigid};
