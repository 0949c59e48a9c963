//! `dianjing base`: the pretrained networks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::cache::{Cache, CachedBase, Card};
use pipeline::Lang;

use super::overwrite::{self, Written};
use super::{say, with_progress};
use crate::args::{Arguments, BaseVerb};
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &BaseVerb, lang: Lang) -> anyhow::Result<ExitCode> {
    let mut home = settings::home(arguments)?;
    let cache = home.bases();
    match verb {
        BaseVerb::List => list(arguments, &home.catalogue, &cache, lang)?,
        BaseVerb::Pull { id, accept_terms } => {
            if *accept_terms {
                home.pull.accepted_terms.push(id.clone());
            }
            let dir = with_progress(arguments, lang, |run| home.fetch(id, run))?;
            let shown = dir.display();
            let told = lang.pick(format!("{id} is ready in {shown}"), format!("{id} 已就绪：{shown}"));
            done(arguments, "dir", &dir, &told)?;
        }
        BaseVerb::Import { path } => {
            let dir = base::transfer::import(&cache, path)?;
            let shown = dir.display();
            let told = lang.pick(format!("Imported into {shown}"), format!("已导入 {shown}"));
            done(arguments, "dir", &dir, &told)?;
        }
        BaseVerb::Export { id, out } => {
            let out = out.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.tar")));
            overwrite::check(Written::Base, &out, None)?;
            base::transfer::export(&cache, id, &out)?;
            let shown = out.display();
            let told = lang.pick(
                format!("Wrote {shown}. On the other machine: dianjing base import {shown}"),
                format!("已写出 {shown}。在另一台机器上运行：dianjing base import {shown}"),
            );
            done(arguments, "tar", &out, &told)?;
        }
        BaseVerb::Info { id } => info(arguments, &home.catalogue, &cache, id, lang)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells where something now is, for a person and, if asked, for a script.
fn done(arguments: &Arguments, what: &str, path: &Path, told: &str) -> anyhow::Result<()> {
    if arguments.json {
        show::json(&serde_json::json!({ what: path }))?;
    }
    say(arguments, told);
    Ok(())
}

fn list(
    arguments: &Arguments,
    catalogue: &base::catalogue::Catalogue,
    cache: &Cache,
    lang: Lang,
) -> anyhow::Result<()> {
    let here: Vec<CachedBase> = cache.list()?.into_iter().filter_map(Result::ok).collect();
    let own = || here.iter().filter(|base| catalogue.entries().all(|entry| entry.id != base.card.id));
    let is_here = |id: &str| here.iter().any(|base| base.card.id == id);
    if arguments.json {
        let entries: Vec<serde_json::Value> = catalogue
            .entries()
            .map(|entry| serde_json::json!({ "id": entry.id, "title": entry.title, "licence": entry.licence, "here": is_here(&entry.id), "default": entry.default }))
            .chain(own().map(|base| {
                let Card { id, title, licence, .. } = &base.card;
                serde_json::json!({ "id": id, "title": title, "licence": licence, "here": true, "default": false })
            }))
            .collect();
        return show::json(&entries);
    }
    let mut rows: Vec<Vec<String>> = catalogue
        .entries()
        .map(|entry| {
            let place = if is_here(&entry.id) {
                lang.pick("here", "已就绪")
            } else {
                lang.pick("not fetched", "未下载")
            };
            let default = if entry.default { " *" } else { "" };
            vec![
                format!("{}{default}", entry.id),
                place.to_owned(),
                entry.licence.clone(),
                entry.title.clone(),
            ]
        })
        .collect();
    rows.extend(own().map(|base| {
        vec![
            base.card.id.clone(),
            lang.pick("here", "已就绪").to_owned(),
            base.card.licence.clone(),
            base.card.title.clone(),
        ]
    }));
    show::table(
        &[
            lang.pick("base (* default)", "底座（* 默认）"),
            "",
            lang.pick("licence", "许可证"),
            lang.pick("what it is", "说明"),
        ],
        rows,
    )
}

fn info(
    arguments: &Arguments,
    catalogue: &base::catalogue::Catalogue,
    cache: &Cache,
    id: &str,
    lang: Lang,
) -> anyhow::Result<()> {
    let here = cache.find(id).ok();
    let (title, licence) = match &here {
        Some(base) => (base.card.title.clone(), base.card.licence.clone()),
        None => {
            let entry = catalogue.entry(id)?;
            (entry.title.clone(), entry.licence.clone())
        }
    };
    if arguments.json {
        return show::json(
            &serde_json::json!({ "id": id, "title": title, "licence": licence, "dir": here.as_ref().map(|base| &base.dir), "card": here.as_ref().map(|base| &base.card) }),
        );
    }
    show::line(&format!("{id}: {title}"))?;
    show::line(&lang.pick(format!("licence: {licence}"), format!("许可证：{licence}")))?;
    match here {
        None => show::line(&lang.pick(
            format!("not fetched yet: dianjing base pull {id}"),
            format!("尚未下载：dianjing base pull {id}"),
        )),
        Some(base) => {
            show::line(
                &lang.pick(format!("in {}", base.dir.display()), format!("位于 {}", base.dir.display())),
            )?;
            show::line(
                &lang.pick(format!("from {}", base.card.source), format!("来源 {}", base.card.source)),
            )?;
            for (name, stamp) in &base.card.files {
                show::line(&format!(
                    "{name}  {:.1} MB  sha256 {}",
                    stamp.size as f64 / 1e6,
                    stamp.sha256.as_str()
                ))?;
            }
            Ok(())
        }
    }
}
