//! Between rows, as the rest of the program has matrices, and blocks of sixteen channels, as the kernels want them.

use super::simd::{LANES, Lanes, blocks};

/// Packs weights `[outputs][inputs]` into panels `[blocks of outputs][inputs][16]`, zeros beyond the last output.
///
/// A bias is packed as weights of one input; a depthwise filter's inputs are its taps.
pub(crate) fn panels(weights: &[f32], outputs: usize, inputs: usize) -> Vec<Lanes> {
    assert_eq!(weights.len(), outputs * inputs, "weights are `[outputs][inputs]`");
    let mut packed = vec![[0.0; LANES]; blocks(outputs) * inputs];
    for (output, row) in weights.chunks_exact(inputs).enumerate() {
        let panel = &mut packed[output / LANES * inputs..][..inputs];
        for (to, &weight) in panel.iter_mut().zip(row) {
            to[output % LANES] = weight;
        }
    }
    packed
}

/// Copies a row of channels to row `row` of planes that are `plane` apart, zeros beyond the last channel.
pub(crate) fn row_to_planes(from: &[f32], planes: &mut [Lanes], plane: usize, row: usize) {
    for (block, channels) in from.chunks(LANES).enumerate() {
        let to = &mut planes[block * plane + row];
        to[..channels.len()].copy_from_slice(channels);
        to[channels.len()..].fill(0.0);
    }
}

/// Copies row `row` of planes that are `plane` apart to a row of channels.
pub(crate) fn row_from_planes(planes: &[Lanes], plane: usize, row: usize, to: &mut [f32]) {
    for (block, channels) in to.chunks_mut(LANES).enumerate() {
        channels.copy_from_slice(&planes[block * plane + row][..channels.len()]);
    }
}
