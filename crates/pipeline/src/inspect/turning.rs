//! With few good photos, each is shown turned around as well, unless the orientation of parts matters. Where a person says that it is free, some
//! of many are, and parts are not laid over each other.
//!
//! It helped on every set that was measured (`docs/inspection.md`), but a part that lies wrongly then passes. So it is left out
//! where parts clearly have an orientation: turned by right angles they look much more unusual to the other photos than they
//! do upright. A single photo cannot tell and is turned.

use bundle::inspection::{Detector, Eye, Good, Memories, Seen, Sight, WHOLE_FROM};
use dataset::Modality;
use image::{Rgb, RgbImage, imageops};
use linalg::{Seed, random};
use rayon::prelude::*;

use super::seeing::Photo;
use crate::{PipelineError, Run};

/// Parts have an orientation when turned photos look this many times as unusual: drawn parts that lie any way under a lamp that
/// stays where it is reach 1.3, woven cloth 1.8.
const ORIENTED: f64 = 1.5;

/// Whether a part that lies another way is still a good part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Orientation {
    /// Found out from the good photos.
    #[default]
    FindOut,
    /// It is.
    Free,
    /// It is not.
    Matters,
}

impl Orientation {
    /// Of photos as the person says; of series and sounds it matters, since time goes one way.
    pub(crate) fn of(self, modality: Modality) -> Self {
        if modality == Modality::Image { self } else { Self::Matters }
    }
}

/// Most good photos that are shown turned around: each takes seven times its time and memory, and more teach little more.
const MOST_TURNED: usize = WHOLE_FROM - 1;

/// How many of so many good photos may be shown turned around, should they not lie alike.
pub(crate) fn n_turned(n_good: usize, orientation: Orientation) -> usize {
    match orientation {
        Orientation::Free => n_good.min(MOST_TURNED),
        Orientation::FindOut if n_good <= MOST_TURNED => n_good,
        Orientation::FindOut | Orientation::Matters => 0,
    }
}

/// Shows good photos turned around where that helps: there are few, and parts may lie any way. Says whether it did.
pub(crate) fn turn(
    sight: &Sight,
    eye: &Eye,
    photos: &mut [Photo<'_>],
    orientation: Orientation,
    seed: Seed,
    run: &Run<'_>,
) -> Result<bool, PipelineError> {
    let mut good: Vec<usize> = (0..photos.len()).filter(|at| !photos[*at].is_defect()).collect();
    let alike = photos.iter().any(|photo| photo.seen.laid.is_some());
    let n_turned = n_turned(good.len(), orientation);
    if alike || n_turned == 0 {
        return Ok(false);
    }
    random::shuffle(&mut good, &mut seed.derive("turned photos").rng());
    good.truncate(n_turned);
    good.sort_unstable();
    see_turned(eye, photos, &good, right_angles, run)?;
    if orientation == Orientation::FindOut && is_oriented(sight, photos, &good, seed)? {
        photos.iter_mut().for_each(|photo| photo.turned.clear());
        return Ok(false);
    }
    see_turned(eye, photos, &good, between_right_angles, run)?;
    Ok(true)
}

fn see_turned(
    eye: &Eye,
    photos: &mut [Photo<'_>],
    good: &[usize],
    turned: impl Fn(&RgbImage) -> Vec<RgbImage> + Sync,
    run: &Run<'_>,
) -> Result<(), PipelineError> {
    let see = |at: &usize| -> Result<Vec<Seen>, PipelineError> {
        if run.is_cancelled() {
            return Err(PipelineError::Cancelled);
        }
        // A photo that could be read a moment ago and no longer can is shown as it lies only.
        let bytes = eye.picture(&photos[*at].example.path).ok();
        let Some((photo, _)) = bytes.and_then(|bytes| eye.decode(&bytes).ok()) else { return Ok(Vec::new()) };
        turned(&photo).iter().map(|photo| Ok(eye.see(photo, None)?)).collect()
    };
    let seen: Vec<Vec<Seen>> = good.par_iter().map(see).collect::<Result<_, _>>()?;
    good.iter().zip(seen).for_each(|(at, seen)| photos[*at].turned.extend(seen));
    Ok(())
}

/// Whether photos look much more unusual to the others when they are turned. Of a single one that is not known.
fn is_oriented(
    sight: &Sight,
    photos: &[Photo<'_>],
    good: &[usize],
    seed: Seed,
) -> Result<bool, PipelineError> {
    if good.len() < 2 {
        return Ok(false);
    }
    let mut ratios = Vec::new();
    for at in good {
        let others = good.iter().filter(|other| *other != at);
        let upright: Vec<Good<'_>> =
            others.map(|other| Good { seen: &photos[*other].seen, turned: &[] }).collect();
        let memories = Memories::fit(sight, &upright, &[Detector::Surface, Detector::Shape], seed)?;
        let unusual = |seen: &Seen| -> Result<f64, PipelineError> {
            let raw = memories.say(sight, seen)?;
            Ok(raw.voices.iter().map(|voice| voice.top).sum())
        };
        let turned: f64 = photos[*at].turned.iter().map(unusual).sum::<Result<f64, _>>()?;
        ratios.push(turned / photos[*at].turned.len().max(1) as f64 / unusual(&photos[*at].seen)?);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    tracing::info!(median, "how much more unusual photos look when they are turned");
    Ok(median >= ORIENTED)
}

fn right_angles(photo: &RgbImage) -> Vec<RgbImage> {
    vec![imageops::rotate90(photo), imageops::rotate180(photo), imageops::rotate270(photo)]
}

/// The middle of the photo, turned by half a right angle, and that turned by right angles.
fn between_right_angles(photo: &RgbImage) -> Vec<RgbImage> {
    let middle = half_turned(photo);
    let mut all = right_angles(&middle);
    all.push(middle);
    all
}

/// The largest upright square around the middle of a photo turned by 45 degrees that shows nothing but photo.
fn half_turned(photo: &RgbImage) -> RgbImage {
    let (width, height) = (f64::from(photo.width()), f64::from(photo.height()));
    let root = std::f64::consts::FRAC_1_SQRT_2;
    let side = (width.min(height) * root).floor().max(1.0);
    let value = |x: f64, y: f64, channel: usize| {
        let (x, y) = (x.clamp(0.0, width - 1.0), y.clamp(0.0, height - 1.0));
        let (left, top) = (x.floor(), y.floor());
        let (right, bottom) = ((left + 1.0).min(width - 1.0), (top + 1.0).min(height - 1.0));
        let at = |x: f64, y: f64| f64::from(photo.get_pixel(x as u32, y as u32).0[channel]);
        let upper = at(left, top) + (x - left) * (at(right, top) - at(left, top));
        let lower = at(left, bottom) + (x - left) * (at(right, bottom) - at(left, bottom));
        (upper + (y - top) * (lower - upper)).round() as u8
    };
    RgbImage::from_fn(side as u32, side as u32, |col, row| {
        let (across, down) = (f64::from(col) - (side - 1.0) / 2.0, f64::from(row) - (side - 1.0) / 2.0);
        let x = (width - 1.0) / 2.0 + root * (across - down);
        let y = (height - 1.0) / 2.0 + root * (across + down);
        Rgb([0, 1, 2].map(|channel| value(x, y, channel)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_right_angle_twice_is_a_right_angle() {
        let photo = RgbImage::from_fn(81, 81, |x, y| {
            let near = (f64::from(x) - 30.0).hypot(f64::from(y) - 40.0) < 6.0;
            Rgb([if near { 200 } else { 40 }; 3])
        });
        let middle = |photo: &RgbImage| {
            let bright: Vec<(u32, u32)> =
                photo.enumerate_pixels().filter(|(.., p)| p.0[0] > 120).map(|(x, y, _)| (x, y)).collect();
            let mean = |of: fn(&(u32, u32)) -> u32| {
                bright.iter().map(|place| f64::from(of(place))).sum::<f64>() / bright.len() as f64
            };
            let half = f64::from(photo.width() - 1) / 2.0;
            (mean(|place| place.0) - half, mean(|place| place.1) - half)
        };
        let close = |got: (f64, f64), expected: (f64, f64)| {
            assert!((got.0 - expected.0).hypot(got.1 - expected.1) < 0.5, "{got:?} for {expected:?}");
        };
        close(middle(&photo), (-10.0, 0.0));
        let once = half_turned(&photo);
        assert_eq!(once.dimensions(), (57, 57));
        close(middle(&once), (-10.0 * 0.5_f64.sqrt(), 10.0 * 0.5_f64.sqrt()));
        close(middle(&half_turned(&once)), (0.0, 10.0));
    }
}
