//! What is on the label: the drawing of its three inks, and what can go wrong in printing it.

use super::canvas::step;
use super::font;
use super::random::{Dice, Noise};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
/// Dots of the drawing per pixel of the picture, along each side.
const FINE: usize = 2;

/// Text: left, top, size of a dot, words. All in pixels.
type Text = (f32, f32, f32, &'static str);

const TEXTS: [Text; 9] = [
    (196.0, 62.0, 5.0, "NORDLICHT"),
    (198.0, 110.0, 2.5, "MOTOR OIL 5-30"),
    (76.0, 196.0, 2.0, "CONTENTS: 1000 ML"),
    (76.0, 218.0, 2.0, "KEEP COOL AND DRY"),
    (76.0, 240.0, 2.0, "DO NOT HEAT"),
    (76.0, 262.0, 2.0, "SEE SAFETY SHEET"),
    (404.0, 204.0, 2.0, "LOT"),
    (404.0, 250.0, 2.0, "USE UNTIL"),
    (412.0, 424.0, 2.0, "4 006381 333931"),
];
/// The two lines that a second printer adds.
const STAMPS: [Text; 2] = [(448.0, 198.0, 3.0, "A7 2048"), (404.0, 272.0, 3.0, "2027.03.16")];
/// Left, top, right, bottom of what is printed, for defects to fall on: letters, bars and logo.
const PRINTED: [[f32; 4]; 7] = [
    [196.0, 62.0, 470.0, 97.0],
    [198.0, 110.0, 410.0, 128.0],
    [76.0, 196.0, 280.0, 276.0],
    [404.0, 198.0, 571.0, 219.0],
    [404.0, 272.0, 581.0, 293.0],
    [400.0, 330.0, 590.0, 415.0],
    [66.0, 54.0, 166.0, 154.0],
];
const BARS: [f32; 4] = [400.0, 330.0, 590.0, 418.0];

/// How much of a place each ink covers, and whether there is a label at all; each in [0, 1].
#[derive(Clone, Copy, Default)]
pub(super) struct Ink {
    pub(super) black: f32,
    pub(super) blue: f32,
    pub(super) red: f32,
    pub(super) sheet: f32,
    /// Of the label on what it is stuck on.
    pub(super) shadow: f32,
}

/// What went wrong in printing.
pub(super) enum Change {
    /// Ink is lacking in a box with ragged edges; what is left of it.
    Missing { area: [f32; 4], left: f32, edge: Noise },
    /// Wet ink was dragged, this far in x and y, in a band around a place.
    Smudge { centre: (f32, f32), reach: f32, drag: (f32, f32), strength: f32, edge: Noise },
    /// Another letter at a place of a stamp.
    Digit { stamp: usize, place: usize, digit: char },
    /// The colours lie beside the black by so many pixels.
    Shift((f32, f32)),
}

impl Change {
    pub(super) fn missing(dice: &mut Dice) -> Self {
        let (x, y) = printed(dice);
        let (width, height) = (dice.range(9.0, 38.0), dice.range(7.0, 18.0));
        let area = [x - width, y - height, x + width, y + height];
        let left = if dice.happens(0.5) { dice.range(0.0, 0.15) } else { dice.range(0.15, 0.55) };
        Self::Missing { area, left, edge: Noise::new(dice) }
    }

    pub(super) fn smudge(dice: &mut Dice) -> Self {
        let (dx, dy) = dice.direction();
        let by = dice.range(10.0, 30.0);
        Self::Smudge {
            centre: printed(dice),
            reach: dice.range(9.0, 24.0),
            drag: (by * dx, 0.6 * by * dy),
            strength: dice.range(0.35, 0.95),
            edge: Noise::new(dice),
        }
    }

    pub(super) fn wrong_digit(dice: &mut Dice) -> Self {
        let stamp = dice.below(STAMPS.len());
        let letters: Vec<char> = STAMPS[stamp].3.chars().collect();
        let digits: Vec<usize> = (0..letters.len()).filter(|at| letters[*at].is_ascii_digit()).collect();
        let place = digits[dice.below(digits.len())];
        let others: Vec<char> = ('0'..='9').filter(|digit| *digit != letters[place]).collect();
        Self::Digit { stamp, place, digit: others[dice.below(others.len())] }
    }
}

fn printed(dice: &mut Dice) -> (f32, f32) {
    let [left, top, right, bottom] = PRINTED[dice.below(PRINTED.len())];
    (dice.range(left, right), dice.range(top, bottom))
}

/// The inks, drawn once and then looked up.
pub(super) struct Artwork<'c> {
    /// `[HEIGHT * FINE * WIDTH * FINE]` each.
    black: Vec<f32>,
    blue: Vec<f32>,
    red: Vec<f32>,
    change: Option<&'c Change>,
}

impl<'c> Artwork<'c> {
    pub(super) fn new(change: Option<&'c Change>) -> Self {
        let empty = || vec![0.0; WIDTH * HEIGHT * FINE * FINE];
        let mut artwork = Self { black: empty(), blue: empty(), red: empty(), change };
        for text in TEXTS {
            write(&mut artwork.black, text, |_| None);
        }
        for (at, text) in STAMPS.into_iter().enumerate() {
            write(&mut artwork.black, text, |place| match change {
                Some(Change::Digit { stamp, place: changed, digit }) if (*stamp, *changed) == (at, place) => {
                    Some(*digit)
                }
                _ => None,
            });
        }
        bars(&mut artwork.black);
        artwork.draw_logo();
        artwork
    }

    /// The mark of the house, a bar below the heading, a frame, a drop of oil.
    fn draw_logo(&mut self) {
        let (cx, cy) = (116.0, 104.0);
        fill(&mut self.blue, |x, y| (x - cx).hypot(y - cy) < 48.0 && (x - cx).hypot(y - cy) > 37.0);
        fill(&mut self.blue, |x, y| (y - 158.0 - 8.0).abs() < 7.0 && (60.0..596.0).contains(&x));
        fill(&mut self.red, |x, y| {
            let (dx, dy) = (x - cx, y - cy);
            // A star of four points.
            (dx.abs().sqrt() + dy.abs().sqrt()) < 5.9
        });
        fill(&mut self.red, |x, y| (y - 182.0).abs() < 2.5 && (60.0..596.0).contains(&x));
        fill(&mut self.black, |x, y| {
            let (dx, dy) = ((x - cx).abs(), (y - cy).abs());
            (dx - dy).abs() < 2.2 && dx.hypot(dy) < 37.0 && dx.hypot(dy) > 17.0
        });
        fill(&mut self.blue, |x, y| {
            let (dx, dy) = (x - 176.0, y - 372.0);
            let drop =
                if dy < 0.0 { dx.abs() / 34.0 - (dy + 62.0) / 62.0 } else { dx.hypot(dy) / 34.0 - 1.0 };
            drop < 0.0
        });
        fill(&mut self.red, |x, y| {
            (x - 286.0).abs() < 36.0 && (y - 372.0).abs() < 36.0 && (x - y + 86.0).abs() < 50.0
        });
        fill(&mut self.black, |x, y| {
            let (dx, dy) = ((x - 286.0).abs(), (y - 372.0).abs());
            dx.max(dy) < 42.0 && dx.max(dy) > 38.5
        });
    }

    /// The inks at a place, in pixels; the colours moved by `register` against the black.
    pub(super) fn ink(&self, x: f32, y: f32, register: (f32, f32)) -> Ink {
        let (cx, cy) = (WIDTH as f32 / 2.0, HEIGHT as f32 / 2.0);
        let edge = |grow: f32| {
            let (dx, dy) = ((x - cx).abs() - 278.0 - grow, (y - cy).abs() - 204.0 - grow);
            dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - 16.0
        };
        let mut ink = Ink {
            sheet: 1.0 - step(-0.6, 0.6, edge(0.0)),
            shadow: 1.0 - step(-2.0, 7.0, edge(2.0)),
            ..Ink::default()
        };
        let moved = if let Some(Change::Shift(by)) = self.change { *by } else { (0.0, 0.0) };
        let (u, v) = (x - register.0 - moved.0, y - register.1 - moved.1);
        ink.black = look_up(&self.black, x, y);
        ink.blue = look_up(&self.blue, u, v);
        // Each colour has its own plate; only one of them is out of register.
        ink.red = look_up(&self.red, u + moved.0, v + moved.1);
        match self.change {
            Some(Change::Missing { area, left, edge }) => {
                let share = 1.0 - (1.0 - left) * within(area, x, y, *edge);
                ink.black *= share;
                ink.blue *= share;
                ink.red *= share;
            }
            Some(Change::Smudge { centre, reach, drag, strength, edge }) => {
                let distance =
                    (x - centre.0).hypot(y - centre.1) + 0.35 * reach * edge.cloud(x / 14.0, y / 14.0, 2);
                let share = strength * (1.0 - step(0.5 * reach, 1.1 * reach, distance));
                if share > 0.0 {
                    ink.black = ink.black.max(share * self.dragged(x, y, *drag, *edge));
                }
            }
            _ => {}
        }
        ink
    }

    /// Ink that was pulled here from where it was printed, thinner the further it came.
    fn dragged(&self, x: f32, y: f32, drag: (f32, f32), streaks: Noise) -> f32 {
        const STEPS: usize = 24;
        let mut sum = 0.0;
        for at in 0..STEPS {
            let back = at as f32 / STEPS as f32;
            let (u, v) = (x - back * drag.0, y - back * drag.1);
            let any = look_up(&self.black, u, v)
                .max(0.7 * look_up(&self.blue, u, v))
                .max(0.5 * look_up(&self.red, u, v));
            sum += any * (1.0 - back);
        }
        // Across the direction of the drag the film is uneven.
        let length = drag.0.hypot(drag.1).max(1.0);
        let across = (x * drag.1 - y * drag.0) / length;
        (2.6 * sum / STEPS as f32 * (0.85 + 0.35 * streaks.smooth(across / 1.8, 7.0))).clamp(0.0, 1.0)
    }
}

/// How much of a place lies in a box whose edges are ragged.
fn within(area: &[f32; 4], x: f32, y: f32, edge: Noise) -> f32 {
    let [left, top, right, bottom] = *area;
    let (dx, dy) = (
        (x - 0.5 * (left + right)).abs() - 0.5 * (right - left),
        (y - 0.5 * (top + bottom)).abs() - 0.5 * (bottom - top),
    );
    let distance = dx.max(dy) + 4.0 * edge.cloud(x / 9.0, y / 9.0, 3);
    1.0 - step(-1.5, 1.5, distance)
}

fn fill(plate: &mut [f32], inside: impl Fn(f32, f32) -> bool) {
    for (at, value) in plate.iter_mut().enumerate() {
        let (x, y) = (at % (WIDTH * FINE), at / (WIDTH * FINE));
        if inside((x as f32 + 0.5) / FINE as f32, (y as f32 + 0.5) / FINE as f32) {
            *value = 1.0;
        }
    }
}

/// Fills a box, in pixels.
fn fill_box(plate: &mut [f32], [left, top, right, bottom]: [f32; 4]) {
    let fine = |value: f32| (value * FINE as f32).round() as usize;
    for y in fine(top)..fine(bottom).min(HEIGHT * FINE) {
        plate[y * WIDTH * FINE..][fine(left)..fine(right).min(WIDTH * FINE)].fill(1.0);
    }
}

fn write(plate: &mut [f32], (left, top, dot, words): Text, instead: impl Fn(usize) -> Option<char>) {
    for (place, letter) in words.chars().enumerate() {
        let letter = instead(place).unwrap_or(letter);
        let from = left + place as f32 * dot * (font::COLUMNS + 1) as f32;
        for (row, bits) in font::rows(letter).into_iter().enumerate() {
            for column in (0..font::COLUMNS).filter(|column| bits >> (font::COLUMNS - 1 - column) & 1 == 1) {
                let (x, y) = (from + column as f32 * dot, top + row as f32 * dot);
                fill_box(plate, [x, y, x + dot, y + dot]);
            }
        }
    }
}

/// Bars and gaps of one to four widths; always the same ones.
fn bars(plate: &mut [f32]) {
    let [left, top, right, bottom] = BARS;
    let mut dice = Dice::new(13, "bars");
    let mut x = left;
    while x < right - 8.0 {
        let (bar, gap) = (2.0 * (1 + dice.below(3)) as f32, 2.0 * (1 + dice.below(3)) as f32);
        fill_box(plate, [x, top, x + bar, bottom]);
        x += bar + gap;
    }
}

/// The drawing at a place in pixels, blended between its dots.
fn look_up(plate: &[f32], x: f32, y: f32) -> f32 {
    let (x, y) = (x * FINE as f32 - 0.5, y * FINE as f32 - 0.5);
    let (width, height) = (WIDTH * FINE, HEIGHT * FINE);
    if x < 0.0 || y < 0.0 || x >= (width - 1) as f32 || y >= (height - 1) as f32 {
        return 0.0;
    }
    let (left, top) = (x as usize, y as usize);
    let (across, down) = (x - left as f32, y - top as f32);
    let at = |x: usize, y: usize| plate[y * width + x];
    let row = |y: usize| at(left, y) + (at(left + 1, y) - at(left, y)) * across;
    row(top) + (row(top + 1) - row(top)) * down
}
