//! `dianjing evaluate`: a bundle on labelled examples it has not seen.

use std::process::ExitCode;

use bundle::BundleKind;
use pipeline::report::metric_name;
use pipeline::{Lang, PipelineError, percent};

use super::{inspected, read_options, say, with_progress};
use crate::args::{Arguments, EvaluateArguments};
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &EvaluateArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let kind = bundle::kind(&verb.bundle).map_err(PipelineError::from)?;
    if kind == BundleKind::Inspector {
        return inspected::evaluate(arguments, verb, lang);
    }
    let home = settings::home(arguments)?;
    let read = read_options(&verb.columns);
    let held_out = with_progress(arguments, lang, |run| {
        if kind == BundleKind::Senses {
            let predictor = home.open_senses(&verb.bundle, run)?;
            return pipeline::evaluate_senses(&home, &predictor, &verb.data, &read, run);
        }
        let predictor = home.open_bundle(&verb.bundle, run)?;
        pipeline::evaluate(&home, &predictor, &verb.data, &read, run)
    })?;
    if arguments.json {
        show::json(&held_out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = held_out
        .measures
        .iter()
        .map(|measure| vec![metric_name(&measure.metric, lang).to_owned(), show::measure(measure, lang)])
        .collect();
    show::table(&[lang.pick("metric", "指标"), lang.pick("value", "值")], rows)?;
    if !held_out.unknown_classes.is_empty() {
        let classes = lang.list(&held_out.unknown_classes);
        say(
            arguments,
            &lang.pick(
                format!("note: the bundle does not know {classes}; such examples count as missed"),
                format!("注意：模型包不认识{classes}；这些样本都算作答错"),
            ),
        );
    }
    if let Some((answered, right)) = held_out.answered {
        say(
            arguments,
            &lang.pick(
                format!(
                    "It answered {} of {} examples; of those answers {} were right.",
                    percent(answered.value),
                    held_out.n,
                    percent(right.value)
                ),
                format!(
                    "共 {} 个样本，回答了 {}；其中 {} 正确。",
                    held_out.n,
                    percent(answered.value),
                    percent(right.value)
                ),
            ),
        );
    }
    Ok(ExitCode::SUCCESS)
}
