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
    let sensors = series::survey(&files).map(|sensors| sensors.channels);
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
    let mut state = SeriesState { flat: 0.0, saturated: 0.0, missing: 0.0, jumps: 0 };
    for fault in told {
        match fault {
            SeriesFault::Flat { .. } => state.flat += 1.0 / sensors.len() as f64,
            SeriesFault::WhollyMissing { .. } => state.missing = 1.0,
            SeriesFault::Missing { count, .. } => state.missing = state.missing.max(count as f64 / n_steps),
            SeriesFault::Saturated { share, .. } => state.saturated = state.saturated.max(f64::from(share)),
            SeriesFault::ClockJumps { count, .. } => state.jumps += count,
            _ => {}
        }
    }
    Some(state)
}

/// What that shows.
pub(super) fn check(measured: &[Option<SeriesState>], skip: &[Fault]) -> Vec<Checked> {
    checks::of_measured(measured, skip, faults::series)
}
