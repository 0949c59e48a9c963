//! The server under load: one deployed bundle, then a thousand of fifty tenants, beside the speed of the base alone.
//!
//! The server runs in this process, so that the memory is its own; its clients are threads that keep their connections.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use base::open::Input;
use bundle::{Bundle, Form};
use pipeline::{Home, Lang, Run, Source, TuneRequest};
use rayon::prelude::*;
use serde_json::json;
use server::{ServerError, Settings, Way};
use testkit::{Client, id};

use crate::wrk;

/// Tenants of the large case.
const TENANTS: usize = 50;
/// Bundles of each.
const BUNDLES: usize = 20;
/// Clients that ask at once.
const CLIENTS: usize = 16;
/// How long each case is asked.
const SPELL: Duration = Duration::from_secs(12);
/// How often one bundle and all of them are asked by turns, and how long each time: between minutes a machine differs by more than they do.
const PAIRS: usize = 8;
const TURN: Duration = Duration::from_secs(6);
/// What 95 % of a mean of [`PAIRS`] lie within, in standard errors: Student's t.
const WITHIN: f64 = 2.365;
/// Inputs that are asked about, again and again.
const INPUTS: usize = 64;
const PASSWORD: &str = "a long password";

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<()> {
    println!(
        "{:<40} {:>9} {:>7} {:>8} {:>8} {:>8} {:>9}",
        "served", "per s", "ratio", "p50 ms", "p95 ms", "p99 ms", "RSS MiB"
    );
    for kind in [Kind::Photos, Kind::Texts] {
        kind.print(data)?;
    }
    Ok(())
}

/// What is asked about.
#[derive(Clone, Copy)]
enum Kind {
    Photos,
    Texts,
}

/// What a load measured.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    /// What half, 95 and 99 % of the answers took at most, in milliseconds.
    pub(crate) quantiles: [f64; 3],
}

impl Kind {
    #[allow(clippy::print_stdout, reason = "printing is what this program is for")]
    fn print(self, data: &Path) -> anyhow::Result<()> {
        let scratch = tempfile::tempdir()?;
        let home = Home::by_default().context("neither DIANJING_CACHE nor a home folder is known")?;
        let bundle = self.bundle(&home, data, scratch.path())?;
        let inputs = self.inputs(data)?;
        let alone = base_alone(&home, &bundle, &inputs)?;
        let name =
            |what: &str| format!("{}, {what}", if matches!(self, Self::Photos) { "photos" } else { "texts" });
        println!("{:<40} {alone:>9.1} {:>7}", name("base alone"), "1.00");
        let server = Served::start(home, &scratch.path().join("data"))?;
        let bodies: Vec<String> = inputs.iter().map(body).collect();
        let mut deployed = Vec::new();
        let row = |what: &str, load: &Load| -> anyhow::Result<()> {
            println!(
                "{:<40} {:>9.1} {:>7.2} {:>8.1} {:>8.1} {:>8.1} {:>9.0}",
                name(what),
                load.per_second,
                load.per_second / alone,
                load.quantiles[0],
                load.quantiles[1],
                load.quantiles[2],
                resident()? as f64 / f64::from(1 << 20)
            );
            Ok(())
        };
        let show = |what: &str, deployed: &[(String, String)]| -> anyhow::Result<()> {
            server.open_each(deployed, &bodies)?;
            row(what, &server.load(deployed, &bodies, SPELL)?)?;
            match wrk::load(&server.address, deployed, &bodies, CLIENTS, SPELL, scratch.path())? {
                Some(load) => row(&format!("{what}, wrk"), &load)?,
                None => println!("wrk is not installed: only our own clients asked"),
            }
            Ok(())
        };
        for tenant in 0..TENANTS {
            deployed.extend(server.deploy(tenant, &bundle, scratch.path())?);
            if tenant == 0 {
                show("one bundle", &deployed[..1])?;
            }
        }
        show("1,000 bundles of 50 tenants", &deployed)?;
        let [ratio, low, high] = by_turns(
            |some| {
                let by_others = wrk::load(&server.address, some, &bodies, CLIENTS, TURN, scratch.path())?;
                Ok(by_others.map_or_else(|| server.load(some, &bodies, TURN), Ok)?.per_second)
            },
            &deployed,
        )?;
        println!("{:<40} {ratio:>17.2}   95 %: {low:.2} to {high:.2}", name("1,000 beside one, by turns"));
        Ok(())
    }

    /// A bundle that was tuned on a small set.
    fn bundle(self, home: &Home, data: &Path, scratch: &Path) -> anyhow::Result<PathBuf> {
        let source = match self {
            Self::Photos => Source::at(data.join("classification/clothing/train")),
            Self::Texts => {
                let table = scratch.join("texts.csv");
                let rows = (0..40).map(|row| {
                    format!("{} number {row},{}\n", ["card", "parcel"][row % 2], ["a", "b"][row % 2])
                });
                std::fs::write(&table, format!("text,label\n{}", rows.collect::<String>()))?;
                Source::at(table)
            }
        };
        let out = scratch.join("made.djm");
        let request = TuneRequest {
            source,
            base: None,
            form: Form::File,
            report: scratch.join("report.html"),
            out: out.clone(),
            lang: Lang::En,
            target_error: 0.05,
            words: false,
            seed: 0,
            created: "2000-01-01T00:00:00Z".to_owned(),
        };
        pipeline::tune(home, &request, &Run::new(&|_| {}, &AtomicBool::new(false)))?;
        Ok(out)
    }

    fn inputs(self, data: &Path) -> anyhow::Result<Vec<Input>> {
        let text = |number: usize| {
            Input::Text(format!("Where is my parcel number {number}? It should have come on Monday."))
        };
        if matches!(self, Self::Texts) {
            return Ok((0..INPUTS).map(text).collect());
        }
        let files = walk(&data.join("classification/clothing/test"))?;
        files.iter().take(INPUTS).map(|file| Ok(Input::Image(std::fs::read(file)?))).collect()
    }
}

/// How fast all deployments are beside the first, asked by turns: the geometric mean, and the ends of its interval.
fn by_turns(
    ask: impl Fn(&[(String, String)]) -> anyhow::Result<f64>,
    deployed: &[(String, String)],
) -> anyhow::Result<[f64; 3]> {
    let mut logs = Vec::new();
    for pair in 0..PAIRS {
        let first = ask(if pair % 2 == 0 { &deployed[..1] } else { deployed })?;
        let second = ask(if pair % 2 == 0 { deployed } else { &deployed[..1] })?;
        logs.push(if pair % 2 == 0 { second / first } else { first / second }.ln());
    }
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let off = WITHIN * (variance / n).sqrt();
    Ok([mean, mean - off, mean + off].map(f64::exp))
}

/// Inputs a second through the base, with nothing around it.
fn base_alone(home: &Home, bundle: &Path, inputs: &[Input]) -> anyhow::Result<f64> {
    let never = AtomicBool::new(false);
    let base = home.base_of(&Bundle::open(bundle)?.manifest.base, &Run::new(&|_| {}, &never))?;
    let started = Instant::now();
    let mut done = 0;
    while started.elapsed() < SPELL {
        inputs.par_iter().try_for_each(|input| base.embed(input).map(drop))?;
        done += inputs.len();
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}

/// The same small model under another name, and so with another identity.
fn renamed(bundle: &Path, name: &str, scratch: &Path) -> anyhow::Result<Vec<u8>> {
    let mut other = Bundle::open(bundle)?;
    other.manifest.name = name.to_owned();
    let path = scratch.join("renamed.djm");
    other.write(&path, Form::File, "2000-01-01T00:00:00Z")?;
    Ok(std::fs::read(path)?)
}

fn body(input: &Input) -> String {
    use base64::Engine as _;
    let one = match input {
        Input::Text(text) => json!({ "text": text }),
        Input::Image(bytes) => json!({ "image": base64::engine::general_purpose::STANDARD.encode(bytes) }),
        _ => unreachable!("photos and texts are asked about"),
    };
    json!({ "inputs": [one] }).to_string()
}

/// A server in this process.
pub(crate) struct Served {
    address: String,
    pub(crate) operator: Client,
    stop: &'static AtomicBool,
    thread: JoinHandle<Result<(), ServerError>>,
}

impl Served {
    /// On a folder; who sets it up, or comes back to it, runs it.
    pub(crate) fn start(home: Home, dir: &Path) -> anyhow::Result<Self> {
        let settings = Settings {
            listen: "127.0.0.1:0".parse()?,
            way: Way::Team,
            dir: dir.to_owned(),
            database: None,
            store: None,
            workers: 1,
            max_upload: Settings::MAX_UPLOAD,
            body_patience: Settings::BODY_PATIENCE,
            max_rate: None,
            max_connections: None,
            max_examples: None,
            max_bytes: None,
            max_copies: None,
            oidc: None,
        };
        let (tell, told) = channel();
        // One for each start of this process; a few bytes that live as long as it does.
        let stop: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        let thread = std::thread::spawn(move || {
            let opened = |opened: &server::Opened| {
                // Who waited may have given up.
                let _ = tell.send((opened.address.to_string(), opened.key.clone()));
            };
            server::run(&settings, home, opened, stop)
        });
        let (address, key) = told.recv()?;
        let address = format!("http://{address}");
        let nobody = Client::nobody(&address);
        let entered = match key {
            Some(key) => {
                let setup =
                    json!({ "key": key, "tenant": "operator", "name": "operator", "password": PASSWORD });
                nobody.post("/v1/setup", &setup)
            }
            None => nobody.post("/v1/login", &json!({ "name": "operator", "password": PASSWORD })),
        };
        Ok(Self { operator: nobody.with_session(&entered), address, stop, thread })
    }

    /// Closes it, as a person would.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.thread.join().expect("the server does not panic")?)
    }

    /// The owner of another tenant.
    fn tenant(&self, number: usize) -> Client {
        let (name, nobody) = (format!("owner {number}"), Client::nobody(&self.address));
        self.operator.post("/v1/tenants", &json!({ "tenant": name, "name": name, "password": PASSWORD }));
        nobody.with_session(&nobody.post("/v1/login", &json!({ "name": name, "password": PASSWORD })))
    }

    /// The deployments of one tenant, each a secret and a path: the same small model under other names.
    fn deploy(&self, tenant: usize, bundle: &Path, scratch: &Path) -> anyhow::Result<Vec<(String, String)>> {
        let owner = self.tenant(tenant);
        let token = owner.post("/v1/tokens", &json!({ "name": "load", "scopes": ["predict"] })).body;
        let secret = token["secret"].as_str().context("a token")?;
        let deploy = |place: usize| {
            let bytes = renamed(bundle, &format!("{tenant}-{place}"), scratch)?;
            let kind = Some("application/octet-stream");
            let model = id(&owner.ask("POST", &format!("/v1/models?name=m{place}"), kind, &bytes));
            let told = owner.send("PUT", &format!("/v1/deployments/m{place}"), &json!({ "model": model }));
            ensure!(told.status == 200, "{told:?}");
            Ok((secret.to_owned(), format!("/v1/predict/m{place}")))
        };
        (0..BUNDLES).map(deploy).collect()
    }

    /// Asks each deployment once, so that it is open before a clock starts.
    fn open_each(&self, deployed: &[(String, String)], bodies: &[String]) -> anyhow::Result<()> {
        let nobody = Client::nobody(&self.address);
        let answers = |place: usize| ask(&nobody, deployed, bodies, place) == 200;
        ensure!((0..deployed.len()).all(answers), "each of them answers");
        Ok(())
    }

    /// Asks deployments in turn from many connections for some time.
    fn load(
        &self,
        deployed: &[(String, String)],
        bodies: &[String],
        spell: Duration,
    ) -> anyhow::Result<Load> {
        let (next, started) = (AtomicUsize::new(0), Instant::now());
        let clients: Vec<anyhow::Result<Vec<f64>>> = std::thread::scope(|scope| {
            let client = |_| {
                scope.spawn(|| {
                    let (client, mut times) = (Client::nobody(&self.address), Vec::new());
                    while started.elapsed() < spell {
                        let asked = Instant::now();
                        let status = ask(&client, deployed, bodies, next.fetch_add(1, Ordering::Relaxed));
                        ensure!(status == 200, "the server answered {status}");
                        times.push(1000.0 * asked.elapsed().as_secs_f64());
                    }
                    Ok(times)
                })
            };
            let clients: Vec<_> = (0..CLIENTS).map(client).collect();
            clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect()
        });
        let seconds = started.elapsed().as_secs_f64();
        let mut times: Vec<f64> = clients.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        Ok(Load { per_second: times.len() as f64 / seconds, quantiles: [0.5, 0.95, 0.99].map(at) })
    }
}

/// Asks one of the deployments about one of the inputs; the status of the answer.
fn ask(client: &Client, deployed: &[(String, String)], bodies: &[String], place: usize) -> u16 {
    let (secret, path) = &deployed[place % deployed.len()];
    let client = client.with("authorization", &format!("Bearer {secret}"));
    client.ask("POST", path, Some("application/json"), bodies[place % bodies.len()].as_bytes()).status
}

/// Resident memory now.
pub(crate) fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("memory is read from /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn walk(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { paths.extend(walk(&path)?) } else { paths.push(path) }
    }
    paths.sort();
    Ok(paths)
}
