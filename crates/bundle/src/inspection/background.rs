//! The background of a photo, painted in one colour: what lies on the table beside a part is none of its faults.

use std::collections::VecDeque;

use image::{Rgb, RgbImage};

/// Share of the pixels along the edges that must look alike for them to show a background.
const ALIKE: f64 = 0.6;
/// Colours this far apart, in grey levels summed over the channels, are never told apart: noise and shadows.
const LEAST_APART: u32 = 30;
/// A part is kept with this share of the photo's smaller side around it, so that its edge is seen as before.
const KEPT_AROUND: f64 = 0.02;

/// The photo with its background painted over: pixels connected with the edge of the photo that have the colour of most of the
/// edge, and whatever small things they surround. A photo whose edge has no such colour stays as it is.
///
/// Where part and background are divided, is found for each photo alone (Otsu 1979).
pub(super) fn without_background(photo: &RgbImage) -> RgbImage {
    let colour = median(&edge(photo));
    let apart: Vec<u32> = photo.pixels().map(|pixel| difference(*pixel, colour)).collect();
    let limit = divide(&apart).max(LEAST_APART);
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let on_edge = places_on_edge(width, height);
    let alike = on_edge.iter().filter(|at| apart[**at] < limit).count();
    if (alike as f64) < ALIKE * on_edge.len() as f64 {
        return photo.clone();
    }
    let inside = largest(&outside(&apart, limit, width, height), width, height);
    let kept = widened(&inside, width, height, (KEPT_AROUND * width.min(height) as f64).ceil() as usize);
    let mut painted = photo.clone();
    painted.pixels_mut().zip(kept).filter(|(_, kept)| !kept).for_each(|(pixel, _)| *pixel = colour);
    painted
}

fn places_on_edge(width: usize, height: usize) -> Vec<usize> {
    let is_edge = |at: &usize| {
        let (row, col) = (at / width, at % width);
        row == 0 || col == 0 || row + 1 == height || col + 1 == width
    };
    (0..width * height).filter(is_edge).collect()
}

fn edge(photo: &RgbImage) -> Vec<Rgb<u8>> {
    let width = photo.width() as usize;
    let place = |at: usize| *photo.get_pixel((at % width) as u32, (at / width) as u32);
    places_on_edge(width, photo.height() as usize).into_iter().map(place).collect()
}

fn median(colours: &[Rgb<u8>]) -> Rgb<u8> {
    let middle = |channel: usize| {
        let mut values: Vec<u8> = colours.iter().map(|colour| colour.0[channel]).collect();
        values.sort_unstable();
        values[values.len() / 2]
    };
    Rgb([middle(0), middle(1), middle(2)])
}

fn difference(a: Rgb<u8>, b: Rgb<u8>) -> u32 {
    a.0.iter().zip(b.0).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

/// The value that divides all others into two sorts best: the largest variance between both.
fn divide(values: &[u32]) -> u32 {
    let mut counts = vec![0_u64; values.iter().max().map_or(1, |most| *most as usize + 2)];
    values.iter().for_each(|value| counts[*value as usize] += 1);
    let all = values.len() as f64;
    let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
    let (mut below, mut sum_below, mut best) = (0.0, 0.0, (0.0, 0));
    for (value, count) in counts.iter().enumerate() {
        if below > 0.0 && below < all {
            let means = (sum_below / below, (sum - sum_below) / (all - below));
            let between = below * (all - below) * (means.1 - means.0).powi(2);
            if between > best.0 {
                best = (between, value as u32);
            }
        }
        below += *count as f64;
        sum_below += *count as f64 * value as f64;
    }
    best.1
}

/// What cannot be reached from the edge over pixels nearer than `limit`: the part, and things beside it.
fn outside(apart: &[u32], limit: u32, width: usize, height: usize) -> Vec<bool> {
    let mut other = vec![true; apart.len()];
    let mut queue: VecDeque<usize> =
        places_on_edge(width, height).into_iter().filter(|at| apart[*at] < limit).collect();
    queue.iter().for_each(|at| other[*at] = false);
    while let Some(at) = queue.pop_front() {
        for next in beside(at, width, height) {
            if other[next] && apart[next] < limit {
                other[next] = false;
                queue.push_back(next);
            }
        }
    }
    other
}

fn beside(at: usize, width: usize, height: usize) -> impl Iterator<Item = usize> {
    let (row, col) = (at / width, at % width);
    let left = (col > 0).then(|| at - 1);
    let right = (col + 1 < width).then_some(at + 1);
    let up = (row > 0).then(|| at - width);
    let down = (row + 1 < height).then_some(at + width);
    [left, right, up, down].into_iter().flatten()
}

/// The largest connected piece.
fn largest(inside: &[bool], width: usize, height: usize) -> Vec<bool> {
    let mut piece = vec![0_u32; inside.len()];
    let mut best = (0, 0);
    let mut count = 0;
    for start in 0..inside.len() {
        if !inside[start] || piece[start] > 0 {
            continue;
        }
        count += 1;
        piece[start] = count;
        let (mut queue, mut area) = (VecDeque::from([start]), 0);
        while let Some(at) = queue.pop_front() {
            area += 1;
            for next in beside(at, width, height).filter(|next| inside[*next]) {
                if piece[next] == 0 {
                    piece[next] = count;
                    queue.push_back(next);
                }
            }
        }
        best = best.max((area, count));
    }
    piece.into_iter().map(|piece| piece > 0 && piece == best.1).collect()
}

/// Everything within `reach` rows and columns of what is inside.
fn widened(inside: &[bool], width: usize, height: usize, reach: usize) -> Vec<bool> {
    let within = |line: &dyn Fn(usize) -> bool, length: usize| -> Vec<bool> {
        let mut last = None;
        let mut near = vec![false; length];
        for at in (0..length).chain((0..length).rev()) {
            if line(at) {
                last = Some(at);
            }
            near[at] |= last.is_some_and(|last| at.abs_diff(last) <= reach);
        }
        near
    };
    let mut wide = vec![false; inside.len()];
    for row in 0..height {
        wide[row * width..(row + 1) * width]
            .copy_from_slice(&within(&|col| inside[row * width + col], width));
    }
    let mut all = vec![false; inside.len()];
    for col in 0..width {
        for (row, near) in within(&|row| wide[row * width + col], height).into_iter().enumerate() {
            all[row * width + col] = near;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Rgb<u8> = Rgb([200, 200, 190]);
    const METAL: Rgb<u8> = Rgb([40, 60, 80]);

    fn photo(draw: impl Fn(u32, u32) -> Option<Rgb<u8>>) -> RgbImage {
        RgbImage::from_fn(100, 80, |x, y| draw(x, y).unwrap_or(TABLE))
    }

    fn part(x: u32, y: u32) -> Option<Rgb<u8>> {
        ((30..70).contains(&x) && (20..60).contains(&y)).then_some(METAL)
    }

    #[test]
    fn crumbs_beside_the_part_are_painted_over_and_faults_on_it_are_not() {
        let crumb = |x: u32, y: u32| (x < 15 && (5..15).contains(&y)).then_some(Rgb([90, 40, 20]));
        let scratch = |x: u32, y: u32| (y == 40 && (40..60).contains(&x)).then_some(TABLE);
        let painted =
            without_background(&photo(|x, y| scratch(x, y).or_else(|| part(x, y)).or_else(|| crumb(x, y))));
        assert_eq!(painted, photo(|x, y| scratch(x, y).or_else(|| part(x, y))));
    }

    #[test]
    fn a_burr_on_the_part_and_a_bite_out_of_it_stay() {
        let burr = |x: u32, y: u32| ((70..76).contains(&x) && (30..33).contains(&y)).then_some(METAL);
        let faulty = photo(|x, y| if x < 36 && y < 26 { None } else { part(x, y).or_else(|| burr(x, y)) });
        assert_eq!(without_background(&faulty), faulty);
    }

    #[test]
    fn a_photo_that_is_all_part_stays_as_it_is() {
        let stripes =
            RgbImage::from_fn(
                60,
                40,
                |x, y| {
                    if (x / 5 + y / 5) % 2 == 0 { TABLE } else { Rgb([20, 20, 20]) }
                },
            );
        assert_eq!(without_background(&stripes), stripes);
        let one = RgbImage::from_pixel(9, 9, TABLE);
        assert_eq!(without_background(&one), one);
    }
}
