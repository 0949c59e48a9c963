//! The data are looked through, and what was found becomes the worklist.

use std::collections::HashMap;

use dataset::{Dataset, Vote};
use pipeline::{AuditRequest, Rules, Source};

use super::{InHand, Stopped};
use crate::books;
use crate::db::examples::ExampleRow;
use crate::db::milestones::{Decided, Milestone};
use crate::db::people::PersonRow;
use crate::db::worklists::Audited;
use crate::error::ApiError;
use crate::gathering;
use crate::tasks::Task;
use crate::worklists::{KeptCase, Worklist, cases};

/// Seed of folds and heads.
const SEED: u64 = 1;

pub(super) async fn run(hand: InHand) -> Result<(), Stopped> {
    let InHand { app, tenant, job, held, progress } = hand;
    let dataset = app.db.dataset(&tenant, &job.dataset).await?.ok_or_else(ApiError::not_found)?;
    let (seq, mut rows) = app.db.state_now(&tenant, &job.dataset).await?.ok_or_else(ApiError::not_found)?;
    rows.retain(|row| row.label.is_some());
    let task = Task::named(&dataset.task)?;
    let mut data = gathering::labelled(&dataset, &rows, &app.blobs)?;
    if task == Task::Class {
        sign(&mut data, &rows, &app.db.people(&tenant).await?);
    }
    let files: Vec<String> = rows.iter().flat_map(ExampleRow::blobs).collect();
    let rows: HashMap<String, ExampleRow> = rows.into_iter().map(|row| (row.name.clone(), row)).collect();
    let (home, blobs) = (app.home.clone(), app.blobs.clone());
    let rules = books::rules(&app, &tenant, &job.dataset).await?.map(Rules::Known);
    let (list, cases) = app
        .blocking(move || {
            let _here = blobs.fetch(files.iter().map(String::as_str))?;
            let source = Source::Examples(Box::new(data));
            let request = AuditRequest { source, base: None, skip: Vec::new(), rules, seed: SEED };
            let audit = progress.run(|run| pipeline::audit(&home, &request, run));
            Ok(audit
                .map_err(Stopped::from)
                .map(|audit| (Worklist::of(&audit, task, &rows), cases(&audit, &rows))))
        })
        .await??;
    let failed = |error: serde_json::Error| ApiError::internal(&error);
    let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let case = |(number, case): &(usize, KeptCase)| {
        Ok((whole(*number), serde_json::to_string(case).map_err(failed)?))
    };
    let milestone = Milestone::Audit {
        n_findings: list.findings.len(),
        advice: list.advice.clone(),
        decided: Decided::new(),
    };
    let audited = Audited {
        seq,
        body: serde_json::to_string(&list).map_err(failed)?,
        cases: cases.iter().map(case).collect::<Result<_, ApiError>>()?,
        milestone,
    };
    if app.db.keep_audit(&tenant, &job.dataset, &audited, &held).await? {
        Ok(())
    } else {
        Err(Stopped::Cancelled)
    }
}

/// Says who gave each label: it may be what parts two rules.
fn sign(data: &mut Dataset, rows: &[ExampleRow], people: &[PersonRow]) {
    let names: HashMap<&str, &str> =
        people.iter().map(|person| (person.id.as_str(), person.name.as_str())).collect();
    for (example, row) in data.examples.iter_mut().zip(rows) {
        let by = row.label_by.as_deref().and_then(|id| names.get(id));
        let vote = |(name, label): (&&str, String)| Vote { annotator: (*name).to_owned(), label };
        example.votes.extend(by.zip(row.label.clone()).map(vote));
    }
}
