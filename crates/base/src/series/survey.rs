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
    let (mut looked_at, mut unread, mut left_out) = (Vec::new(), None, Vec::<(PathBuf, Fault)>::new());
    for file in (0..n).map(|place| files[place * files.len() / n]) {
        match read(file) {
            Ok((one, faults)) => {
                looked_at.push(Glimpse::of(one));
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
    Survey { sensors: in_common(&looked_at), unread, left_out }
}

/// What is kept of a series that was looked at; its values may be many.
struct Glimpse {
    channels: Vec<String>,
    /// Of equal steps, as features are made of them.
    rate: Option<f64>,
}

impl Glimpse {
    fn of(series: Series) -> Self {
        let (series, _) = even(series);
        Self {
            rate: series.rate,
            channels: series.channels.into_iter().map(|channel| channel.name).collect(),
        }
    }
}

fn in_common(series: &[Glimpse]) -> Option<Sensors> {
    let mut channels: Vec<String> = Vec::new();
    for channel in series.iter().flat_map(|series| &series.channels) {
        let share = series.iter().filter(|series| series.channels.contains(channel)).count();
        if 2 * share > series.len() && !channels.contains(channel) {
            channels.push(channel.clone());
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
        let (series, faults) = self.set_right(series);
        Ok((features(&series, self.channels.len())?, faults))
    }

    /// The series with these sensors in equal steps, and everything that a person should know of it.
    pub(crate) fn set_right(&self, series: Series) -> (Series, Vec<Fault>) {
        let (series, mut faults) = series.arrange(&self.channels);
        let (series, more) = even(series);
        faults.extend(more);
        if let (Some(expected), Some(got)) = (self.rate, series.rate)
            && (got / expected - 1.0).abs() > SAME_RATE
        {
            faults.push(Fault::OtherRate { got, expected });
        }
        (series, faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with a clock that counts milliseconds, one for each step.
    fn file(dir: &Path, name: &str, steps: impl IntoIterator<Item = u64>) -> PathBuf {
        let path = dir.join(name);
        let mut at = 0;
        let row = |(number, step): (usize, u64)| {
            at += step;
            format!("{:.3},{}\n", at as f64 / 1000.0, (number as f64 * 0.3).sin())
        };
        let rows: String = steps.into_iter().enumerate().map(row).collect();
        std::fs::write(&path, format!("time,force\n{rows}")).expect("written");
        path
    }

    #[test]
    fn the_files_that_were_learned_from_have_the_rate_that_was_learned() {
        let dir = tempfile::tempdir().expect("a folder");
        // 300 steps a second in whole milliseconds; a step of twenty lost; a pause.
        let rounded = (0..600).map(|step| if step % 3 == 2 { 4 } else { 3 });
        let lossy = (0..600).map(|step| if step % 20 == 7 { 20 } else { 10 });
        let pausing = (0..600).map(|step| if step == 300 { 30_000 } else { 10 });
        let files = [
            vec![file(dir.path(), "rounded.csv", rounded)],
            vec![file(dir.path(), "lossy.csv", lossy)],
            vec![file(dir.path(), "pausing.csv", pausing)],
        ];
        for files in &files {
            let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
            let sensors = survey(&paths).sensors.expect("sensors");
            assert!(sensors.rate.is_some(), "{files:?}");
            let (_, faults) = sensors.features(read(&files[0]).expect("read").0).expect("features");
            let other = faults.iter().find(|fault| matches!(fault, Fault::OtherRate { .. }));
            assert!(other.is_none(), "{files:?}: {other:?}");
        }
    }
}
