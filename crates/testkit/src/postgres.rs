//! A real PostgreSQL, on a folder of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A PostgreSQL that stops when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    dir: tempfile::TempDir,
}

impl Postgres {
    /// Starts one that listens on a socket in its folder only. PostgreSQL refuses to run as root, so root lends it another user.
    pub fn start() -> Self {
        let bin = bin();
        let dir = tempfile::tempdir().expect("a folder");
        let postgres = Self { bin, dir };
        let owned = Command::new("chown").arg("-R").arg(USER).arg(postgres.dir.path()).status();
        assert!(
            !is_root() || owned.is_ok_and(|status| status.success()),
            "the folder could not be given to `{USER}`"
        );
        let data = postgres.data();
        postgres.run("initdb", &["-D", &data, "-A", "trust", "-U", KEEPER, "-E", "UTF8", "--no-sync"]);
        postgres.come();
        let socket = postgres.dir.path().display().to_string();
        let to = ["-h", &socket, "-U", KEEPER, "-d", "postgres"];
        let sql = ["-c", "CREATE ROLE dianjing LOGIN", "-c", "CREATE DATABASE dianjing OWNER dianjing"];
        postgres.run("psql", &[to.as_slice(), &sql].concat());
        postgres
    }

    /// Lets it fall, as a crash would.
    pub fn go(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    /// Starts it again, with what was in it.
    pub fn come(&self) {
        let socket = self.dir.path().display().to_string();
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{socket}' -c fsync=off");
        let (data, log) = (self.data(), format!("{socket}/log"));
        self.run("pg_ctl", &["-D", &data, "-w", "-l", &log, "-o", &options, "start"]);
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    /// Its address, for a user who owns the database and is no superuser.
    pub fn url(&self) -> String {
        let socket = self.dir.path().display().to_string().replace('/', "%2F");
        format!("postgres://dianjing@{socket}/dianjing")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        let command = command.args(arguments).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().expect("PostgreSQL is installed");
        assert!(status.success(), "{} failed", program.display());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A test that failed may have left it stopped.
        if std::path::Path::new(&self.data()).join("postmaster.pid").exists() {
            self.go();
        }
    }
}

/// Who may do everything there.
const KEEPER: &str = "keeper";
/// Whom Debian's package makes.
const USER: &str = "postgres";

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` is there");
    id.stdout.starts_with(b"0\n")
}

/// The newest version that is installed.
fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut bins: Vec<PathBuf> =
        versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").exists()).collect();
    bins.sort();
    let beside = || {
        std::env::var_os("PATH")
            .and_then(|path| std::env::split_paths(&path).find(|dir| dir.join("initdb").exists()))
    };
    bins.pop().or_else(beside).expect("PostgreSQL is installed: `apt install postgresql`")
}
