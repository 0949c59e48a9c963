//! `dianjing studio` and `dianjing serve`: the same server, for one person and for a team.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use pipeline::Lang;
use server::{Oidc, Opened, Settings, Store, Way};

use super::{doors, say};
use crate::args::{Arguments, ServeArguments, StudioArguments};
use crate::exit::Usage;
use crate::logging::LogFormat;
use crate::{CANCELLED, settings, show};

pub(super) fn studio(arguments: &Arguments, verb: &StudioArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let home = settings::home(arguments)?;
    let settings = Settings {
        listen: SocketAddr::from((
            if verb.phone { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST },
            verb.port,
        )),
        way: Way::Local,
        dir: folder(verb.dir.clone()),
        database: None,
        store: None,
        workers: 1,
        max_upload: Settings::MAX_UPLOAD,
        body_patience: Settings::BODY_PATIENCE,
        // Nobody else comes to a server of this machine alone.
        max_rate: verb.phone.then_some(ServeArguments::MAX_RATE),
        max_connections: verb.phone.then_some(ServeArguments::MAX_CONNECTIONS),
        max_examples: None,
        max_bytes: None,
        max_copies: None,
        oidc: None,
    };
    let mut shown = Ok(());
    let opened = |opened: &Opened| {
        let key = opened.key.as_deref().unwrap_or_default();
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, opened.address.port()));
        let address = format!("http://{here}/#/enter/{key}");
        // The one thing that a script wants, and that a person copies.
        shown = show::line(&address);
        say(
            arguments,
            lang.pick(
                "The studio is open; this address lets you in once. Ctrl-C closes it.",
                "工作台已打开；此地址仅可进入一次。按 Ctrl-C 关闭。",
            ),
        );
        if verb.phone {
            doors::say(arguments, &opened.doors, lang);
        }
        if !verb.no_open {
            open_browser(&address);
        }
    };
    server::run(&settings, home, opened, &CANCELLED)?;
    shown?;
    say(arguments, lang.pick("Closed. Everything is kept.", "已关闭。所有内容均已保存。"));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn serve(arguments: &Arguments, verb: &ServeArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    if verb.openapi {
        show::line(&server::openapi())?;
        return Ok(ExitCode::SUCCESS);
    }
    let home = settings::home(arguments)?;
    let settings = Settings {
        listen: verb.listen,
        way: Way::Team,
        dir: folder(verb.dir.clone()),
        database: verb.database.clone(),
        store: verb.store.clone().map(Store::from_environment),
        workers: verb.workers.into(),
        max_upload: Settings::MAX_UPLOAD,
        body_patience: Settings::BODY_PATIENCE,
        max_rate: (verb.max_rate > 0).then_some(verb.max_rate),
        max_connections: (verb.max_connections > 0).then_some(verb.max_connections),
        max_examples: verb.max_examples,
        max_bytes: verb.max_bytes,
        max_copies: verb.max_copies,
        oidc: oidc(verb)?,
    };
    let mut shown = Ok(());
    let opened = |opened: &Opened| {
        shown = show::line(&format!("http://{}/", opened.address));
        if let Some(key) = &opened.key {
            say(
                arguments,
                &lang.pick(
                    format!(
                        "Nobody can log in yet. Open the address and set the server up with this key: {key}"
                    ),
                    format!("尚无人可以登录。请打开该地址，用此密钥完成初始设置：{key}"),
                ),
            );
        }
    };
    server::run(&settings, home, opened, &CANCELLED)?;
    shown?;
    // Who reads objects only is told by one of them.
    if verb.log_format == LogFormat::Text {
        say(arguments, lang.pick("Closed. Everything is kept.", "已关闭。所有内容均已保存。"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The provider that people log in with. Its secret is no argument: other people of this machine see those.
fn oidc(verb: &ServeArguments) -> anyhow::Result<Option<Oidc>> {
    let Some((issuer, client_id)) = verb.oidc_issuer.clone().zip(verb.oidc_client_id.clone()) else {
        return Ok(None);
    };
    let secret = settings::oidc_secret().ok_or_else(|| Usage {
        en: "--oidc-issuer needs the secret of the client in DIANJING_OIDC_SECRET".to_owned(),
        zh: "使用 --oidc-issuer 时，须在环境变量 DIANJING_OIDC_SECRET 中给出客户端密钥".to_owned(),
    })?;
    let host = issuer.split('/').nth(2).unwrap_or(&issuer);
    let name = verb.oidc_name.clone().unwrap_or_else(|| host.to_owned());
    Ok(Some(Oidc { issuer, client_id, secret, name, domain: verb.oidc_domain.clone() }))
}

fn folder(given: Option<PathBuf>) -> PathBuf {
    given.unwrap_or_else(settings::data_folder)
}

/// Shows a page in whatever this system calls a browser. Without one the address is on the screen anyway.
fn open_browser(address: &str) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let started = Command::new(opener).arg(address).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Err(error) = started {
        tracing::info!(%error, "no browser could be opened");
    }
}
