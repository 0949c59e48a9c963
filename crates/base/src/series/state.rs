//! Sensors that stand still or are at the end of their range.

use super::{Channel, Fault};

/// Share of the steps at one end of the range from which a channel counts as saturated.
const SATURATED: f64 = 0.05;
/// Fewest steps in a row at that end; a signal of few levels is there often, but not for long.
const STAY: usize = 5;
/// Share of the steps that a channel has one and the same value without a break from which it stands still.
const STILL: f64 = 0.4;
/// Fewest steps of that: a handful of equal values is no sensor that died.
const STILL_FROM: usize = 20;

/// Tells channels that stand still, all the time or for long within their range, and those that stay at an end of it. Values are those that
/// were read: missing ones are no numbers, and channels without any are passed over.
pub(super) fn states(channels: &[Channel]) -> impl Iterator<Item = Fault> + '_ {
    channels.iter().filter_map(|channel| {
        let values = &channel.values;
        let read = || values.iter().copied().filter(|value| value.is_finite());
        let (least, most) = (read().min_by(f32::total_cmp)?, read().max_by(f32::total_cmp)?);
        let name = channel.name.clone();
        if least == most {
            return Some(Fault::Flat { channel: name, value: least, share: 1.0 });
        }
        let longest = values.chunk_by(|a, b| a == b).max_by_key(|run| run.len())?;
        let share = longest.len() as f64 / values.len() as f64;
        let is_within = longest[0] > least && longest[0] < most;
        if is_within && share >= STILL && longest.len() >= STILL_FROM {
            return Some(Fault::Flat { channel: name, value: longest[0], share: share as f32 });
        }
        let at_ends: usize = staying(values, least) + staying(values, most);
        let share = at_ends as f64 / values.len() as f64;
        (share >= SATURATED).then_some(Fault::Saturated { channel: name, share: share as f32 })
    })
}

/// Steps that belong to a run of at least [`STAY`] at this level.
fn staying(values: &[f32], level: f32) -> usize {
    values.chunk_by(|a, b| a == b).filter(|run| run[0] == level && run.len() >= STAY).map(<[f32]>::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: impl Fn(usize) -> f32, expected: Option<Fault>) {
        let channel = Channel { name: "a".into(), values: (0..1000).map(value).collect() };
        assert_eq!(states(&[channel]).next(), expected);
    }

    #[test]
    fn standing_and_cut_off_channels_are_told_and_others_are_not() {
        let wave = |step: usize| (step as f32 * 0.01).sin();
        check(wave, None);
        let flat = |value, share| Some(Fault::Flat { channel: "a".into(), value, share });
        check(|_| 3.0, flat(3.0, 1.0));
        check(|step| wave(step.min(500)), flat(wave(500), 0.5));
        check(|step| wave(step.min(700)), None);
        check(|step| if step < 500 { wave(step) } else { f32::NAN }, None);
        check(|step| if step < 500 { 3.0 } else { f32::NAN }, flat(3.0, 1.0));
        check(|step| (step % 2) as f32, None);
        check(|_| f32::NAN, None);
        let cut: Vec<f32> = (0..1000).map(|step| wave(step).min(0.5)).collect();
        let share = cut.iter().filter(|value| **value == 0.5).count() as f32 / 1000.0;
        check(|step| cut[step], Some(Fault::Saturated { channel: "a".into(), share }));
    }
}
