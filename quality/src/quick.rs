//! How good the quick model is that learns beside a person who labels, beside what tuning makes of the same labels, on examples that nobody
//! labels; and whether what it says of itself holds.
//!
//! Labels are given as the studio asks for them: half chosen, half drawn at random. It speaks as soon as two classes have two labels each.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::Context;
use dataset::{Dataset, ExampleId, Target};
use linalg::{Seed, random};
use pipeline::{Answers, Half, Quick, Run, Says};

use crate::run::tables;
use crate::table::{Table, home, read};
use crate::task::{self, Task};

/// The tasks, how many of their classes are told apart, and how often labels are drawn.
const TASKS: [(&str, usize, usize); 3] =
    [("clothing", 3, 20), ("clothing", usize::MAX, 20), ("banking77, MiniLM", 10, 10)];
/// Labels when it is measured.
const LABELS: [usize; 4] = [10, 20, 35, 100];
/// Labels between one queue and the next.
const STEP: usize = 2;
/// A person waits at most so long after a label.
const PATIENCE: Duration = Duration::from_millis(300);
/// At most so much below what tuning makes of the same labels, on average over the draws.
const BELOW: f64 = 0.02;
/// Least share of intervals of 95 % that hold the accuracy on the third of all examples that nobody labels, whose number leaves some open as well.
const HELD: f64 = 0.9;

/// What one draw brought with so many labels, where the quick model says something.
#[derive(Debug, Clone, Copy)]
struct Found {
    quick: f64,
    tuned: f64,
    /// What the quick model says of itself, once enough labels are a fair draw.
    estimate: Option<evaluate::Estimate>,
    took: Duration,
}

/// Every task; whether both floors are reached.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    let tasks = task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))?;
    println!(
        "{:<22} {:>7} {:>6} {:>6} {:>7} {:>7}   {:>7} {:>6} {:>6} {:>7} {:>7}   ms",
        "set, classes", "labels", "speaks", "quick", "tuned", "below", "says", "on", "width", "holds", "of"
    );
    let mut good = true;
    for (name, n_classes, draws) in TASKS {
        let task: &Task = tasks.iter().find(|task| task.name.starts_with(name)).context("a task has gone")?;
        let all: Vec<[Option<Found>; 4]> =
            (0..draws).map(|draw| draw_of(task, data, n_classes, draw)).collect::<anyhow::Result<_>>()?;
        for (at, n_labels) in LABELS.into_iter().enumerate() {
            let found: Vec<Found> = all.iter().filter_map(|draw| draw[at]).collect();
            let classes = if n_classes == usize::MAX { "all".to_owned() } else { n_classes.to_string() };
            print!(
                "{:<22} {n_labels:>7} {:>6}",
                format!("{name}, {classes}"),
                format!("{}/{draws}", found.len())
            );
            good &= print_found(&found);
            // With the most labels it must speak whatever was drawn.
            good &= Some(&n_labels) != LABELS.last() || found.len() == draws;
        }
    }
    good &= print_patience(data)?;
    Ok(good)
}

/// The rest of a line: means over the draws in which the quick model speaks; whether it reaches both floors.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn print_found(found: &[Found]) -> bool {
    if found.is_empty() {
        println!();
        return true;
    }
    let mean = |of: &dyn Fn(&Found) -> f64| found.iter().map(of).sum::<f64>() / found.len() as f64;
    let (quick, tuned) = (mean(&|one| one.quick), mean(&|one| one.tuned));
    print!(" {quick:>6.3} {tuned:>7.3} {:>+7.3}", tuned - quick);
    let told: Vec<(f64, evaluate::Estimate)> =
        found.iter().filter_map(|one| Some((one.quick, one.estimate?))).collect();
    let of_told =
        |of: &dyn Fn(&(f64, evaluate::Estimate)) -> f64| told.iter().map(of).sum::<f64>() / told.len() as f64;
    let held = of_told(&|(truth, one)| f64::from(u8::from((one.low..=one.high).contains(truth))));
    if told.is_empty() {
        print!("   {:>7} {:>6} {:>6} {:>7} {:>7}", "", "", "", "", 0);
    } else {
        print!(
            "   {:>7.3} {:>6.1} {:>6.3} {held:>7.2} {:>7}",
            of_told(&|(_, one)| one.value),
            of_told(&|(_, one)| one.n as f64),
            of_told(&|(_, one)| one.high - one.low),
            told.len(),
        );
    }
    println!("   {:.0}", mean(&|one| one.took.as_secs_f64() * 1e3));
    tuned - quick <= BELOW && (told.is_empty() || held >= HELD)
}

/// How long a person waits after a label among 1,000 examples, whatever is asked for: judging and choosing what comes next, the middle of
/// five. Every second example has an answer.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn print_patience(data: &Path) -> anyhow::Result<bool> {
    let tasks = task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))?;
    let task = tasks.iter().find(|task| task.name.starts_with("clothing")).context("a task has gone")?;
    let (train, test) = (read(task, &data.join(&task.train))?, read(task, &data.join(&task.test))?);
    let (train_table, test_table) = tables(task, data)?;
    let labels = train_table.and(&test_table).labels;
    let all = |table: &Table| (0..table.n()).collect::<Vec<usize>>();
    let mut both = joined(&train, &all(&train_table), &test, &all(&test_table));
    let n = both.examples.len().min(1000);
    both.examples.truncate(n);
    let (order, cancelled): (Vec<usize>, _) = ((0..n).collect(), AtomicBool::new(false));
    let (quick, _, _) = Quick::look(&home()?, both, &order, 1, &Run::new(&|_| {}, &cancelled))?;
    let given = |row: usize| row.is_multiple_of(2).then(|| labels[row]);
    let kinds = [
        ("one class", Answers::Classes((0..n).map(given).collect())),
        (
            "several labels",
            Answers::Sets((0..n).map(|row| given(row).map(|one| vec![one / 2, 5 + one % 5])).collect()),
        ),
        ("a number", Answers::Numbers((0..n).map(|row| given(row).map(f64::from)).collect())),
    ];
    let mut good = true;
    for (name, answers) in kinds {
        let drawn = answers.given();
        // The first one prepares what all later ones share.
        quick.judge(&answers, &drawn);
        let mut times = Vec::new();
        for _ in 0..5 {
            let began = Instant::now();
            let judged = quick.judge(&answers, &drawn);
            quick.next(&answers, &judged, 60)?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        println!("after a label, {n} examples, {name}: {:.0} ms", times[2].as_secs_f64() * 1e3);
        good &= times[2] <= PATIENCE;
    }
    Ok(good)
}

/// Labels, the quick model and a tuned head along the way.
fn draw_of(task: &Task, data: &Path, n_classes: usize, draw: usize) -> anyhow::Result<[Option<Found>; 4]> {
    let (train, test) = (read(task, &data.join(&task.train))?, read(task, &data.join(&task.test))?);
    let (train_table, test_table) = tables(task, data)?;
    let is_asked = |label: &u32| (*label as usize) < n_classes;
    let kept =
        |labels: &[u32]| -> Vec<usize> { (0..labels.len()).filter(|row| is_asked(&labels[*row])).collect() };
    let (of_train, of_test) = (kept(&train_table.labels), kept(&test_table.labels));
    let (train_table, test_table) = (train_table.select(&of_train), test_table.select(&of_test));
    let both = joined(&train, &of_train, &test, &of_test);
    let table = train_table.and(&test_table);
    // What judges comes from where the labels come from: a test part that is easier would find every interval too low.
    let mut order: Vec<usize> = (0..table.n()).collect();
    random::shuffle(&mut order, &mut Seed(draw as u64).rng());
    let judging = order[2 * table.n() / 3..].to_vec();
    let cancelled = AtomicBool::new(false);
    let (quick, places, _) =
        Quick::look(&home()?, both, &order, draw as u64, &Run::new(&|_| {}, &cancelled))?;
    anyhow::ensure!(places.len() == table.n(), "all examples can be looked at");
    let (mut labels, mut drawn) = (vec![None; quick.n()], vec![false; quick.n()]);
    let mut found = Vec::new();
    let mut judged = quick.judge(&Answers::Classes(labels.clone()), &drawn);
    for n_labels in LABELS {
        while labels.iter().flatten().count() < n_labels {
            // What judges is never asked for.
            let queue = quick.next(&Answers::Classes(labels.clone()), &judged, 60)?;
            for (row, half) in queue.into_iter().filter(|(row, _)| !judging.contains(row)).take(STEP) {
                labels[row] = Some(table.labels[row]);
                drawn[row] = half == Half::Random;
            }
            judged = quick.judge(&Answers::Classes(labels.clone()), &drawn);
        }
        let began = Instant::now();
        let again = quick.judge(&Answers::Classes(labels.clone()), &drawn);
        let took = began.elapsed();
        let Says::Classes(says) = &again.says else {
            found.push(None);
            continue;
        };
        let is_right = |row: &&usize| says[**row].is_some_and(|(class, _)| class == table.labels[**row]);
        let right = judging.iter().filter(is_right).count();
        let rows: Vec<usize> = (0..table.n()).filter(|row| labels[*row].is_some()).collect();
        found.push(Some(Found {
            quick: right as f64 / judging.len() as f64,
            tuned: tuned(table.select(&rows), table.select(&judging), draw as u64)?,
            estimate: again.headline().map(|measure| measure.estimate),
            took,
        }));
    }
    Ok(found.try_into().expect("one for each number of labels"))
}

/// Accuracy of what tuning makes of these rows; classes that none of them has are answered wrong.
fn tuned(mut rows: Table, mut test: Table, seed: u64) -> anyhow::Result<f64> {
    let mut classes = rows.labels.clone();
    classes.sort_unstable();
    classes.dedup();
    let number = |label: &u32| classes.binary_search(label).map_or(u32::MAX, |class| class as u32);
    for table in [&mut rows, &mut test] {
        table.labels = table.labels.iter().map(number).collect();
        table.n_classes = classes.len();
    }
    Ok(test.accuracy(&rows.tune(seed)?.head))
}

/// Some examples of both parts, without their labels.
fn joined(train: &Dataset, of_train: &[usize], test: &Dataset, of_test: &[usize]) -> Dataset {
    let mut both = train.clone();
    both.examples.clear();
    for (part, data, rows) in [("train", train, of_train), ("test", test, of_test)] {
        let labelled: Vec<_> =
            data.examples.iter().filter(|example| example.target != Target::Unlabelled).collect();
        both.examples.extend(rows.iter().map(|row| {
            let mut example = labelled[*row].clone();
            example.id = ExampleId(format!("{part}/{}", example.id.0));
            example.target = Target::Unlabelled;
            example
        }));
    }
    both
}
