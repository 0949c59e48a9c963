//! Several senses of one thing: what each combination is worth, whether a model of all answers for those that are there, and what broken
//! ones cost; and which planted wrong pairs and labels an audit finds; whether a gate earns its place; what good
//! series alone teach. On emoji (picture, English, Chinese) and on a made machine (photo,
//! sound, vibration, note).

mod emoji;
mod gated;
mod machine;
mod planted;
mod traces;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use bundle::Form;
use dataset::{Dataset, Modality, ReadOptions, Sense};
use linalg::Matrix;
use pipeline::{Home, Lang, Run, Source, TuneRequest};

use crate::peer::{Peer, floats, labels};
use crate::table::Table;

/// Prints both tables, and tells whether every aim is reached.
pub(crate) fn print(words: &[String], data: &Path) -> anyhow::Result<bool> {
    let wants = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    let mut good = true;
    if wants("machine") {
        good &= machine::print()?;
    }
    if wants("emoji") {
        good &= emoji::print(data)?;
    }
    if wants("planted") {
        good &= planted::print(data)?;
    }
    if wants("gated") {
        good &= gated::print(data)?;
    }
    if wants("traces") {
        good &= traces::print()?;
    }
    Ok(good)
}

/// Tables of examples with a column for each sense, and models of some of them.
struct Bench {
    home: Home,
    dir: PathBuf,
    senses: Vec<Sense>,
}

impl Bench {
    fn new(home: Home, dir: PathBuf, senses: &[(&str, Modality)]) -> Self {
        let sense =
            |(name, modality): &(&str, Modality)| Sense { name: (*name).to_owned(), modality: *modality };
        Self { home, dir, senses: senses.iter().map(sense).collect() }
    }

    /// Every combination of the senses, by their places; the smaller first.
    fn combinations(&self) -> Vec<Vec<usize>> {
        let of = |bits: usize| (0..self.senses.len()).filter(move |sense| bits >> sense & 1 == 1).collect();
        let mut all: Vec<Vec<usize>> = (1..1 << self.senses.len()).map(of).collect();
        all.sort_by_key(|senses: &Vec<usize>| (senses.len(), senses.clone()));
        all
    }

    fn name(&self, senses: &[usize]) -> String {
        senses.iter().map(|sense| self.senses[*sense].name.as_str()).collect::<Vec<_>>().join(" + ")
    }

    fn read(&self, senses: &[usize]) -> ReadOptions {
        ReadOptions {
            contents: senses.iter().map(|sense| self.senses[*sense].clone()).collect(),
            label: Some("label".to_owned()),
            ..ReadOptions::default()
        }
    }

    /// The share that logistic regression in Python gets right by the features of some senses side by side; of several each has length one.
    fn plain(&self, peer: &Peer, train: &Path, test: &Path, senses: &[usize]) -> anyhow::Result<f64> {
        let tables = senses.iter().map(|sense| self.features(train, test, *sense));
        let tables = tables.collect::<anyhow::Result<Vec<[Table; 2]>>>()?;
        let side_by_side = |part: usize| -> (Vec<f32>, usize) {
            let sets: Vec<&Matrix> = tables.iter().map(|parts| &parts[part].sets[0].x).collect();
            let several = sets.len() > 1;
            let row = |row: usize| sets.iter().flat_map(move |set| scaled(set.row(row), several));
            ((0..sets[0].rows()).flat_map(row).collect(), sets.iter().map(|set| set.cols()).sum())
        };
        let ((x, dim), (z, _)) = (side_by_side(0), side_by_side(1));
        let of = |part: usize| &tables[0][part].labels;
        let files = [
            ("train.f32", floats(&x)),
            ("test.f32", floats(&z)),
            ("train.u32", labels(of(0))),
            ("test.u32", labels(of(1))),
        ];
        Ok(peer.ask("logistic.py", &files, &[x.len() / dim, z.len() / dim, dim])?.trim().parse()?)
    }

    /// The features of one sense, of what is learned from and of what is measured on.
    fn features(&self, train: &Path, test: &Path, sense: usize) -> anyhow::Result<[Table; 2]> {
        let never = AtomicBool::new(false);
        let run = Run::new(&|_| {}, &never);
        let base = self.home.open_base(Home::default_base(self.senses[sense].modality), &run)?;
        let read = |path: &Path| dataset::read(path, &self.read(&[sense]));
        let (train, test) = (read(train)?.0, read(test)?.0);
        let of = |part: &Dataset| Table::new(&self.home.cache.join("features"), &base, part, train.classes());
        Ok([of(&train)?, of(&test)?])
    }

    /// Tunes on a table with these senses, and gives the bundle.
    fn tune(&self, table: &Path, senses: &[usize], seed: u64) -> anyhow::Result<PathBuf> {
        let out = self.dir.join(format!("{}.djm", self.name(senses).replace(" + ", "-")));
        let request = TuneRequest {
            source: Source::At { path: table.to_owned(), read: self.read(senses) },
            base: None,
            form: Form::of(&out),
            report: out.with_extension("html"),
            out: out.clone(),
            lang: Lang::En,
            target_error: 0.05,
            words: true,
            seed,
            created: "2000-01-01T00:00:00Z".to_owned(),
        };
        pipeline::tune(&self.home, &request, &Run::new(&|_| {}, &AtomicBool::new(false)))?;
        Ok(out)
    }

    /// Share of a labelled table that a bundle names rightly by these senses, which may be fewer than it knows.
    fn accuracy(&self, bundle: &Path, table: &Path, senses: &[usize]) -> anyhow::Result<f64> {
        let cancelled = AtomicBool::new(false);
        let run = Run::new(&|_| {}, &cancelled);
        let read = self.read(senses);
        let held_out = if bundle::kind(bundle)? == bundle::BundleKind::Senses {
            let predictor = self.home.open_senses(bundle, &run)?;
            let shown = self.only(table, senses)?;
            pipeline::evaluate_senses(&self.home, &predictor, &shown, &read, &run)?
        } else {
            let predictor = self.home.open_bundle(bundle, &run)?;
            pipeline::evaluate(&self.home, &predictor, table, &read, &run)?
        };
        Ok(held_out.measures.first().context("something was measured")?.estimate.value)
    }

    /// The same table with the columns of these senses only.
    fn only(&self, table: &Path, senses: &[usize]) -> anyhow::Result<PathBuf> {
        let mut reader = csv::Reader::from_path(table)?;
        let header = reader.headers()?.clone();
        let is_kept = |column: &&str| {
            let sense = self.senses.iter().position(|sense| sense.name == **column);
            sense.is_none_or(|sense| senses.contains(&sense))
        };
        let kept: Vec<usize> =
            header.iter().enumerate().filter(|(_, name)| is_kept(name)).map(|(at, _)| at).collect();
        let path = table.with_file_name("shown.csv");
        let mut writer = csv::Writer::from_path(&path)?;
        writer.write_record(kept.iter().map(|at| &header[*at]))?;
        for row in reader.records() {
            let row = row?;
            writer.write_record(kept.iter().map(|at| &row[*at]))?;
        }
        writer.flush()?;
        Ok(path)
    }
}

/// A row as it is, or of length one.
fn scaled(row: &[f32], to_one: bool) -> impl Iterator<Item = f32> {
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    let scale = if to_one && length > 0.0 { 1.0 / length } else { 1.0 };
    row.iter().map(move |value| value * scale)
}
