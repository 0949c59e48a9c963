//! Equal steps: the clock is judged, uneven steps are resampled, missing values are filled.

use super::read::MAX_STEPS;
use super::state::states;
use super::{Channel, Fault, Series};

/// Longest step of the clock, in median steps, that is filled with values in between; across a longer one the series is joined.
pub const LONGEST_BRIDGE: f64 = 16.0;
/// How far a step may be from the median step and counts as equal; a share of it.
const EQUAL: f64 = 0.01;
/// Share of steps that do not advance above which the clock is too coarse to tell steps apart.
const COARSE: f64 = 0.1;

/// The series in equal steps, without missing values, and what had to be set right for it.
///
/// The step is the median one. Where steps differ from it by more than a hundredth, values are drawn on straight lines at every
/// median step, or at every second, third and so on where there would be more than [`MAX_STEPS`] of them; steps of no time, steps back, and
/// steps above [`LONGEST_BRIDGE`] median steps, become one median step. Values missing at the ends are the
/// nearest ones. A channel without any value stays so.
pub fn even(series: Series) -> (Series, Vec<Fault>) {
    let mut faults = Vec::new();
    let Series { mut channels, times, rate } = series;
    for channel in &mut channels {
        faults.extend(fill(&mut channel.values).map(|count| match count {
            Filled::Nothing => Fault::WhollyMissing { channel: channel.name.clone() },
            Filled::Some(count) => Fault::Missing { channel: channel.name.clone(), count },
        }));
    }
    faults.extend(states(&channels));
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
    /// The median step, in the clock's unit.
    step: f64,
    /// Ascending, in steps from the first row.
    places: Vec<f64>,
    /// Steps that are bridged and are not the median one.
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
        let step = median(&steps)?;
        let (mut places, mut uneven, mut jumps) = (vec![0.0], 0, Vec::new());
        for (before, length) in steps.iter().enumerate() {
            let length_steps = length / step;
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
