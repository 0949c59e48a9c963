//! Medians: of some numbers, and pixel by pixel over photos.

use rayon::prelude::*;

use super::grey::Grey;

/// The median, between the middle two when their number is even; `None` without any. The order is lost.
///
/// The numbers must not be NaN.
pub(super) fn median(values: &mut [f32]) -> Option<f32> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let upper = *upper;
    let lower = if even { below.iter().copied().max_by(f32::total_cmp) } else { None };
    Some(lower.map_or(upper, |lower| f32::midpoint(lower, upper)))
}

/// What `of` makes of each pixel's values, taken over all photos that are not NaN there, `[h * w]`.
///
/// The photos are of one size.
pub(super) fn over_photos<T: Send>(photos: &[&Grey], of: impl Fn(&mut [f32]) -> T + Sync) -> Vec<T> {
    let Some(first) = photos.first() else { return Vec::new() };
    let pixel = |seen: &mut Vec<f32>, at: usize| {
        seen.clear();
        seen.extend(photos.iter().map(|photo| photo.values[at]).filter(|value| !value.is_nan()));
        of(seen)
    };
    let pixels = 0..first.values.len();
    pixels.into_par_iter().map_init(|| Vec::with_capacity(photos.len()), pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_those_of_sorted_numbers() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0]), Some(3.0));
        assert_eq!(median(&mut [4.0, 1.0]), Some(2.5));
        assert_eq!(median(&mut [5.0, -1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [9.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn photos_that_do_not_reach_a_pixel_have_no_say_there() {
        let photo = |values: [f32; 2]| Grey { height: 1, width: 2, values: values.to_vec() };
        let photos = [photo([1.0, f32::NAN]), photo([3.0, f32::NAN]), photo([f32::NAN; 2])];
        let photos: Vec<&Grey> = photos.iter().collect();
        assert_eq!(over_photos(&photos, median), [Some(2.0), None]);
    }
}
