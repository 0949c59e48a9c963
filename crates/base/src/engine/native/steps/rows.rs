//! Operations that cost next to nothing, in plain loops.
//!
//! Means and lengths add up in `f64`: here it is free.

use super::super::kernels::gemm::Planes;
use super::super::layout::{panels, row_to_planes};
use super::super::simd::{LANES, Lanes, blocks};
use super::{Run, Step};

/// An operation on rows.
#[derive(Debug)]
pub(crate) enum Rows {
    /// The sum of two values.
    Add,
    /// Each row times one vector.
    Scale(Vec<Lanes>),
    /// Each row over its length.
    L2Normalize,
    /// Some of each example's rows, from the given one on.
    Keep(usize),
    /// Each example's last row.
    Last,
    /// These rows before each example's own.
    Prepend(Vec<f32>),
    /// The mean of each example's rows.
    Mean,
    /// The generalised mean of each example's rows.
    PowerMean(f32),
    /// The inputs' rows end to end.
    Concat,
    /// Each row with so many neighbours before and after it in its example.
    Window { before: usize, after: usize },
    /// So many of each row's columns from the first one on.
    TakeColumns { first: usize, count: usize },
    /// The second input times the square root of how many rows the example has in the first.
    TimesRoot,
}

impl Rows {
    pub(crate) fn scale(gamma: &[f32]) -> Self {
        Self::Scale(panels(gamma, gamma.len(), 1))
    }
}

impl Step for Rows {
    fn run(&self, mut run: Run<'_>) {
        match self {
            Self::Add => run.add(),
            Self::Scale(gamma) => run.scale(gamma),
            Self::L2Normalize => run.l2_normalize(),
            Self::Keep(first) => run.keep(*first),
            Self::Last => run.last(),
            Self::Prepend(rows) => run.prepend(rows),
            Self::Mean => run.mean(|x| x, |mean| mean),
            // The usual power, three, is worth its own line: a general one takes far longer.
            Self::PowerMean(3.0) => run.mean(|x| x.max(1e-6).powi(3), f64::cbrt),
            Self::PowerMean(power) => {
                let power = f64::from(*power);
                run.mean(|x| x.max(1e-6).powf(power), |mean| mean.powf(power.recip()));
            }
            Self::Concat => run.concat(),
            Self::Window { before, after } => run.window(*before, *after),
            Self::TakeColumns { first, count } => run.take_columns(*first, *count),
            Self::TimesRoot => run.times_root_rows(),
        }
    }
}

impl Run<'_> {
    fn add(&mut self) {
        let [a, b] = [0, 1].map(|input| self.inputs.planes(input).data);
        let len = blocks(self.inputs.dim(0)) * self.rows;
        for ((out, a), b) in self.out[..len].iter_mut().zip(a).zip(b) {
            *out = std::array::from_fn(|lane| a[lane] + b[lane]);
        }
    }

    fn scale(&mut self, gamma: &[Lanes]) {
        let x = self.inputs.planes(0);
        for (block, gamma) in gamma.iter().enumerate() {
            let range = block * self.rows..(block + 1) * self.rows;
            for (out, x) in self.out[range.clone()].iter_mut().zip(&x.data[range]) {
                *out = std::array::from_fn(|lane| x[lane] * gamma[lane]);
            }
        }
    }

    fn l2_normalize(&mut self) {
        let (x, n) = (self.inputs.planes(0), blocks(self.inputs.dim(0)));
        for row in 0..self.rows {
            let row = |block| block * x.plane + row;
            let squares = (0..n).flat_map(|block| x.data[row(block)]).map(|x| f64::from(x).powi(2));
            let length = squares.sum::<f64>().sqrt().max(1e-12);
            for block in 0..n {
                self.out[row(block)] = x.data[row(block)].map(|x| (f64::from(x) / length) as f32);
            }
        }
    }

    fn keep(&mut self, first: usize) {
        let x = self.inputs.planes(0);
        let per_example = self.rows / self.batch.examples();
        for example in 0..self.batch.examples() {
            let from = self.inputs.rows_of(0, example).start + first;
            for block in 0..blocks(self.inputs.dim(0)) {
                self.out[block * self.rows + example * per_example..][..per_example]
                    .copy_from_slice(&x.data[block * x.plane + from..][..per_example]);
            }
        }
    }

    fn last(&mut self) {
        let x = self.inputs.planes(0);
        for example in 0..self.batch.examples() {
            let last = self.inputs.rows_of(0, example).end - 1;
            for block in 0..blocks(self.inputs.dim(0)) {
                self.out[block * self.rows + example] = x.data[block * x.plane + last];
            }
        }
    }

    fn prepend(&mut self, rows: &[f32]) {
        let (x, dim) = (self.inputs.planes(0), self.inputs.dim(0));
        let mut at = 0;
        for example in 0..self.batch.examples() {
            for row in rows.chunks_exact(dim) {
                row_to_planes(row, self.out, self.rows, at);
                at += 1;
            }
            let own = self.inputs.rows_of(0, example);
            for block in 0..blocks(dim) {
                self.out[block * self.rows + at..][..own.len()]
                    .copy_from_slice(&x.data[block * x.plane..][own.clone()]);
            }
            at += own.len();
        }
    }

    /// The mean of `each` channel over an example's rows, `finished`.
    fn mean(&mut self, each: impl Fn(f64) -> f64, finished: impl Fn(f64) -> f64) {
        let (x, dim) = (self.inputs.planes(0), self.inputs.dim(0));
        for example in 0..self.batch.examples() {
            let own = self.inputs.rows_of(0, example);
            for block in 0..blocks(dim) {
                let mut sums = [0.0; LANES];
                for row in &x.data[block * x.plane..][own.clone()] {
                    sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += each(f64::from(x)));
                }
                let out = &mut self.out[block * self.rows + example];
                *out = sums.map(|sum| finished(sum / own.len() as f64) as f32);
                // The channels beyond the real ones stay zero, whatever `each` made of them.
                out[LANES.min(dim - block * LANES)..].fill(0.0);
            }
        }
    }

    fn concat(&mut self) {
        let mut at = 0;
        for input in 0..self.inputs.len() {
            let (x, dim) = (self.inputs.planes(input), self.inputs.dim(input));
            if at % LANES == 0 {
                for block in 0..blocks(dim) {
                    self.out[(at / LANES + block) * self.rows..][..self.rows]
                        .copy_from_slice(&x.data[block * x.plane..][..self.rows]);
                }
            } else {
                self.append(x, dim, at);
            }
            at += dim;
        }
    }

    /// Copies an input's channels behind the `at` that are there, where that is not between blocks.
    fn append(&mut self, x: Planes<'_>, dim: usize, at: usize) {
        for row in 0..self.rows {
            for channel in 0..dim {
                let out = &mut self.out[(at + channel) / LANES * self.rows + row];
                out[(at + channel) % LANES] = x.data[channel / LANES * x.plane + row][channel % LANES];
            }
            let end = at + dim;
            if !end.is_multiple_of(LANES) {
                self.out[end / LANES * self.rows + row][end % LANES..].fill(0.0);
            }
        }
    }

    /// Whole blocks only: the rows are a multiple of [`LANES`] wide.
    fn window(&mut self, before: usize, after: usize) {
        let (x, blocks) = (self.inputs.planes(0), blocks(self.inputs.dim(0)));
        for example in 0..self.batch.examples() {
            let own = self.inputs.rows_of(0, example);
            for (place, block) in
                (0..=before + after).flat_map(|place| (0..blocks).map(move |block| (place, block)))
            {
                let out = &mut self.out[(place * blocks + block) * self.rows..][own.clone()];
                for (row, out) in own.clone().zip(out) {
                    let neighbour = (row + place).checked_sub(before).filter(|row| own.contains(row));
                    *out = neighbour.map_or([0.0; LANES], |row| x.data[block * x.plane + row]);
                }
            }
        }
    }

    fn take_columns(&mut self, first: usize, count: usize) {
        let x = self.inputs.planes(0);
        for (block, out) in self.out.chunks_mut(self.rows).take(blocks(count)).enumerate() {
            let channels = LANES.min(count - block * LANES);
            let places: [(usize, usize); LANES] = std::array::from_fn(|lane| {
                ((first + block * LANES + lane) / LANES * x.plane, (first + lane) % LANES)
            });
            for (row, out) in out.iter_mut().enumerate() {
                *out = [0.0; LANES];
                for (out, (plane, lane)) in out.iter_mut().zip(places).take(channels) {
                    *out = x.data[plane + row][lane];
                }
            }
        }
    }

    fn times_root_rows(&mut self) {
        let x = self.inputs.planes(1);
        for example in 0..self.rows {
            let root = (self.inputs.rows_of(0, example).len() as f32).sqrt();
            for block in 0..blocks(self.inputs.dim(1)) {
                self.out[block * self.rows + example] = x.data[block * x.plane + example].map(|x| x * root);
            }
        }
    }
}
