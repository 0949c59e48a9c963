//! What a deployment answered in a day.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Steps of the histogram of times: each is a quarter of a doubling, from an eighth of a millisecond on.
const STEPS: usize = 80;
const STEPS_A_DOUBLING: f64 = 4.0;
const SHORTEST: f64 = 0.125;
/// Different answers that are counted; others are counted together.
const MOST_ANSWERS: usize = 1000;

/// Counts of a day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Day {
    pub(crate) n_requests: u64,
    /// Of inputs, by the model that answered.
    pub(crate) answers: BTreeMap<String, BTreeMap<String, u64>>,
    /// Inputs that somebody should look at: "I don't know", unlike anything seen, alarms.
    pub(crate) n_doubtful: u64,
    times: Vec<u64>,
    /// By the model that was compared: inputs, and those with the same answer.
    pub(crate) compared: BTreeMap<String, (u64, u64)>,
}

impl Day {
    pub(crate) fn count_answer(&mut self, model: &str, answer: &str) {
        let answers = self.answers.entry(model.to_owned()).or_default();
        let known = answers.contains_key(answer) || answers.len() < MOST_ANSWERS;
        *answers.entry(if known { answer } else { "…" }.to_owned()).or_default() += 1;
    }

    /// Of all models together.
    pub(crate) fn all_answers(&self) -> BTreeMap<&str, u64> {
        let mut all = BTreeMap::new();
        for (answer, count) in self.answers.values().flatten() {
            *all.entry(answer.as_str()).or_default() += count;
        }
        all
    }

    pub(crate) fn count_time(&mut self, took: Duration) {
        self.n_requests += 1;
        self.times.resize(STEPS, 0);
        let doublings = (1000.0 * took.as_secs_f64() / SHORTEST).max(1.0).log2();
        self.times[((doublings * STEPS_A_DOUBLING) as usize).min(STEPS - 1)] += 1;
    }

    /// In milliseconds, to a fifth; `share` is 0.5 for the median. Absent where nothing was asked.
    pub(crate) fn time(&self, share: f64) -> Option<f64> {
        let wanted = (share * self.n_requests as f64).ceil().max(1.0) as u64;
        let mut so_far = 0;
        let step = self.times.iter().position(|count| {
            so_far += count;
            so_far >= wanted
        });
        Some(SHORTEST * ((step? as f64 + 0.5) / STEPS_A_DOUBLING).exp2())
    }

    /// Takes the counts of another server in.
    pub(crate) fn join(&mut self, other: Self) {
        self.n_requests += other.n_requests;
        self.n_doubtful += other.n_doubtful;
        for (model, answers) in other.answers {
            let ours = self.answers.entry(model).or_default();
            answers.into_iter().for_each(|(answer, count)| *ours.entry(answer).or_default() += count);
        }
        self.times.resize(STEPS, 0);
        self.times.iter_mut().zip(other.times).for_each(|(count, other)| *count += other);
        for (model, (n, same)) in other.compared {
            let compared = self.compared.entry(model).or_default();
            *compared = (compared.0 + n, compared.1 + same);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_known_to_a_fifth() {
        let mut day = Day::default();
        assert_eq!(day.time(0.5), None);
        (1..=100).for_each(|milliseconds| day.count_time(Duration::from_millis(milliseconds)));
        let [median, late] = [0.5, 0.95].map(|share| day.time(share).expect("some"));
        assert!((median / 50.0 - 1.0).abs() < 0.2 && (late / 95.0 - 1.0).abs() < 0.2, "{median} {late}");
        day.count_time(Duration::from_secs(86_400));
        day.count_time(Duration::ZERO);
    }

    #[test]
    fn days_of_two_servers_add_up() {
        let mut day = Day::default();
        (0..1200).for_each(|answer| day.count_answer("m", &answer.to_string()));
        assert_eq!((day.answers["m"].len(), day.answers["m"]["…"]), (1001, 200));
        day.count_time(Duration::from_millis(3));
        let mut both = day.clone();
        both.join(day);
        assert_eq!((both.n_requests, both.all_answers()["…"]), (2, 400));
    }
}
