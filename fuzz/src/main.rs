//! Feeds broken input to every parser, for a bounded time.
//!
//! Plain stable Rust: seeds from `seeds/TARGET/` are mutated in a fixed order, so the same number of rounds meets the same
//! inputs. It is not guided by coverage; a target is a plain function over bytes ([`targets`]), so that a guided fuzzer
//! can wrap the same functions.
//!
//! Each target runs in a process of its own. What counts as found: a panic, a death by signal (stack, memory), one
//! allocation above [`memory::LARGEST`], an input that takes longer than [`SLOW`]. The input is kept.

mod memory;
mod mutate;
mod targets;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs, panic};

use anyhow::{Context, Result, bail};

use crate::mutate::Mutator;
use crate::targets::{TARGETS, Target};

/// An input of a few kilobytes that takes longer than this is a way to stop a server.
const SLOW: Duration = Duration::from_secs(5);

const HELP: &str = "fuzz [--seconds N] [--only TARGET] | --replay TARGET FILE";

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--worker", name, seconds, current] => {
            worker(target(name)?, Duration::from_secs(seconds.parse()?), Path::new(current))
        }
        ["--replay", name, file] => {
            (target(name)?.run)(&fs::read(file)?);
            Ok(ExitCode::SUCCESS)
        }
        [] => all(TARGETS, 30),
        ["--seconds", seconds] => all(TARGETS, seconds.parse().context(HELP)?),
        ["--seconds", seconds, "--only", name] => all(&[*target(name)?], seconds.parse().context(HELP)?),
        _ => bail!(HELP),
    }
}

fn target(name: &str) -> Result<&'static Target> {
    let names = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    TARGETS.iter().find(|target| target.name == name).with_context(|| format!("`{name}` is none of {}", names()))
}

/// Runs each target in its own process and keeps the inputs that break one.
fn all(targets: &[Target], seconds: u64) -> Result<ExitCode> {
    let scratch = tempfile::tempdir()?;
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("found");
    let mut passed = 0;
    for target in targets {
        let current = scratch.path().join(target.name);
        let status = Command::new(env::current_exe()?)
            .args(["--worker", target.name, &seconds.to_string()])
            .arg(&current)
            .status()?;
        if status.success() {
            passed += 1;
            continue;
        }
        fs::create_dir_all(&found)?;
        let kept = found.join(target.name);
        fs::copy(&current, &kept).context("the worker died before its first input")?;
        eprintln!("{}: FOUND ({status}): {}", target.name, kept.display());
        eprintln!("hint: cargo run --manifest-path fuzz/Cargo.toml -- --replay {} {}", target.name, kept.display());
    }
    println!("{passed} passed, {} failed", targets.len() - passed);
    Ok(if passed == targets.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Feeds one target until the time is over. `current` always holds the input being tried.
fn worker(target: &Target, time: Duration, current: &Path) -> Result<ExitCode> {
    let mut mutator = Mutator::new(seeds(target.name)?);
    let start = Instant::now();
    let mut rounds = 0u64;
    while start.elapsed() < time {
        let input = mutator.input(rounds);
        fs::write(current, &input)?;
        let before = Instant::now();
        let outcome = panic::catch_unwind(|| (target.run)(&input));
        if outcome.is_err() {
            return Ok(ExitCode::FAILURE);
        }
        if before.elapsed() > SLOW {
            eprintln!("{}: {} bytes took {:.1?}", target.name, input.len(), before.elapsed());
            return Ok(ExitCode::FAILURE);
        }
        rounds += 1;
    }
    eprintln!("{}: {rounds} inputs in {:.0?}, nothing found", target.name, start.elapsed());
    Ok(ExitCode::SUCCESS)
}

/// The sound examples of a target's format; without any, mutation starts from nothing.
fn seeds(name: &str) -> Result<Vec<Vec<u8>>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let mut paths: Vec<PathBuf> = match fs::read_dir(&dir) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?,
        Err(_) => Vec::new(),
    };
    paths.sort();
    paths.iter().map(|path| Ok(fs::read(path)?)).collect()
}
