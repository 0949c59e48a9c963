//! Drawn clips of a machine at work: a block that swings on a rail, under light that is never quite the same; written by `ffmpeg`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use image::{Rgb, RgbImage};
use linalg::{Seed, random};

/// Width and height in pixels.
const SIZE: (u32, u32) = (160, 120);
/// Side of the block.
const BLOCK: f64 = 26.0;
const BLUE: [f64; 3] = [40.0, 70.0, 190.0];

/// A disc: centre, radius and colour.
pub(crate) type Disc = ([f64; 2], f64, [f64; 3]);

/// What is to be seen, given the time in seconds.
pub(crate) struct Scene<'a> {
    /// Length in seconds, and frames a second.
    pub(crate) seconds: f64,
    pub(crate) rate: f64,
    /// The block's own time: it stands still where this does.
    pub(crate) time: &'a dyn Fn(f64) -> f64,
    /// Its colour, beside blue.
    pub(crate) colour: [f64; 3],
    /// How far it is off its rail, in pixels.
    pub(crate) off: &'a dyn Fn(f64) -> f64,
    /// The light, beside 1.
    pub(crate) light: &'a dyn Fn(f64) -> f64,
    /// A disc on top, for as long as it is there.
    pub(crate) discs: &'a dyn Fn(f64) -> Option<Disc>,
}

impl Scene<'_> {
    /// Of this length, with nothing wrong and nothing special.
    pub(crate) fn usual(seconds: f64, rate: f64) -> Self {
        Self {
            seconds,
            rate,
            time: &|time| time,
            colour: BLUE,
            off: &|_| 0.0,
            light: &|_| 1.0,
            discs: &|_| None,
        }
    }

    /// Draws and writes it; phase, pace, rail, light and noise are those of the seed.
    pub(crate) fn write(&self, path: &Path, seed: Seed) -> anyhow::Result<()> {
        let mut rng = seed.rng();
        let mut within = |low: f64, high: f64| low + (high - low) * random::uniform(&mut rng);
        let (phase, pace) = (within(0.0, std::f64::consts::TAU), within(0.97, 1.03));
        let (rail, light) = (within(44.0, 76.0), within(0.95, 1.05));
        let mut noise = seed.derive("noise").rng();
        let n = (self.seconds * self.rate).round() as usize;
        let frames = (0..n).map(|tick| {
            let time = tick as f64 / self.rate;
            let swing = (phase + std::f64::consts::TAU * 0.7 * pace * (self.time)(time)).sin();
            let (left, top) = (67.0 + 50.0 * swing, rail - BLOCK / 2.0 + (self.off)(time));
            let disc = (self.discs)(time);
            let bright = light * (self.light)(time);
            RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
                let (x, y) = (f64::from(x), f64::from(y));
                let in_block = (left..left + BLOCK).contains(&x) && (top..top + BLOCK).contains(&y);
                let on_rail = (rail - 3.0..rail + 3.0).contains(&y);
                let in_disc = disc.filter(|([at, down], radius, _)| (x - at).hypot(y - down) < *radius);
                let colour = match (in_disc, in_block, on_rail) {
                    (Some((.., colour)), ..) => colour,
                    (None, true, _) => self.colour,
                    (None, false, true) => [90.0; 3],
                    _ => [175.0 + 0.2 * x, 175.0 + 0.1 * y, 170.0],
                };
                let grain = 3.0 * random::normal(&mut noise);
                Rgb(colour.map(|value| (bright * value + grain).round().clamp(0.0, 255.0) as u8))
            })
        });
        encode(path, self.rate, frames)
    }
}

fn encode(path: &Path, rate: f64, frames: impl Iterator<Item = RgbImage>) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let size = format!("{}x{}", SIZE.0, SIZE.1);
    let mut child = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-y",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-s",
            &size,
            "-r",
            &rate.to_string(),
        ])
        .args(["-i", "-", "-threads", "1", "-pix_fmt", "yuv420p"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .context("ffmpeg is not installed: `apt install ffmpeg`")?;
    let mut into = child.stdin.take().context("it was piped")?;
    for frame in frames {
        into.write_all(frame.as_raw())?;
    }
    drop(into);
    ensure!(child.wait()?.success(), "ffmpeg could not write `{}`", path.display());
    Ok(())
}

/// A folder that goes away.
pub(crate) struct Place(pub(crate) std::path::PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let dir = std::env::temp_dir().join(format!("dianjing-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left over is the system's to clean.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
