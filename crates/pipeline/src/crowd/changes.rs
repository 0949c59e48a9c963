//! Who of the annotators became better or worse, by when their votes were given.

use std::collections::BTreeMap;

use curate::consensus::{Vote, Votes, drift};
use curate::moment;
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

/// The moment of each time: numbers where all are, else dates with the year first.
fn moments(times: &[String]) -> Vec<Option<f64>> {
    let number = |time: &String| time.parse::<f64>().ok().filter(|number| number.is_finite());
    if times.iter().all(|time| time.is_empty() || number(time).is_some()) {
        return times.iter().map(number).collect();
    }
    times.iter().map(|time| moment::seconds(time)).collect()
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

    /// `expect` is the place of each time among those that can be read.
    #[track_caller]
    fn check(times: &[&str], expect: &[Option<usize>]) {
        let times: Vec<String> = times.iter().map(|time| (*time).to_owned()).collect();
        let moments = moments(&times);
        let earlier = |moment: &f64| moments.iter().flatten().filter(|other| *other < moment).count();
        let places: Vec<Option<usize>> = moments.iter().map(|moment| moment.as_ref().map(earlier)).collect();
        assert_eq!(places, expect);
    }

    #[test]
    fn times_are_put_in_order() {
        check(&["10", "9.5", ""], &[Some(1), Some(0), None]);
        check(&["2031-05-28 14:05", "2031/5/3", "2030年12月31日"], &[Some(2), Some(1), Some(0)]);
        check(&["2031-05-28T14:05:07Z", "2031-05-28T09:00:00Z"], &[Some(1), Some(0)]);
        check(&["28.05.2031", "2031-05-28", "soon"], &[None, Some(0), None]);
        check(&["2031-05-28 2:05 PM", "2031-05-28T14:05:00+02:00", "2031-05-28"], &[None, None, Some(0)]);
        check(&["2031-05-28 14:05:07.5", "2031-05-28 14:05:07.25Z"], &[Some(1), Some(0)]);
    }
}
