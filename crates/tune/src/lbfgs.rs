//! Minimises smooth convex functions of many variables: L-BFGS with a diagonal start and backtracking (methods 0.6).
//!
//! Variables and gradients are `f32`, every inner product and every function value is `f64`.

use std::collections::VecDeque;

use rayon::prelude::*;

/// Steps and gradients that are remembered.
const MEMORY: usize = 8;
/// Values summed by one task: a constant, so that the sum does not depend on the number of threads.
const BLOCK: usize = 1 << 15;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    pub(crate) iterations: usize,
    /// Stop when the slope along the next step, twice the decrease it can bring, is below this share of the value.
    pub(crate) decrease: f64,
}

/// Moves `x` to the minimum of `function`, which returns its value and writes its gradient.
///
/// `curvature` is a diagonal estimate of the Hessian, above zero: it is where the steps start from.
pub(crate) fn minimise(
    x: &mut Vec<f32>,
    curvature: &[f32],
    stop: Stop,
    mut function: impl FnMut(&[f32], &mut [f32]) -> f64,
) {
    let mut gradient = vec![0.0; x.len()];
    let mut value = function(x, &mut gradient);
    let mut memory: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    for _ in 0..stop.iterations {
        let direction = direction(&gradient, curvature, &memory);
        let slope = dot(&direction, &gradient);
        if slope.is_nan() || -slope <= stop.decrease * value.abs().max(1e-30) {
            return;
        }
        let Some((next_value, next_x, next_gradient)) = search(x, value, slope, &direction, &mut function)
        else {
            return;
        };
        remember(&mut memory, curvature, [x, &next_x], [&gradient, &next_gradient]);
        *x = next_x;
        gradient = next_gradient;
        value = next_value;
    }
}

struct Pair {
    step: Vec<f32>,
    change: Vec<f32>,
    inverse: f64,
    /// Curvature estimated by the diagonal over curvature met along the step.
    scale: f32,
}

/// Keeps the last step, from the first to the second point, with the change of the gradient.
fn remember(memory: &mut VecDeque<Pair>, curvature: &[f32], points: [&[f32]; 2], gradients: [&[f32]; 2]) {
    let step = difference(points[1], points[0]);
    let change = difference(gradients[1], gradients[0]);
    let bend = dot(&step, &change);
    // A pair without curvature would make the estimate indefinite.
    if bend > 1e-10 * dot(&change, &change) {
        if memory.len() == MEMORY {
            memory.pop_front();
        }
        let turned: Vec<f32> =
            change.iter().zip(curvature).map(|(change, curvature)| change / curvature).collect();
        let scale = (bend / dot(&change, &turned)) as f32;
        memory.push_back(Pair { step, change, inverse: 1.0 / bend, scale });
    }
}

/// Minus the gradient times the inverse Hessian estimate (the two-loop recursion of Nocedal 1980).
fn direction(gradient: &[f32], curvature: &[f32], memory: &VecDeque<Pair>) -> Vec<f32> {
    let mut q: Vec<f32> = gradient.iter().map(|value| -value).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let share = pair.inverse * dot(&pair.step, &q);
        add(&mut q, -share, &pair.change);
        shares.push(share);
    }
    // The diagonal knows how curvatures compare; how large they are, the last step has just measured.
    let scale = memory.back().map_or(1.0, |pair| pair.scale);
    q.iter_mut().zip(curvature).for_each(|(value, curvature)| *value *= scale / curvature);
    for (pair, share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = pair.inverse * dot(&pair.change, &q);
        add(&mut q, share - back, &pair.step);
    }
    q
}

/// Halves the step until the value falls by a fair part of what the slope promises (Armijo's rule).
fn search(
    x: &[f32],
    value: f64,
    slope: f64,
    direction: &[f32],
    function: &mut impl FnMut(&[f32], &mut [f32]) -> f64,
) -> Option<(f64, Vec<f32>, Vec<f32>)> {
    let mut length = 1.0_f64;
    let mut gradient = vec![0.0; x.len()];
    for _ in 0..25 {
        let next: Vec<f32> = x.iter().zip(direction).map(|(x, d)| x + (length as f32) * d).collect();
        let next_value = function(&next, &mut gradient);
        if next_value <= value + 1e-4 * length * slope {
            return Some((next_value, next, gradient));
        }
        length *= 0.5;
    }
    None
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn add(to: &mut [f32], factor: f64, from: &[f32]) {
    let factor = factor as f32;
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    if a.len() <= BLOCK {
        return linalg::dot(a, b);
    }
    let parts: Vec<f64> =
        a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK)).map(|(a, b)| linalg::dot(a, b)).collect();
    parts.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badly_scaled_bowl_is_solved() {
        let scale = [1.0_f32, 100.0, 10_000.0];
        let mut x = vec![5.0, -3.0, 2.0];
        minimise(&mut x, &[1.0; 3], Stop { iterations: 200, decrease: 1e-14 }, |x, gradient| {
            let mut value = 0.0;
            for j in 0..3 {
                let off = x[j] - 1.0;
                gradient[j] = scale[j] * off + off.powi(3);
                value += f64::from(0.5 * scale[j] * off * off + 0.25 * off.powi(4));
            }
            value
        });
        for value in x {
            assert!((value - 1.0).abs() < 1e-3, "{value}");
        }
    }

    #[test]
    fn the_right_curvature_needs_few_evaluations() {
        let scale = [1.0_f32, 100.0, 10_000.0];
        let mut calls = 0;
        let mut x = vec![5.0, -3.0, 2.0];
        minimise(&mut x, &scale, Stop { iterations: 50, decrease: 1e-12 }, |x, gradient| {
            calls += 1;
            (0..3).for_each(|j| gradient[j] = scale[j] * x[j]);
            (0..3).map(|j| 0.5 * f64::from(scale[j] * x[j] * x[j])).sum()
        });
        assert!(calls <= 3, "{calls}");
    }
}
