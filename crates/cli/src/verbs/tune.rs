//! `dianjing tune`: from examples to a bundle and a report.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bundle::Form;
use pipeline::{Lang, TuneRequest, Tuning};

use super::overwrite::{self, Written};
use super::{read_options, say, with_progress};
use crate::args::{Arguments, TuneArguments};
use crate::exit::Usage;
use crate::{settings, show};

pub(super) fn run(arguments: &Arguments, verb: &TuneArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    if !(verb.errors > 0.0 && verb.errors < 1.0) {
        return Err(Usage {
            en: format!(
                "--errors {} is not between 0 and 1; 0.05 means one wrong answer in twenty",
                verb.errors
            ),
            zh: format!("--errors {} 不在 0 和 1 之间；0.05 表示二十个答案中至多一个错误", verb.errors),
        }
        .into());
    }
    let started = Instant::now();
    let home = settings::home(arguments)?;
    let out = verb.out.clone().unwrap_or_else(|| default_out(&verb.data));
    let report = verb.report.clone().unwrap_or_else(|| out.with_extension("report.html"));
    overwrite::check(Written::Bundle, &out, Some(&verb.data))?;
    overwrite::check(Written::Report, &report, Some(&verb.data))?;
    let request = TuneRequest {
        data: verb.data.clone(),
        read: read_options(&verb.columns),
        base: verb.base.clone(),
        form: if out.extension().is_some_and(|extension| extension == "djm") {
            Form::File
        } else {
            Form::Folder
        },
        out,
        report,
        lang,
        target_error: verb.errors,
        words: !verb.no_words,
        seed: verb.seed,
        created: now(),
    };
    let tuning = with_progress(arguments, lang, |run| pipeline::tune(&home, &request, run))?;
    if arguments.json {
        show::json(&serde_json::json!({
            "bundle": request.out,
            "report": request.report,
            "identity": tuning.identity,
            "evaluation": tuning.bundle.evaluation,
            "examples": tuning.n_examples,
            "problems": tuning.problems,
        }))?;
    }
    summary(arguments, &request, &tuning, started, lang);
    Ok(ExitCode::SUCCESS)
}

/// What was done, in numbers, and the next command to try.
fn summary(arguments: &Arguments, request: &TuneRequest, tuning: &Tuning, started: Instant, lang: Lang) {
    let seconds = started.elapsed().as_secs_f64();
    let n = tuning.n_examples;
    let report = &tuning.report;
    say(
        arguments,
        &lang.pick(
            format!("Tuned on {n} examples in {seconds:.1} s: {}", report.decision.en),
            format!("用 {n} 个样本调校完成，用时 {seconds:.1} 秒：{}", report.decision.zh),
        ),
    );
    if let Some((recipe, ..)) = report.candidates.iter().find(|(.., chosen)| *chosen) {
        say(arguments, &lang.pick(format!("Recipe: {}", recipe.en), format!("配方：{}", recipe.zh)));
    }
    for measured in tuning
        .bundle
        .evaluation
        .measured
        .iter()
        .take(1)
        .chain(tuning.bundle.evaluation.measured.iter().filter(|measured| measured.on == "test").take(1))
    {
        let measure =
            pipeline::report::Measure { metric: measured.metric.clone(), estimate: measured.estimate };
        let place = match measured.on.as_str() {
            "test" => lang.pick("on your test part", "在测试集上"),
            _ => lang.pick("expected on new examples", "对新样本的预期"),
        };
        let metric = pipeline::report::metric_name(&measured.metric, lang);
        say(arguments, &format!("{metric} {place}: {}", show::measure(&measure, lang)));
    }
    say(arguments, tuning.report.promise.in_lang(lang));
    for (index, advice) in tuning.report.advice.iter().enumerate() {
        say(arguments, &format!("  {}. {}", index + 1, advice.in_lang(lang)));
    }
    let (out, report) = (request.out.display(), request.report.display());
    say(
        arguments,
        &lang.pick(format!("Bundle: {out}\nReport: {report}"), format!("模型：{out}\n报告：{report}")),
    );
    let example = match tuning.dataset.modality {
        dataset::Modality::Image => "new/*.jpg",
        dataset::Modality::Text => "new.csv",
    };
    say(
        arguments,
        &lang.pick(
            format!("Next: dianjing predict {out} {example}"),
            format!("下一步：dianjing predict {out} {example}"),
        ),
    );
}

fn default_out(data: &Path) -> PathBuf {
    let full = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let name = if full.is_dir() { full.file_name() } else { full.file_stem() };
    // Not `with_extension`: it would take `v2` of a folder `parts.v2` for one.
    let mut out = name.unwrap_or("model".as_ref()).to_owned();
    out.push(".djm");
    PathBuf::from(out)
}

/// Now, or `SOURCE_DATE_EPOCH`, as RFC 3339 in UTC.
fn now() -> String {
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let seconds: u64 = fixed
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    rfc3339(seconds)
}

/// Days to a date by Hinnant's algorithm (civil_from_days).
fn rfc3339(seconds: u64) -> String {
    let (days, rest) = ((seconds / 86_400) as i64, seconds % 86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_709_210_096), "2024-02-29T12:34:56Z");
        assert_eq!(rfc3339(4_102_444_799), "2099-12-31T23:59:59Z");
    }

    #[test]
    fn the_bundle_is_named_after_the_data() {
        assert_eq!(default_out(Path::new("nowhere/tickets.csv")), Path::new("tickets.djm"));
    }
}
