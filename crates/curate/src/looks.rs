//! Whether two pictures are one, made smaller, brighter, compressed or cut at the rim: by their pixels, coarsely.
//!
//! Features of a base change more by such a step than one picture of a class differs from the next, or less; colours in some
//! hundred cells, with brightness and contrast of the whole taken out, hardly change at all.

/// Cells along either side that are kept of a picture.
const CELLS: usize = 48;
/// Places along either side at which two are compared.
const PLACES: usize = 20;
/// Red, green and blue: the same drawing in other colours is another picture.
const COLOURS: usize = 3;
/// Numbers that are compared.
pub(crate) const VALUES: usize = COLOURS * PLACES * PLACES;
/// Parts of the side that a cut may have left.
const CUTS: [f32; 4] = [0.975, 0.95, 0.925, 0.9];
/// Pictures that correlate less as they are, are not searched for cuts.
const ALIKE: f32 = 0.4;

/// A picture in 48 x 48 cells of each colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    cells: Vec<f32>,
}

/// A part of a picture, in its cells: left, top, and the length of a side.
#[derive(Debug, Clone, Copy)]
struct Window {
    left: f32,
    top: f32,
    side: f32,
}

const WHOLE: Window = Window { left: 0.0, top: 0.0, side: 1.0 };

impl Look {
    /// Of `width * height` pixels of three bytes, row by row.
    ///
    /// # Panics
    /// When there are no pixels, or not three bytes for each.
    pub fn of(width: u32, height: u32, rgb: &[u8]) -> Self {
        let (pixels, rest) = rgb.as_chunks::<3>();
        let (width, height) = (width as usize, height as usize);
        assert!(rest.is_empty() && pixels.len() == width * height && !pixels.is_empty());
        let (down, right) = (covered(height), covered(width));
        let mut rows = vec![0.0; CELLS * width];
        let mut cells = Vec::with_capacity(COLOURS * CELLS * CELLS);
        for colour in 0..COLOURS {
            rows.fill(0.0);
            for (row, cover) in rows.chunks_exact_mut(width).zip(&down) {
                for (y, share) in cover {
                    let line = &pixels[y * width..][..width];
                    row.iter_mut()
                        .zip(line)
                        .for_each(|(sum, pixel)| *sum += share * f32::from(pixel[colour]));
                }
            }
            let cell =
                |row: &[f32], cover: &[(usize, f32)]| cover.iter().map(|(x, share)| share * row[*x]).sum();
            let plane: Vec<f32> = rows
                .chunks_exact(width)
                .flat_map(|row| right.iter().map(move |cover| cell(row, cover)))
                .collect();
            cells.extend(blurred(&plane));
        }
        Self { cells }
    }

    /// What is compared where nothing is cut: [`VALUES`] numbers with mean 0 and length 1; zeros for a picture of one colour.
    pub(crate) fn whole(&self) -> Vec<f32> {
        self.sampled(WHOLE)
    }

    /// 1 minus the correlation of two pictures, in [0, 2], either cut at the rim as suits best; 1 where either is of one colour: then
    /// there is nothing by which to tell.
    pub fn difference(&self, other: &Self) -> f32 {
        let (a, b) = (self.sampled(WHOLE), other.sampled(WHOLE));
        let mut best = correlation(&a, &b);
        if best < ALIKE {
            return 1.0 - best;
        }
        for side in CUTS {
            for step in 0..9_u8 {
                let offset = |step: u8| (1.0 - side) * f32::from(step) / 2.0;
                let window = Window { left: offset(step % 3), top: offset(step / 3), side };
                best = best.max(correlation(&a, &other.sampled(window)));
                best = best.max(correlation(&self.sampled(window), &b));
            }
        }
        (1.0 - best).max(0.0)
    }

    /// [`VALUES`] numbers of a part, between cells in straight lines, with mean 0 and length 1; zeros for one of one colour.
    fn sampled(&self, window: Window) -> Vec<f32> {
        let last = (CELLS - 1) as f32;
        let along = |from: f32, place: usize| {
            let at = (from + window.side * (place as f32 + 0.5) / PLACES as f32) * CELLS as f32 - 0.5;
            let at = at.clamp(0.0, last);
            let first = (at as usize).min(CELLS - 2);
            (first, at - first as f32)
        };
        let mut values = Vec::with_capacity(VALUES);
        for plane in self.cells.chunks_exact(CELLS * CELLS) {
            for row in 0..PLACES {
                let (y, down) = along(window.top, row);
                for col in 0..PLACES {
                    let (x, right) = along(window.left, col);
                    let cell = |y: usize, x: usize| plane[y * CELLS + x];
                    let upper = cell(y, x) * (1.0 - right) + cell(y, x + 1) * right;
                    let lower = cell(y + 1, x) * (1.0 - right) + cell(y + 1, x + 1) * right;
                    values.push(upper * (1.0 - down) + lower * down);
                }
            }
        }
        if values.chunks_exact(PLACES * PLACES).all(is_flat) {
            values.fill(0.0);
            return values;
        }
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        values.iter_mut().for_each(|value| *value -= mean);
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        values.iter_mut().for_each(|value| *value /= length);
        values
    }
}

/// Which of `length` pixels every cell covers, and with which share of the cell.
fn covered(length: usize) -> Vec<Vec<(usize, f32)>> {
    let side = length as f32 / CELLS as f32;
    let of = |cell: usize| {
        let (from, to) = (cell as f32 * side, (cell + 1) as f32 * side);
        let pixels = from as usize..(to.ceil() as usize).min(length);
        let share = |pixel: usize| (to.min((pixel + 1) as f32) - from.max(pixel as f32)).max(0.0) / side;
        pixels.map(|pixel| (pixel, share(pixel))).collect()
    };
    (0..CELLS).map(of).collect()
}

/// Each cell with a quarter of either neighbour along rows, then along columns: a cut moves details by parts of a cell.
fn blurred(cells: &[f32]) -> Vec<f32> {
    let along = |cells: &[f32], step: usize, place: fn(usize) -> usize| -> Vec<f32> {
        let of = |at: usize| {
            let before = if place(at) > 0 { cells[at - step] } else { cells[at] };
            let after = if place(at) + 1 < CELLS { cells[at + step] } else { cells[at] };
            0.25 * before + 0.5 * cells[at] + 0.25 * after
        };
        (0..cells.len()).map(of).collect()
    };
    along(&along(cells, 1, |at| at % CELLS), CELLS, |at| at / CELLS)
}

/// Levels by which values may differ that are all the same.
const FLAT: f32 = 1e-2;

fn is_flat(plane: &[f32]) -> bool {
    let (low, high) =
        plane.iter().fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
    high - low <= FLAT
}

/// Of two lists of length 1; 0 where one is flat.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Soft blobs at places that a number chooses, brightness scaled.
    fn picture(width: u32, height: u32, which: u32, gain: f32) -> Vec<u8> {
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
                let wave = (9.0 * u + which as f32).sin() * (7.0 * v + 2.0 * which as f32).cos();
                rgb.extend([(gain * (110.0 + 70.0 * wave)) as u8; 3]);
            }
        }
        rgb
    }

    #[test]
    fn a_smaller_brighter_or_cut_picture_is_the_same_and_another_one_is_not() {
        let of = |width, height, which, gain| Look::of(width, height, &picture(width, height, which, gain));
        let one = of(200, 160, 1, 1.0);
        assert!(one.difference(&of(90, 70, 1, 1.15)) < 0.01);
        let rgb = picture(200, 160, 1, 1.0);
        let cut: Vec<u8> =
            (5..155).flat_map(|y| rgb[3 * (y * 200 + 6)..3 * (y * 200 + 194)].to_vec()).collect();
        assert!(one.difference(&Look::of(188, 150, &cut)) < 0.01);
        assert!(one.difference(&of(200, 160, 2, 1.0)) > 0.2);
        let red: Vec<u8> = rgb.as_chunks::<3>().0.iter().flat_map(|pixel| [pixel[0], 20, 20]).collect();
        assert!(one.difference(&Look::of(200, 160, &red)) > 0.2);
    }

    #[test]
    fn tiny_and_flat_pictures_are_defined() {
        let swatch = |level: u8| Look::of(9, 9, &[level, 20, 20].repeat(81));
        assert_eq!(swatch(90).difference(&swatch(200)), 1.0);
        let dot = Look::of(1, 1, &[7, 7, 7]);
        assert_eq!(dot.difference(&Look::of(3, 2, &[200; 18])), 1.0);
        let one = Look::of(60, 60, &picture(60, 60, 1, 1.0));
        assert_eq!(dot.difference(&one), 1.0);
    }
}
