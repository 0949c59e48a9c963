//! Printed labels, nearly always in the same place: missing print, smudges, a wrong digit, colours out of register.

use super::artwork::{Artwork, Change};
use super::canvas::{Canvas, Colour, add, mix, scale};
use super::random::{Dice, Noise};
use super::{Product, SavedAs};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;

pub(super) struct Label;

#[derive(Clone, Copy)]
pub(super) enum Flaw {
    MissingPrint,
    Smudge,
    WrongDigit,
    Misregistered,
}

impl Product for Label {
    type Flaw = Flaw;
    const FLAWS: &'static [(&'static str, Flaw)] = &[
        ("missing_print", Flaw::MissingPrint),
        ("smudge", Flaw::Smudge),
        ("wrong_digit", Flaw::WrongDigit),
        ("misregistered", Flaw::Misregistered),
    ];
    const SAVED_AS: SavedAs = SavedAs::ColourPng;

    fn draw(seed: u64, flaw: Option<(Flaw, u64)>) -> Canvas {
        let mut dice = Dice::new(seed, "label");
        let sheet = Sheet::new(&mut dice);
        let change = flaw.map(|(flaw, seed)| changed(flaw, &mut Dice::new(seed, "harm")));
        let artwork = Artwork::new(change.as_ref());
        let mut canvas = Canvas::from_fn(WIDTH, HEIGHT, |x, y| sheet.colour(x, y, &artwork));
        canvas.blur(sheet.blur);
        canvas.expose(&mut dice, 0.004, 0.009, false);
        canvas
    }
}

fn changed(flaw: Flaw, dice: &mut Dice) -> Change {
    match flaw {
        Flaw::MissingPrint => Change::missing(dice),
        Flaw::Smudge => Change::smudge(dice),
        Flaw::WrongDigit => Change::wrong_digit(dice),
        Flaw::Misregistered => {
            let (dx, dy) = dice.direction();
            let by = dice.range(2.0, 5.0);
            Change::Shift((by * dx, by * dy))
        }
    }
}

/// One label as it was printed and lay under the camera.
struct Sheet {
    shift: (f32, f32),
    cos: f32,
    sin: f32,
    gain: f32,
    slope: (f32, f32),
    blur: f32,
    /// How far the colour lies beside the black, in pixels: never quite nothing.
    register: (f32, f32),
    density: f32,
    paper: Noise,
    mottle: Noise,
    carton: Noise,
}

impl Sheet {
    fn new(dice: &mut Dice) -> Self {
        let (sin, cos) = dice.range(-0.017, 0.017).sin_cos();
        Self {
            shift: (dice.range(-4.0, 4.0), dice.range(-4.0, 4.0)),
            cos,
            sin,
            gain: dice.range(0.88, 1.04),
            slope: (dice.range(-0.1, 0.1), dice.range(-0.12, 0.02)),
            blur: dice.range(0.55, 0.85),
            register: (dice.range(-0.4, 0.4), dice.range(-0.4, 0.4)),
            density: dice.range(0.90, 1.0),
            paper: Noise::new(dice),
            mottle: Noise::new(dice),
            carton: Noise::new(dice),
        }
    }

    fn colour(&self, x: f32, y: f32, artwork: &Artwork) -> Colour {
        let (dx, dy) = (x - WIDTH as f32 / 2.0 - self.shift.0, y - HEIGHT as f32 / 2.0 - self.shift.1);
        let u = dx * self.cos + dy * self.sin + WIDTH as f32 / 2.0;
        let v = dy * self.cos - dx * self.sin + HEIGHT as f32 / 2.0;
        let paper = 0.90
            + 0.012 * self.paper.cloud(u / 60.0, v / 60.0, 3)
            + 0.016 * self.paper.smooth(u / 1.7, v / 1.3);
        let mottle = self.density * (1.0 + 0.05 * self.mottle.cloud(u / 5.0, v / 5.0, 2));
        let ink = artwork.ink(u, v, self.register);
        let mut colour = [paper, 0.99 * paper, 0.955 * paper];
        colour = multiply(colour, [0.11, 0.30, 0.62], ink.blue * mottle);
        colour = multiply(colour, [0.86, 0.16, 0.13], ink.red * mottle);
        colour = multiply(colour, [0.09, 0.09, 0.10], ink.black * mottle);
        colour = mix(self.carton(x, y, ink.shadow), colour, ink.sheet);
        let (dx, dy) = (x / WIDTH as f32 - 0.5, y / HEIGHT as f32 - 0.5);
        let light = 1.0 + self.slope.0 * dx + self.slope.1 * dy - 0.22 * (dx * dx + dy * dy);
        scale(colour, self.gain * light)
    }

    /// What the label is stuck on.
    fn carton(&self, x: f32, y: f32, shadow: f32) -> Colour {
        let fibre =
            0.05 * self.carton.smooth(x / 14.0, y / 1.6) + 0.05 * self.carton.cloud(x / 40.0, y / 25.0, 3);
        let flutes = 0.02 * (x * 0.42).sin();
        scale([0.60, 0.47, 0.34], (1.0 + fibre + flutes) * (1.0 - 0.4 * shadow))
    }
}

/// Ink lets through its own colour; `share` of the place is covered.
fn multiply(below: Colour, ink: Colour, share: f32) -> Colour {
    let through = add(scale(ink, share.min(1.0)), [1.0 - share.min(1.0); 3]);
    [0, 1, 2].map(|channel| below[channel] * through[channel])
}
