//! Writes the features of series beside them, and prints how long each step took: `series DIR`, where `quality/peers/series.py` made DIR.

#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use base::series::{Series, even, features, read};

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args().nth(1).ok_or("the folder of the sets is missing")?;
    for set in inside(Path::new(&root))? {
        let (mut reading, mut transforming) = (0.0, 0.0);
        for part in ["train", "test"] {
            let start = Instant::now();
            let mut files = Vec::new();
            for class in inside(&set.join(part))? {
                files.extend(inside(&class)?);
            }
            let series: Vec<Series> =
                files.iter().map(|file| Ok(even(read(file)?.0).0)).collect::<Result<_, Box<dyn Error>>>()?;
            reading += start.elapsed().as_secs_f64();
            let start = Instant::now();
            let rows: Vec<Vec<f32>> = series
                .iter()
                .map(|series| features(series, series.channels.len()))
                .collect::<Result<_, _>>()?;
            transforming += start.elapsed().as_secs_f64();
            write_npy(&set.join(format!("{part}.npy")), &rows)?;
        }
        let name = set.file_name().ok_or("a set has no name")?.to_string_lossy();
        println!("{{\"set\": \"{name}\", \"read seconds\": {reading:.3}, \"seconds\": {transforming:.3}}}");
    }
    Ok(())
}

/// What a folder holds, by name.
fn inside(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Writes rows of equal length in NumPy's format, version 1.
fn write_npy(path: &Path, rows: &[Vec<f32>]) -> io::Result<()> {
    let shape = format!("({}, {})", rows.len(), rows.first().map_or(0, Vec::len));
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version and length take ten bytes, the end of the line one; all together a multiple of 64.
    let width = (header.len() + 11).next_multiple_of(64) - 11;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(((width + 1) as u16).to_le_bytes());
    bytes.extend(format!("{header:width$}\n").bytes());
    rows.iter().flatten().for_each(|value| bytes.extend(value.to_le_bytes()));
    std::fs::write(path, bytes)
}
