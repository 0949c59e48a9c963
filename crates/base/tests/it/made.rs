//! Numbers made by a formula, the same here and in `reference/made.py`, and the comparison with what the scripts stored.

use std::collections::BTreeMap;

use base::{
    engine::{Engine, NetInput, NetOutput},
    weights::{Tensor, Weights},
};
use serde::Deserialize;

/// How far a value may be from the reference, over the largest magnitude of that output: f32 arithmetic in another order through some
/// dozens of layers.
const TOLERANCE: f64 = 1e-4;

/// An output as the scripts store it.
#[derive(Debug, Deserialize)]
pub(crate) struct Kept {
    pub len: usize,
    pub scale: f64,
    pub every: usize,
    pub values: Vec<f64>,
}

/// What a network is given.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Given {
    /// A made square image of this side.
    Image(usize),
    /// These ids.
    Tokens(Vec<u32>),
}

/// 64-bit FNV-1a.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// SplitMix64 started at the hash of the name.
pub(crate) fn bits(name: &str) -> impl Iterator<Item = u64> {
    let start = fnv1a(name.as_bytes());
    (1..).map(move |index: u64| {
        let x = start.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    })
}

/// Numbers in [-1, 1) with 24 bits, exact in f32.
fn uniform(name: &str, count: usize) -> impl Iterator<Item = f64> {
    bits(name).take(count).map(|word| (word >> 40) as f64 / 8_388_608.0 - 1.0)
}

/// A tensor as a trained network could have it: what its name ends in decides its scale.
pub(crate) fn weight(name: &str, shape: &[usize]) -> Tensor {
    let (centre, spread) = match shape {
        _ if name.ends_with("running_var") => (1.0, 0.5),
        _ if name.ends_with("lambda1") => (0.5, 0.25),
        [] | [_] if name.ends_with("weight") => (1.0, 0.1),
        [] | [_] => (0.0, 0.1),
        [_, inner @ ..] => (0.0, (3.0 / inner.iter().product::<usize>() as f64).sqrt()),
    };
    let values = uniform(name, shape.iter().product()).map(|u| (centre + spread * u) as f32);
    Tensor::new(shape.to_vec(), values.collect())
}

pub(crate) fn weights<'n>(shapes: impl IntoIterator<Item = (&'n str, &'n [usize])>) -> Weights {
    shapes.into_iter().map(|(name, shape)| (name.to_owned(), weight(name, shape))).collect()
}

/// A prepared image, `[3, side, side]` in [-1, 1).
pub(crate) fn image(name: &str, side: usize) -> Vec<f32> {
    uniform(name, 3 * side * side).map(|value| value as f32).collect()
}

/// Runs `engine` and compares every stored value of every output.
#[track_caller]
pub(crate) fn check(
    case: &str,
    engine: &dyn Engine,
    image_name: &str,
    given: &Given,
    expected: &BTreeMap<String, Kept>,
) {
    let outputs = match given {
        Given::Image(side) => engine.run(NetInput::Image(&image(image_name, *side))),
        Given::Tokens(ids) => engine.run(NetInput::Tokens(ids)),
    };
    let outputs = outputs.unwrap_or_else(|error| panic!("{case} on {}: {error:?}", engine.name()));
    assert_eq!(outputs.len(), expected.len(), "{case} on {}", engine.name());
    for (name, kept) in expected {
        let output = outputs
            .iter()
            .find(|output| output.name == *name)
            .unwrap_or_else(|| panic!("{case}: no output `{name}`"));
        check_output(case, engine.name(), output, kept);
    }
}

#[track_caller]
fn check_output(case: &str, engine: &str, output: &NetOutput, kept: &Kept) {
    let place = format!("{case}, output `{}` on {engine}", output.name);
    assert_eq!(output.data.len(), kept.len, "{place}");
    let got = output.data.iter().step_by(kept.every);
    let worst =
        got.zip(&kept.values).map(|(got, expected)| (f64::from(*got) - expected).abs()).fold(0.0, f64::max);
    assert!(
        worst <= TOLERANCE * kept.scale,
        "{place}: off by {worst:e}, the largest value is {}",
        kept.scale
    );
}
