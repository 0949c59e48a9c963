//! Which examples a page of them is to hold, and in which order.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::Fault;
use serde::Deserialize;
use utoipa::IntoParams;

use super::examples::Teller;
use crate::App;
use crate::db::examples::Wanted;
use crate::error::ApiError;
use crate::live::{Live, Opinion};
use crate::tasks::Task;

/// Most examples of a page, and most that are similar to one.
const MOST: i64 = 500;
/// Examples of a page unless asked otherwise.
const USUAL: i64 = 200;
/// The state of what was taken out.
const REMOVED: &str = "removed";
/// In place of a fault: whatever was found.
const ANY: &str = "any";

/// How long the pages of a list fit together: who comes back after that begins anew.
const LONGEST_HELD: Duration = Duration::from_secs(3600);

/// A list that somebody began to page through.
#[derive(Debug)]
pub(crate) struct Begun {
    at: Instant,
    pub(super) ids: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    #[serde(default)]
    offset: i64,
    /// At most 500; 200 when absent.
    limit: Option<i64>,
    /// Only those with this class, also among others.
    label: Option<String>,
    /// With `label`: only those that the quick model would call this.
    suggestion: Option<String>,
    /// `labelled`, `unlabelled`, `marked`, `disputed`, `removed`: what was taken out, as brought in, or `disagrees`: whose answer the quick model would not have given, or, where it is a
    /// number, which lies outside the model's interval.
    state: Option<String>,
    /// Only those that findings of this fault in the newest audit are about, as the worklist names it, or of `any`; in the worklist's order.
    finding: Option<String>,
    /// With `finding`: in this of several senses. Without it, those that are no single sense's; with `any`, of all.
    sense: Option<String>,
    /// Only those whose name or text contains this.
    q: Option<String>,
    /// Those most like this example first, at most 500.
    similar_to: Option<String>,
    /// `position`, or `doubt`: what the quick model is least sure of first.
    order: Option<String>,
    /// Only those whose answer the quick model is at least this sure of, in [0, 1]; where several labels are asked for, of the one it is
    /// least sure of. It has not seen the answer of the example.
    sure_from: Option<f64>,
    /// Only those that it is less sure of than this, in [0, 1].
    sure_below: Option<f64>,
}

impl Which {
    /// Where the page begins, and how long it is.
    pub(super) fn place(&self) -> (i64, i64) {
        (self.offset.max(0), self.limit.unwrap_or(USUAL).clamp(0, MOST))
    }

    /// Whether the choice alone tells what was answered.
    pub(super) fn tells(&self) -> bool {
        let answered = self.state.as_deref().is_some_and(|state| !state.is_empty());
        answered
            || self.label.is_some()
            || self.suggestion.is_some()
            || self.finding.is_some()
            || self.order.as_deref() == Some("doubt")
            || self.asks_how_sure()
    }

    /// Whether it depends on how far people agree.
    pub(super) fn asks_for_disputes(&self) -> bool {
        self.state.as_deref() == Some("disputed")
    }

    /// Whether it is what was taken out that is wanted: no model and no audit knows of it.
    fn asks_for_removed(&self) -> bool {
        self.state.as_deref() == Some(REMOVED)
    }

    fn asks_how_sure(&self) -> bool {
        self.sure_from.is_some() || self.sure_below.is_some()
    }

    /// How sure the quick model is to be; `None` where that does not matter.
    fn sure(&self, task: Task) -> Result<Option<Range<f64>>, ApiError> {
        if !self.asks_how_sure() {
            return Ok(None);
        }
        if task == Task::Number {
            let (en, zh) = (
                "of a number the quick model tells an interval, and not how sure it is",
                "对于数值，快速模型给出的是区间，没有把握的大小",
            );
            return Err(ApiError::invalid(en, zh).hint(
                "ask for `order=doubt`, or for `state=disagrees`",
                "请用 order=doubt 或 state=disagrees",
            ));
        }
        // One that is sure beyond doubt is below nothing.
        let sure = self.sure_from.unwrap_or(0.0)..self.sure_below.unwrap_or(f64::INFINITY);
        let is_share = |share: &f64| (0.0..=1.0).contains(share);
        if self.sure_from.iter().chain(&self.sure_below).all(is_share) && sure.start < sure.end {
            return Ok(Some(sure));
        }
        let (en, zh) = (
            "`sure_from` and `sure_below` are between 0 and 1, the first below the second",
            "sure_from 和 sure_below 须在 0 和 1 之间，且前者小于后者",
        );
        Err(ApiError::invalid(en, zh).hint("0.6 is 60 %", "0.6 即 60 %"))
    }

    /// The same for every page of one list.
    fn question(&self, live: &Live, person: &str) -> String {
        let which = Self { offset: 0, limit: None, ..self.clone() };
        format!("{} {person} {which:?}", live.dataset)
    }

    /// What the database knows by itself.
    pub(super) fn wanted(&self) -> Result<Wanted, ApiError> {
        let (labelled, marked) = match self.state.as_deref() {
            None | Some("" | "disagrees") => (None, None),
            Some("labelled") => (Some(true), None),
            Some("unlabelled") => (Some(false), None),
            Some("marked") => (None, Some(true)),
            Some("disputed" | REMOVED) => (None, None),
            Some(_) => {
                let (en, zh) = (
                    "`state` is labelled, unlabelled, marked, disputed, removed or disagrees",
                    "state 须为 labelled、unlabelled、marked、disputed、removed 或 disagrees",
                );
                return Err(ApiError::invalid(en, zh));
            }
        };
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Ok(Wanted {
            label: text(&self.label),
            labelled,
            marked,
            disputed: self.asks_for_disputes(),
            removed: self.asks_for_removed(),
            words: text(&self.q),
        })
    }

    /// The ids of all of them where something else than the database gives their order; `None` where nothing does. The first page begins a
    /// list, and the further ones of the same person go on with it, whatever the model has learned meanwhile.
    pub(super) async fn ranked(
        &self,
        app: &App,
        live: &Arc<Live>,
        person: &str,
        teller: &Teller,
    ) -> Result<Option<Arc<Begun>>, ApiError> {
        if self.asks_for_removed() {
            return Ok(None);
        }
        let question = self.question(live, person);
        if self.offset > 0
            && let Some(begun) = app.lists.get(&question).filter(|begun| begun.at.elapsed() < LONGEST_HELD)
        {
            return Ok(Some(begun));
        }
        let Some(ids) = self.ranked_now(app, live, teller).await? else { return Ok(None) };
        let begun = Arc::new(Begun { at: Instant::now(), ids });
        app.lists.hold(question, begun.clone(), begun.ids.len());
        Ok(Some(begun))
    }

    async fn ranked_now(
        &self,
        app: &App,
        live: &Arc<Live>,
        teller: &Teller,
    ) -> Result<Option<Vec<String>>, ApiError> {
        let mut lists = self.lists(app, live, teller).await?.into_iter();
        let Some(mut ids) = lists.next() else { return Ok(None) };
        for others in lists {
            let others: HashSet<String> = others.into_iter().collect();
            ids.retain(|id| others.contains(id));
        }
        let wanted = self.wanted()?;
        // The quick model hears of every example that goes; an audit does not.
        if self.finding.is_some() || !wanted.is_everything() {
            let others = app.db.wanted(&live.tenant, &live.dataset, &wanted).await?;
            let others: HashSet<String> = others.into_iter().collect();
            ids.retain(|id| others.contains(id));
        }
        Ok(Some(ids))
    }

    /// Lists that the examples must all be in; they are shown in the order of the first.
    async fn lists(
        &self,
        app: &App,
        live: &Arc<Live>,
        teller: &Teller,
    ) -> Result<Vec<Vec<String>>, ApiError> {
        let opinion = teller.opinion.as_deref();
        let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let mut lists = Vec::new();
        if self.order.as_deref() == Some("doubt") {
            lists.extend(opinion.map(Opinion::by_doubt).filter(|ids| !ids.is_empty()).map(owned));
        }
        if let Some(example) = &self.similar_to {
            let (live, example) = (live.clone(), example.clone());
            lists.push(app.blocking(move || Ok(live.similar(&example, MOST as usize))).await?);
        }
        if let Some(fault) = self.finding.as_deref().filter(|fault| !fault.is_empty()) {
            lists.push(self.found(app, live, fault).await?);
        }
        if let (Some(label), Some(suggestion)) = (&self.label, &self.suggestion) {
            lists.push(owned(opinion.map(|opinion| opinion.confused(label, suggestion)).unwrap_or_default()));
        }
        if self.state.as_deref() == Some("disagrees") {
            lists.push(owned(opinion.map(Opinion::disagrees).unwrap_or_default()));
        }
        if let Some(sure) = self.sure(teller.task)? {
            lists.push(owned(opinion.map(|opinion| opinion.as_sure_as(&sure)).unwrap_or_default()));
        }
        Ok(lists)
    }

    /// The examples that findings of the newest audit are about, in the order of the worklist.
    async fn found(&self, app: &App, live: &Live, fault: &str) -> Result<Vec<String>, ApiError> {
        let fault = Some(fault).filter(|fault| *fault != ANY);
        if fault.is_some_and(|fault| Fault::ALL.iter().all(|known| known.name() != fault)) {
            let (en, zh) = ("`finding` is no fault that an audit looks for", "finding 不是检查项的名称");
            let refused = ApiError::invalid(en, zh);
            return Err(refused
                .hint("give `any`, or a fault as the worklist names it", "请用 any，或待办清单中的名称"));
        }
        let newest = app.worklists.newest(&app.db, &live.tenant, &live.dataset).await?;
        let Some(newest) = newest else { return Ok(Vec::new()) };
        let mut seen = HashSet::new();
        let findings = newest.worklist.findings.iter();
        let of = findings.filter(|finding| finding.is_of(fault, self.sense.as_deref()));
        Ok(of.flat_map(|finding| &finding.examples).filter(|id| seen.insert(*id)).cloned().collect())
    }
}
