//! `dianjing export`: base and head, or an inspector, as one ONNX graph.

use std::process::ExitCode;

use bundle::inspection::{InspectionBundle, export_inspector};
use bundle::{BundleError, BundleKind};
use pipeline::{Home, Lang, PipelineError, Run};

use super::overwrite::{self, Written};
use super::{say, with_progress};
use crate::args::{Arguments, ExportArguments};
use crate::exit::Usage;
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &ExportArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    check(verb)?;
    let home = settings::home(arguments)?;
    overwrite::check(Written::Graph, &verb.onnx, Some(&verb.bundle))?;
    let size = with_progress(arguments, lang, |run| {
        let bytes = match verb.size {
            Some(size) => inspector(&home, verb, size, run)?,
            None => model(&home, verb, run)?,
        };
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

/// What can be said before anything is fetched.
fn check(verb: &ExportArguments) -> anyhow::Result<()> {
    if bundle::kind(&verb.bundle).map_err(PipelineError::from)? != BundleKind::Inspector {
        return match verb.size {
            None => Ok(()),
            Some(_) => Err(Usage {
                en: "--size is for inspectors; the size of this model's input follows from its base"
                    .to_owned(),
                zh: "--size 只用于检测器；这个模型的输入尺寸由底座决定".to_owned(),
            }
            .into()),
        };
    }
    let bundle = InspectionBundle::open(&verb.bundle).map_err(PipelineError::from)?;
    bundle::inspection::can_export(&bundle).map_err(PipelineError::from)?;
    match verb.size {
        Some(_) => Ok(()),
        None => Err(Usage {
            en: "the graph of an inspector is made for photos of one size: name it, such as --size 1280x1024"
                .to_owned(),
            zh: "检测器的图只适用于一种照片尺寸：请指定，例如 --size 1280x1024".to_owned(),
        }
        .into()),
    }
}

fn model(home: &Home, verb: &ExportArguments, run: &Run<'_>) -> Result<Vec<u8>, PipelineError> {
    let predictor = home.open_bundle(&verb.bundle, run)?;
    if predictor.base().sensors().is_some() {
        let detail = "its base pools over the steps of a series, which an ONNX graph cannot".to_owned();
        return Err(BundleError::Export { detail }.into());
    }
    let dir = home.fetch(predictor.base().id(), run)?;
    Ok(bundle::export_onnx(predictor.bundle(), &dir)?)
}

fn inspector(
    home: &Home,
    verb: &ExportArguments,
    size: (u32, u32),
    run: &Run<'_>,
) -> Result<Vec<u8>, PipelineError> {
    let predictor = home.open_inspector(&verb.bundle, run)?;
    let dir = home.fetch(&predictor.bundle().manifest.base.id, run)?;
    Ok(export_inspector(predictor.bundle(), &dir, size)?)
}
