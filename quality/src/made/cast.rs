//! Cast surfaces in grey: coarse and fine grain, uneven light; pores, cracks and inclusions.

use super::canvas::{Canvas, cover, step};
use super::lines::{length, to_line, walk};
use super::random::{Dice, Noise};
use super::{Product, SavedAs};

const WIDTH: usize = 300;
const HEIGHT: usize = 400;

pub(super) struct Cast;

#[derive(Clone, Copy)]
pub(super) enum Flaw {
    Pore,
    Crack,
    Inclusion,
}

impl Product for Cast {
    type Flaw = Flaw;
    const FLAWS: &'static [(&'static str, Flaw)] =
        &[("pore", Flaw::Pore), ("crack", Flaw::Crack), ("inclusion", Flaw::Inclusion)];
    const SAVED_AS: SavedAs = SavedAs::GreyPng;

    fn draw(seed: u64, flaw: Option<(Flaw, u64)>) -> Canvas {
        let mut dice = Dice::new(seed, "cast");
        let surface = Surface::new(&mut dice);
        let harm = flaw.map(|(flaw, seed)| Harm::new(flaw, &mut Dice::new(seed, "harm")));
        let mut canvas = Canvas::supersampled(WIDTH, HEIGHT, |x, y| {
            let value = surface.value(x, y, harm.as_ref());
            [value; 3]
        });
        canvas.blur(0.6);
        canvas.expose(&mut dice, 0.006, 0.014, true);
        canvas
    }
}

/// A surface under its light.
struct Surface {
    coarse: Noise,
    fine: Noise,
    stains: Noise,
    tone: f32,
    /// Where the light comes from, over the surface.
    light: (f32, f32),
    /// How much brighter the side towards the light is.
    slope: f32,
    /// How rough it is.
    roughness: f32,
}

impl Surface {
    fn new(dice: &mut Dice) -> Self {
        Self {
            coarse: Noise::new(dice),
            fine: Noise::new(dice),
            stains: Noise::new(dice),
            tone: dice.range(0.42, 0.54),
            // The lamp hangs at the upper left, never in quite the same place.
            light: (dice.range(-0.75, -0.45), dice.range(-0.8, -0.5)),
            slope: dice.range(0.06, 0.16),
            roughness: dice.range(0.8, 1.15),
        }
    }

    /// Height of the skin that the sand leaves, in pixels.
    fn height(&self, x: f32, y: f32) -> f32 {
        let coarse = 2.2 * self.coarse.cloud(x / 13.0, y / 13.0, 2);
        let fine = 0.75 * self.fine.cloud(x / 3.6, y / 3.6, 2);
        self.roughness * (coarse + fine)
    }

    fn value(&self, x: f32, y: f32, harm: Option<&Harm>) -> f32 {
        let deep = |x: f32, y: f32| self.height(x, y) + harm.map_or(0.0, |harm| harm.height(x, y));
        let here = deep(x, y);
        let (dx, dy) = (deep(x + 1.0, y) - here, deep(x, y + 1.0) - here);
        // Grazing light: a slope towards the lamp is bright.
        let facing = -0.17 * (dx * self.light.0 + dy * self.light.1);
        let (u, v) = (x / WIDTH as f32 - 0.5, y / HEIGHT as f32 - 0.5);
        let falloff = self.slope * (u * self.light.0 + v * self.light.1) - 0.10 * (u * u + v * v);
        let tone = self.tone + 0.035 * self.stains.cloud(x / 55.0, y / 55.0, 3);
        let lit = tone * (1.0 + facing.clamp(-0.6, 0.9)) + falloff;
        harm.map_or(lit, |harm| harm.tone(x, y, lit))
    }
}

/// What went wrong, and where.
enum Harm {
    /// Round pits: centre and radius.
    Pores(Vec<(f32, f32, f32)>, Noise),
    /// Branches, each a line with its width.
    Cracks(Vec<(Vec<(f32, f32)>, f32)>, f32),
    /// Centre, radius, tone against the metal, and the noise that frays its edge.
    Inclusion { centre: (f32, f32), radius: f32, stretch: f32, tone: f32, edge: Noise },
}

impl Harm {
    fn new(flaw: Flaw, dice: &mut Dice) -> Self {
        let centre = (dice.range(30.0, WIDTH as f32 - 30.0), dice.range(30.0, HEIGHT as f32 - 30.0));
        match flaw {
            Flaw::Pore => {
                let n_pores = 1 + dice.below(5);
                let largest = if n_pores == 1 { 7.0 } else { 4.5 };
                let spread = 6.0 * n_pores as f32;
                let pores = (0..n_pores).map(|_| {
                    let (dx, dy) = (dice.normal() * 0.5 * spread, dice.normal() * 0.5 * spread);
                    (centre.0 + dx, centre.1 + dy, dice.range(2.2, largest))
                });
                Self::Pores(pores.collect(), Noise::new(dice))
            }
            Flaw::Crack => Self::Cracks(cracks(centre, dice), dice.range(0.35, 0.8)),
            Flaw::Inclusion => Self::Inclusion {
                centre,
                radius: dice.range(5.0, 15.0),
                stretch: dice.range(0.55, 1.0),
                tone: if dice.happens(0.65) { dice.range(-0.2, -0.09) } else { dice.range(0.1, 0.2) },
                edge: Noise::new(dice),
            },
        }
    }

    /// What it adds to the height, in pixels.
    fn height(&self, x: f32, y: f32) -> f32 {
        match self {
            Self::Pores(pores, edge) => {
                let ragged = 0.9 * edge.smooth(x / 3.0, y / 3.0);
                let pit = |(cx, cy, radius): &(f32, f32, f32)| {
                    let distance = (x - cx).hypot(y - cy) + ragged;
                    -1.6 * radius * (1.0 - step(0.3 * radius, 1.15 * radius, distance))
                };
                pores.iter().map(pit).fold(0.0, f32::min)
            }
            Self::Cracks(..) => 0.0,
            Self::Inclusion { .. } => -1.2 * self.share(x, y),
        }
    }

    /// What it makes of the light that comes from here.
    fn tone(&self, x: f32, y: f32, lit: f32) -> f32 {
        match self {
            Self::Pores(pores, edge) => {
                let ragged = 0.9 * edge.smooth(x / 3.0, y / 3.0);
                let floor = |(cx, cy, radius): &(f32, f32, f32)| {
                    let distance = (x - cx).hypot(y - cy) + ragged;
                    1.0 - 0.7 * (1.0 - step(0.35 * radius, 0.95 * radius, distance))
                };
                lit * pores.iter().map(floor).fold(1.0, f32::min)
            }
            Self::Cracks(lines, darkness) => {
                let shade = |(line, width): &(Vec<(f32, f32)>, f32)| {
                    let (distance, along) = to_line(line, x, y);
                    let tip = step(0.0, 25.0, length(line) - along);
                    1.0 - darkness * tip * cover(distance - 0.5 * width * (0.5 + 0.5 * tip))
                };
                lit * lines.iter().map(shade).fold(1.0, f32::min)
            }
            Self::Inclusion { tone, edge, .. } => {
                let share = self.share(x, y);
                let grain = 0.05 * edge.cloud(x / 2.5 + 90.0, y / 2.5, 2);
                // Slag does not bond with the metal: a fine gap runs round it.
                let gap = 0.08 * (4.0 * share * (1.0 - share));
                lit + (tone + grain) * share - gap
            }
        }
    }

    fn share(&self, x: f32, y: f32) -> f32 {
        let Self::Inclusion { centre, radius, stretch, edge, .. } = self else { return 0.0 };
        let distance = (x - centre.0).hypot((y - centre.1) / stretch);
        let ragged = 0.45 * radius * edge.cloud(x / 9.0, y / 9.0, 3);
        1.0 - step(radius - 1.5, radius + 1.5, distance + ragged)
    }
}

/// A crack: two arms from where it began, and branches, thinner the further out.
fn cracks(centre: (f32, f32), dice: &mut Dice) -> Vec<(Vec<(f32, f32)>, f32)> {
    let (dx, dy) = dice.direction();
    let width = dice.range(0.9, 2.0);
    let mut all = Vec::new();
    for side in [1.0, -1.0] {
        let arm = walk(centre, (side * dx, side * dy), dice.range(20.0, 75.0), 0.45, dice);
        for _ in 0..dice.below(3) {
            let from = arm[dice.below(arm.len() / 2 + 1)];
            let (sin, cos) = (dice.sign() * dice.range(0.5, 1.1)).sin_cos();
            let direction = (side * (dx * cos - dy * sin), side * (dx * sin + dy * cos));
            all.push((walk(from, direction, dice.range(12.0, 40.0), 0.5, dice), 0.7 * width));
        }
        all.push((arm, width));
    }
    all
}
