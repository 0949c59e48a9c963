//! The data are looked through, and what was found becomes the worklist.

use std::collections::HashMap;

use pipeline::{AuditRequest, Source};

use super::{InHand, Stopped};
use crate::error::ApiError;
use crate::gathering;
use crate::worklists::Worklist;

/// Seed of folds and heads.
const SEED: u64 = 1;

pub(super) async fn run(hand: InHand) -> Result<(), Stopped> {
    let InHand { app, tenant, job, held, progress } = hand;
    let dataset = app.db.dataset(&tenant, &job.dataset).await?.ok_or_else(ApiError::not_found)?;
    let mut rows = app.db.all_examples(&tenant, &job.dataset).await?;
    rows.retain(|row| row.label.is_some());
    let ids: HashMap<String, String> = rows.iter().map(|row| (row.name.clone(), row.id.clone())).collect();
    let data = gathering::labelled(&dataset, &rows, &app.blobs)?;
    let files: Vec<String> = rows.iter().filter_map(|row| row.blob.clone()).collect();
    let (home, blobs) = (app.home.clone(), app.blobs.clone());
    let body = app
        .blocking(move || {
            blobs.fetch(files.iter().map(String::as_str))?;
            let source = Source::Examples(Box::new(data));
            let request = AuditRequest { source, base: None, skip: Vec::new(), rules: None, seed: SEED };
            let audit = progress.run(|run| pipeline::audit(&home, &request, run));
            Ok(audit.map_err(Stopped::from).map(|audit| Worklist::of(&audit, &ids)))
        })
        .await??;
    let body = serde_json::to_string(&body).map_err(|error| ApiError::internal(&error))?;
    if app.db.keep_audit(&tenant, &job.dataset, dataset.seq, &body, &held).await? {
        Ok(())
    } else {
        Err(Stopped::Cancelled)
    }
}
