//! `ffprobe` and `ffmpeg` as child processes that can do nothing but read one file, in one thread, for a limited time.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use image::RgbImage;
use serde::Deserialize;

use crate::prep::PrepError;

/// Longer side of a decoded frame at most, in pixels.
const SIDE: u32 = 512;
/// Most pixels of a frame that are decoded: 8K with room to spare.
const MAX_PIXELS: u64 = 64_000_000;
/// What a child says beyond this is not kept, in bytes.
const MAX_WORDS: u64 = 2000;
/// Containers that are read. None of them can name another file or place to read from, as playlists do.
const CONTAINERS: &str = "mov,matroska,avi,mpeg,mpegts,mpegvideo,gif,flv,asf,ogg";
/// How often a child's watch looks whether somebody asked to stop.
const LOOKS_AGAIN: Duration = Duration::from_millis(100);
/// For what nobody stops.
static NEVER: AtomicBool = AtomicBool::new(false);

/// The programs that decode videos, and how long they may take.
#[derive(Debug, Clone)]
pub struct Ffmpeg<'a> {
    /// What decodes: a name that is looked up in the places where programs are, or a path.
    pub ffmpeg: PathBuf,
    /// What tells what is in a file.
    pub ffprobe: PathBuf,
    /// Longest time for one video. Default two minutes: an hour of full HD takes about ten seconds.
    pub limit: Duration,
    /// Once it is true, what is being decoded ends with [`VideoError::Stopped`].
    pub cancel: &'a AtomicBool,
}

impl Default for Ffmpeg<'static> {
    fn default() -> Self {
        Ffmpeg::until(&NEVER)
    }
}

/// Why no video can be decoded on this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum FfmpegError {
    /// It is not there.
    #[error(
        "`{}` is not installed, and videos are decoded by it; install it with `apt install ffmpeg`, `brew install ffmpeg` or \
         `winget install ffmpeg`",
        program.display()
    )]
    Missing { program: PathBuf },
    /// It is there and does not run.
    #[error("`{}` cannot be run", program.display())]
    Run {
        program: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Why a video gave no frames.
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    /// The file is at fault.
    #[error(transparent)]
    File(#[from] PrepError),
    /// The machine is at fault.
    #[error(transparent)]
    Ffmpeg(#[from] FfmpegError),
    /// The person asked to stop.
    #[error("stopped")]
    Stopped,
}

/// What a file says of its video.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Probed {
    /// Length in seconds; `None` where the file does not say it, as live recordings do not.
    pub(super) seconds: Option<f64>,
    /// Frames a second on average, where the file says it.
    pub(super) rate: Option<f64>,
}

/// Which frames a run gives, scaled to at most [`SIDE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    /// The frame shown at every tick of a clock with so many ticks a second, whatever the rate of the file.
    Clock(f64),
    /// Key frames that are at least so many seconds apart: between them nothing is decoded.
    KeyFrames(f64),
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ended {
    status: ExitStatus,
    /// What it complained about, on one line.
    pub(super) words: String,
}

impl<'a> Ffmpeg<'a> {
    /// The usual programs, until `cancel` becomes true.
    pub fn until(cancel: &'a AtomicBool) -> Self {
        Self { ffmpeg: "ffmpeg".into(), ffprobe: "ffprobe".into(), limit: Duration::from_secs(120), cancel }
    }

    /// Name and version of the program that decodes.
    pub fn version(&self) -> Result<String, FfmpegError> {
        let output = Command::new(&self.ffmpeg).arg("-version").stdin(Stdio::null()).output();
        let output = output.map_err(|error| not_run(&self.ffmpeg, error))?;
        let words = String::from_utf8_lossy(&output.stdout);
        Ok(words.lines().next().unwrap_or_default().split(" Copyright").next().unwrap_or_default().to_owned())
    }

    /// Looks into a file.
    pub(super) fn probe(&self, path: &Path, deadline: Instant) -> Result<Probed, VideoError> {
        let mut command = Command::new(&self.ffprobe);
        command.args(["-hide_banner", "-v", "error"]);
        command.args(limits(path)).args(["-select_streams", "V:0", "-of", "json"]);
        command.args(["-show_entries", "stream=width,height,duration,avg_frame_rate:format=duration"]);
        let (json, ended) = self.run(&mut command, deadline, |mut out| {
            let mut json = Vec::new();
            out.read_to_end(&mut json).map(|_| json)
        })?;
        if !ended.status.success() {
            return Err(not_a_video(path, ended.words).into());
        }
        let json = json.map_err(unreadable)?;
        let found: Found = serde_json::from_slice(&json)
            .map_err(|error| PrepError::NotAVideo { detail: error.to_string() })?;
        let Some(stream) = found.streams.first() else {
            return Err(PrepError::NotAVideo { detail: "it has no moving pictures".to_owned() }.into());
        };
        if u64::from(stream.width) * u64::from(stream.height) > MAX_PIXELS {
            let (width, height) = (stream.width, stream.height);
            return Err(PrepError::TooLarge { width, height, limit: MAX_PIXELS }.into());
        }
        let told = [&stream.duration, &found.format.duration].into_iter().flatten();
        let mut seconds = told.filter_map(|seconds| seconds.parse::<f64>().ok());
        let seconds = seconds.find(|seconds| seconds.is_finite() && *seconds > 0.0);
        Ok(Probed { seconds, rate: stream.avg_frame_rate.as_deref().and_then(ratio) })
    }

    /// The seconds from the first to the last picture that is in a file, which is looked through without decoding it.
    pub(super) fn length(&self, path: &Path, deadline: Instant) -> Result<f64, VideoError> {
        let mut command = Command::new(&self.ffprobe);
        command.args(["-hide_banner", "-v", "error"]);
        command.args(limits(path)).args(["-select_streams", "V:0", "-of", "csv=p=0"]);
        command.args(["-show_entries", "packet=pts_time"]);
        let (ends, _) = self.run(&mut command, deadline, |out| {
            let mut ends = [f64::INFINITY, f64::NEG_INFINITY];
            for line in BufReader::new(out).lines() {
                if let Ok(time) = line?.trim_end_matches(',').parse::<f64>() {
                    ends = [ends[0].min(time), ends[1].max(time)];
                }
            }
            Ok(ends)
        })?;
        let [first, last] = ends.map_err(unreadable)?;
        Ok((last - first).max(0.0))
    }

    /// Decodes a file once from its beginning to its end, or until `each` breaks, and gives each frame that `pace` asks for to `each`.
    pub(super) fn decode(
        &self,
        path: &Path,
        pace: Pace,
        deadline: Instant,
        mut each: impl FnMut(RgbImage) -> ControlFlow<()>,
    ) -> Result<Ended, VideoError> {
        let mut command = Command::new(&self.ffmpeg);
        command.args(["-nostdin", "-hide_banner", "-v", "error", "-threads", "1", "-filter_threads", "1"]);
        if matches!(pace, Pace::KeyFrames(_)) {
            command.args(["-skip_frame", "nokey"]);
        }
        command.args(limits(path)).args(["-map", "0:V:0", "-an", "-sn", "-dn", "-vf", &filters(pace)]);
        command.args(["-threads", "1", "-c:v", "ppm", "-f", "image2pipe", "pipe:1"]);
        let (frames, ended) = self.run(&mut command, deadline, |out| {
            let mut out = BufReader::new(out);
            while let Some(frame) = next_frame(&mut out)? {
                if each(frame).is_break() {
                    break;
                }
            }
            Ok(())
        })?;
        match frames {
            // What was cut off in the middle of a frame is told by how the child ended.
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(unreadable(error).into()),
            _ => Ok(ended),
        }
    }

    /// Starts a child, reads what it writes, and kills it at the deadline, when somebody stops, or when reading panics.
    fn run<T>(
        &self,
        command: &mut Command,
        deadline: Instant,
        read: impl FnOnce(ChildStdout) -> io::Result<T>,
    ) -> Result<(io::Result<T>, Ended), VideoError> {
        let program = PathBuf::from(command.get_program());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| not_run(&program, error))?;
        let out = child.stdout.take().expect("it was piped");
        let err = child.stderr.take().expect("it was piped");
        let running = Running(Mutex::new(child));
        let (value, words, late) = thread::scope(|scope| {
            let (finished, waiting) = mpsc::channel::<()>();
            let running = &running;
            let words = scope.spawn(move || first_words(err));
            let watch = scope.spawn(move || {
                let late = self.is_late(&waiting, deadline);
                if late {
                    running.kill();
                }
                late
            });
            let value = read(out);
            let words = words.join().expect("it only reads");
            drop(finished);
            (value, words, watch.join().expect("it only waits"))
        });
        // A stop that reached the child by itself, as Ctrl-C does, leaves frames that look like those of a short video.
        if self.cancel.load(Ordering::Relaxed) {
            return Err(VideoError::Stopped);
        }
        if late {
            return Err(PrepError::SlowVideo { limit_seconds: self.limit.as_secs() }.into());
        }
        let status = running.wait().map_err(|source| FfmpegError::Run { program, source })?;
        Ok((value, Ended { status, words }))
    }

    /// Waits until a child is finished, which `finished` tells by its end; true when it is to be killed before.
    fn is_late(&self, finished: &mpsc::Receiver<()>, deadline: Instant) -> bool {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if finished.recv_timeout(left.min(LOOKS_AGAIN)) != Err(mpsc::RecvTimeoutError::Timeout) {
                return false;
            }
            if left <= LOOKS_AGAIN || self.cancel.load(Ordering::Relaxed) {
                return true;
            }
        }
    }
}

impl Ended {
    /// Whether it complained.
    pub(super) fn is_clean(&self) -> bool {
        self.status.success() && self.words.is_empty()
    }
}

/// A child that does not outlive its handle.
struct Running(Mutex<Child>);

impl Running {
    fn kill(&self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.0.lock().expect("nobody panics with it").kill();
    }

    fn wait(&self) -> io::Result<ExitStatus> {
        self.0.lock().expect("nobody panics with it").wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        let _ = self.wait();
    }
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    streams: Vec<FoundStream>,
    #[serde(default)]
    format: FoundFormat,
}

#[derive(Deserialize)]
struct FoundStream {
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    duration: Option<String>,
    avg_frame_rate: Option<String>,
}

#[derive(Default, Deserialize)]
struct FoundFormat {
    duration: Option<String>,
}

/// `30000/1001`; `None` for what is no rate, such as `0/0`.
fn ratio(text: &str) -> Option<f64> {
    let (above, below) = text.split_once('/')?;
    let ratio = above.parse::<f64>().ok()? / below.parse::<f64>().ok()?;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

/// What holds for both programs: what they may open, how large a frame may be, and the file, whose name begins with `file:` so that
/// it is neither an option nor an address whatever it is called.
fn limits(path: &Path) -> Vec<OsString> {
    let mut limits: Vec<OsString> =
        ["-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS, "-max_pixels"]
            .map(OsString::from)
            .to_vec();
    let mut name = OsString::from("file:");
    name.push(path);
    limits.extend([MAX_PIXELS.to_string().into(), "-i".into(), name]);
    limits
}

/// First which frames, then how large; pixels that are not square are made so.
fn filters(pace: Pace) -> String {
    let frames = match pace {
        Pace::Clock(rate) => format!("fps={rate:.6}"),
        // One frame a second of a new clock: none is given twice, none is left out.
        Pace::KeyFrames(apart) => {
            format!("select='isnan(prev_selected_t)+gte(t-prev_selected_t,{apart:.6})',setpts=N/TB,fps=1")
        }
    };
    let share = format!("min(1,{SIDE}/max(iw*sar,ih))");
    format!("{frames},scale=w='max(1,trunc(iw*sar*{share}))':h='max(1,trunc(ih*{share}))':flags=area")
}

/// A frame as a binary PPM; `None` at the end.
fn next_frame(out: &mut impl Read) -> io::Result<Option<RgbImage>> {
    let mut first = [0];
    if out.read(&mut first)? == 0 {
        return Ok(None);
    }
    let broken = || io::Error::new(ErrorKind::InvalidData, "the decoder gave no frame");
    // `P6`, width, height and the largest value, each ended by one white character.
    let mut words = Vec::new();
    let mut word = String::from(first[0] as char);
    while words.len() < 4 {
        let mut byte = [0];
        out.read_exact(&mut byte)?;
        if !byte[0].is_ascii_whitespace() {
            word.push(byte[0] as char);
        } else {
            words.push(std::mem::take(&mut word));
        }
        if word.len() > 8 {
            return Err(broken());
        }
    }
    let side = |word: &str| word.parse().ok().filter(|side| (1..=SIDE).contains(side));
    let (Some(width), Some(height), "P6", "255") =
        (side(&words[1]), side(&words[2]), &words[0][..], &words[3][..])
    else {
        return Err(broken());
    };
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    out.read_exact(&mut pixels)?;
    RgbImage::from_raw(width, height, pixels).ok_or_else(broken).map(Some)
}

/// The beginning of what a child says, on one line and without what changes from run to run; the rest is read and forgotten.
fn first_words(mut err: ChildStderr) -> String {
    let mut words = Vec::new();
    // A pipe that breaks ends what is said.
    let _ = err.by_ref().take(MAX_WORDS).read_to_end(&mut words);
    let _ = io::copy(&mut err, &mut io::sink());
    let words = String::from_utf8_lossy(&words);
    // `[mov,mp4 @ 0x55fbbdbed980] partial file` and `file:clip.mp4: Invalid data`.
    let without_place = |line: &str| {
        let line = line.trim();
        let line =
            if line.starts_with('[') { line.split_once("] ").map_or(line, |(_, said)| said) } else { line };
        if line.starts_with("file:") { line.rsplit_once(": ").map_or(line, |(_, said)| said) } else { line }
            .to_owned()
    };
    let mut lines: Vec<String> = words.lines().map(without_place).filter(|line| !line.is_empty()).collect();
    lines.dedup();
    lines.truncate(3);
    lines.join(" / ")
}

fn not_run(program: &Path, source: io::Error) -> FfmpegError {
    let program = program.to_owned();
    if source.kind() == ErrorKind::NotFound {
        FfmpegError::Missing { program }
    } else {
        FfmpegError::Run { program, source }
    }
}

fn unreadable(error: io::Error) -> PrepError {
    PrepError::Unreadable { detail: error.to_string() }
}

/// A file whose first bytes are those of a video is damaged; another is no video.
fn not_a_video(path: &Path, mut words: String) -> PrepError {
    if words.starts_with("Format not on whitelist") {
        words = format!("it is none of {CONTAINERS}");
    }
    let mut start = [0; 12];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    let is_video = read.is_ok()
        && (&start[4..8] == b"ftyp"
            || start.starts_with(&[0x1a, 0x45, 0xdf, 0xa3])
            || start.starts_with(b"RIFF") && &start[8..] == b"AVI "
            || start.starts_with(b"GIF8")
            || start.starts_with(&[0, 0, 1, 0xba]));
    if is_video { PrepError::BrokenVideo { detail: words } } else { PrepError::NotAVideo { detail: words } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_one_after_the_other() {
        let bytes = b"P6\n2 1\n255\nabcdefP6\n1 1\n255\nxyz";
        let mut out = &bytes[..];
        let first = next_frame(&mut out).unwrap().unwrap();
        assert_eq!((first.dimensions(), first.as_raw().as_slice()), ((2, 1), &b"abcdef"[..]));
        assert_eq!(next_frame(&mut out).unwrap().unwrap().as_raw(), b"xyz");
        assert!(next_frame(&mut out).unwrap().is_none());
        for (broken, kind) in [
            (&b"P6\n2 1\n255\nabc"[..], ErrorKind::UnexpectedEof),
            (b"P5\n1 1\n255\nabc", ErrorKind::InvalidData),
            (b"P6\n0 1\n255\nabc", ErrorKind::InvalidData),
            (b"P6\n513 1\n255\nabc", ErrorKind::InvalidData),
            (b"P6\n99999999999999", ErrorKind::InvalidData),
        ] {
            assert_eq!(next_frame(&mut &*broken).unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_told_with_how_to_get_it() {
        let ffmpeg = Ffmpeg { ffmpeg: "/nowhere/ffmpeg".into(), ..Ffmpeg::default() };
        let error = ffmpeg.version().unwrap_err();
        assert!(
            matches!(error, FfmpegError::Missing { .. }) && error.to_string().contains("apt install ffmpeg")
        );
    }
}
