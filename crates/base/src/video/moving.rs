//! What moves: the part of each frame that differs from what is there most of the time, and the picture of all differences.

use image::RgbImage;
use image::imageops::crop_imm;

/// A pixel moves where a channel differs from the background by more than this, of 255.
const VISIBLE: u8 = 24;
/// Where a smaller share of the pixels moves, nothing does.
const LEAST: f64 = 2e-4;
/// Share of the moving pixels left out at each side: stray ones do not widen the part.
const STRAY: f64 = 0.01;
/// Room around the part, as a share of its side, at each side.
const ROOM: f64 = 0.15;
/// Smallest side of a part in pixels; less has no detail to look at.
const SMALLEST: u32 = 32;

/// The square around what moves in each frame, cut at the frame's edges; the whole frame where nothing or everything moves.
///
/// The background is the median of every pixel over the frames, which have one size. Under a camera that moves all of it differs.
pub fn moving_parts(frames: &[RgbImage]) -> Vec<RgbImage> {
    let background = background(frames);
    frames.iter().map(|frame| moving_part(frame, &background)).collect()
}

/// The mean difference between neighbours in time, channel by channel, as bright as it can be; black for a single frame.
///
/// Takes at least one frame, all of one size.
pub fn differences(frames: &[RgbImage]) -> RgbImage {
    let (width, height) = frames[0].dimensions();
    let mut sums = vec![0_u32; frames[0].as_raw().len()];
    for pair in frames.windows(2) {
        let values = pair[0].as_raw().iter().zip(pair[1].as_raw());
        sums.iter_mut().zip(values).for_each(|(sum, (a, b))| *sum += u32::from(a.abs_diff(*b)));
    }
    let largest = sums.iter().copied().max().unwrap_or(0).max(1);
    let bytes = sums.iter().map(|sum| (sum * 255 / largest) as u8).collect();
    RgbImage::from_raw(width, height, bytes).expect("one number for each of a frame's")
}

/// The lower median over time.
fn background(frames: &[RgbImage]) -> Vec<u8> {
    let mut course = vec![0; frames.len()];
    let middle = frames.len().saturating_sub(1) / 2;
    let n_values = frames.first().map_or(0, |frame| frame.as_raw().len());
    let median = |place: usize| {
        course.iter_mut().zip(frames).for_each(|(value, frame)| *value = frame.as_raw()[place]);
        *course.select_nth_unstable(middle).1
    };
    (0..n_values).map(median).collect()
}

/// The square around what differs in a frame from a background of its size; the whole frame where nothing or everything does.
pub(super) fn moving_part(frame: &RgbImage, background: &[u8]) -> RgbImage {
    let (width, height) = frame.dimensions();
    let (mut columns, mut rows) = (vec![0_usize; width as usize], vec![0_usize; height as usize]);
    let pixels = frame.as_raw().chunks_exact(3).zip(background.chunks_exact(3));
    for (place, (pixel, usual)) in pixels.enumerate() {
        if pixel.iter().zip(usual).any(|(a, b)| a.abs_diff(*b) > VISIBLE) {
            columns[place % width as usize] += 1;
            rows[place / width as usize] += 1;
        }
    }
    let n_moving: usize = rows.iter().sum();
    if (n_moving as f64) < LEAST * f64::from(width) * f64::from(height) {
        return frame.clone();
    }
    let ((left, across), (top, down)) = (most(&columns, n_moving), most(&rows, n_moving));
    let side = (f64::from(across.max(down)) * (1.0 + 2.0 * ROOM)).ceil() as u32;
    let ((left, width), (top, height)) =
        (around(left, across, side.max(SMALLEST), width), around(top, down, side.max(SMALLEST), height));
    crop_imm(frame, left, top, width, height).to_image()
}

/// Start and length of the stretch that holds all but [`STRAY`] of the counts at each side.
fn most(counts: &[usize], total: usize) -> (u32, u32) {
    let stray = (total as f64 * STRAY) as usize;
    let outside = |counts: &mut dyn Iterator<Item = &usize>| {
        let mut seen = 0;
        counts
            .take_while(|count| {
                seen += **count;
                seen <= stray
            })
            .count()
    };
    let (before, after) = (outside(&mut counts.iter()), outside(&mut counts.iter().rev()));
    let length = counts.len().saturating_sub(before + after).max(1);
    (before as u32, length as u32)
}

/// A stretch of `side` around another, moved or cut to lie in `0..whole`.
fn around(start: u32, length: u32, side: u32, whole: u32) -> (u32, u32) {
    let side = side.min(whole);
    let start = (start + length / 2).saturating_sub(side / 2);
    (start.min(whole - side), side)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// A red square of 20 pixels on white, at a place.
    fn square_at(left: u32, top: u32) -> RgbImage {
        let inside = |x: u32, y: u32| (left..left + 20).contains(&x) && (top..top + 20).contains(&y);
        RgbImage::from_fn(200, 100, |x, y| Rgb(if inside(x, y) { [255, 0, 0] } else { [255; 3] }))
    }

    #[test]
    fn what_moves_is_cut_out_wherever_it_is() {
        let places = [(0, 0), (60, 40), (180, 80), (100, 5), (140, 70)];
        let parts = moving_parts(&places.map(|(x, y)| square_at(x, y)));
        for part in parts {
            assert_eq!(part.dimensions(), (32, 32));
            assert_eq!(part.pixels().filter(|pixel| pixel.0 == [255, 0, 0]).count(), 400);
        }
    }

    #[test]
    fn where_nothing_or_everything_moves_the_frame_stays_whole() {
        let still = [square_at(3, 3), square_at(3, 3), square_at(3, 3)];
        assert_eq!(moving_parts(&still), still);
        assert_eq!(moving_parts(&still[..1]), still[..1]);
        let flashes = [0, 120, 240].map(|value| RgbImage::from_pixel(40, 30, Rgb([value; 3])));
        assert_eq!(moving_parts(&flashes), flashes);
        assert_eq!(moving_parts(&[]), []);
    }

    #[test]
    fn differences_are_bright_where_something_came_or_went() {
        let picture = differences(&[square_at(10, 10), square_at(50, 10)]);
        assert_eq!(picture.get_pixel(15, 15).0, [0, 255, 255]);
        assert_eq!(picture.get_pixel(55, 15).0, [0, 255, 255]);
        assert_eq!(picture.get_pixel(100, 50).0, [0; 3]);
        assert!(differences(&[square_at(0, 0)]).as_raw().iter().all(|value| *value == 0));
    }
}
