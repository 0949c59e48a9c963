//! Resamples a grid of position embeddings, as PyTorch's bicubic `interpolate` without aligned corners.

/// Which of PyTorch's two bicubic resamplings a checkpoint was trained to expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bicubic {
    /// Four taps with a = -0.75 wherever the output falls, edges repeated (DINOv2, ViT).
    Plain,
    /// A kernel with a = -0.5 that widens when shrinking, cut at the edges (DINOv2 with registers).
    Antialiased,
}

/// Resamples `[from * from, dim]`, a square grid row by row, to `[to * to, dim]`. Sums are in f64.
pub(super) fn resample(grid: &[f32], dim: usize, from: usize, to: usize, kind: Bicubic) -> Vec<f32> {
    if from == to {
        return grid.to_vec();
    }
    let taps = taps(from, to, kind);
    let at = |row: usize, column: usize| &grid[(row * from + column) * dim..][..dim];
    let mut out = Vec::with_capacity(to * to * dim);
    let mut cell = vec![0.0_f64; dim];
    for rows in &taps {
        for columns in &taps {
            cell.fill(0.0);
            for (row, by_row) in rows {
                for (column, by_column) in columns {
                    cell.iter_mut()
                        .zip(at(*row, *column))
                        .for_each(|(sum, value)| *sum += by_row * by_column * f64::from(*value));
                }
            }
            out.extend(cell.iter().map(|sum| *sum as f32));
        }
    }
    out
}

/// For each output index, the input indices it reads and their weights, which sum to 1.
fn taps(from: usize, to: usize, kind: Bicubic) -> Vec<Vec<(usize, f64)>> {
    let scale = from as f64 / to as f64;
    (0..to)
        .map(|index| {
            let centre = scale * (index as f64 + 0.5);
            match kind {
                Bicubic::Plain => {
                    let last = from as i64 - 1;
                    let base = (centre - 0.5).floor();
                    let tap = |offset: i64| {
                        (
                            (base as i64 + offset).clamp(0, last) as usize,
                            cubic(centre - 0.5 - base - offset as f64, -0.75),
                        )
                    };
                    (-1..=2).map(tap).collect()
                }
                Bicubic::Antialiased => {
                    let widen = scale.max(1.0);
                    let first = (centre - 2.0 * widen + 0.5).max(0.0) as usize;
                    let end = ((centre + 2.0 * widen + 0.5) as usize).min(from);
                    let raw: Vec<f64> =
                        (first..end).map(|tap| cubic((tap as f64 + 0.5 - centre) / widen, -0.5)).collect();
                    let total: f64 = raw.iter().sum();
                    (first..end).zip(raw.iter().map(|weight| weight / total)).collect()
                }
            }
        })
        .collect()
}

/// Keys' cubic convolution kernel.
fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_a_constant_stays() {
        for kind in [Bicubic::Plain, Bicubic::Antialiased] {
            for (from, to) in [(3, 7), (7, 3), (16, 37), (37, 16), (1, 4), (4, 1)] {
                for row in taps(from, to, kind) {
                    assert!(
                        (row.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12,
                        "{kind:?} {from} -> {to}"
                    );
                    assert!(row.iter().all(|(index, _)| *index < from));
                }
                let out = resample(&vec![0.5; from * from * 2], 2, from, to, kind);
                assert!(out.iter().all(|value| (value - 0.5).abs() < 1e-6) && out.len() == to * to * 2);
            }
        }
    }
}
