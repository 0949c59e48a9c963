//! Gated fusion: how loud a sense is depends on what it shows (methods 7.3, in its smallest form).
//!
//! A [`LatePool`] has one weight a sense for all examples. Here it is multiplied by a gate, `g_m(x) = softplus(t_m . looks(x)) / ln 2`,
//! which is 1 at `t_m = 0`: the pool itself. So a photo that was taken in the dark can count less than one by day although
//! its head, which is linear, is as sure of it. A gate looks at a constant, at how sure the head is, and at the first principal
//! coordinates of the sense's features. It is fitted on the loss of all senses that are there and of each alone, with a ridge toward
//! the pool.

use linalg::Matrix;
use linalg::decompose::row_space;
use linalg::logits::{log_softmax, sigmoid, softplus};
use serde::{Deserialize, Serialize};

use super::{FuseInput, LatePool, Seen, Sense, Subset};
use crate::TuneError;
use crate::head::Tensors;
use crate::lbfgs::{Stop, minimise};

/// Rows that have every sense, from which on a gate is tried.
pub(crate) const ENOUGH: usize = 500;
/// Principal coordinates that a gate looks at, at most.
const COORDINATES: usize = 8;
/// What it looks at besides: a constant, and how sure the head is.
const BESIDES: usize = 2;
/// A coordinate counts as at most so many times its usual size: a gate says nothing beyond what it was fitted on.
const FARTHEST: f64 = 3.0;
/// Rows that principal coordinates are found on, and that gates are fitted on, spread over all.
const ROWS: (usize, usize) = (256, 4096);
/// Share of the loss of each sense alone: it keeps the gates of weak senses taught.
const ALONE: f64 = 0.3;
/// Strength of the pull of the gates toward the pool: among 600 made rows whose senses are all alike gates then lose about 0.01 nats.
const RIDGE: f64 = 10.0;
/// The fit ends where a step can gain no larger share of the loss.
const STOP: Stop = Stop { iterations: 100, decrease: 1e-7 };

/// A pool, and a gate for each of its senses.
#[derive(Debug, Clone, PartialEq)]
pub struct GatedPool {
    pool: LatePool,
    gates: Vec<Gate>,
}

/// How loud one sense is, by what it shows.
#[derive(Debug, Clone, PartialEq)]
struct Gate {
    /// From features to principal coordinates of usual size 1, `[r, d]`, and what is subtracted from them, `[r]`.
    basis: Matrix<f32>,
    centre: Vec<f32>,
    /// `[2 + r]`
    numbers: Vec<f32>,
}

/// A gated pool without its tensors, as stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    pool: LatePool,
    /// Columns of each sense, and coordinates of them that its gate looks at.
    gates: Vec<[usize; 2]>,
}

impl GatedPool {
    /// Fits the pool, then its gates, on all rows.
    ///
    /// # Errors
    /// [`TuneError`] names the row or the sense at fault; every sense has features.
    pub fn fit(input: &FuseInput<'_>) -> Result<Self, TuneError> {
        input.check()?;
        let subsets: Vec<Subset> = Subset::every(input.senses.len()).collect();
        Self::fit_rows(input, &(0..input.n()).collect::<Vec<_>>(), &subsets)
    }

    /// Fits on some rows, for some subsets.
    pub(crate) fn fit_rows(
        input: &FuseInput<'_>,
        rows: &[usize],
        subsets: &[Subset],
    ) -> Result<Self, TuneError> {
        let m = input.senses.len();
        let mut wanted: Vec<Subset> = rows.iter().map(|row| input.subset(*row)).collect();
        wanted.extend(subsets.iter().copied().chain((0..m).map(Subset::only)));
        wanted.sort_unstable();
        wanted.dedup();
        let pool = LatePool::fit_rows(input, rows, &wanted);
        let gates = input.senses.iter().map(|sense| Gate::open(sense, rows));
        let mut gates: Vec<Gate> = gates.collect::<Result<_, _>>()?;
        teach(&mut gates, &pool, input, &spread(rows, ROWS.1));
        Ok(Self { pool, gates })
    }

    /// Number of senses.
    pub fn n_senses(&self) -> usize {
        self.gates.len()
    }

    /// The pool whose weights the gates multiply.
    pub fn pool(&self) -> &LatePool {
        &self.pool
    }

    /// By how much the weight of each sense that is there is multiplied, `[M]`; 0 where it is missing.
    ///
    /// # Panics
    /// When lengths differ from what was fitted.
    pub fn gates(&self, seen: &[Option<Seen<'_>>]) -> Vec<f64> {
        assert_eq!(seen.len(), self.n_senses(), "one value for each sense");
        let of = |(gate, seen): (&Gate, &Option<Seen<'_>>)| {
            seen.map_or(0.0, |seen| opening(&gate.numbers, &gate.looks(seen.log_probs, seen.features)))
        };
        self.gates.iter().zip(seen).map(of).collect()
    }

    /// Number of columns of a sense.
    pub(crate) fn dims(&self, sense: usize) -> usize {
        self.gates[sense].basis.cols()
    }

    /// Structure and tensors, for storing.
    pub(crate) fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let mut tensors = Tensors::new();
        for (sense, gate) in self.gates.iter().enumerate() {
            let [basis, centre, numbers] = names(sense);
            tensors.insert(numbers, (vec![gate.numbers.len()], gate.numbers.clone()));
            if !gate.centre.is_empty() {
                let shape = vec![gate.basis.rows(), gate.basis.cols()];
                tensors.insert(basis, (shape, gate.basis.data().to_vec()));
                tensors.insert(centre, (vec![gate.centre.len()], gate.centre.clone()));
            }
        }
        let gates = self.gates.iter().map(|gate| [gate.basis.cols(), gate.basis.rows()]).collect();
        let stored = Stored { pool: self.pool.clone(), gates };
        (serde_json::to_value(stored).expect("a gated pool has string keys and finite numbers"), tensors)
    }

    /// The reverse of [`GatedPool::to_tensors`]; everything that came from a file is checked.
    pub(crate) fn from_tensors(structure: serde_json::Value, tensors: &Tensors) -> Result<Self, TuneError> {
        let damaged = |detail: String| TuneError::Head { detail };
        let stored: Stored = serde_json::from_value(structure).map_err(|error| damaged(error.to_string()))?;
        let few = stored.gates.iter().all(|[_, coordinates]| *coordinates <= COORDINATES);
        if !stored.pool.fits() || stored.gates.len() != stored.pool.n_senses() || !few {
            return Err(damaged("its gates do not fit its pool".to_owned()));
        }
        let tensor = |name: String, shape: &[usize]| match tensors.get(&name) {
            _ if shape[0] == 0 => Ok(Vec::new()),
            Some((given, values))
                if given == shape
                    && shape.iter().try_fold(1, |n: usize, of| n.checked_mul(*of)) == Some(values.len())
                    && values.iter().all(|value| value.is_finite()) =>
            {
                Ok(values.clone())
            }
            _ => Err(damaged(format!("tensor `{name}` is missing, has another shape or is not finite"))),
        };
        let gate = |(sense, [columns, coordinates]): (usize, &[usize; 2])| {
            let [basis, centre, numbers] = names(sense);
            let basis = tensor(basis, &[*coordinates, *columns])?;
            Ok(Gate {
                basis: Matrix::from_vec(*coordinates, *columns, basis),
                centre: tensor(centre, &[*coordinates])?,
                numbers: tensor(numbers, &[BESIDES + coordinates])?,
            })
        };
        let gates = stored.gates.iter().enumerate().map(gate).collect::<Result<_, TuneError>>()?;
        Ok(Self { pool: stored.pool, gates })
    }
}

/// Whether there are enough complete rows, and features that gates can look at.
pub(crate) fn can_be_gated(input: &FuseInput<'_>) -> bool {
    let all = Subset::all(input.senses.len());
    all.len() > 1
        && input.senses.iter().all(|sense| sense.features.is_some())
        && (0..input.n()).filter(|row| input.subset(*row) == all).count() >= ENOUGH
}

fn names(sense: usize) -> [String; 3] {
    ["basis", "centre", "numbers"].map(|name| format!("gate.{sense}.{name}"))
}

/// At most so many of the rows, evenly spread.
fn spread(rows: &[usize], most: usize) -> Vec<usize> {
    let n = rows.len().min(most);
    (0..n).map(|place| rows[place * rows.len() / n]).collect()
}

impl Gate {
    /// One that lets everything through, and looks at the coordinates in which the rows that have the sense differ most.
    fn open(sense: &Sense<'_>, rows: &[usize]) -> Result<Self, TuneError> {
        let Some(features) = sense.features else {
            return Err(TuneError::Columns { what: sense.name.to_owned(), got: 0, expected: 1 });
        };
        let there: Vec<usize> = rows.iter().copied().filter(|row| sense.present[*row]).collect();
        if there.is_empty() || features.cols() == 0 {
            let basis = Matrix::zeros(0, features.cols());
            return Ok(Self { basis, centre: Vec::new(), numbers: vec![0.0; BESIDES] });
        }
        let mut x = features.select_rows(&spread(&there, ROWS.0)).map(f64::from);
        let n = x.rows() as f64;
        let mut mean = vec![0.0; x.cols()];
        for row in x.iter_rows() {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / n);
        }
        for row in 0..x.rows() {
            x.row_mut(row).iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        }
        let space = row_space(x.view());
        let r = space.basis.rows().min(COORDINATES);
        let mut basis = Matrix::zeros(r, features.cols());
        let mut centre = vec![0.0; r];
        for (place, centre) in centre.iter_mut().enumerate() {
            let square = space.coordinates.iter_rows().map(|row| row[place].powi(2)).sum::<f64>() / n;
            let direction = space.basis.row(place).iter().map(|value| value / square.sqrt());
            *centre = direction.clone().zip(&mean).map(|(a, b)| a * b).sum::<f64>() as f32;
            basis.row_mut(place).iter_mut().zip(direction).for_each(|(to, value)| *to = value as f32);
        }
        Ok(Self { basis, centre, numbers: vec![0.0; BESIDES + r] })
    }

    /// What the gate looks at, `[2 + r]`.
    fn looks(&self, log_probs: &[f64], features: &[f32]) -> Vec<f64> {
        let surest = log_probs.iter().copied().fold(f64::NEG_INFINITY, f64::max).exp();
        let coordinate = |(direction, centre): (&[f32], &f32)| {
            (linalg::dot(direction, features) - f64::from(*centre)).clamp(-FARTHEST, FARTHEST)
        };
        let coordinates = self.basis.iter_rows().zip(&self.centre).map(coordinate);
        [1.0, 2.0 * surest - 1.0].into_iter().chain(coordinates).collect()
    }
}

/// `softplus(t . looks) / ln 2`.
fn opening(numbers: &[f32], looks: &[f64]) -> f64 {
    softplus(sum(numbers, looks)) / std::f64::consts::LN_2
}

fn sum(numbers: &[f32], looks: &[f64]) -> f64 {
    numbers.iter().zip(looks).map(|(number, look)| f64::from(*number) * look).sum()
}

/// Senses of one row that speak together.
struct Speech {
    row: usize,
    /// How much its loss counts.
    share: f64,
    /// The inverse temperature of these senses.
    scale: f64,
    voices: Vec<Voice>,
}

/// One of them.
struct Voice {
    sense: usize,
    /// By the pool.
    weight: f64,
    looks: Vec<f64>,
}

/// Moves the gates to where the loss of the rows, and their distance from the pool, are least.
fn teach(gates: &mut [Gate], pool: &LatePool, input: &FuseInput<'_>, rows: &[usize]) {
    let speeches: Vec<Speech> = rows.iter().flat_map(|row| speeches(gates, pool, input, *row)).collect();
    let starts: Vec<usize> = gates
        .iter()
        .scan(0, |start, gate| Some(std::mem::replace(start, *start + gate.numbers.len())))
        .collect();
    let mut numbers: Vec<f32> = gates.iter().flat_map(|gate| gate.numbers.iter().copied()).collect();
    // A row bends the loss by a few hundredths at most where it is unsure.
    let curvature = vec![(RIDGE + 0.02 * rows.len() as f64) as f32; numbers.len()];
    minimise(&mut numbers, &curvature, STOP, |numbers, slope| {
        let of = |sense: usize| starts[sense]..starts[sense] + gates[sense].numbers.len();
        let mut down: Vec<f64> = numbers.iter().map(|number| RIDGE * f64::from(*number)).collect();
        let mut loss = 0.5 * RIDGE * numbers.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>();
        for speech in &speeches {
            let opened: Vec<&[f32]> = speech.voices.iter().map(|voice| &numbers[of(voice.sense)]).collect();
            let (said, by_gate) = speech.heard(&opened, pool.log_prior(), input);
            loss -= speech.share * said;
            for (voice, by_gate) in speech.voices.iter().zip(by_gate) {
                let slope = down[of(voice.sense)].iter_mut().zip(&voice.looks);
                slope.for_each(|(slope, look)| *slope -= speech.share * by_gate * look);
            }
        }
        slope.iter_mut().zip(down).for_each(|(to, value)| *to = value as f32);
        loss
    });
    for (gate, start) in gates.iter_mut().zip(starts) {
        let n = gate.numbers.len();
        gate.numbers.copy_from_slice(&numbers[start..start + n]);
    }
}

/// All senses of a row together, and each alone.
fn speeches(gates: &[Gate], pool: &LatePool, input: &FuseInput<'_>, row: usize) -> Vec<Speech> {
    let speech = |subset: Subset, share: f64| {
        let voice = |(sense, weight): (usize, f64)| {
            let said = &input.senses[sense];
            let features = said.features.expect("gates were opened on features").row(row);
            Voice { sense, weight, looks: gates[sense].looks(said.log_probs.row(row), features) }
        };
        let voices = subset.senses().zip(pool.weights(subset)).map(voice).collect();
        Speech { row, share, scale: pool.scale(subset), voices }
    };
    let there = input.subset(row);
    let alone = there.senses().filter(|_| there.len() > 1).map(Subset::only);
    [speech(there, 1.0)].into_iter().chain(alone.map(|sense| speech(sense, ALONE))).collect()
}

impl Speech {
    /// The log-probability of the label, and its slope by what each gate sums up, `[voices]`.
    fn heard(&self, numbers: &[&[f32]], log_prior: &[f64], input: &FuseInput<'_>) -> (f64, Vec<f64>) {
        let label = input.labels[self.row] as usize;
        let said = |voice: &Voice| input.senses[voice.sense].log_probs.row(self.row);
        let mut logits = log_prior.to_vec();
        for (voice, numbers) in self.voices.iter().zip(numbers) {
            let weight = voice.weight * opening(numbers, &voice.looks);
            let tilted = logits.iter_mut().zip(said(voice)).zip(log_prior);
            tilted.for_each(|((logit, said), prior)| *logit += weight * (said - prior));
        }
        logits.iter_mut().for_each(|logit| *logit *= self.scale);
        let log_probs = log_softmax(&logits);
        let slope = |(voice, numbers): (&Voice, &&[f32])| {
            let tilt = |class: usize| said(voice)[class] - log_prior[class];
            let usual: f64 = (0..log_prior.len()).map(|class| log_probs[class].exp() * tilt(class)).sum();
            let of_softplus = sigmoid(sum(numbers, &voice.looks)) / std::f64::consts::LN_2;
            self.scale * voice.weight * (tilt(label) - usual) * of_softplus
        };
        let slopes = self.voices.iter().zip(numbers).map(slope).collect();
        (log_probs[label], slopes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use linalg::{Seed, random};

    use super::super::tests::Made;
    use super::super::{Fused, Kind, choose, masked_losses};
    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);

    /// Two senses; in the dark, which the first one shows, it shows another example and its head is as sure as by day.
    fn with_darkness(n: usize, share: f64, seed: u64) -> (Made, Vec<bool>) {
        let mut made = Made::new(n, 3, 2, &[1.2, 0.8], seed);
        let mut rng = Seed(seed).derive("dark").rng();
        let dark: Vec<bool> = (0..n).map(|_| random::uniform(&mut rng) < share).collect();
        let (x, said) = (made.features[0].clone(), made.log_probs[0].clone());
        made.features[0] = Matrix::zeros(n, 3);
        for (row, dark) in dark.iter().enumerate() {
            let shown = if *dark { random::below(&mut rng, n) } else { row };
            let light = if *dark { -2.0 } else { 2.0 } + random::normal(&mut rng) as f32;
            let [a, b] = [x.row(shown)[0], x.row(shown)[1]];
            made.features[0].row_mut(row).copy_from_slice(&[a, b, light]);
            made.log_probs[0].row_mut(row).copy_from_slice(said.row(shown));
        }
        (made, dark)
    }

    #[test]
    fn a_gate_is_chosen_where_a_sense_shows_that_it_is_not_to_be_trusted() {
        let (made, dark) = with_darkness(700, 0.4, 1);
        let choice = made.with(|input| choose(input, Seed(1), &NEVER).unwrap());
        let gated = choice.tried.iter().find(|tried| tried.kind == Kind::Gated).unwrap();
        let late = choice.tried.iter().find(|tried| tried.kind == Kind::Late).unwrap();
        assert_eq!(choice.kind, Kind::Gated, "{} {}", gated.loss, late.loss);
        assert!(gated.loss < 0.97 * late.loss, "{} {}", gated.loss, late.loss);
        let gates = |row: usize| match &choice.fused {
            Fused::Gated(gated) => gated.gates(&made.seen(row))[0],
            _ => unreachable!("the gated pool was chosen"),
        };
        let mean = |wanted: bool| {
            let of: Vec<f64> = (0..700).filter(|row| dark[*row] == wanted).map(gates).collect();
            of.iter().sum::<f64>() / of.len() as f64
        };
        assert!(mean(true) < 0.5 * mean(false), "{} {}", mean(true), mean(false));
        // The answer rests less on the sense in the dark, and a missing sense is nobody's gate.
        let rests = |wanted: bool| {
            let of = (0..700).filter(|row| dark[*row] == wanted);
            let of = of.map(|row| choice.fused.answer(&made.seen(row)).unwrap().reliance[0]);
            let of: Vec<f64> = of.collect();
            of.iter().sum::<f64>() / of.len() as f64
        };
        assert!(rests(true) < rests(false) - 0.1, "{} {}", rests(true), rests(false));
        let mut seen = made.seen(0);
        seen[0] = None;
        assert_eq!(choice.fused.answer(&seen).unwrap().reliance, [0.0, 1.0]);
        let masked = made.with(|input| masked_losses(input, Kind::Gated, Seed(1), &NEVER).unwrap());
        assert!(masked[2].loss < masked[0].loss && masked[2].loss < masked[1].loss, "{masked:?}");
    }

    #[test]
    fn a_gate_is_not_chosen_where_every_example_is_like_the_others() {
        for seed in 0..4 {
            let made = Made::new(600, 3, 4, &[0.8, 0.5, 0.3], 40 + seed).lacking(0.05, seed);
            let choice = made.with(|input| choose(input, Seed(seed), &NEVER).unwrap());
            assert!(choice.tried.iter().any(|tried| tried.kind == Kind::Gated));
            assert_ne!(choice.kind, Kind::Gated, "{seed}");
        }
        // Too few rows to try.
        let (made, _) = with_darkness(ENOUGH - 1, 0.4, 2);
        let choice = made.with(|input| choose(input, Seed(1), &NEVER).unwrap());
        assert!(choice.tried.iter().all(|tried| tried.kind != Kind::Gated));
    }

    #[test]
    fn the_slope_is_that_of_the_loss() {
        let (made, _) = with_darkness(80, 0.4, 3);
        made.with(|input| {
            let GatedPool { pool, gates } = GatedPool::fit(input).unwrap();
            for row in 0..80 {
                for speech in speeches(&gates, &pool, input, row) {
                    let numbers: Vec<Vec<f32>> =
                        speech.voices.iter().map(|voice| gates[voice.sense].numbers.clone()).collect();
                    let moved = |by: f32| {
                        let mut numbers = numbers.clone();
                        numbers[0][0] += by;
                        let parts: Vec<&[f32]> = numbers.iter().map(Vec::as_slice).collect();
                        speech.heard(&parts, pool.log_prior(), input)
                    };
                    let slope = (moved(0.01).0 - moved(-0.01).0) / 0.02;
                    assert!((slope - moved(0.0).1[0]).abs() < 1e-3, "{row}: {slope}");
                }
            }
        });
    }

    #[test]
    fn a_stored_gated_pool_answers_the_same_and_damage_is_noticed() {
        let (made, _) = with_darkness(120, 0.4, 4);
        let fused = Fused::Gated(made.with(|input| GatedPool::fit(input).unwrap()));
        let (structure, tensors) = fused.to_tensors();
        let text = serde_json::to_string(&structure).unwrap();
        let read = |structure: &serde_json::Value, tensors: &Tensors| Fused::from_tensors(structure, tensors);
        assert_eq!(read(&serde_json::from_str(&text).unwrap(), &tensors).unwrap(), fused);
        let refused = |structure: &serde_json::Value, tensors: &Tensors| {
            assert!(matches!(read(structure, tensors), Err(TuneError::Head { .. })), "{structure}");
        };
        for name in tensors.keys() {
            let mut fewer = tensors.clone();
            fewer.remove(name);
            refused(&structure, &fewer);
            let mut odd = tensors.clone();
            odd.get_mut(name).unwrap().1[0] = f32::NAN;
            refused(&structure, &odd);
        }
        for gates in [serde_json::json!([[3, 3]]), serde_json::json!([[3, 9], [2, 2]])] {
            let mut other = structure.clone();
            other["gated"]["gates"] = gates;
            refused(&other, &tensors);
        }
        // Whoever asks brings what the gates look at.
        let mut seen = made.seen(0);
        seen[1].as_mut().unwrap().features = &[];
        assert!(matches!(fused.answer(&seen), Err(TuneError::Columns { .. })));
    }
}
