//! A base that watches: a vision network over a video's frames, over what moves in them and over the picture of their differences.
//!
//! Which of the sets a head looks at is decided by tuning. The pooling is that of methods 7.6.

use image::RgbImage;

use crate::engine::{Engine, NetInput};
use crate::open::{BaseError, FeatureSpec};
use crate::prep::{self, Fit, ImagePreprocess, PrepError};
use crate::video::{deviation, differences, largest, last_less_first, mean, mean_step, moving_parts};

/// The kinds of feature, each of two vectors of the network's length: none where the network gives no vector.
pub(crate) fn layout(network: &dyn Engine) -> Vec<FeatureSpec> {
    let Some(vector) = network.outputs().iter().find(|output| output.rows.is_none()) else {
        return Vec::new();
    };
    ["frames", "moving", "course", "motion", "new"]
        .map(|name| FeatureSpec { name: name.to_owned(), dim: 2 * vector.dim })
        .to_vec()
}

/// All kinds of feature one after the other. There is a moment where there is a frame.
///
/// - `frames`: mean and deviation over whole frames,
/// - `moving`: mean and deviation over the part of each frame that moves,
/// - `course`: last frame less the first, and the largest value at any time,
/// - `motion`: mean size of the step from frame to frame, and what the picture of the differences shows,
/// - `new`: what is new in the rarest moment, and in the rarest few together.
pub(crate) fn features(
    network: &dyn Engine,
    preprocess: &ImagePreprocess,
    frames: &[RgbImage],
    moments: &[RgbImage],
) -> Result<Vec<f32>, BaseError> {
    if frames.is_empty() {
        return Err(PrepError::BrokenVideo { detail: "it has no frames".to_owned() }.into());
    }
    // A part that moves is cut out with room around it: all of it goes in.
    let whole = ImagePreprocess { fit: Fit::Squeeze, ..preprocess.clone() };
    let look = |pictures: &[&RgbImage], preprocess: &ImagePreprocess| {
        pictures.iter().map(|picture| vector(network, preprocess, picture)).collect::<Result<Vec<_>, _>>()
    };
    let seen = look(&frames.iter().collect::<Vec<_>>(), preprocess)?;
    let moving = look(&moving_parts(frames).iter().collect::<Vec<_>>(), &whole)?;
    let new = look(&moments.iter().collect::<Vec<_>>(), &whole)?;
    let changes = vector(network, preprocess, &differences(frames))?;
    Ok([
        mean(&seen),
        deviation(&seen),
        mean(&moving),
        deviation(&moving),
        last_less_first(&seen),
        largest(&seen),
        mean_step(&seen),
        changes,
        new[0].clone(),
        mean(&new),
    ]
    .concat())
}

/// What a network makes of a picture: its first vector.
///
/// # Panics
/// When the network gives none: that is refused when a base is opened.
pub(crate) fn vector(
    network: &dyn Engine,
    preprocess: &ImagePreprocess,
    picture: &RgbImage,
) -> Result<Vec<f32>, BaseError> {
    let outputs = network.run(NetInput::Image(&prep::image_input(picture, preprocess)))?;
    let place = network.outputs().iter().position(|output| output.rows.is_none());
    let vector = place.and_then(|place| outputs.into_iter().nth(place));
    Ok(vector.expect("a layout without a vector is refused when a base is opened").data)
}
