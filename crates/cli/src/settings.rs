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

/// Where the studio keeps data, labels and models.
pub(crate) fn data_folder() -> PathBuf {
    let folder =
        env::var_os("XDG_DATA_HOME").map(PathBuf::from).unwrap_or_else(|| home_folder().join(".local/share"));
    folder.join("dianjing")
}

/// What the provider that people log in with knows this server by.
pub(crate) fn oidc_secret() -> Option<String> {
    env::var("DIANJING_OIDC_SECRET").ok().filter(|secret| !secret.is_empty())
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

/// Where a value comes from: the flag or the variable that clap reads, the file, or nowhere.
struct Origins<'a> {
    lang: Lang,
    file: &'a Path,
}

impl Origins<'_> {
    fn of(&self, given: bool, variable: &str, in_file: bool) -> String {
        match (given, env::var_os(variable).is_some(), in_file) {
            (true, true, _) => self.lang.pick(format!("{variable} or flag"), format!("{variable} 或参数")),
            (true, false, _) => self.lang.pick("flag", "参数").to_owned(),
            (false, _, true) => self.file.display().to_string(),
            _ => self.lang.pick("default", "默认").to_owned(),
        }
    }

    fn of_language(&self, in_file: bool) -> String {
        if env::var_os("DIANJING_LANG").is_some() {
            "DIANJING_LANG".to_owned()
        } else if in_file {
            self.file.display().to_string()
        } else {
            self.lang.pick("locale", "系统语言").to_owned()
        }
    }
}

/// Every setting with its origin.
pub(crate) fn table(arguments: &Arguments, lang: Lang) -> anyhow::Result<Vec<Setting>> {
    let path = file_path();
    let file = read_file(&path)?.unwrap_or_default();
    let origins = Origins { lang, file: &path };
    let threads = arguments.threads.or(file.threads.map(NonZeroU16::get));
    Ok(vec![
        Setting {
            name: "cache",
            value: cache(arguments, &file).display().to_string(),
            origin: origins.of(arguments.cache.is_some(), "DIANJING_CACHE", file.cache.is_some()),
            what: lang.pick("where bases and features are kept", "底座和特征存放处"),
        },
        Setting {
            name: "language",
            value: lang.tag().to_owned(),
            origin: origins.of_language(file.language.is_some()),
            what: lang.pick("of messages and reports: en or zh", "消息和报告的语言：en 或 zh"),
        },
        Setting {
            name: "offline",
            value: (arguments.offline || file.offline.unwrap_or(false)).to_string(),
            origin: origins.of(arguments.offline, "DIANJING_OFFLINE", file.offline.is_some()),
            what: lang.pick("never use a network", "绝不使用网络"),
        },
        Setting {
            name: "threads",
            value: threads.map_or_else(
                || lang.pick("one per core", "每核一个").to_owned(),
                |threads| threads.to_string(),
            ),
            origin: origins.of(arguments.threads.is_some(), "DIANJING_THREADS", file.threads.is_some()),
            what: lang.pick("worker threads", "工作线程数"),
        },
        Setting {
            name: "engine",
            value: format!("{:?}", arguments.engine).to_lowercase(),
            origin: origins.of(arguments.engine != EngineName::Auto, "DIANJING_ENGINE", false),
            what: lang.pick("what runs networks", "运行网络的引擎"),
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
            EngineChoice::Ort(text("DIANJING_ORT_LIBRARY").map(PathBuf::from).ok_or_else(|| Usage {
                en: "--engine ort needs DIANJING_ORT_LIBRARY, the path of ONNX Runtime's library".to_owned(),
                zh: "--engine ort 需要用 DIANJING_ORT_LIBRARY 指明 ONNX Runtime 库的路径".to_owned(),
            })?)
        }
    };
    Ok(Home { cache: cache(arguments, &file), catalogue: Catalogue::builtin(), pull, engine })
}
