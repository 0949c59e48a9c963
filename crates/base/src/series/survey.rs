//! Which sensors a set of series has in common: what a model over them takes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Fault, Series, SeriesError, dim, even, features, read};

/// Files that are read to find the sensors.
const LOOKED_AT: usize = 32;
/// How far a rate may be from the one that was learned from, as a share of it.
const SAME_RATE: f64 = 0.02;

/// The sensors that features are made of, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensors {
    /// Names of the channels.
    pub channels: Vec<String>,
    /// Steps a second; absent where no clock counts seconds.
    #[serde(default)]
    pub rate: Option<f64>,
}

/// What a look at some of the files shows.
#[derive(Debug)]
pub struct Survey {
    /// The sensors that most series have; `None` when not one can be read, or they have none in common.
    pub sensors: Option<Sensors>,
    /// The first file that cannot be read, and why.
    pub unread: Option<(PathBuf, SeriesError)>,
    /// Columns that were left out as they hold nothing but text, each in the first file that has it.
    pub left_out: Vec<(PathBuf, Fault)>,
}

/// Finds the sensors that most of the series have, looking at up to 32 files spread over all.
pub fn survey(files: &[&Path]) -> Survey {
    let n = files.len().min(LOOKED_AT);
    let (mut series, mut unread, mut left_out) = (Vec::new(), None, Vec::<(PathBuf, Fault)>::new());
    for file in (0..n).map(|place| files[place * files.len() / n]) {
        match read(file) {
            Ok((one, faults)) => {
                series.push(one);
                for fault in faults {
                    let Fault::TextColumn { channel, .. } = &fault else { continue };
                    let again = |(_, other): &(PathBuf, Fault)| matches!(other, Fault::TextColumn { channel: there, .. } if there == channel);
                    if !left_out.iter().any(again) {
                        left_out.push((file.to_owned(), fault));
                    }
                }
            }
            Err(error) => {
                unread.get_or_insert_with(|| (file.to_owned(), error));
            }
        }
    }
    Survey { sensors: in_common(&series), unread, left_out }
}

fn in_common(series: &[Series]) -> Option<Sensors> {
    let has = |name: &str, series: &Series| series.channels.iter().any(|channel| channel.name == name);
    let mut channels: Vec<String> = Vec::new();
    for channel in series.iter().flat_map(|series| &series.channels) {
        let share = series.iter().filter(|series| has(&channel.name, series)).count();
        if 2 * share > series.len() && !channels.contains(&channel.name) {
            channels.push(channel.name.clone());
        }
    }
    let mut rates: Vec<f64> = series.iter().filter_map(|series| series.rate).collect();
    rates.sort_by(f64::total_cmp);
    let rate = rates.get(rates.len() / 2).copied().filter(|_| rates.len() == series.len());
    (!channels.is_empty()).then_some(Sensors { channels, rate })
}

impl Sensors {
    /// The number of [`features`](Sensors::features).
    pub fn dim(&self) -> usize {
        dim(self.channels.len())
    }

    /// `[dim()]`, and everything that a person should know of the series.
    ///
    /// # Errors
    /// [`SeriesError::NoKnownChannel`] when the series has none of the sensors.
    pub fn features(&self, series: Series) -> Result<(Vec<f32>, Vec<Fault>), SeriesError> {
        if !series.channels.iter().any(|channel| self.channels.contains(&channel.name)) {
            return Err(SeriesError::NoKnownChannel { expected: self.channels.clone() });
        }
        let (series, mut faults) = series.arrange(&self.channels);
        let (series, more) = even(series);
        faults.extend(more);
        if let (Some(expected), Some(got)) = (self.rate, series.rate)
            && (got / expected - 1.0).abs() > SAME_RATE
        {
            faults.push(Fault::OtherRate { got, expected });
        }
        Ok((features(&series, self.channels.len())?, faults))
    }
}
