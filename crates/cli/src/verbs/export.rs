//! `dianjing export`: base and head as one ONNX graph.

use std::process::ExitCode;

use pipeline::Lang;

use super::overwrite::{self, Written};
use super::{say, with_progress};
use crate::args::{Arguments, ExportArguments};
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &ExportArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let home = settings::home(arguments)?;
    overwrite::check(Written::Graph, &verb.onnx, Some(&verb.bundle))?;
    let size = with_progress(arguments, lang, |run| {
        let predictor = home.open_bundle(&verb.bundle, run)?;
        let dir = home.fetch(predictor.base().id(), run)?;
        let bytes = bundle::export_onnx(predictor.bundle(), &dir)?;
        store::write_atomic(&verb.onnx, |out| out.write_all(&bytes))?;
        Ok(bytes.len())
    })?;
    if arguments.json {
        show::json(&serde_json::json!({ "onnx": verb.onnx, "size_bytes": size }))?;
    }
    let (path, megabytes) = (verb.onnx.display(), size as f64 / 1e6);
    say(arguments, &lang.pick(
        format!("Wrote {path} ({megabytes:.1} MB). Its input and pre-processing are described in its metadata."),
        format!("已写出 {path}（{megabytes:.1} MB）。输入与预处理说明见其元数据。"),
    ));
    Ok(ExitCode::SUCCESS)
}
