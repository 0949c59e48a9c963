//! The one table of settings: flag, environment, file, default, in this order; `config show` prints it with origins.

use std::env;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base::catalogue::Catalogue;
use base::open::EngineChoice;
use base::pull::{HubOptions, PullOptions};
use pipeline::{Home, Lang};
use serde::Deserialize;

use crate::args::{Arguments, EngineName};
#[cfg(feature = "ort")]
use crate::exit::Usage;

/// The settings file, all of it optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    cache: Option<PathBuf>,
    language: Option<Lang>,
    offline: Option<bool>,
    threads: Option<NonZeroU16>,
}

/// A setting with where it came from.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) origin: String,
    pub(crate) what: &'static str,
}

/// The reader's language: `DIANJING_LANG`, then the settings file, then the locale.
pub(crate) fn language() -> Lang {
    if let Ok(name) = env::var("DIANJING_LANG") {
        return Lang::from_locale(&name);
    }
    // A broken settings file is reported when it is read for real; the language of that report is the locale's.
    if let Ok(Some(file)) = read_file(&file_path())
        && let Some(lang) = file.language
    {
        return lang;
    }
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    Lang::from_locale(&locale.unwrap_or_default())
}

fn file_path() -> PathBuf {
    let folder =
        env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).unwrap_or_else(|| home_folder().join(".config"));
    folder.join("dianjing").join("config.toml")
}

fn home_folder() -> PathBuf {
    env::var_os("HOME")
        .or_else(|| env::var_os("USERPROFILE"))
        .map_or_else(|| PathBuf::from("."), PathBuf::from)
}

fn read_file(path: &Path) -> anyhow::Result<Option<File>> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let file = toml::from_str(&text)
                .with_context(|| format!("`{}` is not a valid settings file", path.display()))?;
            Ok(Some(file))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

/// Every setting with its origin.
pub(crate) fn table(arguments: &Arguments, lang: Lang) -> anyhow::Result<Vec<Setting>> {
    let path = file_path();
    let file = read_file(&path)?.unwrap_or_default();
    let from_file = || path.display().to_string();
    let origin =
        |flag: bool, variable: &str, in_file: bool| match (flag, env::var_os(variable).is_some(), in_file) {
            (true, true, _) => format!("{variable} or flag"),
            (true, false, _) => "flag".to_owned(),
            (false, _, true) => from_file(),
            _ => "default".to_owned(),
        };
    let threads = arguments.threads.or(file.threads.map(NonZeroU16::get));
    Ok(vec![
        Setting {
            name: "cache",
            value: cache(arguments, &file).display().to_string(),
            origin: origin(arguments.cache.is_some(), "DIANJING_CACHE", file.cache.is_some()),
            what: "where bases and features are kept",
        },
        Setting {
            name: "language",
            value: lang.tag().to_owned(),
            origin: if env::var_os("DIANJING_LANG").is_some() {
                "DIANJING_LANG".to_owned()
            } else if file.language.is_some() {
                from_file()
            } else {
                "locale".to_owned()
            },
            what: "of messages and reports: en or zh",
        },
        Setting {
            name: "offline",
            value: (arguments.offline || file.offline.unwrap_or(false)).to_string(),
            origin: origin(arguments.offline, "DIANJING_OFFLINE", file.offline.is_some()),
            what: "never use a network",
        },
        Setting {
            name: "threads",
            value: threads.map_or_else(|| "one per core".to_owned(), |threads| threads.to_string()),
            origin: origin(arguments.threads.is_some(), "DIANJING_THREADS", file.threads.is_some()),
            what: "worker threads",
        },
        Setting {
            name: "engine",
            value: format!("{:?}", arguments.engine).to_lowercase(),
            origin: origin(arguments.engine != EngineName::Auto, "DIANJING_ENGINE", false),
            what: "what runs networks",
        },
    ])
}

fn cache(arguments: &Arguments, file: &File) -> PathBuf {
    arguments.cache.clone().or_else(|| file.cache.clone()).unwrap_or_else(|| {
        let caches =
            env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|| home_folder().join(".cache"));
        caches.join("dianjing")
    })
}

/// Opens the home with everything that was set, and starts the worker threads.
pub(crate) fn home(arguments: &Arguments) -> anyhow::Result<Home> {
    let file = read_file(&file_path())?.unwrap_or_default();
    if let Some(threads) = arguments.threads.or(file.threads.map(NonZeroU16::get)) {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build_global()
            .context("cannot start the worker threads")?;
    }
    let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let hub = HubOptions {
        endpoint: text("HF_ENDPOINT"),
        home: text("HF_HOME").map(PathBuf::from),
        token: text("HF_TOKEN"),
    };
    let pull = PullOptions {
        network: !(arguments.offline || file.offline.unwrap_or(false)),
        hub,
        ..PullOptions::default()
    };
    let engine = match arguments.engine {
        EngineName::Auto => EngineChoice::Auto,
        EngineName::Native => EngineChoice::Native,
        EngineName::Rten => EngineChoice::Rten,
        #[cfg(feature = "ort")]
        EngineName::Ort => {
            EngineChoice::Ort(text("DIANJING_ORT_LIBRARY").map(PathBuf::from).ok_or_else(|| {
                Usage(
                    "--engine ort needs DIANJING_ORT_LIBRARY, the path of ONNX Runtime's library".to_owned(),
                )
            })?)
        }
    };
    Ok(Home { cache: cache(arguments, &file), catalogue: Catalogue::builtin(), pull, engine })
}
