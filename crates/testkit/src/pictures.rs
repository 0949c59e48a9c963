//! Small made pictures.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

/// A PNG of one colour, 64 x 64, a little different for each number.
pub fn photo(colour: [u8; 3], number: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(64, 64, |x, y| {
        let noise = (x * 7 + y * 13 + number * 29) % 23;
        Rgb(colour.map(|channel| channel.saturating_add(noise as u8)))
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("a small picture can be written");
    bytes.into_inner()
}

/// Red and blue parts: as many of each, in folders by class.
pub fn parts(of_each: u32) -> Vec<(String, Vec<u8>)> {
    let of = |class: &'static str, colour: [u8; 3]| {
        (0..of_each).map(move |number| (format!("parts/{class}/{number:02}.png"), photo(colour, number)))
    };
    of("red", [180, 30, 40]).chain(of("blue", [30, 40, 180])).collect()
}
