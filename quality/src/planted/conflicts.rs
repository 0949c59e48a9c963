//! Rules in conflict, planted into made sets: found among the first ten cases, and with the attribute that was planted.

use curate::consistency::planted::{Plan, Rule};
use curate::consistency::study;
use linalg::Seed;

const TRIALS: usize = 200;
const FLOOR: f64 = 0.8;
/// The noise up to which the floor holds; more is shown.
const USUAL: f64 = 0.05;
/// Examples that two rules speak about.
const REGION: usize = 60;

/// Both rules at two rates of noise; whether the floor is reached with the lower one.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print() -> anyhow::Result<bool> {
    let mut good = true;
    println!("{:<34} {:>10} {:>10}", "conflict, 1000 x 32", "found", "named");
    for (rule, name) in
        [(Rule::Annotator, "a rule of one of three annotators"), (Rule::Size, "a rule by size")]
    {
        for noise in [0.05, 0.15] {
            let plan = Plan { n: 1000, n_classes: 5, dim: 32, noise, region: Some((REGION, rule)) };
            let found = study(plan, TRIALS, |_| (), Seed(5))?;
            println!(
                "{:<34} {:>7}/{TRIALS} {:>7}/{TRIALS}",
                format!("{name}, {:.0} %", 100.0 * noise),
                found.found,
                found.explained
            );
            good &= noise > USUAL || found.found as f64 >= FLOOR * TRIALS as f64;
        }
    }
    Ok(good)
}
