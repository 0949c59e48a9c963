//! What a broken sensor gives: a black picture, silence, a picture that stands still, a flat line, a text that says nothing.

use std::io::Cursor;

use base::Base;
use base::open::Input;
use base::series::{Channel, Series};
use base::sound::{RATE, wav};
use dataset::Modality;
use image::{ImageFormat, RgbImage};

/// Side of the black picture, in pixels.
const SIDE: u32 = 96;
/// Steps of the flat line.
const STEPS: usize = 200;

/// The blank input that a base takes.
pub(super) fn blank(base: &Base) -> Input {
    let black = || RgbImage::new(SIDE, SIDE);
    match base.modality() {
        Modality::Image => {
            let mut png = Cursor::new(Vec::new());
            black().write_to(&mut png, ImageFormat::Png).expect("a small picture fits into memory");
            Input::Image(png.into_inner())
        }
        Modality::Video => Input::Frames(vec![black(), black()]),
        Modality::Sound => Input::Sound(wav(&[0; RATE as usize], RATE)),
        Modality::Text => Input::Text("?".to_owned()),
        Modality::Series => {
            let names = base.sensors().map_or(&[][..], |sensors| &sensors.channels);
            let flat = |name: &String| Channel { name: name.clone(), values: vec![0.0; STEPS] };
            Input::Series(Series { channels: names.iter().map(flat).collect(), times: None, rate: None })
        }
        Modality::Senses => unreachable!("a base has one sense"),
    }
}
