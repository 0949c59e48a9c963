//! Planted faults: notes and photos of other examples, and wrong labels. Which of them does an audit of all senses find, and which do audits
//! of one sense at a time, which can only doubt labels?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use dataset::Modality;
use linalg::{Seed, random};
use pipeline::{AuditRequest, Fault, Run, Source};

use super::{Bench, emoji, machine};
use crate::table::home;

/// Share of examples that get the sense of another one, and as many another label.
const SHARE: usize = 20;
const N_EMOJI: usize = 800;
const N_MACHINES: usize = 200;
/// Draws of each set.
const DRAWS: usize = 3;

/// A table as text: one row an example, the label last.
type Rows = Vec<Vec<String>>;

/// Prints both sets, and tells whether all senses find more than any one, at no lower precision.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print(data: &Path) -> anyhow::Result<bool> {
    let dir = std::env::temp_dir().join(format!("dianjing-planted-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    println!(
        "one in {SHARE} with the sense of another example, as many with another label; mean of {DRAWS} draws"
    );
    println!("{:<34} {:>8} {:>8} {:>10}", "found as wrong", "recall", "same too", "precision");
    let bench = Bench::new(home()?, dir.clone(), &emoji::SENSES);
    let mut good = planted(&bench, &of_emoji(data)?, "english")?;
    let senses = [
        ("photo", Modality::Image),
        ("sound", Modality::Sound),
        ("vibration", Modality::Series),
        ("note", Modality::Text),
    ];
    let bench = Bench::new(home()?, dir.clone(), &senses);
    let machines = of_machines(&dir)?;
    good &= planted(&bench, &machines, "photo")?;
    good &= planted(&bench, &machines, "vibration")?;
    std::fs::remove_dir_all(&dir)?;
    Ok(good)
}

fn of_emoji(data: &Path) -> anyhow::Result<Rows> {
    let (folder, emoji) = emoji::read(data)?;
    let mut order: Vec<usize> = (0..emoji.len()).collect();
    random::shuffle(&mut order, &mut Seed(3).derive("planted").rng());
    let row = |at: &usize| {
        let emoji::Emoji { image, category, caption_en, caption_zh } = &emoji[*at];
        let image = folder.join(image).to_string_lossy().into_owned();
        vec![image, caption_en.clone(), caption_zh.clone(), category.clone()]
    };
    Ok(order.iter().take(N_EMOJI).map(row).collect())
}

fn of_machines(dir: &Path) -> anyhow::Result<Rows> {
    let path = machine::table(dir, "planted", N_MACHINES)?;
    let mut reader = csv::Reader::from_path(path)?;
    let rows = reader.records().map(|row| Ok(row?.iter().map(str::to_owned).collect()));
    rows.collect::<Result<_, csv::Error>>().map_err(Into::into)
}

/// What was found of what was planted.
#[derive(Default)]
struct Found {
    /// Share of the foreign senses of another class that were flagged.
    recall: f64,
    /// Share of all foreign senses.
    of_all: f64,
    /// Share of the flagged that were planted, of those that count.
    precision: f64,
}

impl Found {
    /// `beside` are rows of another fault, which whoever cannot tell the two apart may flag as well: they do not count.
    fn add(
        &mut self,
        flagged: &BTreeSet<usize>,
        other: &BTreeSet<usize>,
        all: &BTreeSet<usize>,
        beside: &BTreeSet<usize>,
    ) {
        let share = |of: usize, n: usize| if n == 0 { 0.0 } else { of as f64 / n as f64 / DRAWS as f64 };
        self.recall += share(flagged.intersection(other).count(), other.len());
        self.of_all += share(flagged.intersection(all).count(), all.len());
        self.precision += share(flagged.intersection(all).count(), flagged.difference(beside).count());
    }

    #[allow(clippy::print_stdout, reason = "printing is what this program is for")]
    fn print(&self, name: &str) {
        println!("{name:<34} {:>8.3} {:>8.3} {:>10.3}", self.recall, self.of_all, self.precision);
    }
}

/// Plants in one sense, and compares.
fn planted(bench: &Bench, rows: &Rows, sense: &str) -> anyhow::Result<bool> {
    let place = bench
        .senses
        .iter()
        .position(|known| known.name == sense)
        .with_context(|| format!("there is no sense `{sense}`"))?;
    let all: Vec<usize> = (0..bench.senses.len()).collect();
    let (mut together, mut alone, mut any) = (Found::default(), Found::default(), Found::default());
    let (mut labels, mut of_one) = (Found::default(), Found::default());
    let none = BTreeSet::new();
    for draw in 0..DRAWS {
        let drawn = Drawn::new(rows, place, draw);
        let table = bench.dir.join("table.csv");
        drawn.write(&table, bench)?;
        let found = flagged(bench, &table, &all)?;
        together.add(&found.senses, &drawn.other_class, &drawn.foreign, &none);
        labels.add(&found.labels, &drawn.mislabelled, &drawn.mislabelled, &none);
        let mut by_any = BTreeSet::new();
        for one in &all {
            let found = flagged(bench, &table, &[*one])?;
            if *one == place {
                alone.add(&found.labels, &drawn.other_class, &drawn.foreign, &drawn.mislabelled);
                of_one.add(&found.labels, &drawn.mislabelled, &drawn.mislabelled, &drawn.foreign);
            }
            by_any.extend(found.labels);
        }
        any.add(&by_any, &drawn.other_class, &drawn.foreign, &drawn.mislabelled);
    }
    together.print(&format!("{sense}: all senses, conflicts"));
    alone.print(&format!("{sense}: labels doubted by it alone"));
    any.print(&format!("{sense}: labels doubted by any one"));
    labels.print("labels: all senses");
    of_one.print(&format!("labels: {sense} alone"));
    let better = |a: &Found, b: &Found| a.precision > b.precision && a.recall > b.recall - 0.1;
    Ok(better(&together, &alone) && better(&together, &any) && better(&labels, &of_one))
}

/// One draw of what is planted.
struct Drawn {
    rows: Rows,
    foreign: BTreeSet<usize>,
    /// Those of the foreign ones that come from another class.
    other_class: BTreeSet<usize>,
    mislabelled: BTreeSet<usize>,
}

impl Drawn {
    fn new(rows: &Rows, sense: usize, draw: usize) -> Self {
        let mut rng = Seed(5).derive("planted").nth(draw).rng();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        random::shuffle(&mut order, &mut rng);
        let label = |row: usize| rows[row].last().expect("a row ends with its label");
        let (foreign, rest) = order.split_at(rows.len() / SHARE);
        let mislabelled = &rest[..rows.len() / SHARE];
        let mut made = rows.clone();
        let mut other_class = BTreeSet::new();
        for (at, row) in foreign.iter().enumerate() {
            let from = foreign[(at + 1) % foreign.len()];
            made[*row][sense].clone_from(&rows[from][sense]);
            if label(*row) != label(from) {
                other_class.insert(*row);
            }
        }
        for row in mislabelled {
            let start = random::below(&mut rng, order.len());
            let mut others = order.iter().cycle().skip(start).take(order.len());
            let other = others.find(|other| label(**other) != label(*row)).expect("there are two classes");
            *made[*row].last_mut().expect("a row ends with its label") = label(*other).clone();
        }
        Self {
            rows: made,
            foreign: foreign.iter().copied().collect(),
            other_class,
            mislabelled: mislabelled.iter().copied().collect(),
        }
    }

    fn write(&self, path: &PathBuf, bench: &Bench) -> anyhow::Result<()> {
        let mut table = csv::Writer::from_path(path)?;
        let names = bench.senses.iter().map(|sense| sense.name.as_str());
        table.write_record(["id"].into_iter().chain(names).chain(["label"]))?;
        for (number, row) in self.rows.iter().enumerate() {
            table.write_record([number.to_string()].iter().chain(row))?;
        }
        table.flush()?;
        Ok(())
    }
}

/// The rows whose senses contradict each other, and whose labels are doubted.
struct Flagged {
    senses: BTreeSet<usize>,
    labels: BTreeSet<usize>,
}

fn flagged(bench: &Bench, table: &Path, senses: &[usize]) -> anyhow::Result<Flagged> {
    let request = AuditRequest {
        source: Source::At { path: table.to_owned(), read: bench.read(senses) },
        base: None,
        skip: Fault::ALL
            .into_iter()
            .filter(|fault| !matches!(fault, Fault::Label | Fault::SenseConflict))
            .collect(),
        rules: None,
        seed: 0,
    };
    let found = pipeline::audit(&bench.home, &request, &Run::new(&|_| {}, &AtomicBool::new(false)))?;
    let of = |fault: Fault| {
        let of_fault = found.findings.iter().filter(move |finding| finding.fault == fault);
        of_fault.flat_map(|finding| finding.rows.iter().copied()).collect()
    };
    Ok(Flagged { senses: of(Fault::SenseConflict), labels: of(Fault::Label) })
}
