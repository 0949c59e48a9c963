//! Speed and memory on this machine, beside peers in the same run.
//!
//! ```text
//! bench [--data DIR] [--python PYTHON] [images|texts|heads|inspect|select|audit|sound|program|serve|soak]..
//! ```
//! Every case runs in a process of its own, so that each has its own peak of memory. PYTHON has `quality/peers/requirements.txt`
//! installed (`make peers` makes one, which is then the default); without it only our side is printed, and that is said.

mod audit;
mod inspect;
mod inspected;
mod ours;
mod program;
mod serve;
mod soak;
mod sound;
mod wrk;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};

/// What a side tells about one case; the peer's script prints the same.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) seconds: f64,
    /// Things done in a second.
    pub(crate) per_second: f64,
    pub(crate) peak_rss_bytes: u64,
    /// A number that both sides must agree on, where there is one.
    #[serde(default)]
    pub(crate) answer: Option<f64>,
}

/// How far the answers of both sides may be apart, relatively: they round differently.
const AGREEMENT: f64 = 1e-3;

/// One line of the table.
struct Case {
    name: &'static str,
    group: &'static str,
    /// The script in `quality/peers` that does the same, and what it is asked; nothing where no peer does.
    peer: &'static [&'static str],
    run: fn(&Path) -> anyhow::Result<Told>,
}

const CASES: [Case; 22] = [
    Case {
        name: "clothing files to features, Lite2",
        group: "images",
        peer: &["speed.py", "images"],
        run: ours::files,
    },
    Case {
        name: "Lite2 alone, ready pictures",
        group: "images",
        peer: &["speed.py", "images", "--base-only"],
        run: ours::base_only,
    },
    Case {
        name: "2,000 texts to features, MiniLM",
        group: "texts",
        peer: &["speed.py", "texts", "--base", "minilm"],
        run: ours::minilm,
    },
    Case {
        name: "2,000 texts to features, E5",
        group: "texts",
        peer: &["speed.py", "texts", "--base", "e5"],
        run: ours::e5,
    },
    Case {
        name: "tune 400 x 1280, 10 classes",
        group: "heads",
        peer: &["speed.py", "heads", "--features", "clothing"],
        run: ours::clothing,
    },
    Case {
        name: "tune 10,003 x 384, 77 classes",
        group: "heads",
        peer: &["speed.py", "heads", "--features", "banking_minilm"],
        run: ours::banking,
    },
    Case {
        name: "3,300 of 33,000 x 384, numpy",
        group: "inspect",
        peer: &["inspect_speed.py", "coreset"],
        run: inspect::coreset,
    },
    Case {
        name: "the same by 128 columns, numpy",
        group: "inspect",
        peer: &["inspect_speed.py", "coreset", "--projected"],
        run: inspect::projected_coreset,
    },
    Case {
        name: "nearest of 3,300, numpy",
        group: "inspect",
        peer: &["inspect_speed.py", "nearest", "--peer", "numpy"],
        run: inspect::nearest,
    },
    Case {
        name: "nearest of 3,300, faiss",
        group: "inspect",
        peer: &["inspect_speed.py", "nearest", "--peer", "faiss"],
        run: inspect::nearest,
    },
    Case {
        name: "nearest from other photos, numpy",
        group: "inspect",
        peer: &["inspect_speed.py", "held-out"],
        run: inspect::held_out,
    },
    Case {
        name: "nearest in units of what is usual, numpy",
        group: "inspect",
        peer: &["inspect_speed.py", "weighted"],
        run: inspect::weighted,
    },
    Case { name: "400 good parts, learned", group: "inspect", peer: &[], run: inspected::learn },
    Case { name: "photos of a megapixel, inspected", group: "inspect", peer: &[], run: inspected::look },
    Case {
        name: "k-centre, 1,000 of 50,000 x 384, numpy",
        group: "select",
        peer: &["inspect_speed.py", "coreset", "--rows", "50000", "--kept", "1000"],
        run: inspect::pool,
    },
    Case {
        name: "audit 10,000 x 384, Datalab",
        group: "audit",
        peer: &["audit_speed.py", "--rows", "10000"],
        run: audit::small,
    },
    Case {
        name: "all of 10,000, and what it is worth",
        group: "audit",
        peer: &["audit_speed.py", "--rows", "10000"],
        run: audit::small_whole,
    },
    Case {
        name: "audit 50,000 x 384, Datalab",
        group: "audit",
        peer: &["audit_speed.py", "--rows", "50000"],
        run: audit::large,
    },
    Case {
        name: "log-mel of a minute, librosa",
        group: "sound",
        peer: &["sound_speed.py", "log-mel"],
        run: sound::log_mel,
    },
    Case { name: "seconds of sound, Whisper-base", group: "sound", peer: &[], run: sound::files },
    Case { name: "ten minutes in one file", group: "sound", peer: &[], run: sound::ten_minutes },
    Case { name: "three hours in one file", group: "sound", peer: &[], run: sound::three_hours },
];

fn main() -> anyhow::Result<ExitCode> {
    let mut data = PathBuf::from("../shared/data");
    let mut python = std::env::home_dir().map(|home| home.join(".cache/dianjing/peers/python/bin/python"));
    let (mut groups, mut one) = (Vec::new(), None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--data" => data = arguments.next().context("--data needs a folder")?.into(),
            "--python" => python = Some(arguments.next().context("--python needs a program")?.into()),
            "--one" => one = arguments.next(),
            _ => groups.push(argument),
        }
    }
    if let Some(name) = one {
        let case = CASES.iter().find(|case| case.name == name).context("no such case")?;
        return tell(&(case.run)(&data)?);
    }
    let wanted = |group: &str| groups.is_empty() || groups.iter().any(|word| word == group);
    table(&data, python.filter(|python| python.exists()).as_deref(), &wanted)?;
    if wanted("program") {
        program::print(&data)?;
    }
    if wanted("serve") {
        serve::print(&data)?;
    }
    if wanted("soak") {
        soak::print()?;
    }
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout, reason = "the other process reads this line")]
fn tell(told: &Told) -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string(told)?);
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn table(data: &Path, python: Option<&Path>, wanted: &dyn Fn(&str) -> bool) -> anyhow::Result<()> {
    if python.is_none() {
        println!("no Python with the peers was found: ours only (make peers installs them)");
    }
    println!(
        "{:<36} {:>9} {:>11} {:>9} {:>7} {:>10} {:>10} {:>7}",
        "case", "seconds", "per second", "peer's", "ratio", "peak MiB", "peer's", "share"
    );
    for case in CASES.iter().filter(|case| wanted(case.group)) {
        let ours = ask(Command::new(std::env::current_exe()?).args(["--one", case.name]), data)?;
        let peer = python.filter(|_| !case.peer.is_empty()).map(|python| {
            let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quality/peers");
            ask(Command::new(python).arg(scripts.join(case.peer[0])).args(&case.peer[1..]), data)
        });
        let peer = peer.transpose()?;
        if let (Some(own), Some(other)) = (ours.answer, peer.as_ref().and_then(|peer| peer.answer)) {
            ensure!((own - other).abs() <= AGREEMENT * other.abs(), "{}: {own} is not {other}", case.name);
        }
        let show = |value: Option<f64>, digits: usize| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let (own_peak, peak) =
            (mebibytes(ours.peak_rss_bytes), peer.as_ref().map(|peer| mebibytes(peer.peak_rss_bytes)));
        println!(
            "{:<36} {:>9.3} {:>11.2} {:>9} {:>7} {own_peak:>10.0} {:>10} {:>7}",
            case.name,
            ours.seconds,
            ours.per_second,
            show(peer.as_ref().map(|peer| peer.per_second), 2),
            show(peer.as_ref().map(|peer| ours.per_second / peer.per_second), 2),
            show(peak, 0),
            show(peak.map(|peak| own_peak / peak), 2),
        );
    }
    Ok(())
}

/// Runs one side and reads the last line that it prints.
fn ask(command: &mut Command, data: &Path) -> anyhow::Result<Told> {
    let output =
        command.arg("--data").arg(data).output().with_context(|| format!("cannot run {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last() {
        Some(line) if output.status.success() => Ok(serde_json::from_str(line)?),
        _ => bail!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr)),
    }
}
