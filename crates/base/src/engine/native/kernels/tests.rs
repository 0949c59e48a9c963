//! Every kernel against a naive one in `f64`, on shapes with every kind of remainder, on every instruction set that
//! this machine has.

use super::super::layout::{panels, row_from_planes, row_to_planes};
use super::super::simd::{Cpu, LANES, Lanes, blocks};
use super::attention::{Attention, attend, scratch_len};
use super::conv::{Around, Conv, pad_image};
use super::depthwise::{Depthwise, Filter};
use super::gemm::{Finish, Gemm, Panels, Planes, Start};
use super::norm::LayerNorm;
use super::{Grid, deal};
use crate::graph::Sight;
use proptest::prelude::*;

/// Values are in [-1, 1] and sums have at most a few hundred terms, so `f32` chains stay well inside this.
const TOLERANCE: f64 = 1e-5;

/// Repeatable values in [-1, 1).
fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn zeros(n: usize) -> Vec<Lanes> {
    vec![[0.0; LANES]; n]
}

/// Planes of a matrix `[rows][dim]`, without gaps between the planes.
fn planes(matrix: &[f32], dim: usize) -> Vec<Lanes> {
    let rows = matrix.len() / dim;
    let mut to = zeros(blocks(dim) * rows);
    for (row, channels) in matrix.chunks_exact(dim).enumerate() {
        row_to_planes(channels, &mut to, rows, row);
    }
    to
}

/// The matrix `[rows][dim]` that the planes hold.
fn matrix(planes: &[Lanes], plane: usize, rows: usize, dim: usize) -> Vec<f32> {
    let mut to = vec![0.0; rows * dim];
    for (row, channels) in to.chunks_exact_mut(dim).enumerate() {
        row_from_planes(planes, plane, row, channels);
    }
    to
}

#[track_caller]
fn assert_close(got: &[f32], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        assert!(
            (f64::from(got) - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
            "{what} [{i}]: {got} {expected}"
        );
    }
}

/// Runs on each instruction set, compares with the expected values, and the vector ones with each other bit by bit.
#[track_caller]
fn check(expected: &[f64], run: impl Fn(Cpu) -> Vec<f32>) {
    let mut vector: Option<Vec<f32>> = None;
    for cpu in Cpu::all() {
        let got = run(cpu);
        assert_close(&got, expected, cpu.name());
        if cpu.name() != "portable" {
            let first = vector.get_or_insert_with(|| got.clone());
            assert!(
                first.iter().zip(&got).all(|(a, b)| a.to_bits() == b.to_bits()),
                "{} differs in bits",
                cpu.name()
            );
        }
    }
}

/// `a [rows][depth]` times `w [columns][depth]` transposed, plus `bias`.
fn naive_product(a: &[f32], w: &[f32], bias: &[f32], depth: usize) -> Vec<f64> {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let row = |a| w.chunks_exact(depth).zip(bias).map(move |(w, &bias)| dot(a, w) + f64::from(bias));
    a.chunks_exact(depth).flat_map(row).collect()
}

/// The product by the kernel, the inner dimension cut at `cut`.
fn product(
    cpu: Cpu,
    a: &[f32],
    w: &[f32],
    bias: &[f32],
    (depth, cut): (usize, usize),
    finish: Finish<'_>,
) -> Vec<f32> {
    let (rows, columns) = (a.len() / depth, bias.len());
    let (a, w, bias) = (planes(a, depth), panels(w, columns, depth), panels(bias, columns, 1));
    let mut out = zeros(blocks(columns) * rows);
    for (first, end) in [(0, cut), (cut, depth)].into_iter().filter(|(first, end)| first < end) {
        cpu.run(Gemm {
            rows,
            depth: end - first,
            panels: blocks(columns),
            a: Planes { data: &a[first / LANES * rows..], plane: rows },
            weights: Panels { data: &w[first..], panel: depth },
            start: if first == 0 { Start::Bias(&bias) } else { Start::Out },
            finish: if end == depth { finish } else { Finish::Keep },
            out: &mut out,
            out_plane: rows,
            grid: Grid::FLAT,
        });
    }
    matrix(&out, rows, rows, columns)
}

/// A convolution's sizes. Outputs at the right and bottom may reach over the edge, into zeros.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    channels: usize,
    height: usize,
    width: usize,
    size: usize,
    stride: usize,
    top: usize,
    left: usize,
    out_height: usize,
    out_width: usize,
}

impl Sizes {
    /// Input length of a line with the zeros that the outputs reach.
    fn pitch(self) -> usize {
        (self.left + self.width).max((self.out_width - 1) * self.stride + self.size)
    }

    /// One output of the plain convolution of `image [height][width]` with `filter [size][size]`.
    fn naive(self, image: &[f32], filter: &[f32], y: usize, x: usize) -> f64 {
        let mut sum = 0.0;
        for dy in 0..self.size {
            for dx in 0..self.size {
                let y = (y * self.stride + dy).wrapping_sub(self.top);
                let x = (x * self.stride + dx).wrapping_sub(self.left);
                if y < self.height && x < self.width {
                    sum += f64::from(image[y * self.width + x]) * f64::from(filter[dy * self.size + dx]);
                }
            }
        }
        sum
    }

    fn positions(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.out_height).flat_map(move |y| (0..self.out_width).map(move |x| (y, x)))
    }
}

fn sizes(
    channels: std::ops::Range<usize>,
    size: impl Strategy<Value = usize>,
    strides: std::ops::Range<usize>,
) -> impl Strategy<Value = Sizes> {
    (channels, 1..14_usize, 1..30_usize, size, strides).prop_flat_map(
        |(channels, height, width, size, stride)| {
            let out = |n: usize| 1..=n.div_ceil(stride);
            (0..size, 0..size, out(height), out(width)).prop_map(move |(top, left, out_height, out_width)| {
                Sizes { channels, height, width, size, stride, top, left, out_height, out_width }
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn product_is_the_naive_one(rows in 1..40_usize, depth in 1..68_usize, columns in 1..68_usize, seed: u64) {
        let (a, w, bias) = (noise(rows * depth, seed), noise(columns * depth, seed ^ 1), noise(columns, seed ^ 2));
        let other = noise(rows * columns, seed ^ 3);
        let plain = naive_product(&a, &w, &bias, depth);
        let uncut = (depth, depth);
        check(&plain, |cpu| product(cpu, &a, &w, &bias, uncut, Finish::Keep));
        let relu6: Vec<f64> = plain.iter().map(|x| x.clamp(0.0, 6.0)).collect();
        check(&relu6, |cpu| product(cpu, &a, &w, &bias, uncut, Finish::Relu6));
        let sum: Vec<f64> = plain.iter().zip(&other).map(|(x, &y)| x + f64::from(y)).collect();
        let other = planes(&other, columns);
        let add = Finish::Add(Planes { data: &other, plane: rows });
        check(&sum, |cpu| product(cpu, &a, &w, &bias, uncut, add));
    }

    #[test]
    fn a_row_alone_and_a_cut_sum_give_the_same_bits(rows in 1..30_usize, depth in 17..100_usize, columns in 1..80_usize, seed: u64) {
        let (a, w, bias) = (noise(rows * depth, seed), noise(columns * depth, seed ^ 1), noise(columns, seed ^ 2));
        for cpu in Cpu::all() {
            for finish in [Finish::Relu6, Finish::Gelu] {
                let whole = product(cpu, &a, &w, &bias, (depth, depth), finish);
                prop_assert_eq!(&product(cpu, &a, &w, &bias, (depth, 16), finish), &whole);
                for (a, expected) in a.chunks_exact(depth).zip(whole.chunks_exact(columns)) {
                    prop_assert_eq!(product(cpu, a, &w, &bias, (depth, depth), finish), expected);
                }
            }
        }
    }

    #[test]
    fn depthwise_is_the_naive_one(s in sizes(1..68, prop::sample::select(vec![3_usize, 5]), 1..3), relu6: bool, seed: u64) {
        let image = noise(s.channels * s.height * s.width, seed);
        let (w, bias) = (noise(s.channels * s.size * s.size, seed ^ 1), noise(s.channels, seed ^ 2));
        let mut expected = Vec::new();
        for (y, x) in s.positions() {
            for c in 0..s.channels {
                let filter = &w[c * s.size * s.size..][..s.size * s.size];
                let sum = s.naive(&image[c * s.height * s.width..], filter, y, x) + f64::from(bias[c]);
                expected.push(if relu6 { sum.clamp(0.0, 6.0) } else { sum });
            }
        }
        // Lines with zeros beside them, channel by channel.
        let mut input = zeros(blocks(s.channels) * s.height * s.pitch());
        for (i, &value) in image.iter().enumerate() {
            let (c, y, x) = (i / s.width / s.height, i / s.width % s.height, i % s.width);
            input[(c / LANES * s.height + y) * s.pitch() + s.left + x][c % LANES] = value;
        }
        let (w, bias) = (panels(&w, s.channels, s.size * s.size), panels(&bias, s.channels, 1));
        check(&expected, |cpu| {
            let plane = s.out_height * s.out_width;
            let mut output = zeros(blocks(s.channels) * plane);
            cpu.run(Depthwise {
                input: &input,
                slots: s.height,
                pitch: s.pitch(),
                input_plane: s.height * s.pitch(),
                height: s.height,
                zeros: &zeros(s.pitch()),
                filter: Filter { weights: &w, bias: &bias, size: s.size, stride: s.stride, top: s.top },
                relu6,
                lines: 0..s.out_height,
                width: s.out_width,
                panels: blocks(s.channels),
                output: &mut output,
                output_plane: plane,
            });
            matrix(&output, plane, plane, s.channels)
        });
    }

    #[test]
    fn image_convolution_is_the_naive_one(s in sizes(1..5, 1..6_usize, 1..5), outputs in 1..60_usize, relu6: bool, seed: u64) {
        let (area, taps) = (s.height * s.width, s.size * s.size);
        let image = noise(s.channels * area, seed);
        let (w, bias) = (noise(outputs * s.channels * taps, seed ^ 1), noise(outputs, seed ^ 2));
        let mut expected = Vec::new();
        for (y, x) in s.positions() {
            for o in 0..outputs {
                let filters = w[o * s.channels * taps..].chunks_exact(taps);
                let sum: f64 = image.chunks_exact(area).zip(filters).map(|(image, w)| s.naive(image, w, y, x)).sum();
                let sum = sum + f64::from(bias[o]);
                expected.push(if relu6 { sum.clamp(0.0, 6.0) } else { sum });
            }
        }
        let bottom = (s.out_height * s.stride + s.size).saturating_sub(s.top + s.height);
        let around = Around { top: s.top, bottom, left: s.left, pitch: s.pitch() };
        let padded_height = s.top + s.height + bottom;
        let mut padded = vec![f32::NAN; s.channels * padded_height * s.pitch()];
        pad_image(&image, s.width, s.height, &mut padded, around);
        let (w, bias) = (panels(&w, outputs, s.channels * taps), panels(&bias, outputs, 1));
        check(&expected, |cpu| {
            let plane = s.out_height * s.out_width;
            let mut out = zeros(blocks(outputs) * plane);
            cpu.run(Conv {
                image: &padded,
                channels: s.channels,
                height: padded_height,
                pitch: s.pitch(),
                weights: &w,
                bias: &bias,
                size: s.size,
                stride: s.stride,
                relu6,
                lines: 0..s.out_height,
                width: s.out_width,
                panels: blocks(outputs),
                out: &mut out,
                out_plane: plane,
                grid: Grid::FLAT,
            });
            matrix(&out, plane, plane, outputs)
        });
    }

    #[test]
    fn layer_norm_is_the_naive_one(rows in 1..9_usize, dim in 2..68_usize, seed: u64) {
        let (x, gamma, beta) = (noise(rows * dim, seed), noise(dim, seed ^ 1), noise(dim, seed ^ 2));
        let eps = 1e-5_f32;
        let mut expected = Vec::new();
        for x in x.chunks_exact(dim) {
            let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / dim as f64;
            let variance = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / dim as f64;
            let scale = (variance + f64::from(eps)).sqrt();
            expected.extend((0..dim).map(|i| {
                (f64::from(x[i]) - mean) / scale * f64::from(gamma[i]) + f64::from(beta[i])
            }));
        }
        let (x, gamma, beta) = (planes(&x, dim), panels(&gamma, dim, 1), panels(&beta, dim, 1));
        check(&expected, |cpu| {
            let mut out = zeros(x.len());
            cpu.run(LayerNorm { x: &x, plane: rows, rows, dim, gamma: &gamma, beta: &beta, eps, out: &mut out });
            matrix(&out, rows, rows, dim)
        });
    }

    #[test]
    fn attention_is_the_naive_one(before in 0..5_usize, tokens in 1..90_usize, heads in 1..4_usize, head_blocks in 1..4_usize, back: bool, seed: u64) {
        let head_dim = head_blocks * LANES;
        let (dim, rows) = (heads * head_dim, before + tokens);
        let sight = if back { Sight::Back } else { Sight::All };
        let [q, k, v] = [0, 1, 2].map(|i| noise(rows * dim, seed ^ i).iter().map(|x| 3.0 * x).collect::<Vec<f32>>());
        let mut expected = vec![0.0; rows * dim];
        for head in 0..heads {
            let of = |x: &[f32], token: usize, d: usize| f64::from(x[token * dim + head * head_dim + d]);
            for i in before..rows {
                let seen = if back { i + 1 } else { rows };
                let scores: Vec<f64> = (before..seen)
                    .map(|j| (0..head_dim).map(|d| of(&q, i, d) * of(&k, j, d)).sum::<f64>() / (head_dim as f64).sqrt())
                    .collect();
                let largest = scores.iter().copied().fold(f64::MIN, f64::max);
                let total: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
                for d in 0..head_dim {
                    let sum = scores.iter().zip(before..).map(|(s, j)| (s - largest).exp() * of(&v, j, d)).sum::<f64>();
                    expected[i * dim + head * head_dim + d] = sum / total;
                }
            }
        }
        let [q, k, v] = [q, k, v].map(|x| planes(&x, dim));
        let of = |data| Planes { data, plane: rows };
        check(&expected, |cpu| {
            let mut out = zeros(q.len());
            let mut scratch = vec![[f32::NAN; LANES]; scratch_len(tokens, head_dim)];
            let (out_plane, scratch) = (rows, &mut scratch[..]);
            attend(cpu, Attention { q: of(&q), k: of(&k), v: of(&v), tokens: before..rows, heads, head_dim, sight, out: &mut out, out_plane, scratch });
            matrix(&out, rows, rows, dim)
        });
    }

    #[test]
    fn dealt_ranges_are_nearly_equal_and_cover_all(total in 0..500_usize, most in 1..9_usize) {
        let ranges: Vec<_> = deal(total, most).collect();
        prop_assert_eq!(ranges.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..total).collect::<Vec<_>>());
        prop_assert_eq!(ranges.len(), total.div_ceil(most));
        let (shortest, longest) = (ranges.iter().map(|r| r.len()).min(), ranges.iter().map(|r| r.len()).max());
        prop_assert!(longest <= shortest.map(|s| s + 1) && longest.unwrap_or(0) <= most);
    }

    #[test]
    fn a_grid_keeps_the_last_lines_each_in_its_slot(width in 1..9_usize, left in 0..3_usize, line in 0..9_usize, slots in 1..6_usize) {
        let grid = Grid { width, pitch: width + left, left, line, slots };
        let mut place = grid.place(0);
        for row in 0..40 {
            let expected = (line + row / width) % slots * (width + left) + left + row % width;
            prop_assert_eq!(place.at, expected);
            prop_assert_eq!(grid.place(row).at, expected);
            place.step();
        }
    }
}

#[test]
fn a_product_into_a_grid_leaves_the_gaps_alone() {
    let (rows, depth, columns) = (15, 7, 20);
    let (a, w, bias) = (noise(rows * depth, 1), noise(columns * depth, 2), noise(columns, 3));
    let expected = naive_product(&a, &w, &bias, depth);
    // Three lines of five rows between two and one untouched positions, from line 1 on in four slots.
    let grid = Grid { width: 5, pitch: 8, left: 2, line: 1, slots: 4 };
    let (a, w, bias) = (planes(&a, depth), panels(&w, columns, depth), panels(&bias, columns, 1));
    for cpu in Cpu::all() {
        let mut out = vec![[7.0; LANES]; 2 * 32];
        cpu.run(Gemm {
            rows,
            depth,
            panels: 2,
            a: Planes { data: &a, plane: rows },
            weights: Panels { data: &w, panel: depth },
            start: Start::Bias(&bias),
            finish: Finish::Keep,
            out: &mut out,
            out_plane: 32,
            grid,
        });
        let places: Vec<usize> = (0..rows).map(|row| grid.place(row).at).collect();
        let lines: Vec<f32> = places.iter().flat_map(|&at| matrix(&out[at..], 32, 1, columns)).collect();
        assert_close(&lines, &expected, cpu.name());
        assert!((0..32).all(|i| places.contains(&i) || out[i] == [7.0; LANES]), "{}", cpu.name());
    }
}

#[test]
fn padding_lanes_stay_zero_and_nan_stays_nan() {
    let (a, w) = (planes(&noise(3 * 5, 1), 5), panels(&noise(5 * 5, 2), 5, 5));
    for cpu in Cpu::all() {
        for finish in [Finish::Relu6, Finish::Gelu] {
            let mut a = a.clone();
            a[1][2] = f32::NAN;
            let mut out = vec![[7.0; LANES]; 3];
            cpu.run(Gemm {
                rows: 3,
                depth: 5,
                panels: 1,
                a: Planes { data: &a, plane: 3 },
                weights: Panels { data: &w, panel: 5 },
                start: Start::Zero,
                finish,
                out: &mut out,
                out_plane: 3,
                grid: Grid::FLAT,
            });
            assert!(out[1][..5].iter().all(|x| x.is_nan()), "{}: {:?}", cpu.name(), out[1]);
            assert!([out[0], out[2]].iter().all(|row| row[5..] == [0.0; 11]), "{}", cpu.name());
        }
    }
}
