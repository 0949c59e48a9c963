//! `dianjing doctor`: what this machine has, and what is wrong with it.

use std::process::ExitCode;

use pipeline::Lang;

use crate::args::Arguments;
use pipeline::chinese_errors;

use crate::{settings, show};

/// One thing that was looked at.
struct Check {
    what: &'static str,
    found: String,
    fine: bool,
}

pub(super) fn run(arguments: &Arguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let home = settings::home(arguments)?;
    let checks = [cache(&home, lang), bases(&home, lang), client(&home, lang), videos(lang), cores(lang)];
    if arguments.json {
        let found: Vec<serde_json::Value> = checks
            .iter()
            .map(|check| serde_json::json!({ "what": check.what, "found": check.found, "fine": check.fine }))
            .collect();
        show::json(&found)?;
    } else {
        let mark = |check: &Check| if check.fine { "ok" } else { "!!" }.to_owned();
        show::table(
            &["", "", ""],
            checks
                .iter()
                .map(|check| vec![mark(check), check.what.to_owned(), check.found.clone()])
                .collect(),
        )?;
    }
    Ok(if checks.iter().all(|check| check.fine) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The cache can be written to.
fn cache(home: &pipeline::Home, lang: Lang) -> Check {
    let probe = home.cache.join("doctor.probe");
    let written = store::write_atomic(&probe, |out| out.write_all(b"ok"));
    // The probe says nothing to anyone else; a leftover is overwritten next time.
    let _ = std::fs::remove_file(&probe);
    let found = match &written {
        Ok(()) => home.cache.display().to_string(),
        Err(error) => error.to_string(),
    };
    Check { what: lang.pick("cache", "缓存"), found, fine: written.is_ok() }
}

/// Every base in the cache is as it was fetched.
fn bases(home: &pipeline::Home, lang: Lang) -> Check {
    let what = lang.pick("bases", "底座");
    let listed = match home.bases().list() {
        Ok(listed) => listed,
        Err(error) => return Check { what, found: error.to_string(), fine: false },
    };
    let mut names = Vec::new();
    for base in listed {
        match base.and_then(|base| base.card.verify(&base.dir).map(|()| base.card.id)) {
            Ok(id) => names.push(id),
            Err(error) => return Check { what, found: error.to_string(), fine: false },
        }
    }
    let none = lang.pick("none yet; the first `tune` fetches one", "暂无；首次 tune 时自动下载").to_owned();
    Check { what, found: if names.is_empty() { none } else { names.join(", ") }, fine: true }
}

/// A client that can fetch packages.
fn client(home: &pipeline::Home, lang: Lang) -> Check {
    let answers = |client: &&Vec<String>| {
        let version = std::process::Command::new(&client[0]).args(&client[1..]).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    };
    let found = home.pull.package_clients.iter().find(answers).map(|client| client.join(" "));
    let here = home.bases().list().is_ok_and(|bases| !bases.is_empty());
    let fine = found.is_some() || here;
    let none = lang.pick(
        "none found: install Python's pip, or use `dianjing base import`",
        "未找到：请安装 pip，或使用 dianjing base import",
    );
    Check {
        what: lang.pick("package client", "包客户端"),
        found: found.unwrap_or_else(|| none.to_owned()),
        fine,
    }
}

/// The program that decodes videos; without it everything else works.
fn videos(lang: Lang) -> Check {
    let found = match base::video::Ffmpeg::default().version() {
        Ok(version) => version,
        Err(error) => lang.pick(error.to_string(), chinese_errors::ffmpeg(&error)),
    };
    Check { what: lang.pick("videos", "视频"), found, fine: true }
}

fn cores(lang: Lang) -> Check {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Check { what: lang.pick("cores", "核心数"), found: cores.to_string(), fine: true }
}
