//! What is drawn on, and what a camera makes of it.

use image::{DynamicImage, GrayImage, RgbImage};

use super::random::{Dice, Noise};

/// Red, green and blue; 0 is black and 1 is white, as stored in a picture.
pub(super) type Colour = [f32; 3];

/// A picture in the making.
#[derive(Clone)]
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    /// `[height * width]`, row by row.
    pub(super) pixels: Vec<Colour>,
}

impl Canvas {
    /// Asks for the colour at the centre of every pixel.
    pub(super) fn from_fn(width: usize, height: usize, colour: impl Fn(f32, f32) -> Colour) -> Self {
        let centre = |at: usize| ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5);
        let pixels = (0..width * height)
            .map(|at| {
                let (x, y) = centre(at);
                colour(x, y)
            })
            .collect();
        Self { width, height, pixels }
    }

    /// Asks for the colour at four places in every pixel and takes the mean: edges become soft.
    pub(super) fn supersampled(width: usize, height: usize, colour: impl Fn(f32, f32) -> Colour) -> Self {
        // A turned square: no two places share a row or a column, so edges along either get five steps.
        const PLACES: [(f32, f32); 4] = [(-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125)];
        Self::from_fn(width, height, |x, y| {
            let mut sum = [0.0; 3];
            for (dx, dy) in PLACES {
                sum = add(sum, colour(x + dx, y + dy));
            }
            scale(sum, 0.25)
        })
    }

    /// A lens that is not quite sharp: a Gaussian of this deviation, in pixels.
    pub(super) fn blur(&mut self, deviation: f32) {
        let reach = (3.0 * deviation).ceil() as isize;
        let weights: Vec<f32> =
            (-reach..=reach).map(|at| (-0.5 * (at as f32 / deviation).powi(2)).exp()).collect();
        let total: f32 = weights.iter().sum();
        for (step, along, across) in [(1, self.width, self.height), (self.width, self.height, self.width)] {
            let other = if step == 1 { self.width } else { 1 };
            let mut line = vec![[0.0; 3]; along];
            for start in (0..across).map(|at| at * other) {
                for (at, value) in line.iter_mut().enumerate() {
                    *value = self.pixels[start + at * step];
                }
                for at in 0..along {
                    let mut sum = [0.0; 3];
                    for (weight, offset) in weights.iter().zip(-reach..) {
                        let from = (at as isize + offset).clamp(0, along as isize - 1) as usize;
                        sum = add(sum, scale(line[from], *weight));
                    }
                    self.pixels[start + at * step] = scale(sum, 1.0 / total);
                }
            }
        }
    }

    /// A sensor's noise: a constant part and one that grows with the root of the light.
    pub(super) fn expose(&mut self, dice: &mut Dice, dark: f32, light: f32, is_grey: bool) {
        let noises = [Noise::new(dice), Noise::new(dice), Noise::new(dice)];
        let width = self.width;
        for (at, pixel) in self.pixels.iter_mut().enumerate() {
            let (x, y) = ((at % width) as i32, (at / width) as i32);
            for (channel, value) in pixel.iter_mut().enumerate() {
                let noise = noises[if is_grey { 0 } else { channel }];
                let deviation = (dark * dark + light * light * value.max(0.0)).sqrt();
                *value += deviation * noise.grain(x, y);
            }
        }
    }

    /// In colour, 8 bits.
    pub(super) fn colour(&self) -> DynamicImage {
        let bytes = self.pixels.iter().flatten().map(|value| to_byte(*value)).collect();
        RgbImage::from_raw(self.width as u32, self.height as u32, bytes).expect("three bytes a pixel").into()
    }

    /// In grey, 8 bits; the red channel.
    pub(super) fn grey(&self) -> DynamicImage {
        let bytes = self.pixels.iter().map(|pixel| to_byte(pixel[0])).collect();
        GrayImage::from_raw(self.width as u32, self.height as u32, bytes).expect("a byte a pixel").into()
    }
}

fn to_byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

pub(super) fn add(a: Colour, b: Colour) -> Colour {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn scale(colour: Colour, times: f32) -> Colour {
    colour.map(|value| value * times)
}

/// `a` where `share` is 0, `b` where it is 1.
pub(super) fn mix(a: Colour, b: Colour, share: f32) -> Colour {
    [0, 1, 2].map(|channel| a[channel] + (b[channel] - a[channel]) * share)
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn step(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// How much of a pixel lies inside a shape whose edge is `distance` pixels away, negative inside.
pub(super) fn cover(distance: f32) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0)
}
