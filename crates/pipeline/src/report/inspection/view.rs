//! A photo as the report shows it: small, beside its heat map, with a close-up where the defect would be too small to see.

use evaluate::inspect::Polygon;
use image::{DynamicImage, RgbImage, imageops};
use serde::{Deserialize, Serialize};

use super::super::cards;
use super::heat::{HeatMap, heat_overlay};

/// Longer side of a picture on the page, in pixels.
const PIXELS: u32 = 360;
/// A close-up is worth its place from this magnification on.
const WORTHWHILE: f64 = 2.0;
/// What is around a region in its close-up, as a multiple of the region's longer side.
const SURROUNDINGS: f64 = 1.8;
/// Smallest side of a close-up, as a share of the photo's longer side, so that the place can be recognised.
const SMALLEST: f64 = 0.2;
/// A close-up is at most this much longer one way than the other.
const MOST_STRETCHED: f64 = 4.0 / 3.0;

/// A photo, its heat map and what is marked on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct View {
    /// Width of the original photo in pixels, the unit of everything marked.
    pub width: u32,
    /// Height of the original photo in pixels.
    pub height: u32,
    /// The photo as a `data:` address.
    pub photo: String,
    /// The photo in grey with the map over it, as a `data:` address.
    pub heat: String,
    /// The place that matters, enlarged; `None` when the whole photo shows it well enough.
    pub closeup: Option<Closeup>,
    /// Outlines of the regions the inspector marks.
    pub regions: Vec<Polygon>,
    /// Outlines of the defects a person marked.
    pub marked: Vec<Polygon>,
}

/// A part of the photo, enlarged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Closeup {
    /// Left edge in pixels of the original photo.
    pub left: u32,
    /// Top edge in pixels of the original photo.
    pub top: u32,
    /// Width in pixels of the original photo.
    pub width: u32,
    /// Height in pixels of the original photo.
    pub height: u32,
    /// The picture as a `data:` address.
    pub photo: String,
}

/// Packs a photo and its map for the page; at most 360 pixels on the longer side.
///
/// `range` is that of [`heat_overlay`]. `regions` are outlines of what the inspector marks and `marked` of what a person did,
/// both in pixels of the photo. `None` for a photo without pixels.
pub fn view(
    photo: &RgbImage,
    map: HeatMap<'_>,
    range: (f32, f32),
    regions: Vec<Polygon>,
    marked: Vec<Polygon>,
) -> Option<View> {
    let (width, height) = photo.dimensions();
    if width == 0 || height == 0 {
        return None;
    }
    let small = shrink(photo.clone());
    let heat = cards::jpeg(&heat_overlay(&small, map, range))?;
    let closeup = closeup(photo, place(&map, (width, height), &regions, &marked));
    Some(View { width, height, photo: cards::jpeg(&small)?, heat, closeup, regions, marked })
}

/// No larger than a picture on the page; smaller photos stay as they are.
fn shrink(photo: RgbImage) -> RgbImage {
    if photo.width().max(photo.height()) <= PIXELS {
        return photo;
    }
    DynamicImage::ImageRgb8(photo).thumbnail(PIXELS, PIXELS).to_rgb8()
}

/// The middle and the longer side of what has to be seen: the largest defect that a person marked, else the largest region,
/// else the hottest cell.
fn place(
    map: &HeatMap<'_>,
    (width, height): (u32, u32),
    regions: &[Polygon],
    marked: &[Polygon],
) -> (f64, f64, f64) {
    let largest =
        |polygons: &[Polygon]| polygons.iter().filter_map(extent).max_by(|(.., a), (.., b)| a.total_cmp(b));
    largest(marked).or_else(|| largest(regions)).unwrap_or_else(|| {
        let (x, y) = map.hottest();
        (x * f64::from(width), y * f64::from(height), 0.0)
    })
}

/// The middle and the longer side of a polygon; `None` when it has no corners.
fn extent(polygon: &Polygon) -> Option<(f64, f64, f64)> {
    let along = |axis: usize| {
        let (low, high) = (
            polygon.iter().map(|corner| corner[axis]).min()?,
            polygon.iter().map(|corner| corner[axis]).max()?,
        );
        Some((f64::from(low), f64::from(high)))
    };
    let ((left, right), (top, bottom)) = (along(0)?, along(1)?);
    Some(((left + right) / 2.0, (top + bottom) / 2.0, (right - left).max(bottom - top)))
}

fn closeup(photo: &RgbImage, (x, y, side): (f64, f64, f64)) -> Option<Closeup> {
    let (photo_width, photo_height) = (f64::from(photo.width()), f64::from(photo.height()));
    let longer = photo_width.max(photo_height);
    let side = (SURROUNDINGS * side).max(SMALLEST * longer);
    // The close-up has the photo's shape where it can, so that both line up on the page.
    let shape = (photo_width / photo_height).clamp(1.0 / MOST_STRETCHED, MOST_STRETCHED);
    if longer < WORTHWHILE * side * shape.max(1.0 / shape) {
        return None;
    }
    let cut = |middle: f64, size: f64, of: u32| {
        let size = (size.ceil() as u32).clamp(1, of);
        let start = (middle - f64::from(size) / 2.0).clamp(0.0, f64::from(of - size));
        (start as u32, size)
    };
    let (left, width) = cut(x, side * shape.max(1.0), photo.width());
    let (top, height) = cut(y, side / shape.min(1.0), photo.height());
    let picture = cards::jpeg(&shrink(imageops::crop_imm(photo, left, top, width, height).to_image()))?;
    Some(Closeup { left, top, width, height, photo: picture })
}

/// Polygons as the data of one SVG path, in runs along the axes where they go that way.
pub(super) fn path(polygons: &[Polygon]) -> String {
    use std::fmt::Write;

    let mut data = String::new();
    for polygon in polygons {
        let Some(first) = polygon.first() else { continue };
        let _ = write!(data, "M{} {}", first[0], first[1]);
        for pair in polygon.windows(2) {
            let [[from_x, from_y], [x, y]] = [pair[0], pair[1]];
            let _ = match (x == from_x, y == from_y) {
                (_, true) => write!(data, "H{x}"),
                (true, false) => write!(data, "V{y}"),
                (false, false) => write!(data, "L{x} {y}"),
            };
        }
        data.push('Z');
    }
    data
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn square(left: u32, top: u32, side: u32) -> Polygon {
        vec![[left, top], [left + side, top], [left + side, top + side], [left, top + side]]
    }

    fn photo(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x % 251) as u8, (y % 241) as u8, 90]))
    }

    /// Width and height of a picture in a `data:` address.
    #[track_caller]
    fn size(data: &str) -> (u32, u32) {
        use base64::Engine;
        let packed = data.strip_prefix("data:image/jpeg;base64,").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap();
        (picture.width(), picture.height())
    }

    #[test]
    fn pictures_are_small_and_small_photos_stay_as_they_are() {
        let map = HeatMap::new(1, 2, &[0.0, 1.0]).unwrap();
        let wide = view(&photo(1200, 300), map, (0.0, 1.0), vec![], vec![]).unwrap();
        assert_eq!((size(&wide.photo), size(&wide.heat)), ((360, 90), (360, 90)));
        assert_eq!((wide.width, wide.height), (1200, 300));
        let tiny = view(&photo(20, 30), map, (0.0, 1.0), vec![], vec![]).unwrap();
        assert_eq!(size(&tiny.photo), (20, 30));
        assert!(view(&RgbImage::new(0, 5), map, (0.0, 1.0), vec![], vec![]).is_none());
    }

    /// Left, top and side of the close-up of a photo of 1000 x 1000 pixels.
    #[track_caller]
    fn check_closeup(regions: Vec<Polygon>, marked: Vec<Polygon>, expected: Option<[u32; 3]>) {
        let map = HeatMap::new(2, 2, &[0.0, 0.0, 0.0, 1.0]).unwrap();
        let view = view(&photo(1000, 1000), map, (0.0, 1.0), regions, marked).unwrap();
        let got = view.closeup.map(|closeup| [closeup.left, closeup.top, closeup.width]);
        assert_eq!(got, expected);
    }

    #[test]
    fn a_small_defect_is_enlarged_and_a_large_one_is_not() {
        check_closeup(vec![square(400, 600, 10)], vec![], Some([305, 505, 200]));
        // What a person marked comes first; at the border the close-up stays inside.
        check_closeup(vec![square(400, 600, 10)], vec![square(0, 0, 20)], Some([0, 0, 200]));
        // Without a region, the hottest cell.
        check_closeup(vec![], vec![], Some([650, 650, 200]));
        check_closeup(vec![square(100, 100, 600)], vec![], None);
    }

    #[test]
    fn paths_are_short_and_closed() {
        assert_eq!(path(&[square(1, 2, 3)]), "M1 2H4V5H1Z");
        assert_eq!(path(&[vec![[0, 0], [2, 3]], vec![]]), "M0 0L2 3Z");
    }
}
