//! Series of sensors that tell less than they promise: sensors that stand still, are at the end of their range or missing, clocks that jump.

use super::{Checked, Fault};

/// Share of the steps at one end of the range from which a sensor is saturated.
const SATURATED: f64 = 0.05;
/// Share of the values from which they are missing.
const MISSING: f64 = 0.05;

/// What is measured of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesState {
    /// Share of the sensors of which all values are equal, or that have none.
    pub flat: f64,
    /// The largest share of steps that a sensor stays at an end of its range.
    pub saturated: f64,
    /// The largest share of values that a sensor lacks.
    pub missing: f64,
    /// Leaps of the clock, back or further than gaps are bridged.
    pub jumps: usize,
}

/// Every check of series, in the order of [`Fault::ALL`]. Where a quarter of the series have it, that is how the set is.
pub fn series(measured: &[SeriesState]) -> Vec<Checked> {
    let each = |score: &dyn Fn(&SeriesState) -> f64| {
        measured.iter().map(|state| Some(score(state))).collect::<Vec<_>>()
    };
    vec![
        Checked::below_unless_usual(Fault::FlatSensor, each(&|state| 1.0 - state.flat), 1.0),
        Checked::below_unless_usual(
            Fault::SaturatedSensor,
            each(&|state| 1.0 - state.saturated),
            (1.0 - SATURATED).next_up(),
        ),
        Checked::below_unless_usual(
            Fault::MissingSensor,
            each(&|state| 1.0 - state.missing),
            (1.0 - MISSING).next_up(),
        ),
        Checked::below_unless_usual(Fault::ClockJumps, each(&|state| 1.0 / (1.0 + state.jumps as f64)), 1.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(odd: SeriesState, faults: &[Fault]) {
        let mut all = vec![SeriesState { flat: 0.0, saturated: 0.01, missing: 0.0, jumps: 0 }; 9];
        all.push(odd);
        for checked in series(&all) {
            let expected: &[usize] = if faults.contains(&checked.fault) { &[9] } else { &[] };
            assert_eq!(checked.flagged, expected, "{:?} {odd:?}", checked.fault);
        }
    }

    #[test]
    fn each_fault_is_flagged_and_no_other() {
        let fine = SeriesState { flat: 0.0, saturated: 0.0, missing: 0.0, jumps: 0 };
        check(fine, &[]);
        check(SeriesState { flat: 0.5, ..fine }, &[Fault::FlatSensor]);
        check(SeriesState { saturated: 0.05, ..fine }, &[Fault::SaturatedSensor]);
        check(SeriesState { missing: 0.2, ..fine }, &[Fault::MissingSensor]);
        check(SeriesState { jumps: 1, ..fine }, &[Fault::ClockJumps]);
    }

    #[test]
    fn what_all_have_is_no_fault() {
        let all = vec![SeriesState { flat: 0.3, saturated: 0.2, missing: 0.5, jumps: 3 }; 8];
        assert!(series(&all).iter().all(|checked| checked.flagged.is_empty()));
    }
}
