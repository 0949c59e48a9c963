//! Do inputs look otherwise than those before? A test on what a base makes of them, that may be looked at after every input.
//!
//! Inputs come in windows. Each is compared with a sample of those before by the maximum mean discrepancy (Gretton et al. 2012, "A kernel
//! two-sample test", unbiased, with a Gaussian kernel whose width is that of the data), and how probable such a difference is by chance is
//! found by permuting who belongs to the window. The sample is drawn anew from itself and the window after each comparison, whoever was in which: so
//! it says nothing about the comparisons before, and what is bet on them may be multiplied (a test martingale, Shafer et al. 2011, with
//! the bets `kappa * p^(kappa - 1)`). While inputs are exchangeable the chance that the evidence ever exceeds `1 / level` is at most
//! `level`.

use linalg::{Seed, random};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::martingale::play;

/// Numbers that are kept of an input.
const SIDE: usize = 32;
/// Inputs that are compared at once.
const WINDOW: usize = 100;
/// Inputs before that are kept, at most.
const PAST: usize = 600;
/// And at least, before anything is compared.
const LEAST: usize = 200;
/// Ways of dealing the inputs that the true one is compared with.
const PERMUTATIONS: usize = 999;
/// How each bettor bets: the first one not at all, so that it has something left when the others lost.
const BETS: [f64; 3] = [1.0, 0.5, 0.25];
/// How much of the wealth is dealt anew after each window.
const JUMP: f64 = 0.05;

/// What is kept of an input: 32 small numbers, from which distances between inputs are known and little else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch([i8; SIDE]);

impl Sketch {
    /// Of `features` `[dim]`: their direction, projected by signs that are the same for everybody. `None` where there is no direction.
    pub fn of(features: &[f32]) -> Option<Self> {
        let norm = features.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        if !norm.is_normal() {
            return None;
        }
        let mut sums = [0.0_f64; SIDE];
        for (at, x) in (0_u64..).zip(features) {
            let signs = signs(at);
            for (side, sum) in sums.iter_mut().enumerate() {
                *sum += if signs >> side & 1 == 1 { f64::from(*x) } else { -f64::from(*x) };
            }
        }
        // Each is about normal with variance one: four of these sides have room.
        Some(Self(sums.map(|sum| (sum / norm * 32.0).round().clamp(-127.0, 127.0) as i8)))
    }

    fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (i32::from(*a) - i32::from(*b)).pow(2) as u32).sum()
    }
}

/// 32 random signs for a place (the finaliser of SplitMix64, Steele et al. 2014).
fn signs(at: u64) -> u64 {
    let mut z = at.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Watches a stream of inputs by what a base makes of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShiftTest {
    #[serde(serialize_with = "write", deserialize_with = "read")]
    past: Vec<Sketch>,
    #[serde(serialize_with = "write", deserialize_with = "read")]
    window: Vec<Sketch>,
    n: u64,
    wealth: [f64; BETS.len()],
    /// The most evidence that there ever was.
    most: f64,
}

/// What a comparison came to.
#[derive(Debug)]
pub struct Compared {
    past: Vec<Sketch>,
    wealth: [f64; BETS.len()],
    most: f64,
}

impl Default for ShiftTest {
    fn default() -> Self {
        Self::new()
    }
}

impl ShiftTest {
    /// Nothing came yet.
    pub fn new() -> Self {
        let wealth = [1.0 / BETS.len() as f64; BETS.len()];
        Self { past: Vec::new(), window: Vec::new(), n: 0, wealth, most: 1.0 }
    }

    /// Takes an input in.
    pub fn observe(&mut self, sketch: Sketch) {
        self.n += 1;
        self.window.push(sketch);
    }

    /// Whether a window is full, so that [`ShiftTest::compare`] has something to say.
    pub fn is_due(&self) -> bool {
        self.window.len() >= WINDOW
    }

    /// Compares the first full window with the inputs before; `None` while none is full. Takes milliseconds, and changes nothing: inputs may
    /// come meanwhile, to another copy of this test, that then [learns](ShiftTest::learn). `seed`, another one each time, deals inputs anew.
    pub fn compare(&self, seed: Seed) -> Option<Compared> {
        let window = self.window.get(..WINDOW)?;
        let (mut wealth, mut most) = (self.wealth, self.most);
        if self.past.len() >= LEAST {
            let p = p_value(&self.past, window, seed.derive("permutations"));
            play(&mut wealth, &mut most, JUMP, BETS.map(|kappa| kappa * p.powf(kappa - 1.0)));
        }
        let mut past = [&self.past, window].concat();
        random::shuffle(&mut past, &mut seed.derive("past").rng());
        past.truncate(PAST);
        Some(Compared { past, wealth, most })
    }

    /// Takes in what a comparison of this test, or of a copy that has seen no comparison since, came to.
    pub fn learn(&mut self, Compared { past, wealth, most }: Compared) {
        self.window.drain(..WINDOW);
        (self.past, self.wealth, self.most) = (past, wealth, most);
    }

    /// How many inputs came.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The evidence against "nothing changed" now: 1 at the beginning, 20 is one in twenty.
    pub fn evidence(&self) -> f64 {
        self.wealth.iter().sum()
    }

    /// Whether there was ever evidence enough; wrong with a chance of at most `level`, however long it is watched.
    pub fn has_changed(&self, level: f64) -> bool {
        self.most > 1.0 / level
    }
}

/// The chance of such a difference between two samples when both are of one kind; never 0.
fn p_value(past: &[Sketch], window: &[Sketch], seed: Seed) -> f64 {
    let mut rng = seed.rng();
    let all: Vec<Sketch> = past.iter().chain(window).copied().collect();
    let kernel = Kernel::of(&all);
    let of_window: Vec<usize> = (past.len()..all.len()).collect();
    let found = kernel.discrepancy(&of_window);
    let as_large = (0..PERMUTATIONS)
        .filter(|_| {
            let dealt = random::sample_without_replacement(all.len(), window.len(), &mut rng);
            kernel.discrepancy(&dealt) >= found
        })
        .count();
    (as_large + 1) as f64 / (PERMUTATIONS + 1) as f64
}

/// How like every two of some inputs are.
struct Kernel {
    n: usize,
    /// `[n, n]`, zero between an input and itself.
    likeness: Vec<f32>,
    /// `[n]`: how like an input is to all others together.
    sums: Vec<f64>,
}

impl Kernel {
    fn of(all: &[Sketch]) -> Self {
        let n = all.len();
        let mut apart: Vec<u32> = (0..n)
            .flat_map(|one| (0..one).map(move |other| (one, other)))
            .map(|(a, b)| all[a].distance(&all[b]))
            .collect();
        let middle = apart.len() / 2;
        // Half the median, as the width of alibi-detect; where most are equal any width will do.
        let width = f64::from((*apart.select_nth_unstable(middle).1).max(1)) / 2.0;
        let mut likeness = vec![0.0; n * n];
        for one in 0..n {
            for other in 0..one {
                let like = (-f64::from(all[one].distance(&all[other])) / (2.0 * width)).exp() as f32;
                (likeness[one * n + other], likeness[other * n + one]) = (like, like);
            }
        }
        let sums = likeness.chunks(n).map(|row| row.iter().map(|like| f64::from(*like)).sum()).collect();
        Self { n, likeness, sums }
    }

    /// The unbiased square of the maximum mean discrepancy between these inputs and all others.
    fn discrepancy(&self, these: &[usize]) -> f64 {
        let rows = these.iter().map(|one| &self.likeness[one * self.n..][..self.n]);
        let within: f64 = rows.map(|row| these.iter().map(|other| f64::from(row[*other])).sum::<f64>()).sum();
        let of_these: f64 = these.iter().map(|one| self.sums[*one]).sum();
        let between = of_these - within;
        let of_others = self.sums.iter().sum::<f64>() - of_these;
        let (m, n) = (these.len() as f64, (self.n - these.len()) as f64);
        within / (m * (m - 1.0)) + (of_others - between) / (n * (n - 1.0)) - 2.0 * between / (m * n)
    }
}

/// As one line of digits: a list of lists of numbers would take four times as much.
fn write<S: Serializer>(sketches: &[Sketch], to: S) -> Result<S::Ok, S::Error> {
    let digits = sketches.iter().flat_map(|sketch| sketch.0).map(|side| format!("{side:02x}"));
    to.serialize_str(&digits.collect::<String>())
}

fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Sketch>, D::Error> {
    let text = String::deserialize(from)?;
    let odd = || serde::de::Error::custom("no sketches");
    let side = |pair: &[u8]| {
        let digits = str::from_utf8(pair).ok()?;
        u8::from_str_radix(digits, 16).ok().map(|side| side as i8)
    };
    let sketch = |digits: &[u8]| {
        let sides: Option<Vec<i8>> = digits.chunks(2).map(side).collect();
        Some(Sketch(sides?.try_into().ok()?))
    };
    text.as_bytes().chunks(2 * SIDE).map(|digits| sketch(digits).ok_or_else(odd)).collect()
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    const DIM: usize = 96;

    /// Takes an input in, and compares when a window is full with it.
    fn observe(test: &mut ShiftTest, sketch: Sketch, seed: Seed) {
        test.observe(sketch);
        if let Some(compared) = test.compare(seed) {
            test.learn(compared);
        }
    }

    /// Inputs until it says that something changed: of three kinds, around a mean as the features of a base have, in a mix that is another one, or at
    /// another place, from `change` on.
    fn noticed(
        seed: u64,
        change: usize,
        (mix, shift): (f64, f64),
        length: usize,
        level: f64,
    ) -> Option<usize> {
        let mut rng = Seed(seed).rng();
        let mut test = ShiftTest::new();
        (0..length).find(|at| {
            let changed = *at >= change;
            let kind = if random::uniform(&mut rng) < if changed { mix } else { 0.5 } {
                0
            } else {
                1 + random::below(&mut rng, 2)
            };
            let features: Vec<f32> = (0..DIM)
                .map(|place| {
                    let mean = 0.8 + if place % 3 == kind { 0.6 } else { 0.0 };
                    let moved = if changed && place < DIM / 4 { shift } else { 0.0 };
                    (mean + moved + random::normal(&mut rng)) as f32
                })
                .collect();
            observe(&mut test, Sketch::of(&features).expect("a direction"), Seed(seed).nth(*at));
            test.has_changed(level)
        })
    }

    #[test]
    fn false_alarms_stay_within_the_level() {
        let alarms = (0..120_u64).into_par_iter();
        let alarms =
            alarms.filter(|seed| noticed(*seed, usize::MAX, (0.5, 0.0), 1200, 0.05).is_some()).count();
        // 5 % of 120 are 6; 11 is the 98th percentile of what chance makes of that.
        assert!(alarms <= 11, "{alarms} of 120");
    }

    #[test]
    fn another_place_and_another_mix_are_noticed() {
        let delays = |mix, shift| {
            let delays = (0..12_u64).into_par_iter();
            let noticed = |seed| {
                noticed(1000 + seed, 700, (mix, shift), 1700, 0.01).map_or(1000, |at| at.saturating_sub(700))
            };
            let mut delays: Vec<usize> = delays.map(noticed).collect();
            delays.sort_unstable();
            delays
        };
        let (place, mix) = (delays(0.5, 0.6), delays(0.05, 0.0));
        assert!(place[6] <= 300 && place[10] <= 500, "{place:?}");
        assert!(mix[6] <= 400 && mix[9] <= 600, "{mix:?}");
    }

    #[test]
    fn chances_are_uniform_when_nothing_differs_and_small_when_something_does() {
        let draw = |seed: u64, shift: f64, n: usize| -> Vec<Sketch> {
            let mut rng = Seed(seed).rng();
            let one = |_| {
                let features: Vec<f32> =
                    (0..DIM).map(|_| (1.0 + shift + random::normal(&mut rng)) as f32).collect();
                Sketch::of(&features).expect("a direction")
            };
            (0..n).map(one).collect()
        };
        let p =
            |seed: u64, shift| p_value(&draw(2 * seed, 0.0, 60), &draw(2 * seed + 1, shift, 30), Seed(seed));
        let small = (0..200_u64).into_par_iter().filter(|seed| p(*seed, 0.0) <= 0.1).count();
        assert!((8..=33).contains(&small), "{small} of 200 at 10 %");
        assert_eq!(p(7, 1.0), 0.001);
    }

    #[test]
    fn the_discrepancy_is_that_of_its_formula() {
        let sketch = |side: i8| Sketch([side; SIDE]);
        let kernel = Kernel::of(&[sketch(0), sketch(1), sketch(3), sketch(4)]);
        // Squared distances are 32 times 1, 9, 16, 4, 9 and 1; the larger of the two in the middle is 9 * 32: half of it is the width.
        let k = |steps: f64| (-steps * 32.0 / (9.0 * 32.0)).exp();
        let by_hand = k(1.0) + k(1.0) - (k(9.0) + k(16.0) + k(4.0) + k(9.0)) / 2.0;
        assert!((kernel.discrepancy(&[2, 3]) - by_hand).abs() < 1e-6, "{by_hand}");
    }

    #[test]
    fn inputs_that_come_during_a_comparison_are_of_the_next_window() {
        let mut rng = Seed(9).rng();
        let mut inputs = (0..).map(|_| Sketch::of(&[0; DIM].map(|_| random::normal(&mut rng) as f32)));
        let mut next = || inputs.next().flatten().expect("a direction");
        let (mut waited, mut busy) = (ShiftTest::new(), ShiftTest::new());
        (0..WINDOW).for_each(|_| {
            let input = next();
            waited.observe(input);
            busy.observe(input);
        });
        let compared = busy.compare(Seed(1)).expect("a window is full");
        let later: Vec<Sketch> = (0..WINDOW + 5).map(|_| next()).collect();
        later.iter().for_each(|input| busy.observe(*input));
        busy.learn(compared);
        let compared = waited.compare(Seed(1)).expect("a window is full");
        waited.learn(compared);
        assert!(!waited.is_due() && waited.compare(Seed(2)).is_none());
        later.iter().for_each(|input| waited.observe(*input));
        assert!(busy == waited && busy.is_due() && busy.n() == 205);
    }

    #[test]
    fn a_sketch_keeps_distances_and_comes_back_from_storage() {
        assert_eq!(Sketch::of(&[0.0; 8]), None);
        assert_eq!(Sketch::of(&[f32::NAN; 8]), None);
        let mut rng = Seed(5).rng();
        let mut test = ShiftTest::new();
        for at in 0..250 {
            let features: Vec<f32> = (0..DIM).map(|_| random::normal(&mut rng) as f32).collect();
            assert_eq!(
                Sketch::of(&features),
                Sketch::of(&features.iter().map(|x| 3.0 * x).collect::<Vec<_>>())
            );
            observe(&mut test, Sketch::of(&features).expect("a direction"), Seed(5).nth(at));
        }
        let stored = serde_json::to_string(&test).expect("plain data");
        assert!(stored.len() < 17_000, "{} bytes", stored.len());
        assert_eq!(serde_json::from_str::<ShiftTest>(&stored).expect("as it was"), test);
        assert!(serde_json::from_str::<ShiftTest>(&stored.replacen("\":\"", "\":\"zz", 1)).is_err());
    }
}
