//! Milled plates on a matt belt, wherever they fell: scratches, dents, holes that were not drilled, chips left lying.

use super::canvas::{Canvas, Colour, add, cover, mix, scale, step};
use super::lines::{fade, length, to_line, walk};
use super::random::{Dice, Noise};
use super::{Product, SavedAs};

const SIDE: usize = 640;

pub(super) struct Parts;

#[derive(Clone, Copy)]
pub(super) enum Flaw {
    Scratch,
    Dent,
    MissingHole,
    Chip,
}

impl Product for Parts {
    type Flaw = Flaw;
    const FLAWS: &'static [(&'static str, Flaw)] = &[
        ("scratch", Flaw::Scratch),
        ("dent", Flaw::Dent),
        ("missing_hole", Flaw::MissingHole),
        ("chip", Flaw::Chip),
    ];
    const SAVED_AS: SavedAs = SavedAs::ColourJpeg;

    fn draw(seed: u64, flaw: Option<(Flaw, u64)>) -> Canvas {
        let mut dice = Dice::new(seed, "parts");
        let scene = Scene::new(&mut dice);
        let harm = flaw.map_or(Harm::None, |(flaw, seed)| Harm::new(flaw, &mut Dice::new(seed, "harm")));
        let mut canvas = Canvas::from_fn(SIDE, SIDE, |x, y| scene.colour(x, y, &harm));
        canvas.blur(0.75);
        canvas.expose(&mut dice, 0.004, 0.013, false);
        canvas
    }
}

/// A capsule: two ends and a radius, in pixels of the drawing. A drilled hole has its ends in one place.
type Hole = ((f32, f32), (f32, f32), f32);

/// The bore, four drilled holes and a slot.
const HOLES: [Hole; 6] = [
    ((-92.0, 0.0), (-92.0, 0.0), 37.0),
    ((18.0, -40.0), (18.0, -40.0), 10.5),
    ((18.0, 40.0), (18.0, 40.0), 10.5),
    ((122.0, -40.0), (122.0, -40.0), 10.5),
    ((122.0, 40.0), (122.0, 40.0), 8.0),
    ((52.0, 0.0), (96.0, 0.0), 12.0),
];
/// Where the round end of the plate has its middle, and its radius.
const BOSS: (f32, f32) = (-92.0, 0.0);
const BOSS_RADIUS: f32 = 84.0;

/// Distance from the outline of the plate, negative inside.
fn outline(u: f32, v: f32) -> f32 {
    let (dx, dy) = ((u - 35.0).abs() - 107.0, v.abs() - 53.0);
    let plate = dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - 12.0;
    let boss = (u - BOSS.0).hypot(v - BOSS.1) - BOSS_RADIUS;
    // A fillet where the two meet (Quilez' polynomial smooth minimum).
    let blend = (18.0 - (plate - boss).abs()).max(0.0) / 18.0;
    plate.min(boss) - blend * blend * 18.0 / 4.0
}

/// Distance from the nearest hole, negative inside.
fn holes(u: f32, v: f32, missing: Option<usize>) -> f32 {
    let drilled = HOLES.iter().enumerate().filter(|(at, _)| Some(*at) != missing);
    drilled
        .map(|(_, ((ax, ay), (bx, _), radius))| (u - u.clamp(*ax, *bx)).hypot(v - ay) - radius)
        .fold(f32::INFINITY, f32::min)
}

/// One plate on the belt under the lamp.
struct Scene {
    centre: (f32, f32),
    cos: f32,
    sin: f32,
    scale: f32,
    brush: Noise,
    turning: Noise,
    stains: Noise,
    belt: Noise,
    fibres: Noise,
    belt_tone: Colour,
    /// Unit vector towards the lamp; y runs down, z towards the camera.
    lamp: [f32; 3],
    gain: f32,
}

impl Scene {
    fn new(dice: &mut Dice) -> Self {
        let (cos, sin) = dice.direction();
        let middle = SIDE as f32 / 2.0;
        let lamp = normalised([dice.range(-0.56, -0.44), dice.range(-0.62, -0.5), 0.68]);
        let warm = dice.range(-0.008, 0.008);
        let tone = dice.range(0.2, 0.24);
        Self {
            centre: (middle + dice.range(-40.0, 40.0), middle + dice.range(-40.0, 40.0)),
            cos,
            sin,
            scale: dice.range(1.42, 1.48),
            brush: Noise::new(dice),
            turning: Noise::new(dice),
            stains: Noise::new(dice),
            belt: Noise::new(dice),
            fibres: Noise::new(dice),
            belt_tone: [tone + warm, tone + 0.012, tone + 0.03 - warm],
            lamp,
            gain: dice.range(0.93, 1.06),
        }
    }

    /// From the picture to the drawing of the plate.
    fn to_plate(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = ((x - self.centre.0) / self.scale, (y - self.centre.1) / self.scale);
        (dx * self.cos + dy * self.sin, dy * self.cos - dx * self.sin)
    }

    /// A direction from the drawing to the picture.
    fn to_picture(&self, (u, v): (f32, f32)) -> (f32, f32) {
        (u * self.cos - v * self.sin, u * self.sin + v * self.cos)
    }

    fn colour(&self, x: f32, y: f32, harm: &Harm) -> Colour {
        let (u, v) = self.to_plate(x, y);
        let missing = harm.missing_hole();
        let (outside, hole) = (outline(u, v) * self.scale, holes(u, v, missing) * self.scale);
        let mut colour = self.belt(x, y);
        if outside < 0.5 {
            let mut metal = self.metal(x, y, u, v, harm);
            if hole < 0.5 {
                metal = mix(metal, self.hole(x, y, u, v, missing), cover(hole));
            }
            colour = mix(colour, metal, cover(outside));
        }
        colour = harm.lay_on(self, u, v, colour);
        let (dx, dy) = (x / SIDE as f32 - 0.5, y / SIDE as f32 - 0.5);
        let vignette = 1.0 - 0.28 * (dx * dx + dy * dy) - 0.06 * (dx + dy);
        scale(colour, self.gain * vignette)
    }

    /// Felted belt, in the plate's shadow where that falls.
    fn belt(&self, x: f32, y: f32) -> Colour {
        let cloud = 0.05 * self.belt.cloud(x / 130.0, y / 130.0, 3);
        let fibre = 0.10 * self.fibres.smooth(x / 7.0 + 0.6 * y, y / 2.1)
            + 0.10 * self.fibres.smooth(y / 6.0 - 0.5 * x, x / 1.9)
            + 0.05 * self.fibres.grain(x as i32, y as i32);
        let (u, v) = self.to_plate(x - 9.0, y - 11.0);
        let shadow = 1.0 - step(-7.0, 15.0, outline(u, v) * self.scale);
        let (u, v) = self.to_plate(x, y);
        let contact = 1.0 - step(0.0, 7.0, outline(u, v) * self.scale);
        scale(self.belt_tone, (1.0 + cloud + fibre) * (1.0 - 0.5 * shadow) * (1.0 - 0.35 * contact))
    }

    /// Looking into a hole: its lit or dark wall, then the belt in the dark.
    fn hole(&self, x: f32, y: f32, u: f32, v: f32, missing: Option<usize>) -> Colour {
        let here = holes(u, v, missing);
        let outward = (holes(u + 0.5, v, missing) - here, holes(u, v + 0.5, missing) - here);
        let (dx, dy) = self.to_picture(outward);
        // The wall on the far side from the lamp looks back at it.
        let facing = -(dx * self.lamp[0] + dy * self.lamp[1]) / dx.hypot(dy).max(1e-3);
        let wall = 0.10 + 0.5 * facing.max(0.0).powi(2);
        let floor = scale(self.belt(x, y), 0.75);
        let lit = step(0.0, 14.0, -here + 9.0 * facing - 9.0);
        let floor = scale(floor, 0.35 + 0.75 * lit);
        mix([wall, wall, wall * 1.02], floor, step(1.0, 4.2, -here))
    }

    /// The plate's own surface.
    fn metal(&self, x: f32, y: f32, u: f32, v: f32, harm: &Harm) -> Colour {
        let height = |u: f32, v: f32| height(u, v, harm);
        let here = height(u, v);
        let slope = (height(u + 1.0, v) - here, height(u, v + 1.0) - here);
        let (radius, is_turned) = turned(u, v);
        let turned_share = step(0.0, 1.5, is_turned);
        let along = if turned_share > 0.5 {
            ((BOSS.1 - v) / radius.max(1.0), (u - BOSS.0) / radius.max(1.0))
        } else {
            (1.0, 0.0)
        };
        let streaks = if turned_share > 0.5 {
            let angle = (v - BOSS.1).atan2(u - BOSS.0);
            0.55 * self.turning.smooth(angle * 2.0, radius * 0.9)
                + 0.45 * self.turning.smooth(angle * 5.0, radius * 1.9)
        } else {
            0.5 * self.brush.smooth(u / 55.0, v * 0.75) + 0.5 * self.brush.smooth(u / 24.0 + 40.0, v * 1.6)
        };
        let tone =
            1.0 + 0.075 * streaks + 0.035 * self.stains.cloud(u / 60.0, v / 60.0, 3) + harm.polish(u, v);
        let light = self.shine(slope, self.to_picture(along), x, y, streaks);
        scale([0.985, 1.0, 1.01], tone * light)
    }

    /// Light from a slope of the surface, brushed in a direction: diffuse, and the long highlight of fine grooves (Kajiya and
    /// Kay 1989).
    fn shine(&self, slope: (f32, f32), along: (f32, f32), x: f32, y: f32, streaks: f32) -> f32 {
        let (sx, sy) = self.to_picture(slope);
        // Each brushed groove has its own little slope across its direction.
        let across = 0.05 * streaks;
        let normal = normalised([-sx - across * along.1, -sy + across * along.0, 1.0]);
        let diffuse = dot(normal, self.lamp).max(0.0);
        // The camera stands far above, the lamp near: the highlight moves over the plate.
        let (px, py) = ((x - 320.0) / 900.0, (y - 320.0) / 900.0);
        let half = normalised([self.lamp[0] - px, self.lamp[1] - py, self.lamp[2] + 1.0]);
        let tangent = normalised([along.0, along.1, along.0 * sx + along.1 * sy]);
        let grooves =
            (1.0 - dot(tangent, half).powi(2)).max(0.0).powf(9.0) * dot(normal, half).max(0.0).powf(5.0);
        let gloss = dot(normal, half).max(0.0).powf(60.0);
        0.12 + 0.32 * diffuse + 0.55 * grooves + 0.30 * gloss
    }
}

/// Distance from the middle of the boss, and how far inside the turned ring a place is, in pixels.
fn turned(u: f32, v: f32) -> (f32, f32) {
    let radius = (u - BOSS.0).hypot(v - BOSS.1);
    (radius, 62.0 - radius)
}

/// Height of the surface: flat, chamfered at the outline and the holes, lowered round the bore, and what a defect adds.
fn height(u: f32, v: f32, harm: &Harm) -> f32 {
    // Rounded where the chamfer meets the flat, as tumbling leaves it.
    let above = |value: f32| 0.5 * (value + (value * value + 1.2).sqrt());
    let outer = 0.8 * above(6.0 + outline(u, v));
    let inner = 0.9 * above(3.2 - holes(u, v, harm.missing_hole()));
    let (_, ring) = turned(u, v);
    harm.height(u, v) - outer - inner - 2.4 * step(-1.5, 2.5, ring)
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn normalised(vector: [f32; 3]) -> [f32; 3] {
    scale(vector, 1.0 / dot(vector, vector).sqrt())
}

/// What went wrong, in the drawing of the plate.
enum Harm {
    None,
    /// Line, half its width, depth.
    Scratch(Vec<(f32, f32)>, f32, f32),
    /// Centre, radius, depth.
    Dent((f32, f32), f32, f32),
    MissingHole(usize),
    /// A curl of metal: line, half its width, tint.
    Chip(Vec<(f32, f32)>, f32, Colour),
}

impl Harm {
    fn new(flaw: Flaw, dice: &mut Dice) -> Self {
        match flaw {
            Flaw::Scratch => {
                let direction = dice.direction();
                let line = walk(on_metal(dice, 12.0), direction, dice.range(35.0, 130.0), 0.05, dice);
                Self::Scratch(line, dice.range(0.5, 1.1), dice.range(0.25, 0.9))
            }
            Flaw::Dent => {
                let radius = dice.range(5.0, 12.0);
                Self::Dent(on_metal(dice, 10.0), radius, radius * dice.range(0.12, 0.3) * dice.sign())
            }
            Flaw::MissingHole => Self::MissingHole(1 + dice.below(HOLES.len() - 1)),
            Flaw::Chip => {
                let tints = [[0.62, 0.62, 0.64], [0.62, 0.52, 0.34], [0.36, 0.42, 0.58], [0.80, 0.80, 0.80]];
                let curl = curl(on_metal(dice, 8.0), dice);
                Self::Chip(curl, dice.range(1.3, 2.6), tints[dice.below(tints.len())])
            }
        }
    }

    fn missing_hole(&self) -> Option<usize> {
        if let Self::MissingHole(at) = self { Some(*at) } else { None }
    }

    fn height(&self, u: f32, v: f32) -> f32 {
        match self {
            Self::Scratch(line, half, depth) => {
                let (distance, along) = to_line(line, u, v);
                let groove = (-(distance / half).powi(2)).exp();
                // What is pushed out of the groove stands beside it.
                let burr = 0.35 * (-((distance - 2.0 * half) / half).powi(2)).exp();
                depth * fade(along, length(line), 12.0) * (burr - groove)
            }
            Self::Dent(centre, radius, depth) => {
                let distance = (u - centre.0).hypot(v - centre.1) / radius;
                -depth * (-distance * distance).exp() * (1.0 - 0.35 * distance * distance)
            }
            Self::None | Self::MissingHole(_) | Self::Chip(..) => 0.0,
        }
    }

    /// How much brighter the bare metal of a scratch is.
    fn polish(&self, u: f32, v: f32) -> f32 {
        let Self::Scratch(line, half, depth) = self else { return 0.0 };
        let (distance, along) = to_line(line, u, v);
        0.3 * depth * fade(along, length(line), 12.0) * cover(distance - half)
    }

    /// What lies on the plate, with its shadow.
    fn lay_on(&self, scene: &Scene, u: f32, v: f32, below: Colour) -> Colour {
        let Self::Chip(line, half, tint) = self else { return below };
        let (du, dv) = (2.6 * scene.cos + 3.0 * scene.sin, 3.0 * scene.cos - 2.6 * scene.sin);
        let (shade, _) = to_line(line, u - du, v - dv);
        let below = scale(below, 1.0 - 0.5 * (1.0 - step(half - 1.0, half + 2.0, shade)));
        let (distance, along) = to_line(line, u, v);
        let width = half * (0.45 + 0.55 * fade(along, length(line), 14.0));
        let round = (1.0 - (distance / width).min(1.0).powi(2)).sqrt();
        let ripple = 0.9 + 0.14 * (along * 0.9).sin();
        let lit = add(scale(*tint, (0.35 + 0.75 * round) * ripple), [0.25 * round.powi(6); 3]);
        mix(below, lit, cover((distance - width) * scene.scale))
    }
}

/// A place on the flat of the plate, this far from every edge.
fn on_metal(dice: &mut Dice, margin: f32) -> (f32, f32) {
    loop {
        let (u, v) = (dice.range(-170.0, 150.0), dice.range(-80.0, 80.0));
        if outline(u, v) < -margin && holes(u, v, None) > margin {
            return (u, v);
        }
    }
}

/// A line that winds up on itself, as turnings do.
fn curl(from: (f32, f32), dice: &mut Dice) -> Vec<(f32, f32)> {
    let mut heading = dice.range(0.0, std::f32::consts::TAU);
    let mut turn = dice.sign() * dice.range(0.1, 0.35);
    let mut line = vec![from];
    for _ in 0..8 + dice.below(10) {
        heading += turn;
        turn *= dice.range(0.9, 1.14);
        let (x, y) = line[line.len() - 1];
        line.push((x + 2.6 * heading.cos(), y + 2.6 * heading.sin()));
    }
    line
}
