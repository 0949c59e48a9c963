//! Who of the annotators became better or worse, by when their votes were given.

use std::collections::BTreeMap;

use curate::consensus::{Vote, Votes, drift};
use linalg::{Matrix, Seed};
use serde::Serialize;

use super::ballot::Ballot;
use crate::PipelineError;
use crate::report::Sentence;

/// How an annotator's votes changed over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrowdChange {
    /// Expected share of right votes in each quarter of their votes, the earliest first.
    pub quarters: [f64; 4],
    /// How often a random order of the votes differs as much between quarters.
    pub p_value: f64,
    /// Whether it is surely a change: of those told at most a tenth are chance.
    pub is_change: bool,
}

/// `[annotators]`: how each changed, where the table has times and they gave twenty votes or more; and what is to be told of the times.
pub(super) fn changes(
    ballot: &Ballot,
    votes: &Votes,
    beliefs: &Matrix<f64>,
    seed: Seed,
) -> Result<(Vec<Option<CrowdChange>>, Option<Sentence>), PipelineError> {
    let mut changes = vec![None; ballot.annotators.len()];
    if ballot.times.iter().all(String::is_empty) {
        return Ok((changes, None));
    }
    let moments = moments(&ballot.times);
    let unread =
        ballot.times.iter().zip(&moments).find(|(time, moment)| !time.is_empty() && moment.is_none());
    let told = unread.map(|(time, _)| unreadable(time));
    // Of repeated votes the first counts, so its time does.
    let mut first: BTreeMap<(u32, u32), Option<f64>> = BTreeMap::new();
    for (vote, moment) in ballot.votes.iter().zip(moments) {
        first.entry(of(vote)).or_insert(moment);
    }
    let times: Vec<Option<f64>> = votes.all().iter().map(|vote| first[&of(vote)]).collect();
    for found in drift(votes, beliefs, &times, seed)? {
        let (quarters, p_value, is_change) = (found.accuracy, found.p_value, found.is_change);
        changes[found.annotator as usize] = Some(CrowdChange { quarters, p_value, is_change });
    }
    Ok((changes, told))
}

fn of(vote: &Vote) -> (u32, u32) {
    (vote.example, vote.annotator)
}

/// The place of each time in the order of all: of numbers where all are, else of dates with the year first.
fn moments(times: &[String]) -> Vec<Option<f64>> {
    let number = |time: &String| time.parse::<f64>().ok().filter(|number| number.is_finite());
    if times.iter().all(|time| time.is_empty() || number(time).is_some()) {
        return times.iter().map(number).collect();
    }
    let parts: Vec<Option<Vec<u64>>> = times.iter().map(|time| date(time)).collect();
    let mut order: Vec<&Vec<u64>> = parts.iter().flatten().collect();
    order.sort();
    order.dedup();
    let place = |parts: &Vec<u64>| order.binary_search(&parts).ok().map(|place| place as f64);
    parts.iter().map(|parts| parts.as_ref().and_then(place)).collect()
}

/// Year, month, day, and perhaps hour, minute, second and its fraction: `2031-05-28 14:05`, `2031/5/28`, `2031年5月28日`. A half of the day
/// or a zone is not understood, so that it does not put votes in a wrong order.
fn date(time: &str) -> Option<Vec<u64>> {
    let is_plain = |sign: char| sign.is_ascii_digit() || "-/.: TZ年月日时点分秒".contains(sign);
    let mut parts: Vec<&str> =
        time.split(|sign: char| !sign.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let fraction = if parts.len() == 7 { parts.pop() } else { None };
    let is_fraction =
        |digits: &str| digits.len() <= 9 && time.trim_end_matches('Z').ends_with(&format!(".{digits}"));
    if !time.chars().all(is_plain) || parts.len() > 6 || !fraction.is_none_or(is_fraction) {
        return None;
    }
    let mut parts: Vec<u64> = parts.into_iter().map(str::parse).collect::<Result<_, _>>().ok()?;
    parts.extend(fraction.and_then(|digits| format!("{digits:0<9}").parse::<u64>().ok()));
    matches!(parts[..], [1000..=9999, 1..=12, 1..=31, ..]).then_some(parts)
}

fn unreadable(time: &str) -> Sentence {
    Sentence {
        en: format!(
            "some times cannot be read, `{time}` for one, and those votes say nothing about changes; write 2031-05-28 14:05, or numbers throughout."
        ),
        zh: format!(
            "有些时间无法读取，例如“{time}”，这些票不用于判断标注员的变化；请写成 2031-05-28 14:05，或全部用数字。"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(times: &[&str], expect: &[Option<f64>]) {
        let times: Vec<String> = times.iter().map(|time| (*time).to_owned()).collect();
        assert_eq!(moments(&times), expect);
    }

    #[test]
    fn times_are_put_in_order() {
        check(&["10", "9.5", ""], &[Some(10.0), Some(9.5), None]);
        check(&["2031-05-28 14:05", "2031/5/3", "2030年12月31日"], &[Some(2.0), Some(1.0), Some(0.0)]);
        check(&["2031-05-28T14:05:07Z", "2031-05-28T09:00:00Z"], &[Some(1.0), Some(0.0)]);
        check(&["28.05.2031", "2031-05-28", "soon"], &[None, Some(0.0), None]);
        check(&["2031-05-28 2:05 PM", "2031-05-28T14:05:00+02:00", "2031-05-28"], &[None, None, Some(0.0)]);
        check(&["2031-05-28 14:05:07.5", "2031-05-28 14:05:07.25Z"], &[Some(1.0), Some(0.0)]);
    }
}
