//! Woven cloth, every thread a little different, the light falling off: broken threads, stains, slubs, holes.

use super::canvas::{Canvas, Colour, mix, scale, step};
use super::random::{Dice, Noise};
use super::{Product, SavedAs};

const WIDTH: usize = 1024;
const HEIGHT: usize = 768;
/// Distance of neighbouring threads, in pixels.
const PITCH: f32 = 9.0;
/// What is seen where no thread is.
const UNDER: Colour = [0.10, 0.10, 0.11];

pub(super) struct Weave;

#[derive(Clone, Copy)]
pub(super) enum Flaw {
    BrokenThread,
    Stain,
    Slub,
    Hole,
}

impl Product for Weave {
    type Flaw = Flaw;
    const FLAWS: &'static [(&'static str, Flaw)] = &[
        ("broken_thread", Flaw::BrokenThread),
        ("stain", Flaw::Stain),
        ("slub", Flaw::Slub),
        ("hole", Flaw::Hole),
    ];
    const SAVED_AS: SavedAs = SavedAs::ColourJpeg;

    fn draw(seed: u64, flaw: Option<(Flaw, u64)>) -> Canvas {
        let mut dice = Dice::new(seed, "weave");
        let cloth = Cloth::new(&mut dice);
        let harm =
            flaw.map_or(Harm::None, |(flaw, seed)| Harm::new(flaw, &cloth, &mut Dice::new(seed, "harm")));
        let mut canvas = Canvas::supersampled(WIDTH, HEIGHT, |x, y| cloth.colour(x, y, &harm));
        canvas.blur(0.7);
        canvas.expose(&mut dice, 0.004, 0.012, false);
        canvas
    }
}

/// A set of parallel threads.
struct Threads {
    /// `[LANES * LANES]`, thread by thread, at every pitch along it: how far it lies aside, half its width, its tone.
    traits: Vec<[f32; 3]>,
    tone: Colour,
}

/// Threads that are known each way, and pitches along each.
const LANES: usize = 256;
/// The first of them: the picture may begin a little before the cloth's first thread.
const FIRST_LANE: f32 = -12.0;

/// What a thread is like at one place.
struct Thread {
    number: i32,
    /// From its middle to the place, in half widths: 1 is its edge. Infinite where the thread is gone.
    off: f32,
    tone: Colour,
}

struct Cloth {
    warp: Threads,
    weft: Threads,
    fibres: Noise,
    waves: Noise,
    cos: f32,
    sin: f32,
    shift: (f32, f32),
    lamp: (f32, f32),
    gain: f32,
}

impl Cloth {
    fn new(dice: &mut Dice) -> Self {
        let warp = Threads::new([0.50, 0.54, 0.60], dice);
        let weft = Threads::new([0.70, 0.68, 0.63], dice);
        let angle: f32 = dice.range(-0.03, 0.03);
        Self {
            warp,
            weft,
            fibres: Noise::new(dice),
            waves: Noise::new(dice),
            cos: angle.cos(),
            sin: angle.sin(),
            shift: (dice.range(0.0, 900.0), dice.range(0.0, 900.0)),
            lamp: (dice.range(-0.2, 0.05), dice.range(-0.2, 0.0)),
            gain: dice.range(0.94, 1.05),
        }
    }

    /// From the picture to the cloth, in pitches: turned, and drawn a little out of shape.
    fn to_cloth(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x + self.shift.0, y + self.shift.1);
        let (dx, dy) = (
            3.0 * self.waves.smooth(x / 210.0, y / 260.0),
            3.0 * self.waves.smooth(x / 250.0 + 90.0, y / 190.0),
        );
        let (x, y) = (x + dx, y + dy);
        ((x * self.cos + y * self.sin) / PITCH, (y * self.cos - x * self.sin) / PITCH)
    }

    fn colour(&self, x: f32, y: f32, harm: &Harm) -> Colour {
        let (u, v) = self.to_cloth(x, y);
        let place = Place { x, y, u, v };
        let mut colour = self.threads(&place, harm);
        colour = harm.stain(&place, colour);
        let (dx, dy) = (x / WIDTH as f32 - 0.5, y / HEIGHT as f32 - 0.5);
        let falloff = 1.0 + self.lamp.0 * dx + self.lamp.1 * dy - 0.35 * (dx * dx + dy * dy);
        scale(colour, self.gain * falloff)
    }

    /// The uppermost thread at a place, or what is seen between them.
    fn threads(&self, place: &Place, harm: &Harm) -> Colour {
        let (warp_at, weft_at) = (harm.lane(place, true), harm.lane(place, false));
        let warp = self.warp.at(warp_at, place.u, place.v, harm.change(true, warp_at, place.v));
        let weft = self.weft.at(weft_at, place.v, place.u, harm.change(false, weft_at, place.u));
        // A twill: each weft thread goes over one warp thread and under two, one further in every row. In the middle of
        // such a float a thread stands highest.
        let (across, down) = (place.u - place.u.floor(), place.v - place.v.floor());
        let (weft_is_up, rise) = match (warp_at - weft_at).rem_euclid(3) {
            0 => (true, 1.0 - (2.0 * across - 1.0).powi(2)),
            1 => (false, 1.0 - down.powi(2)),
            _ => (false, 1.0 - (down - 1.0).powi(2)),
        };
        let (top, below) = if weft_is_up { (weft, warp) } else { (warp, weft) };
        if top.off.abs() < 1.0 {
            self.lit(&top, rise, !weft_is_up, place)
        } else if below.off.abs() < 1.0 {
            scale(self.lit(&below, 0.0, weft_is_up, place), 0.62)
        } else {
            UNDER
        }
    }

    /// A thread's round back under the light, with its twisted fibres.
    fn lit(&self, thread: &Thread, rise: f32, is_warp: bool, place: &Place) -> Colour {
        let along = if is_warp { place.v } else { place.u + 500.0 };
        let round = (1.0 - thread.off * thread.off).max(0.0).sqrt();
        let twist =
            self.fibres.smooth(along * 1.6 + thread.off * 1.1, thread.off * 3.2 + thread.number as f32 * 7.0);
        // The light comes from above left, so one flank of a thread is brighter.
        let flank = -0.10 * thread.off;
        scale(thread.tone, (0.50 + 0.42 * round + flank) * (0.80 + 0.24 * rise) * (1.0 + 0.11 * twist))
    }
}

impl Threads {
    fn new(tone: Colour, dice: &mut Dice) -> Self {
        // Of each thread as a whole, and how it changes along its way.
        let (each, way) = (Noise::new(dice), Noise::new(dice));
        let traits = |at: usize| {
            let (thread, along) = ((at / LANES) as i32, (at % LANES) as f32);
            let slow = |from: f32, reach: f32| way.smooth(along / reach + from, thread as f32 * 5.7 + 0.5);
            [
                0.05 * each.cell(thread, 0) + 0.05 * slow(0.0, 9.0),
                0.455 * (1.0 + 0.06 * each.cell(thread, 1) + 0.09 * slow(700.0, 14.0)),
                1.0 + 0.045 * each.cell(thread, 2) + 0.05 * slow(300.0, 25.0),
            ]
        };
        Self { traits: (0..LANES * LANES).map(traits).collect(), tone }
    }

    /// The thread with this number, at a place `across` and `along` the threads in pitches.
    fn at(&self, number: i32, across: f32, along: f32, change: Change) -> Thread {
        let place = (along - FIRST_LANE).clamp(0.0, (LANES - 2) as f32);
        let lane = (number as f32 - FIRST_LANE).clamp(0.0, (LANES - 1) as f32) as usize;
        let from = lane * LANES + place as usize;
        let (here, next, share) = (self.traits[from], self.traits[from + 1], place.fract());
        let [aside, half, tone] = mix(here, next, share);
        let half = half * change.width;
        let off = across - number as f32 - 0.5 - aside - change.aside;
        let off = if half > 0.02 { off / half } else { f32::INFINITY };
        Thread { number, off, tone: scale(self.tone, tone * change.tone) }
    }
}

/// A place in the picture and on the cloth.
struct Place {
    x: f32,
    y: f32,
    u: f32,
    v: f32,
}

/// What a defect does to a thread at one place.
#[derive(Clone, Copy)]
struct Change {
    /// Times its width; 0 takes it away.
    width: f32,
    /// Pitches to the side.
    aside: f32,
    /// Times its brightness.
    tone: f32,
}

const UNCHANGED: Change = Change { width: 1.0, aside: 0.0, tone: 1.0 };

/// What went wrong. Places are in pitches, but for the stain's, in pixels.
enum Harm {
    None,
    /// One thread is gone between two places.
    Broken {
        is_warp: bool,
        number: i32,
        from: f32,
        to: f32,
        fray: f32,
    },
    Stain {
        centre: (f32, f32),
        radius: f32,
        tint: Colour,
        edge: Noise,
        ring: f32,
    },
    /// One thread swells.
    Slub {
        is_warp: bool,
        number: i32,
        middle: f32,
        reach: f32,
        swell: f32,
    },
    Hole {
        centre: (f32, f32),
        radius: f32,
        edge: Noise,
    },
}

impl Harm {
    fn new(flaw: Flaw, cloth: &Cloth, dice: &mut Dice) -> Self {
        let (x, y) = (dice.range(60.0, WIDTH as f32 - 60.0), dice.range(60.0, HEIGHT as f32 - 60.0));
        let (u, v) = cloth.to_cloth(x, y);
        let is_warp = dice.happens(0.5);
        let (number, middle) = if is_warp { (u.floor() as i32, v) } else { (v.floor() as i32, u) };
        match flaw {
            Flaw::BrokenThread => {
                let half = dice.range(1.5, 8.0);
                let fray = dice.sign() * dice.range(0.2, 0.5);
                Self::Broken { is_warp, number, from: middle - half, to: middle + half, fray }
            }
            Flaw::Stain => {
                let tints = [[0.70, 0.62, 0.46], [0.62, 0.62, 0.64], [0.52, 0.46, 0.42]];
                let strength = dice.range(0.25, 0.9);
                Self::Stain {
                    centre: (x, y),
                    radius: dice.range(12.0, 60.0),
                    tint: mix([1.0; 3], tints[dice.below(tints.len())], strength),
                    edge: Noise::new(dice),
                    ring: dice.range(0.0, 0.6),
                }
            }
            Flaw::Slub => {
                let (reach, swell) = (dice.range(2.5, 7.0), dice.range(0.5, 1.4));
                Self::Slub { is_warp, number, middle, reach, swell }
            }
            Flaw::Hole => Self::Hole { centre: (u, v), radius: dice.range(0.9, 2.8), edge: Noise::new(dice) },
        }
    }

    /// The number of the thread that lies at a place: that of its lane, but a thread that swells takes room from others.
    fn lane(&self, place: &Place, of_warp: bool) -> i32 {
        let (across, along) = if of_warp { (place.u, place.v) } else { (place.v, place.u) };
        let own = across.floor() as i32;
        match self {
            Self::Slub { is_warp, number, .. } if *is_warp == of_warp && (own - number).abs() == 1 => {
                let half = 0.455 * self.change(of_warp, *number, along).width;
                if (across - *number as f32 - 0.5).abs() < half { *number } else { own }
            }
            _ => own,
        }
    }

    fn change(&self, of_warp: bool, thread: i32, along: f32) -> Change {
        match *self {
            Self::Broken { is_warp, number, from, to, fray } if is_warp == of_warp => {
                broken(thread - number, (from - along).max(along - to), fray)
            }
            Self::Slub { is_warp, number, middle, reach, swell }
                if is_warp == of_warp && thread == number =>
            {
                let bell = (-((along - middle) / reach).powi(2)).exp();
                Change { width: 1.0 + swell * bell, tone: 1.0 + 0.08 * bell, ..UNCHANGED }
            }
            Self::Hole { centre, radius, edge } => {
                let (across, middle) = if of_warp { centre } else { (centre.1, centre.0) };
                torn(thread, thread as f32 + 0.5 - across, along - middle, radius, edge, of_warp)
            }
            _ => UNCHANGED,
        }
    }

    fn stain(&self, place: &Place, clean: Colour) -> Colour {
        let Self::Stain { centre, radius, tint, edge, ring } = self else { return clean };
        let distance = (place.x - centre.0).hypot(place.y - centre.1);
        let distance = distance + 0.4 * radius * edge.cloud(place.x / 30.0, place.y / 30.0, 3);
        let inside = 1.0 - step(0.72 * radius, 1.05 * radius, distance);
        // What dries last, at the edge, is darkest.
        let rim = ring * step(0.5 * radius, 0.85 * radius, distance);
        let share = inside * (1.0 - ring * 0.6 + rim);
        [0, 1, 2].map(|channel| clean[channel] * (1.0 + (tint[channel] - 1.0) * share))
    }
}

/// A thread `lanes` beside the broken one, at a place `outside` pitches beyond the break.
fn broken(lanes: i32, outside: f32, fray: f32) -> Change {
    match lanes {
        0 if outside < 0.0 => Change { width: 0.0, ..UNCHANGED },
        // The ends open and bend away.
        0 => {
            let end = 1.0 - step(0.0, 2.0, outside);
            Change { width: 1.0 + 0.25 * end, aside: fray * end, tone: 1.0 + 0.06 * end }
        }
        // The neighbours close in on the gap.
        -1 | 1 => {
            let share = 1.0 - step(-1.0, 1.0, outside);
            Change { aside: -0.12 * lanes as f32 * share, ..UNCHANGED }
        }
        _ => UNCHANGED,
    }
}

/// A thread that passes `aside` pitches from the middle of a hole, at a place `along` it.
fn torn(thread: i32, aside: f32, along: f32, radius: f32, edge: Noise, of_warp: bool) -> Change {
    let chord = (radius * radius - aside * aside).max(0.0).sqrt();
    // Each thread tore where it was weakest.
    let end = |side: i32| chord * (1.0 + 0.6 * edge.cell(thread, 2 * side + i32::from(of_warp)));
    let reach = if along < 0.0 { end(0) } else { end(1) };
    if chord > 0.0 && along.abs() < reach {
        // Now and then one held, drawn thin.
        let holds = edge.cell(thread, 4 + i32::from(of_warp)) > 0.7;
        return Change { width: if holds { 0.4 } else { 0.0 }, tone: 0.8, ..UNCHANGED };
    }
    let near = 1.0 - step(0.0, 2.0, aside.hypot(along) - radius);
    let bend = edge.smooth(along * 0.9, thread as f32 * 3.1 + if of_warp { 0.0 } else { 50.0 });
    Change { aside: near * (0.22 * bend + 0.12 * (aside / radius).clamp(-1.0, 1.0)), ..UNCHANGED }
}
