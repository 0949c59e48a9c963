//! Pictures are seen and scaled as Pillow sees and scales them, to the tolerances below. `reference/prep.py` made the files and the values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::prep::{Filter, Fit, ImagePreprocess, decode, image_input};
use serde::Deserialize;

/// How far values in 0 to 255 may be off: the worst one, and the mean.
struct Tolerance {
    worst: i32,
    mean: f64,
}

/// Pixels without any arithmetic, and ink, which both turn into light by the same product.
const EXACT: Tolerance = Tolerance { worst: 0, mean: 0.0 };
/// Both round to whole steps after each of two passes.
const BILINEAR: Tolerance = Tolerance { worst: 1, mean: 0.2 };
/// Measured on this picture, which is all hard edges: worst 19, and mean 0.1 to 0.3 but 1.5 on a crop of three pixels.
const BICUBIC: Tolerance = Tolerance { worst: 20, mean: 1.6 };
/// One decoder against another where no colours are shared between pixels.
const GREY_JPEG: Tolerance = Tolerance { worst: 1, mean: 0.1 };
/// Measured on a picture that changes colour at every pixel, with colours stored at half the resolution.
const COLOUR_JPEG: Tolerance = Tolerance { worst: 20, mean: 1.0 };

#[derive(Deserialize)]
struct Reference {
    scalings: Vec<Scaling>,
    jpegs: BTreeMap<String, Jpeg>,
    others: BTreeMap<String, Vec<u8>>,
}

#[derive(Deserialize)]
struct Scaling {
    width: u32,
    height: u32,
    side: usize,
    share: f64,
    filter: Filter,
    pixels: Vec<u8>,
}

#[derive(Deserialize)]
struct Jpeg {
    size: (u32, u32),
    pixels: Vec<u8>,
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/prep").join(name)
}

fn reference() -> Reference {
    serde_json::from_slice(&std::fs::read(data("reference.json")).unwrap()).unwrap()
}

/// The picture that `made` of the script draws.
fn made(width: u32, height: u32) -> image::RgbImage {
    let pixel = |x: u32, y: u32| [(x * 7 + y * 3) as u8, (x * x + y) as u8, if x > y { 255 } else { 0 }];
    image::RgbImage::from_fn(width, height, |x, y| image::Rgb(pixel(x, y)))
}

#[track_caller]
fn check(got: &[u8], expected: &[u8], tolerance: &Tolerance, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let off =
        || got.iter().zip(expected).map(|(got, expected)| (i32::from(*got) - i32::from(*expected)).abs());
    let (worst, mean) = (off().max().unwrap_or(0), f64::from(off().sum::<i32>()) / got.len() as f64);
    assert!(
        worst <= tolerance.worst && mean <= tolerance.mean,
        "{what}: off by {worst}, on average {mean:.3}"
    );
}

#[test]
fn scaling_equals_pillow() {
    for Scaling { width, height, side, share, filter, pixels } in reference().scalings {
        let fit = Fit::CentreCrop { share };
        let preprocess = ImagePreprocess { size: side, fit, filter, mean: [0.0; 3], std: [1.0; 3] };
        let planes = image_input(&made(width, height), &preprocess);
        let place = |at: usize| planes[at % 3 * side * side + at / 3] as u8;
        let got: Vec<u8> = (0..3 * side * side).map(place).collect();
        let tolerance = if filter == Filter::Bilinear { BILINEAR } else { BICUBIC };
        check(&got, &pixels, &tolerance, &format!("{width} x {height} to {side}, {share} {filter:?}"));
    }
}

#[test]
fn jpegs_of_every_colour_equal_pillow() {
    for (name, Jpeg { size, pixels }) in reference().jpegs {
        let picture = decode(&std::fs::read(data(&name)).unwrap()).unwrap();
        assert_eq!(picture.dimensions(), size, "{name}");
        let tolerance = match name.as_str() {
            "cmyk.jpg" => EXACT,
            "grey.jpg" => GREY_JPEG,
            _ => COLOUR_JPEG,
        };
        check(picture.as_raw(), &pixels, &tolerance, &name);
    }
}

#[test]
fn palettes_and_sixteen_bits_become_rgb() {
    for (name, pixels) in reference().others {
        let picture = decode(&std::fs::read(data(&name)).unwrap()).unwrap();
        check(picture.as_raw(), &pixels, &EXACT, &name);
    }
}
