//! How it stands while somebody labels: what was looked at, how good the quick model is and was.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use pipeline::Lang;
use pipeline::report;
use serde::Serialize;
use utoipa::ToSchema;

use super::labels::Measure;
use super::reading::found;
use crate::App;
use crate::answering::lang_of;
use crate::error::ApiError;
use crate::live::{Opinion, Standing};
use crate::people::{Caller, Right};
use crate::tasks::Task;

/// How it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Live {
    /// `looking`: features are being computed. `too_few`: too few labels to measure. `ready`.
    state: &'static str,
    looked: Looked,
    n_labelled: i64,
    /// Of those, the ones that chance picked or that came with the data: accuracy is measured on them.
    n_drawn: Option<usize>,
    /// What `accuracy`, `chance` and `history` are: `accuracy` where one class of several is asked for; `label-accuracy`, the share of labels
    /// right, where several are; `mae`, the mean absolute error, where a number is: less is better.
    metric: &'static str,
    /// Of the quick model, out of fold.
    accuracy: Option<Measure>,
    /// What else is measured of it.
    further: Vec<Further>,
    /// Of who always says the most common class; of each label what is more often so; the median.
    chance: Option<f64>,
    history: Vec<Past>,
    /// What is needed before something can be said, or what went wrong.
    missing: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Looked {
    done: u64,
    total: u64,
}

/// One more metric.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Further {
    /// `micro-f1` and `subset-accuracy`, or `rmse` and `r2`.
    metric: String,
    estimate: Measure,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Past {
    n_labelled: i64,
    accuracy: Measure,
}

/// How good a quick model is with the labels so far.
#[utoipa::path(get, path = "/v1/datasets/{id}/live", tag = "labels", responses((status = 200, body = Live)))]
pub(super) async fn live(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Live>, ApiError> {
    caller.may(Right::Look)?;
    let dataset = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let (task, lang) = (Task::named(&dataset.task)?, lang_of(&headers));
    let mut answer = Live {
        state: "too_few",
        looked: Looked { done: 0, total: 0 },
        n_labelled: dataset.n_labelled,
        n_drawn: None,
        metric: task.metric(),
        accuracy: None,
        further: Vec::new(),
        chance: None,
        history: Vec::new(),
        missing: None,
    };
    if dataset.n_examples == 0 {
        answer.missing = Some(lang.pick("bring examples in first", "请先导入样本").to_owned());
        return Ok(Json(answer));
    }
    let set = app.lives.of(&app, &caller.tenant, &id);
    answer.looked =
        Looked { done: set.done.load(Ordering::Relaxed), total: set.total.load(Ordering::Relaxed) };
    // Labels may have been taken away since.
    let history = app.db.accuracies(&caller.tenant, &id, task.metric()).await?.into_iter();
    let history = history.filter(|(n_labelled, _)| *n_labelled <= dataset.n_labelled);
    answer.history =
        history.map(|(n_labelled, estimate)| Past { n_labelled, accuracy: estimate.into() }).collect();
    match set.standing() {
        Standing::Looking => answer.state = "looking",
        Standing::Failed(error) => answer.missing = Some(lang.pick(error.en, error.zh)),
        Standing::Ready(opinion) => answer.take(opinion.as_deref(), task, lang),
    }
    Ok(Json(answer))
}

impl Live {
    /// Takes what the quick model thinks, or says what it lacks.
    fn take(&mut self, opinion: Option<&Opinion>, task: Task, lang: Lang) {
        let Some(judged) = opinion.map(|opinion| &opinion.judged) else { return };
        self.n_drawn = Some(judged.n_drawn);
        let Some((headline, further)) = judged.measures.split_first() else {
            self.missing = Some(missing(task, judged.n_drawn, lang));
            return;
        };
        (self.state, self.chance) = ("ready", Some(judged.chance));
        self.accuracy = Some(headline.estimate.into());
        let told = |measure: &report::Measure| Further {
            metric: measure.metric.clone(),
            estimate: measure.estimate.into(),
        };
        self.further = further.iter().map(told).collect();
    }
}

/// What is needed before something can be measured.
fn missing(task: Task, drawn: usize, lang: Lang) -> String {
    let (en, zh) = match task {
        Task::Class => (", at least two of each of two classes", "，且有两个类别各不少于两个"),
        Task::Classes => (
            ", with some label on at least two of them and not on two others",
            "，且有某个标签至少两个样本有、两个样本没有",
        ),
        Task::Number => ("", ""),
    };
    lang.pick(
        format!("label ten examples that chance picked ({drawn} so far){en}"),
        format!("请标注至少十个随机抽取的样本（已有 {drawn} 个）{zh}"),
    )
}
