//! Borders of one colour: bars beside a film, the frame of a scan.

/// How far a pixel may be from the colour of the corner, in each channel: compression spreads a little.
const NEAR: u8 = 12;
/// Share of the pixels of a line that must be of that colour.
const MOST: f64 = 0.99;

/// Share of the picture taken by rows and columns at its edges that are of one colour, each edge by itself; 0 when all of it is of
/// one colour, for then there is no border.
pub(super) fn border(pixels: &[[u8; 3]], width: usize, height: usize) -> f64 {
    let row = |y: usize, along: usize| pixels[y * width + along];
    let column = |x: usize, along: usize| pixels[along * width + x];
    let top = plain_lines(0..height, width, row);
    let bottom = plain_lines((top..height).rev(), width, row);
    let left = plain_lines(0..width, height, column);
    let right = plain_lines((left..width).rev(), height, column);
    match (height - top - bottom) * (width - left - right) {
        0 => 0.0,
        inner => 1.0 - inner as f64 / (width * height) as f64,
    }
}

/// How many of these lines, the outermost first, are of the colour in which the first begins.
fn plain_lines(
    mut lines: impl Iterator<Item = usize>,
    length: usize,
    at: impl Fn(usize, usize) -> [u8; 3],
) -> usize {
    let mut colour = None;
    let mut is_plain = |line: usize| {
        let colour = *colour.get_or_insert(at(line, 0));
        let near = (0..length).filter(|along| is_near(at(line, *along), colour)).count();
        near as f64 >= MOST * length as f64
    };
    let mut count = 0;
    while lines.next().is_some_and(&mut is_plain) {
        count += 1;
    }
    count
}

fn is_near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= NEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coloured noise of 20 x 10, with `bar` black columns at the left and `frame` white rows at the bottom.
    fn made(bar: usize, frame: usize) -> f64 {
        let pixel = |place: usize| match (place % 20, place / 20) {
            (_, y) if y >= 10 - frame => [255; 3],
            (x, _) if x < bar => [0, 0, (place % 3) as u8],
            _ => [(place * 37 % 256) as u8, (place * 91 % 256) as u8, (place * 53 % 256) as u8],
        };
        border(&(0..200).map(pixel).collect::<Vec<_>>(), 20, 10)
    }

    #[test]
    fn bars_are_measured() {
        assert_eq!((made(0, 0), made(5, 0), made(0, 4)), (0.0, 0.25, 0.4));
        assert_eq!(border(&[[7; 3]; 12], 4, 3), 0.0);
        assert_eq!(border(&[[7; 3]], 1, 1), 0.0);
    }
}
