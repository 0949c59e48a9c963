//! Finds how a photo lies against a template: Gauss and Newton's method, coarse to fine.
//!
//! The template's own slopes say what a small motion would change (inverse compositional alignment, Baker and Matthews 2004),
//! so a noisy photo lends no noise to them. Pixels that differ much more than most count little: a defect must not pull.

use super::filter::gauss;
use super::grey::{Grey, Size};
use super::median::median;
use super::warp::{Rigid, sample_row};

/// The planes are shrunk by these, one after the other.
const SHRINKAGES: [usize; 3] = [4, 2, 1];
/// A shrunk template with a shorter side than this shows too little.
const LEAST_SIDE: usize = 8;
/// Steps at each size, at most.
const MOST_STEPS: usize = 12;
/// Blur at each size, in its pixels: print has edges as sharp as a pixel, and a slope says nothing about what lies beyond it.
const SOFTNESS: f64 = 1.0;
/// A step below this share of the long side, and below as many radians, is the last: 0.003 pixels of 256.
const SMALL_STEP: f64 = 1e-5;
/// The usual difference counts as at least this much, in standard deviations of the photo. Where most of a photo is white
/// paper without any noise the median difference is 0, and by that measure all print would be an outlier.
const LEAST_USUAL: f32 = 0.05;
/// Added to the normal equations, as a share of their diagonal's mean: stripes do not say how far they run.
const DAMPING: f64 = 1e-6;
/// A photo that overlaps less of the template has run away.
const LEAST_OVERLAP: f64 = 0.5;

/// What photos are registered to: a plane of mean 0 and variance 1, at several sizes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    plane: Grey,
    levels: Vec<Level>,
}

#[derive(Debug, Clone, PartialEq)]
struct Level {
    plane: Grey,
    /// Change of the plane per long side to the right and down, and per radian about the centre.
    slopes: Vec<[f32; 3]>,
}

impl Template {
    pub(super) fn new(plane: Grey) -> Self {
        let shrunk = |by: usize| (by, shrink(plane.size(), by));
        let sizes = SHRINKAGES.into_iter().map(shrunk);
        let kept = sizes.filter(|(by, size)| *by == 1 || size.height.min(size.width) >= LEAST_SIDE);
        let levels = kept.map(|(_, size)| Level::new(soft(&plane, size))).collect();
        Self { plane, levels }
    }

    /// The template at its full size.
    pub(super) fn plane(&self) -> &Grey {
        &self.plane
    }

    /// How a photo of the template's size, standardised like it, lies against it; and their correlation where they overlap.
    ///
    /// A photo for which nothing is better than leaving it where it is does not move.
    pub(super) fn register(&self, photo: &Grey) -> (Rigid, f32) {
        let mut rigid = Rigid::default();
        for level in &self.levels {
            rigid = level.register(&soft(photo, level.plane.size()), rigid);
        }
        let moved = |rigid: Rigid| {
            let mut seen = vec![0.0; photo.values.len()];
            lay(photo, rigid, self.plane.size(), &mut seen);
            correlation(&seen, &self.plane.values)
        };
        let stays = moved(Rigid::default()).unwrap_or(0.0);
        match moved(rigid) {
            Some(moved) if moved > stays => (rigid, moved),
            _ => (Rigid::default(), stays),
        }
    }

    /// The correlation of a photo that is laid over the template, NaN where it does not reach; 0 where it hardly does.
    pub(super) fn correlation(&self, warped: &Grey) -> f32 {
        correlation(&warped.values, &self.plane.values).unwrap_or(0.0)
    }
}

impl Level {
    fn new(plane: Grey) -> Self {
        let (height, width) = (plane.height, plane.width);
        let long = plane.size().long_side() as f32;
        let value = |y: usize, x: usize| plane.values[y * width + x];
        let slope = |at: usize| {
            let (y, x) = (at / width, at % width);
            let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
            let (above, below) = (y.saturating_sub(1), (y + 1).min(height - 1));
            let across = long * (value(y, right) - value(y, left)) / (right - left).max(1) as f32;
            let down = long * (value(below, x) - value(above, x)) / (below - above).max(1) as f32;
            let from_centre = |at: usize, side: usize| (at as f32 - (side as f32 - 1.0) / 2.0) / long;
            [across, down, down * from_centre(x, width) - across * from_centre(y, height)]
        };
        let slopes = (0..height * width).map(slope).collect();
        Self { plane, slopes }
    }

    /// Improves on `rigid` until steps are small or many.
    fn register(&self, photo: &Grey, mut rigid: Rigid) -> Rigid {
        let mut differences = vec![0.0_f32; photo.values.len()];
        for _ in 0..MOST_STEPS {
            lay(photo, rigid, self.plane.size(), &mut differences);
            differences.iter_mut().zip(&self.plane.values).for_each(|(seen, value)| *seen -= value);
            let Some(step) = self.step(&differences) else { break };
            rigid = without(rigid, step);
            if step.iter().all(|step| step.abs() < SMALL_STEP) {
                break;
            }
        }
        rigid
    }

    /// The motion of the template that explains the differences best; `None` where there is nothing to see.
    fn step(&self, differences: &[f32]) -> Option<[f64; 3]> {
        let mut sizes: Vec<f32> =
            differences.iter().filter(|value| !value.is_nan()).map(|value| value.abs()).collect();
        let usual = 2.0 * median(&mut sizes)?.max(LEAST_USUAL);
        let mut normal = [[0.0_f64; 3]; 3];
        let mut target = [0.0_f64; 3];
        for (difference, slopes) in differences.iter().zip(&self.slopes) {
            if difference.is_nan() {
                continue;
            }
            let weight = f64::from(1.0 / (1.0 + (difference / usual).powi(2)));
            let slopes = slopes.map(f64::from);
            for row in 0..3 {
                let weighted = weight * slopes[row];
                for column in 0..=row {
                    normal[row][column] += weighted * slopes[column];
                }
                target[row] += weighted * f64::from(*difference);
            }
        }
        solve(normal, target)
    }
}

/// The photo laid over a template of this size, NaN where it does not reach.
fn lay(photo: &Grey, rigid: Rigid, size: Size, seen: &mut [f32]) {
    let places = rigid.places(photo.size(), size);
    for (y, row) in seen.chunks_mut(size.width).enumerate() {
        sample_row(&photo.values, photo.size(), &places, y, row, Some(f32::NAN));
    }
}

/// The correlation of what is seen with the template where that is not NaN; 0 where either does not vary, `None` when it is
/// too little of the template.
fn correlation(seen: &[f32], template: &[f32]) -> Option<f32> {
    let pairs = || {
        let both = seen.iter().zip(template).filter(|(seen, _)| !seen.is_nan());
        both.map(|(a, b)| (f64::from(*a), f64::from(*b)))
    };
    let n = pairs().count() as f64;
    if n < LEAST_OVERLAP * seen.len() as f64 {
        return None;
    }
    let (a, b) = pairs().fold((0.0, 0.0), |sum, (a, b)| (sum.0 + a / n, sum.1 + b / n));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in pairs() {
        aa += (x - a).powi(2);
        bb += (y - b).powi(2);
        ab += (x - a) * (y - b);
    }
    let scale = (aa * bb).sqrt();
    Some(if scale > 0.0 { (ab / scale) as f32 } else { 0.0 })
}

/// The plane at this size with its edges softened.
fn soft(plane: &Grey, size: Size) -> Grey {
    gauss(&plane.resized_to(size), SOFTNESS)
}

fn shrink(size: Size, by: usize) -> Size {
    Size { height: size.height.div_ceil(by), width: size.width.div_ceil(by) }
}

/// `rigid` after the reverse of a motion of the template.
fn without(rigid: Rigid, step: [f64; 3]) -> Rigid {
    let turn = f64::from(rigid.turn) - step[2];
    let (sin, cos) = turn.sin_cos();
    Rigid {
        shift_x: (f64::from(rigid.shift_x) - (cos * step[0] - sin * step[1])) as f32,
        shift_y: (f64::from(rigid.shift_y) - (sin * step[0] + cos * step[1])) as f32,
        turn: turn as f32,
    }
}

/// Solves the damped normal equations, of which only the lower triangle is filled; `None` when they are all zero.
fn solve(mut a: [[f64; 3]; 3], b: [f64; 3]) -> Option<[f64; 3]> {
    let trace = a[0][0] + a[1][1] + a[2][2];
    if trace <= 0.0 || !trace.is_finite() {
        return None;
    }
    for (diagonal, row) in a.iter_mut().enumerate() {
        row[diagonal] += DAMPING * trace / 3.0;
    }
    // A = L D L^T; the damping keeps D positive.
    let d0 = a[0][0];
    let (l10, l20) = (a[1][0] / d0, a[2][0] / d0);
    let d1 = a[1][1] - l10 * l10 * d0;
    let l21 = (a[2][1] - l20 * l10 * d0) / d1;
    let d2 = a[2][2] - l20 * l20 * d0 - l21 * l21 * d1;
    let y1 = b[1] - l10 * b[0];
    let y2 = b[2] - l20 * b[0] - l21 * y1;
    let x2 = y2 / d2;
    let x1 = y1 / d1 - l21 * x2;
    Some([b[0] / d0 - l10 * x1 - l20 * x2, x1, x2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_equations_are_solved() {
        let a = [[4.0, 0.0, 0.0], [1.0, 3.0, 0.0], [0.5, -1.0, 5.0]];
        let x = solve(a, [4.0 + 2.0 + 1.5, 1.0 + 6.0 - 3.0, 0.5 - 2.0 + 15.0]).unwrap();
        assert!(x.iter().zip([1.0, 2.0, 3.0]).all(|(x, expected)| (x - expected).abs() < 1e-4), "{x:?}");
        assert_eq!(solve([[0.0; 3]; 3], [0.0; 3]), None);
        let stripes = solve([[9.0, 0.0, 0.0], [0.0; 3], [0.0; 3]], [9.0, 0.0, 0.0]).unwrap();
        assert!((stripes[0] - 1.0).abs() < 1e-5 && stripes[1..] == [0.0, 0.0]);
    }

    #[test]
    fn taking_a_motion_away_from_itself_leaves_none() {
        let rigid = Rigid { shift_x: 0.1, shift_y: -0.05, turn: 0.2 };
        // W(step) = rigid, so rigid after the reverse of step does nothing.
        let left = without(rigid, [0.1, -0.05, 0.2].map(|value| f64::from(value as f32)));
        assert!(left.turn.abs() < 1e-6 && left.shift_x.abs() < 1e-6 && left.shift_y.abs() < 1e-6, "{left:?}");
    }
}
