//! Both kinds of features of a series, side by side.

use super::{KERNEL_FEATURES, SPECTRAL_FEATURES, Series, SeriesError, kernels, n_views, spectral};

/// What the spectral features are multiplied by, so that they weigh with the kernels in a distance; measured as `docs/series.md` says.
const SPECTRAL_WEIGHT: f32 = 0.35;

/// The number of [`features`] of series with so many channels.
pub fn dim(n_channels: usize) -> usize {
    n_views(n_channels) * KERNEL_FEATURES + n_channels * SPECTRAL_FEATURES
}

/// `[dim(n_channels)]`: the [`kernels`] features, then 0.35 times the [`spectral`] ones, channel by channel. All are finite and
/// within what half precision holds, and weighed against each other: heads take them as they are, not column by column standardised.
///
/// The series has equal steps ([`even`](super::even)) and its channels are in the order of the others ([`Series::arrange`]). It may be of
/// any length; nothing depends on other series.
///
/// # Errors
/// [`SeriesError::ChannelCount`] with another number of channels.
pub fn features(series: &Series, n_channels: usize) -> Result<Vec<f32>, SeriesError> {
    let got = series.channels.len();
    if got != n_channels {
        return Err(SeriesError::ChannelCount { got, expected: n_channels });
    }
    let mut out = kernels(&series.channels);
    series.channels.iter().for_each(|channel| {
        out.extend(spectral(&channel.values).into_iter().map(|value| SPECTRAL_WEIGHT * value))
    });
    Ok(out)
}
