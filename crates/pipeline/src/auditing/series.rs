//! What the sensors of series show.

use std::path::Path;

use base::series::{self, Fault as SeriesFault, even, read};
use curate::faults::{self, Checked, Fault, SeriesState};
use dataset::{Content, Dataset};
use rayon::prelude::*;

use super::checks;
use crate::{PipelineError, Run};

/// Faults that sensors show.
const OF_SERIES: [Fault; 4] =
    [Fault::FlatSensor, Fault::SaturatedSensor, Fault::MissingSensor, Fault::ClockJumps];

/// What the sensors of every series say, `[n]`; nothing where nobody asks or there is none. Sensors that most series have and one
/// lacks count as missing there.
pub(super) fn measure(
    data: &Dataset,
    skip: &[Fault],
    run: &Run<'_>,
) -> Result<Vec<Option<SeriesState>>, PipelineError> {
    let files: Vec<&Path> =
        data.examples.iter().filter_map(|example| series_file(&example.content)).collect();
    let sensors = series::survey(&files).sensors.map(|sensors| sensors.channels);
    let (Some(sensors), false) = (sensors, OF_SERIES.iter().all(|fault| skip.contains(fault))) else {
        return Ok(vec![None; data.examples.len()]);
    };
    let found = data.examples.par_iter().map(|example| match series_file(&example.content) {
        Some(path) if !run.is_cancelled() => state(path, &sensors),
        _ => None,
    });
    let found = found.collect();
    if run.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(found) }
}

fn series_file(content: &Content) -> Option<&Path> {
    if let Content::Series(path) = content { Some(path) } else { None }
}

fn state(path: &Path, sensors: &[String]) -> Option<SeriesState> {
    let (series, mut told) = read(path).ok()?;
    let (series, more) = series.arrange(sensors);
    let n_steps = series.len().max(1) as f64;
    told.extend(more);
    told.extend(even(series).1);
    let mut state =
        SeriesState { n_sensors: sensors.len(), flat: Vec::new(), saturated: None, missing: None, jumps: 0 };
    for fault in told {
        match fault {
            SeriesFault::Flat { channel, .. } => state.flat.push(channel),
            SeriesFault::WhollyMissing { channel } => worse(&mut state.missing, channel, 1.0),
            SeriesFault::Missing { channel, count } => {
                worse(&mut state.missing, channel, count as f64 / n_steps);
            }
            SeriesFault::Saturated { channel, share } => {
                worse(&mut state.saturated, channel, f64::from(share));
            }
            SeriesFault::ClockJumps { count, .. } => state.jumps += count,
            _ => {}
        }
    }
    Some(state)
}

/// Keeps the sensor with the larger share.
fn worse(worst: &mut Option<(String, f64)>, channel: String, share: f64) {
    if worst.as_ref().is_none_or(|(_, other)| share > *other) {
        *worst = Some((channel, share));
    }
}

/// What that shows.
pub(super) fn check(measured: &[Option<SeriesState>], skip: &[Fault]) -> Vec<Checked> {
    checks::of_measured(measured, skip, faults::series)
}
