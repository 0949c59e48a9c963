//! What heads learn from the features of made series, and what must not change them.

mod made;

use std::f64::consts::TAU;

use linalg::decompose::{cholesky, solve_lower, solve_lower_transposed};
use linalg::{Matrix, matmul_nt};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::*;
use made::Made;

/// Share of the mean diagonal of the Gram matrix that the ridge adds.
const RIDGE: f64 = 0.03;

fn plain(series: &Series) -> Vec<f32> {
    // The first eleven of each channel: sizes, without the spectrum.
    series.channels.iter().flat_map(|channel| spectral(&channel.values)[..11].to_vec()).collect()
}

fn all(series: &Series) -> Vec<f32> {
    features(series, series.channels.len()).unwrap()
}

/// Rows less the mean of the training part.
fn centred(train: &[Vec<f32>], rows: &[Vec<f32>]) -> Matrix<f64> {
    let mut out = Matrix::zeros(rows.len(), train[0].len());
    for column in 0..out.cols() {
        let mean = train.iter().map(|row| f64::from(row[column])).sum::<f64>() / train.len() as f64;
        for (place, row) in rows.iter().enumerate() {
            out.row_mut(place)[column] = f64::from(row[column]) - mean;
        }
    }
    out
}

/// The share of the test part that a ridge classifier names rightly, with 20 series of each class to learn from.
fn accuracy(made: &Made, transform: fn(&Series) -> Vec<f32>) -> f64 {
    let [(train, labels), (test, expected)] = made.parts().map(|(series, labels)| {
        let rows: Vec<Vec<f32>> = series.par_iter().map(transform).collect();
        (rows, labels)
    });
    let (x, y) = (centred(&train, &train), centred(&train, &test));
    let mut gram = matmul_nt(x.view(), x.view());
    let n = gram.rows();
    let mean = (0..n).map(|place| gram.row(place)[place]).sum::<f64>() / n as f64;
    (0..n).for_each(|place| gram.row_mut(place)[place] += RIDGE * mean);
    let lower = cholesky(gram.view()).unwrap();
    let kernel = matmul_nt(y.view(), x.view());
    let scores: Vec<Vec<f64>> = (0..made.n_classes)
        .map(|class| {
            let mut weights: Vec<f64> =
                labels.iter().map(|label| if *label == class { 1.0 } else { -1.0 }).collect();
            solve_lower(lower.view(), &mut weights);
            solve_lower_transposed(lower.view(), &mut weights);
            kernel.iter_rows().map(|row| row.iter().zip(&weights).map(|(k, w)| k * w).sum()).collect()
        })
        .collect();
    let best = |row: usize| (0..made.n_classes).max_by(|a, b| scores[*a][row].total_cmp(&scores[*b][row]));
    let right = expected.iter().enumerate().filter(|(row, label)| best(*row) == Some(**label)).count();
    right as f64 / expected.len() as f64
}

/// The features reach the floor, and the plain statistics stay below it.
#[track_caller]
fn check(made: &Made, floor: f64) {
    let (got, simple) = (accuracy(made, all), accuracy(made, plain));
    println!("{}: {got:.3}, plain statistics {simple:.3}", made.name);
    assert!(got >= floor && simple < floor, "{}: {got:.3}, plain statistics {simple:.3}", made.name);
}

#[test]
fn waves_are_told_apart_by_form() {
    check(&made::WAVES, 0.8);
}

#[test]
fn a_bump_is_found_wherever_it_is() {
    check(&made::BUMPS, 0.9);
}

#[test]
fn tones_are_told_apart_by_frequency() {
    check(&made::TONES, 0.9);
}

#[test]
fn a_rising_tone_is_no_falling_one() {
    check(&made::CHIRPS, 0.9);
}

#[test]
fn impacts_are_told_apart_by_their_rate() {
    check(&made::IMPACTS, 0.9);
}

#[test]
fn two_channels_are_told_apart_by_what_lies_between_them() {
    check(&made::LAGS, 0.7);
}

fn channel(values: Vec<f32>) -> Series {
    Series { channels: vec![Channel { name: "a".into(), values }], times: None, rate: None }
}

fn wave(n: usize) -> Vec<f32> {
    (0..n)
        .map(|step| (TAU * step as f64 / 30.0).sin() as f32 + ((step * step * 31) % 17) as f32 / 30.0)
        .collect()
}

#[test]
fn any_length_gives_as_many_finite_numbers() {
    for n in [1, 2, 9, 10, 100_000] {
        let got = all(&channel(wave(n)));
        assert_eq!(got.len(), dim(1));
        assert!(got.iter().all(|value| value.abs() < 65504.0), "length {n}");
        assert_eq!(
            kernels(&[Channel { name: "a".into(), values: wave(n) }]).iter().any(|value| *value > 0.0),
            n > 1
        );
    }
}

#[test]
fn level_and_scale_do_not_matter_to_kernels() {
    let of = |values: Vec<f32>| kernels(&channel(values).channels);
    let (a, b) = (of(wave(400)), of(wave(400).iter().map(|value| value * 250.0 - 4000.0).collect()));
    let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // A step that just reaches a threshold may fall on its other side.
    assert!(apart < 0.1, "{apart}");
    let far = a.iter().zip(&b).filter(|(a, b)| (*a - *b).abs() > 1e-3).count();
    assert!(far < a.len() / 50, "{far} of {}", a.len());
}

#[test]
fn sensors_that_say_nothing_are_zero_to_kernels() {
    for value in [0.0, 1e9, f32::NAN] {
        assert!(kernels(&channel(vec![value; 300]).channels).iter().all(|value| *value == 0.0));
    }
    let mut series = channel(wave(300));
    series.channels.push(Channel { name: "b".into(), values: vec![f32::NAN; 300] });
    let got = features(&series, 2).unwrap();
    assert_eq!(got.len(), dim(2));
    assert!(got.iter().all(|value| value.is_finite()));
    assert!(got[dim(2) - SPECTRAL_FEATURES..].iter().all(|value| *value == 0.0));
    assert!(matches!(features(&series, 1), Err(SeriesError::ChannelCount { got: 2, expected: 1 })));
}

#[test]
fn missing_values_are_as_those_between_their_neighbours() {
    let mut line = channel((0..100).map(|step| step as f32).collect());
    let whole = all(&line);
    line.channels[0].values[40..45].fill(f32::NAN);
    assert_eq!(all(&line), whole);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let series: Vec<Series> = made::LAGS.parts()[0].0.clone();
    let of = |threads: usize| -> Vec<Vec<f32>> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| series.par_iter().map(all).collect())
    };
    assert_eq!(of(1), of(4));
}

#[test]
fn channels_are_put_in_the_order_that_was_learned() {
    let mut series = channel(wave(20));
    series.channels.push(Channel { name: "b".into(), values: vec![1.0; 20] });
    let (got, faults) = series.clone().arrange(&["b".into(), "c".into()]);
    assert_eq!(got.channels[0], series.channels[1]);
    assert!(got.channels[1].name == "c" && got.channels[1].values.iter().all(|value| value.is_nan()));
    assert_eq!(faults, [Fault::Unknown { channel: "a".into() }]);
}
