//! Series of sensors that tell less than they promise: sensors that stand still, are at the end of their range or missing, clocks that jump.

use std::collections::BTreeSet;

use super::{Checked, Evidence, Fault, USUAL};

/// Share of the steps at one end of the range from which a sensor is saturated.
const SATURATED: f64 = 0.05;
/// Share of the values from which they are missing.
const MISSING: f64 = 0.05;

/// What is measured of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesState {
    /// How many sensors there are, at least 1.
    pub n_sensors: usize,
    /// The sensors that have one value all the time, or for long without a break.
    pub flat: Vec<String>,
    /// The sensor that stays longest at an end of its range, and for which share of the steps.
    pub saturated: Option<(String, f64)>,
    /// The sensor that lacks most values, and which share of them.
    pub missing: Option<(String, f64)>,
    /// Leaps of the clock, back or further than gaps are bridged.
    pub jumps: usize,
}

/// Every check of series, in the order of [`Fault::ALL`]. Where a quarter of the series have it, that is how the set is.
pub fn series(measured: &[SeriesState]) -> Vec<Checked> {
    let each = |score: &dyn Fn(&SeriesState) -> f64| {
        measured.iter().map(|state| Some(score(state))).collect::<Vec<_>>()
    };
    let share = |of: &Option<(String, f64)>| of.as_ref().map_or(0.0, |(_, share)| *share);
    let flat = flat_of_their_own(measured);
    let flat_share = |row: usize| flat[row].len() as f64 / measured[row].n_sensors.max(1) as f64;
    let sensor = |of: &Option<(String, f64)>, limit| Evidence::Sensors {
        names: of.iter().map(|(name, _)| name.clone()).collect(),
        value: share(of),
        limit,
    };
    vec![
        Checked::below_unless_usual(
            Fault::FlatSensor,
            (0..measured.len()).map(|row| Some(1.0 - flat_share(row))).collect(),
            1.0,
        )
        .because(|row| Evidence::Sensors {
            names: flat[row].clone(),
            value: flat_share(row),
            limit: 0.0,
        }),
        Checked::below_unless_usual(
            Fault::SaturatedSensor,
            each(&|state| 1.0 - share(&state.saturated)),
            (1.0 - SATURATED).next_up(),
        )
        .because(|row| sensor(&measured[row].saturated, SATURATED)),
        Checked::below_unless_usual(
            Fault::MissingSensor,
            each(&|state| 1.0 - share(&state.missing)),
            (1.0 - MISSING).next_up(),
        )
        .because(|row| sensor(&measured[row].missing, MISSING)),
        Checked::below_unless_usual(Fault::ClockJumps, each(&|state| 1.0 / (1.0 + state.jumps as f64)), 1.0)
            .because(|row| Evidence::Count(measured[row].jumps)),
    ]
}

/// The sensors of each series that stand still there, but for those that do so in a quarter of all: valves and set points rest.
fn flat_of_their_own(measured: &[SeriesState]) -> Vec<Vec<String>> {
    let is_usual = |name: &String| {
        let count = measured.iter().filter(|state| state.flat.contains(name)).count();
        count > 1 && count as f64 >= USUAL * measured.len() as f64
    };
    let names: BTreeSet<&String> = measured.iter().flat_map(|state| &state.flat).collect();
    let usual: BTreeSet<&String> = names.into_iter().filter(|name| is_usual(name)).collect();
    let own = |state: &SeriesState| state.flat.iter().filter(|name| !usual.contains(name)).cloned().collect();
    measured.iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> SeriesState {
        SeriesState { n_sensors: 2, flat: Vec::new(), saturated: None, missing: None, jumps: 0 }
    }

    fn worst(share: f64) -> Option<(String, f64)> {
        Some(("hot".to_owned(), share))
    }

    #[track_caller]
    fn check(odd: SeriesState, faults: &[Fault]) {
        let mut all = vec![SeriesState { saturated: worst(0.01), ..fine() }; 9];
        all.push(odd.clone());
        for checked in series(&all) {
            let expected: &[usize] = if faults.contains(&checked.fault) { &[9] } else { &[] };
            assert_eq!(checked.flagged, expected, "{:?} {odd:?}", checked.fault);
            assert!(checked.evidence.keys().eq(expected), "{:?}", checked.fault);
        }
    }

    #[test]
    fn each_fault_is_flagged_and_no_other() {
        check(fine(), &[]);
        check(SeriesState { flat: vec!["hot".to_owned()], ..fine() }, &[Fault::FlatSensor]);
        check(SeriesState { saturated: worst(0.05), ..fine() }, &[Fault::SaturatedSensor]);
        check(SeriesState { missing: worst(0.2), ..fine() }, &[Fault::MissingSensor]);
        check(SeriesState { jumps: 1, ..fine() }, &[Fault::ClockJumps]);
    }

    #[test]
    fn a_valve_that_rests_everywhere_hides_no_dead_sensor() {
        let resting =
            |flat: &[&str]| SeriesState { flat: flat.iter().map(ToString::to_string).collect(), ..fine() };
        let mut all = vec![resting(&["valve"]); 9];
        all.push(resting(&["valve", "hot"]));
        let flat = series(&all).swap_remove(0);
        assert_eq!((flat.fault, &flat.flagged[..]), (Fault::FlatSensor, &[9][..]));
        assert!(matches!(&flat.evidence[&9], Evidence::Sensors { names, .. } if *names == ["hot"]));
    }

    #[test]
    fn what_all_have_is_no_fault() {
        let flat = vec!["hot".to_owned()];
        let all =
            vec![SeriesState { n_sensors: 2, flat, saturated: worst(0.2), missing: worst(0.5), jumps: 3 }; 8];
        assert!(series(&all).iter().all(|checked| checked.flagged.is_empty()));
    }
}
