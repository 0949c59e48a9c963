//! Series of sensors: from a file's columns to numbers that heads learn from.
//!
//! A series goes through [`read`](fn@read) (columns, clock and channels of one file), [`Series::arrange`] (the channels that were
//! learned from, in their order), [`even`] (equal steps, nothing missing between) and [`features`]: the [`kernels`] transform, which sees
//! forms, and the [`spectral`] statistics, which see rhythms and sizes. What is wrong with a series without hindering is a [`Fault`].

mod clock;
mod date;
mod fault;
mod features;
mod kernels;
mod pooling;
mod read;
mod spectral;
mod state;
mod survey;

pub use clock::{LONGEST_BRIDGE, even};
pub use fault::Fault;
pub(crate) use fault::damage;
pub use features::{dim, features};
pub use kernels::{KERNEL_FEATURES, kernels, n_views};
pub use read::{MAX_BYTES, MAX_CHANNELS, MAX_STEPS, read};
pub use spectral::{SPECTRAL_FEATURES, spectral};
pub use survey::{Sensors, Survey, survey};

/// Values of several sensors that were taken together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The sensors, each with the same number of values.
    pub channels: Vec<Channel>,
    /// When each step was, in the unit that the clock column counts in: seconds, or steps of an index. `None` without such a column.
    pub times: Option<Vec<f64>>,
    /// Steps a second, by the mean step as read and by the median one once [`even`]; `None` where no clock counts seconds.
    pub rate: Option<f64>,
}

/// One sensor's values over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// The column's name; `channel 1` and so on where the file names none.
    pub name: String,
    /// One value a step; not a number where it is missing.
    pub values: Vec<f32>,
}

/// Why a series cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum SeriesError {
    /// The table itself cannot be read.
    #[error("its columns cannot be read: {source}")]
    Table {
        #[source]
        source: dataset::ReadError,
    },
    /// One row is no series.
    #[error("it has {got} row of numbers, a series has at least 2")]
    TooShort { got: usize },
    /// Above the limits.
    #[error("it has {got} {what}, at most {limit} are read")]
    TooMuch { what: &'static str, got: u64, limit: u64 },
    /// A column holds texts only, and no other one numbers.
    #[error("no column has a sensor's numbers: row {row}, column `{column}` holds text (`{value}`)")]
    TextColumn { row: u64, column: String, value: String },
    /// There is a clock at most.
    #[error("it has no column with a sensor's values")]
    NoChannel,
    /// Two columns have one name, so that they cannot be told apart.
    #[error("it has two columns `{column}`")]
    SameName { column: String },
    /// Not one of the channels that the features are made of.
    #[error("it has none of the sensors {}", expected.join(", "))]
    NoKnownChannel { expected: Vec<String> },
    /// Features of another number of channels were asked for.
    #[error("the series has {got} channels, the features are those of {expected}")]
    ChannelCount { got: usize, expected: usize },
}

impl Series {
    /// The number of steps.
    pub fn len(&self) -> usize {
        self.channels.first().map_or(0, |channel| channel.values.len())
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The channels of these names in this order: what a model that learned from them takes. A channel that is not there is wholly
    /// missing, which [`even`] tells; one that is not asked for is left out and told here.
    pub fn arrange(mut self, names: &[String]) -> (Self, Vec<Fault>) {
        let n = self.len();
        let mut taken = Vec::with_capacity(names.len());
        for name in names {
            let place = self.channels.iter().position(|channel| channel.name == *name);
            taken.push(place.map_or_else(
                || Channel { name: name.clone(), values: vec![f32::NAN; n] },
                |place| self.channels.swap_remove(place),
            ));
        }
        // By name, whatever was taken out before.
        let mut unknown: Vec<String> = self.channels.into_iter().map(|channel| channel.name).collect();
        unknown.sort();
        let faults = unknown.into_iter().map(|channel| Fault::Unknown { channel }).collect();
        (Self { channels: taken, times: self.times, rate: self.rate }, faults)
    }
}

#[cfg(test)]
mod tests;
