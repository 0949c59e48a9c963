//! Equal steps: the clock is judged, uneven steps are resampled, missing values are filled.

use super::read::MAX_STEPS;
use super::state::states;
use super::{Channel, Fault, Series};

/// Longest step of the clock, in median steps, that is filled with values in between; across a longer one the series is joined.
pub const LONGEST_BRIDGE: f64 = 16.0;
/// How far a step may be from the median step and counts as equal; a share of it.
const EQUAL: f64 = 0.01;
/// Fewest steps of the rarer length of a clock that was rounded; a fiftieth of all as well, below which the median says the rate.
const FEW_TURNS: usize = 4;
/// How far lengths may be from whole units of a clock that was rounded; a share of the unit.
const SAME_LENGTH: f64 = 0.02;
/// Share of steps that do not advance above which the clock is too coarse to tell steps apart.
const COARSE: f64 = 0.1;

/// The series in equal steps, without missing values, and what had to be set right for it.
///
/// The step is the median one; of a clock that was rounded, so that steps of 3 and 4 milliseconds take turns, that of the line through its
/// rows, which are not drawn anew. Where other steps differ from it by more than a hundredth, values are drawn on straight lines at every
/// median step, or at every second, third and so on where there would be more than [`MAX_STEPS`] of them; steps of no time, steps back, and
/// steps above [`LONGEST_BRIDGE`] median steps, become one median step. Values missing at the ends are the
/// nearest ones. A channel without any value stays so.
pub fn even(series: Series) -> (Series, Vec<Fault>) {
    let mut faults = Vec::new();
    let Series { mut channels, times, rate } = series;
    let states: Vec<Fault> = states(&channels).collect();
    for channel in &mut channels {
        faults.extend(fill(&mut channel.values).map(|count| match count {
            Filled::Nothing => Fault::WhollyMissing { channel: channel.name.clone() },
            Filled::Some(count) => Fault::Missing { channel: channel.name.clone(), count },
        }));
    }
    faults.extend(states);
    let Some(clock) = times.as_deref().and_then(|times| Clock::new(times, MAX_STEPS)) else {
        return (Series { channels, times, rate }, faults);
    };
    faults.extend(clock.faults.iter().cloned());
    let n = clock.n_steps();
    if clock.uneven > 0 {
        for channel in &mut channels {
            *channel = resampled(channel, &clock.places, n);
        }
    }
    let start = times.as_ref().map_or(0.0, |times| times[0]);
    let times = (0..n).map(|step| start + step as f64 * clock.step).collect();
    let rate = rate.map(|_| 1.0 / clock.step);
    (Series { channels, times: Some(times), rate }, faults)
}

/// The place of every row on the grid of equal steps.
struct Clock {
    /// The usual step, in the clock's unit.
    step: f64,
    /// Ascending, in steps from the first row.
    places: Vec<f64>,
    /// Steps that are bridged and are not the usual one.
    uneven: usize,
    faults: Vec<Fault>,
}

impl Clock {
    /// On a grid of at most so many steps; `None` where there are less than two rows or no time passes.
    fn new(times: &[f64], most: usize) -> Option<Self> {
        let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let standing = steps.iter().filter(|step| **step == 0.0).count();
        if standing as f64 > COARSE * steps.len() as f64 {
            let step = (times.last()? - times.first()?) / steps.len() as f64;
            let places = (0..times.len()).map(|place| place as f64).collect();
            return (step > 0.0).then(|| Self { step, places, uneven: 0, faults: vec![Fault::CoarseClock] });
        }
        let median = median(&steps)?;
        let rounded = rounded(&steps, median);
        let step = rounded.unwrap_or(median);
        let (mut places, mut uneven, mut jumps) = (vec![0.0], 0, Vec::new());
        for (before, length) in steps.iter().enumerate() {
            let length_steps = match length / step {
                whole if rounded.is_some() && whole > 0.5 => whole.round(),
                part => part,
            };
            let stands = length_steps == 0.0;
            let jumps_here = !(0.0..=LONGEST_BRIDGE).contains(&length_steps);
            let equal = (length_steps - 1.0).abs() <= EQUAL;
            if jumps_here {
                jumps.push((before, *length));
            } else if !equal {
                uneven += 1;
            }
            let advance = if jumps_here || equal || stands { 1.0 } else { length_steps };
            places.push(places.last()? + advance);
        }
        let mut faults = Vec::new();
        if let Some(&(step, by)) = jumps.first() {
            faults.push(Fault::ClockJumps { count: jumps.len(), step, by });
        }
        if uneven > 0 {
            faults.push(Fault::UnevenSteps { count: uneven });
        }
        Some(Self { step, places, uneven, faults }.within(most))
    }

    /// How many steps the grid has.
    fn n_steps(&self) -> usize {
        self.places.last().map_or(0, |last| last.round() as usize + 1)
    }

    /// Bridges may make a long series many times as long: it keeps a coarser grid instead.
    fn within(mut self, most: usize) -> Self {
        let coarser = self.n_steps().div_ceil(most) as f64;
        if self.uneven > 0 && coarser > 1.0 {
            self.step *= coarser;
            self.places.iter_mut().for_each(|place| *place /= coarser);
        }
        self
    }
}

/// The median of the steps that advance.
fn median(steps: &[f64]) -> Option<f64> {
    let mut ahead: Vec<f64> = steps.iter().copied().filter(|step| *step > 0.0).collect();
    ahead.sort_by(f64::total_cmp);
    ahead.get(ahead.len() / 2).copied()
}

/// The step of a clock that ticks evenly and was rounded when it was written down: its usual steps have two lengths that take turns, one
/// unit of what it was rounded to apart, and no row is further than that from where it should be. `None` where all are equal, or uneven.
fn rounded(steps: &[f64], median: f64) -> Option<f64> {
    let is_usual = |step: &f64| (0.499..=1.501).contains(&(step / median));
    let usual: Vec<f64> = steps.iter().copied().filter(is_usual).collect();
    let (least, most) = usual
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(least, most), step| (least.min(*step), most.max(*step)));
    let unit = most - least;
    let longer = usual.iter().filter(|step| **step - least > 0.5 * unit).count();
    let rarer = longer.min(usual.len() - longer);
    let is_rounded = unit > EQUAL * median
        && rarer >= FEW_TURNS.max(usual.len() / 50)
        && usual.iter().all(|step| (step - least).min(most - step) <= SAME_LENGTH * unit)
        && (least / unit - (least / unit).round()).abs() <= SAME_LENGTH;
    if !is_rounded {
        return None;
    }
    let first = usual.iter().sum::<f64>() / usual.len() as f64;
    let bridged = steps.iter().filter(|step| (0.0..=LONGEST_BRIDGE * median).contains(*step));
    let (mut row, mut time) = (0.0, 0.0);
    let rows: Vec<(f64, f64)> = bridged
        .map(|step| {
            row += (step / first).round();
            time += step;
            (row, time)
        })
        .collect();
    let (start, step) = line(&rows);
    let late = |&(row, time): &(f64, f64)| (time - start - row * step).abs();
    rows.iter().all(|place| late(place) <= unit).then_some(step)
}

/// The line through points that lies closest to them: what it begins with, and its slope.
fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (row, time) = (mean(|point| point.0), mean(|point| point.1));
    let (spread, shared) = points.iter().fold((0.0, 0.0), |(spread, shared), point| {
        (spread + (point.0 - row).powi(2), shared + (point.0 - row) * (point.1 - time))
    });
    let slope = shared / spread;
    (time - slope * row, slope)
}

/// Draws `n` values at whole places on straight lines between the values at `places`.
fn resampled(channel: &Channel, places: &[f64], n: usize) -> Channel {
    let mut right = 1;
    let at = |step: usize| {
        let place = step as f64;
        while right + 1 < places.len() && places[right] < place {
            right += 1;
        }
        let (from, to) = (places[right - 1], places[right]);
        let share = ((place - from) / (to - from)).clamp(0.0, 1.0);
        let (a, b) = (f64::from(channel.values[right - 1]), f64::from(channel.values[right]));
        (a + share * (b - a)) as f32
    };
    Channel { name: channel.name.clone(), values: (0..n).map(at).collect() }
}

/// What was filled.
pub(super) enum Filled {
    /// There was no value to start from.
    Nothing,
    /// So many values were missing.
    Some(usize),
}

/// Puts values on straight lines between their neighbours in the place of what is no finite number; `None` where nothing is missing.
pub(super) fn fill(values: &mut [f32]) -> Option<Filled> {
    let count = values.iter().filter(|value| !value.is_finite()).count();
    if count == 0 {
        return None;
    }
    let Some(first) = values.iter().position(|value| value.is_finite()) else {
        values.fill(f32::NAN);
        return Some(Filled::Nothing);
    };
    let start = values[first];
    values[..first].fill(start);
    let mut last = first;
    for place in first + 1..values.len() {
        if !values[place].is_finite() {
            continue;
        }
        let (from, to) = (f64::from(values[last]), f64::from(values[place]));
        let gap = (place - last) as f64;
        for (offset, value) in (1_u32..).zip(&mut values[last + 1..place]) {
            *value = (from + f64::from(offset) / gap * (to - from)) as f32;
        }
        last = place;
    }
    let end = values[last];
    values[last + 1..].fill(end);
    Some(Filled::Some(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(times: &[f64], values: &[f32]) -> Series {
        let channel = Channel { name: "a".into(), values: values.to_vec() };
        Series { channels: vec![channel], times: Some(times.to_vec()), rate: Some(1.0) }
    }

    #[test]
    fn a_gap_is_bridged_on_a_straight_line() {
        let (got, faults) = even(series(&[0.0, 0.5, 1.0, 2.5, 3.0], &[0.0, 1.0, 2.0, 5.0, 6.0]));
        assert_eq!(got.channels[0].values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(got.times.unwrap(), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
        assert_eq!(got.rate, Some(2.0));
        assert_eq!(faults, [Fault::UnevenSteps { count: 1 }]);
    }

    #[test]
    fn the_clock_may_leap_and_go_back() {
        let (got, faults) =
            even(series(&[0.0, 1.0, 1e9, 1e9 + 1.0, 5.0, 6.0], &[1.0, 2.0, 3.0, 2.0, 4.0, 5.0]));
        assert_eq!(got.channels[0].values, [1.0, 2.0, 3.0, 2.0, 4.0, 5.0]);
        assert_eq!(faults, [Fault::ClockJumps { count: 2, step: 1, by: 1e9 - 1.0 }]);
    }

    #[test]
    fn a_time_that_is_said_twice_is_no_leap() {
        let times: Vec<f64> = (0..20).map(|step| f64::from(if step == 7 { 6 } else { step })).collect();
        let values: Vec<f32> = (0..20).map(|step| step as f32).collect();
        let (_, faults) = even(series(&times, &values));
        assert_eq!(faults, [Fault::UnevenSteps { count: 2 }]);
    }

    #[test]
    fn many_bridges_make_a_coarser_grid_and_no_longer_series() {
        // Two steps of one and one of fifteen in turn.
        let times: Vec<f64> = (0..100).map(|step| f64::from(step / 3 * 17 + step % 3)).collect();
        let clock = Clock::new(&times, 1000).unwrap();
        assert_eq!((clock.step, clock.n_steps()), (1.0, 562));
        let clock = Clock::new(&times, 200).unwrap();
        assert_eq!((clock.step, clock.n_steps()), (3.0, 188));
        assert_eq!(clock.places[3], 17.0 / 3.0);
    }

    /// Of so many rows, one every `step` thousandths, written down in whole ones.
    fn written(step: f64, n: u32, down: fn(f64) -> f64) -> Vec<f64> {
        (0..n).map(|row| down(f64::from(row) * step + 0.3) / 1000.0).collect()
    }

    #[test]
    fn a_rounded_clock_has_the_rate_that_it_was_rounded_from() {
        for step in [3.5, 3.3, 2.4, 10.26, 7.9, 1000.0 / 256.0, 1000.0 / 90.0] {
            for (n, down) in (200..261).flat_map(|n| [(n, f64::round as fn(f64) -> f64), (n, f64::floor)]) {
                let values: Vec<f32> = (0..n).map(|row| row as f32).collect();
                let (got, faults) = even(series(&written(step, n, down), &values));
                let off = got.rate.unwrap() * step / 1000.0 - 1.0;
                assert!(off.abs() < 2e-3, "{step}, {n} rows: {off}");
                assert_eq!((&got.channels[0].values, faults), (&values, vec![]), "{step}, {n} rows");
            }
        }
    }

    #[test]
    fn rows_that_a_rounded_clock_lacks_are_bridged() {
        for step in [3.5, 3.3, 10.26] {
            let mut times = written(step, 400, f64::round);
            let values: Vec<f32> = (0..400).map(|row| row as f32).collect();
            times.drain(100..103);
            let (got, faults) = even(series(&times, &[&values[..100], &values[103..]].concat()));
            assert_eq!((&got.channels[0].values, faults), (&values, vec![Fault::UnevenSteps { count: 1 }]));
            // A step back is a leap as ever.
            times[50] = times[49] - 0.001;
            assert!(matches!(even(series(&times, &values[..397])).1[..], [Fault::ClockJumps { .. }, ..]));
        }
    }

    #[test]
    fn a_clock_that_is_truly_uneven_is_not_rounded() {
        let of = |n: usize, step: fn(usize) -> f64| (0..n).map(step).collect::<Vec<f64>>();
        for (steps, median) in [
            // A rate that changes in the middle, and steps that wander.
            (of(100, |row| if row < 50 { 3.0 } else { 4.0 }), 3.0),
            (of(200, |row| 4.0 + (row as f64 / 9.0).sin()), 4.0),
            // A row that is missing, and one that is late.
            (of(100, |row| if row == 40 { 2.0 } else { 1.0 }), 1.0),
            (of(20, |row| if row == 9 { 1.5 } else { 1.0 }), 1.0),
            // Two sensors in turn, and a pause after every third row.
            (of(100, |row| if row % 2 == 0 { 0.5 } else { 0.7 }), 0.7),
            (of(100, |row| if row % 4 == 3 { 1.4 } else { 1.0 }), 1.0),
            // A timer that trembles.
            (of(100, |row| 1.0 + 0.1 * (row as f64 * 2.4).sin()), 1.0),
        ] {
            assert_eq!(rounded(&steps, median), None, "{:?}", &steps[..5]);
        }
    }

    #[test]
    fn a_coarse_clock_gives_the_rate_only() {
        let times: Vec<f64> = (0..41).map(|step| f64::from(step / 10)).collect();
        let (got, faults) = even(series(&times, &[1.0, 2.0].repeat(21)[..41]));
        assert_eq!((got.len(), got.rate), (41, Some(10.0)));
        assert_eq!(faults, [Fault::CoarseClock]);
    }

    #[test]
    fn what_is_missing_is_filled_or_told() {
        let nan = f32::NAN;
        let mut given = series(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[nan, 1.0, nan, nan, 4.0, f32::INFINITY]);
        given.channels.push(Channel { name: "b".into(), values: vec![nan; 6] });
        let (got, faults) = even(given);
        assert_eq!(got.channels[0].values, [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
        assert!(got.channels[1].values.iter().all(|value| value.is_nan()));
        let (a, b) = ("a".to_owned(), "b".to_owned());
        assert_eq!(faults, [Fault::Missing { channel: a, count: 4 }, Fault::WhollyMissing { channel: b }]);
    }
}
