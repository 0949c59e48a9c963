//! Lays a photo over the reference, and what was found there back over the photo.

use rayon::prelude::*;

use super::grey::{Grey, Size};

/// How a photo lies against the reference, in units that hold at every resolution.
///
/// The place `q` on the reference is seen at `R(turn) q + shift` on the photo, both measured from the centre in units of the
/// long side, x to the right and y down. The default is a photo that lies just as the reference.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rigid {
    /// To the right, as a share of the long side.
    pub shift_x: f32,
    /// Down, as a share of the long side.
    pub shift_y: f32,
    /// From right to down, in radians.
    pub turn: f32,
}

/// What is put where the photo does not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// The values at the photo's edge go on: for what a network looks at.
    Edge,
    /// NaN, which says that nothing is known: for [`PixelReference`](super::PixelReference).
    Unknown,
}

impl Rigid {
    /// The photo laid over the reference, at the photo's own size, bilinear.
    ///
    /// The photo must have the reference's shape; [`Aligner::size_at`](super::Aligner::size_at) says the size to bring it to.
    ///
    /// # Panics
    /// When there is not one value for each pixel, or no pixel.
    pub fn warp(&self, photo: &Grey, fill: Fill) -> Grey {
        Grey::of(photo.size(), self.warp_plane(&photo.values, photo.size(), photo.size(), fill))
    }

    /// One plane of a photo, of any resolution, laid over the reference and drawn at the size `to`, bilinear: `[to.area()]`.
    ///
    /// `to` has the shape of the reference; a plane whose shape differs a little is stretched to it. Where `to` is much
    /// smaller, resize first: nothing is averaged here.
    ///
    /// # Panics
    /// When there is not one value for each pixel, or no pixel.
    pub fn warp_plane(&self, plane: &[f32], size: Size, to: Size, fill: Fill) -> Vec<f32> {
        let outside = match fill {
            Fill::Edge => None,
            Fill::Unknown => Some(f32::NAN),
        };
        resample(plane, size, &self.places(size, to), to, outside)
    }

    /// A map computed on the registered photo, brought back to the photo's own pixels, bilinear.
    ///
    /// `size` is that of the photo, at any resolution. Pixels that the registered photo does not show get 0.
    ///
    /// # Panics
    /// When there is not one value for each pixel, or no pixel.
    pub fn unwarp(&self, map: &Grey, size: Size) -> Grey {
        Grey::of(
            size,
            resample(&map.values, map.size(), &self.places_back(map.size(), size), size, Some(0.0)),
        )
    }

    /// Where the pixels of the reference, drawn at the size `to`, are on a photo of this size.
    pub(super) fn places(&self, size: Size, to: Size) -> Places {
        let (sin, cos) = f64::from(self.turn).sin_cos();
        let long = to.long_side() as f64;
        let shift = [f64::from(self.shift_x) * long, f64::from(self.shift_y) * long];
        Places::new([[cos, -sin], [sin, cos]], shift, to, to).scaled(to, size)
    }

    /// Where the pixels of a photo of the size `to` are on the reference, drawn at this size.
    fn places_back(&self, size: Size, to: Size) -> Places {
        let (sin, cos) = f64::from(self.turn).sin_cos();
        let long = size.long_side() as f64;
        let (x, y) = (f64::from(self.shift_x) * long, f64::from(self.shift_y) * long);
        let turned = [-(cos * x + sin * y), sin * x - cos * y];
        // Pixels of the photo are brought to the size of the reference first.
        let (down, across) = (size.height as f64 / to.height as f64, size.width as f64 / to.width as f64);
        Places::new([[cos * across, sin * down], [-sin * across, cos * down]], turned, size, to)
    }
}

/// A place for each pixel: `x = across * [x, y, 1]`, `y = down * [x, y, 1]`, whole numbers at the pixels' centres.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    across: [f64; 3],
    down: [f64; 3],
}

impl Places {
    /// `turn (p - centre of to) + shift + centre of size`.
    fn new(turn: [[f64; 2]; 2], shift: [f64; 2], size: Size, to: Size) -> Self {
        let centre = |side: usize| (side as f64 - 1.0) / 2.0;
        let (x, y) = (centre(to.width), centre(to.height));
        let [across, down] = turn;
        let start = |row: [f64; 2], shift: f64, side: usize| centre(side) + shift - row[0] * x - row[1] * y;
        Self {
            across: [across[0], across[1], start(across, shift[0], size.width)],
            down: [down[0], down[1], start(down, shift[1], size.height)],
        }
    }

    /// The same places on a plane of another size that shows the same.
    fn scaled(self, from: Size, to: Size) -> Self {
        let scale = |row: [f64; 3], from: usize, to: usize| {
            let factor = to as f64 / from as f64;
            // The centre of the first pixel is half a pixel from the edge at either size.
            [row[0] * factor, row[1] * factor, (row[2] + 0.5) * factor - 0.5]
        };
        Self {
            across: scale(self.across, from.width, to.width),
            down: scale(self.down, from.height, to.height),
        }
    }
}

/// The plane at these places, bilinear, `[to.area()]`.
///
/// Places up to half a pixel beyond the outermost centres still belong to the plane. What lies further out is `outside`, or
/// the nearest value of the edge.
pub(super) fn resample(
    plane: &[f32],
    size: Size,
    places: &Places,
    to: Size,
    outside: Option<f32>,
) -> Vec<f32> {
    assert!(plane.len() == size.area() && !plane.is_empty(), "one value for each pixel, and a pixel");
    let mut values = vec![0.0; to.area()];
    let rows = values.par_chunks_mut(to.width.max(1)).enumerate();
    rows.for_each(|(y, row)| sample_row(plane, size, places, y, row, outside));
    values
}

/// Row `y` of [`resample`].
pub(super) fn sample_row(
    plane: &[f32],
    size: Size,
    places: &Places,
    y: usize,
    row: &mut [f32],
    outside: Option<f32>,
) {
    let (right, bottom) = ((size.width - 1) as f32, (size.height - 1) as f32);
    let start = |line: [f64; 3]| (line[1] * y as f64 + line[2]) as f32;
    let (start_x, start_y) = (start(places.across), start(places.down));
    let (step_x, step_y) = (places.across[0] as f32, places.down[0] as f32);
    for (at, to) in row.iter_mut().enumerate() {
        let (x, y) = (start_x + step_x * at as f32, start_y + step_y * at as f32);
        let is_inside = x >= -0.5 && x <= right + 0.5 && y >= -0.5 && y <= bottom + 0.5;
        *to = match outside {
            Some(value) if !is_inside => value,
            _ => bilinear(plane, size, x.clamp(0.0, right), y.clamp(0.0, bottom)),
        };
    }
}

/// The plane between its four nearest pixels; the place is within their centres.
fn bilinear(plane: &[f32], size: Size, x: f32, y: f32) -> f32 {
    let (left, top) = (x as usize, y as usize);
    let (right, below) = ((left + 1).min(size.width - 1), (top + 1).min(size.height - 1));
    let (part_x, part_y) = (x - left as f32, y - top as f32);
    let (upper, lower) =
        (&plane[top * size.width..][..size.width], &plane[below * size.width..][..size.width]);
    let on_upper = upper[left] + part_x * (upper[right] - upper[left]);
    let on_lower = lower[left] + part_x * (lower[right] - lower[left]);
    on_upper + part_y * (on_lower - on_upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURNED: Rigid = Rigid { shift_x: 0.03, shift_y: -0.02, turn: 0.1 };

    /// A smooth surface at the pixels' centres, in units of the plane's sides.
    fn surface(size: Size) -> Grey {
        let value = |at: usize| {
            let (x, y) = ((at % size.width) as f32 + 0.5, (at / size.width) as f32 + 0.5);
            100.0 + 50.0 * (9.0 * x / size.width as f32).sin() + 40.0 * (7.0 * y / size.height as f32).cos()
        };
        Grey::of(size, (0..size.area()).map(value).collect())
    }

    #[test]
    fn a_photo_that_lies_like_the_reference_stays_as_it_is() {
        let photo = surface(Size { height: 40, width: 61 });
        assert_eq!(Rigid::default().warp(&photo, Fill::Unknown), photo);
        assert_eq!(Rigid::default().unwarp(&photo, photo.size()), photo);
    }

    #[test]
    fn a_shift_of_whole_pixels_moves_pixels() {
        let photo = surface(Size { height: 3, width: 5 });
        let rigid = Rigid { shift_x: 0.4, ..Rigid::default() };
        let marked = rigid.warp(&photo, Fill::Unknown);
        assert!(marked.values[3].is_nan() && marked.values[4].is_nan());
        let edged = rigid.warp(&photo, Fill::Edge);
        for (at, from) in [2, 3, 4, 4, 4].into_iter().enumerate() {
            assert!((edged.values[at] - photo.values[from]).abs() < 1e-3);
        }
        let back = rigid.unwarp(&photo, photo.size());
        assert_eq!(back.values[..2], [0.0, 0.0]);
        assert!((back.values[2] - photo.values[0]).abs() < 1e-3);
    }

    #[test]
    fn back_again_is_where_it_was_at_every_resolution() {
        for (height, width) in [(200, 300), (100, 150), (77, 113)] {
            let photo = surface(Size { height: 200, width: 300 });
            let to = Size { height, width };
            let warped = Grey::of(to, TURNED.warp_plane(&photo.values, photo.size(), to, Fill::Edge));
            let back = TURNED.unwarp(&warped, photo.size());
            for y in 40..160 {
                for x in 40..260 {
                    let apart = back.values[y * 300 + x] - photo.values[y * 300 + x];
                    assert!(apart.abs() < 0.8, "{apart} at {y}, {x} of {to:?}");
                }
            }
        }
    }
}
