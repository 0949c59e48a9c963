//! Files of many kinds, from other people's programs: each is read to features, or it is said why not.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use base::open::{BaseError, Input};
use dataset::{Modality, ProblemKind};
use pipeline::{Home, Lang, Run, words};

use crate::table::home;

/// The folders, what is in them, and how many of their files are read whole at least.
const FOLDERS: [(&str, Modality, usize); 4] = [
    ("formats/image", Modality::Image, 8),
    ("formats/audio", Modality::Sound, 8),
    ("formats/video", Modality::Video, 9),
    ("multimodal/fsd50k_tiny", Modality::Sound, 19),
];
/// What describes a folder and is none of its files.
const BESIDE: [&str; 4] = ["md", "jsonl", "csv", "txt"];

/// A line for each file that is not read whole, with the reason; an error where a network fails on one.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    let home = home()?;
    let mut good = true;
    for (folder, modality, least) in FOLDERS {
        let base =
            home.open_base(Home::default_base(modality), &Run::new(&|_| {}, &AtomicBool::new(false)))?;
        let files = files(&data.join(folder))?;
        let (mut whole, mut told) = (0, Vec::new());
        for file in &files {
            let name = file.strip_prefix(data).unwrap_or(file).display();
            match base.embed_and_tell(&input(file, modality)?) {
                Ok(embedded) => match embedded.damage {
                    None => whole += 1,
                    Some(damage) => told.push(format!("{name}: damaged: {damage}")),
                },
                Err(BaseError::Prep(error)) => {
                    told.push(format!(
                        "{name}: {}",
                        words::problem_kind(&ProblemKind::from(error), Lang::En)
                    ));
                }
                Err(error) => return Err(error).with_context(|| name.to_string()),
            }
        }
        println!("{folder:<26} {whole:>3} of {} files read whole (at least {least})", files.len());
        good &= whole >= least;
        told.iter().for_each(|line| println!("  {line}"));
    }
    Ok(good)
}

fn input(file: &Path, modality: Modality) -> anyhow::Result<Input> {
    Ok(match modality {
        Modality::Image => Input::Image(std::fs::read(file)?),
        Modality::Sound => Input::SoundFile(file.to_owned()),
        _ => Input::VideoFile(file.to_owned()),
    })
}

/// All files below a folder, in order.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.exists() {
        bail!("the data is missing: `{}`", folder.display());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|ending| !BESIDE.contains(&ending.to_string_lossy().as_ref()))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
