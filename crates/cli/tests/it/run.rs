//! Runs the real binary and makes small real data.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// A folder of its own with the binary at hand.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// `n` small pictures of each of two kinds: discs and stripes, in many colours and places.
    pub(crate) fn pictures(&self, name: &str, n: u32) {
        for index in 0..n {
            let colour = |x: u32| {
                Rgb([
                    (40 + x * 7 + index * 11) as u8,
                    (x * 3 + index * 5) as u8,
                    200_u32.wrapping_sub(index * 6) as u8,
                ])
            };
            let disc = RgbImage::from_fn(48, 48, |x, y| {
                let (dx, dy) = (x as i32 - 18 - index as i32 % 9, y as i32 - 24);
                if dx * dx + dy * dy < 150 + index as i32 { colour(x) } else { Rgb([245; 3]) }
            });
            let stripes = RgbImage::from_fn(48, 48, |x, y| {
                if (x + y + index) / 4 % 2 == 0 { colour(y) } else { Rgb([245; 3]) }
            });
            for (kind, picture) in [("disc", disc), ("stripes", stripes)] {
                let path = self.path(&format!("{name}/{kind}/{index:02}.png"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                picture.save(path).unwrap();
            }
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        self.ended(self.command(arguments).envs(environment.iter().copied()).output().unwrap())
    }

    /// Runs with these bytes on stdin.
    pub(crate) fn run_on(&self, stdin: &[u8], arguments: &[&str]) -> Ended {
        self.write(".stdin", stdin);
        let stdin = std::fs::File::open(self.path(".stdin")).unwrap();
        self.ended(self.command(arguments).stdin(stdin).output().unwrap())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dianjing"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env("DIANJING_LANG", "en")
            .env("SOURCE_DATE_EPOCH", "1700000000");
        command.env_remove("DIANJING_THREADS").env_remove("DIANJING_OFFLINE");
        command
    }

    fn ended(&self, Output { status, stdout, stderr }: Output) -> Ended {
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).unwrap().replace(&*self.dir.path().to_string_lossy(), "PLACE")
        };
        Ended { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
    }
}

impl Ended {
    /// Exit code and stderr, for comparing with what is expected.
    pub(crate) fn told(&self) -> String {
        format!("exit {}\n{}", self.code, self.err)
    }

    /// The classes that `predict --json` answered, or what was wrong.
    pub(crate) fn answers(&self) -> Vec<String> {
        let rows: serde_json::Value = serde_json::from_str(&self.out).unwrap();
        let of = |row: &serde_json::Value| match row["prediction"]["answer"]["name"].as_str() {
            Some(name) => name.to_owned(),
            None => row["problem"]["kind"].as_str().unwrap_or("nothing").to_owned(),
        };
        rows.as_array().unwrap().iter().map(of).collect()
    }

    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }
}

/// Files in a folder, hidden ones included.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Where the bases are that tests may use.
pub(crate) fn cache() -> PathBuf {
    let home = std::env::var_os("DIANJING_CACHE").map(PathBuf::from);
    home.unwrap_or_else(|| std::env::home_dir().unwrap().join(".cache/dianjing"))
}

/// What `numpy.save` writes.
pub(crate) fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}
