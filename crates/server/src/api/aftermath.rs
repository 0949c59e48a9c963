//! What happens after a deployment has answered, while nobody waits: doubtful inputs come back as work, another model is compared.

use std::sync::Arc;

use base::open::Input;
use pipeline::Lang;

use super::predict::{Predicted, ask};
use crate::App;
use crate::db::Tenant;
use crate::db::deployments::DeploymentRow;
use crate::error::ApiError;
use crate::monitoring::Said;

/// A request that was answered.
pub(super) struct Aftermath {
    pub(super) app: Arc<App>,
    pub(super) tenant: Tenant,
    pub(super) deployment: DeploymentRow,
    pub(super) inputs: Vec<(String, Input)>,
    /// What was said of each.
    pub(super) said: Vec<Option<Said>>,
}

impl Aftermath {
    /// Whether anything of a deployment's inputs is needed once they are answered.
    pub(super) fn needs_inputs(deployment: &DeploymentRow) -> bool {
        deployment.collects.is_some() || deployment.shadow.is_some()
    }

    /// Begins it, unless too much of it is under way: a shadow that is slower than what is asked must not fill the memory.
    pub(super) fn begin(self) {
        match self.app.aftermaths.clone().try_acquire_owned() {
            Ok(turn) => drop(tokio::spawn(async move {
                self.run().await;
                drop(turn);
            })),
            Err(_) => tracing::warn!(
                deployment = self.deployment.name,
                "too busy to compare or keep what was asked"
            ),
        }
    }

    /// Who asked does not hear when this fails: the log does.
    async fn run(self) {
        for failed in [self.compare().await, self.bring_back().await].into_iter().filter_map(Result::err) {
            tracing::warn!(error = failed.en, deployment = self.deployment.name, "after an answer");
        }
    }

    /// Asks the shadow the same, and counts how often it says the same.
    async fn compare(&self) -> Result<(), ApiError> {
        let Some(shadow) = &self.deployment.shadow else { return Ok(()) };
        let opened = self.app.open_model(shadow).await?;
        let told = ask(&self.app, &opened, self.inputs.clone(), false, Lang::En).await?;
        let both = self.said.iter().zip(told.iter().map(Predicted::said));
        let same: Vec<bool> =
            both.filter_map(|(one, other)| Some(one.as_ref()?.answer == other?.answer)).collect();
        let n_same = same.iter().filter(|same| **same).count() as u64;
        self.app.monitoring.compare(&self.tenant, &self.deployment.name, shadow, same.len() as u64, n_same);
        Ok(())
    }

    /// Keeps inputs that a person should look at as examples without a label.
    async fn bring_back(&self) -> Result<(), ApiError> {
        let Some(dataset) = &self.deployment.collects else { return Ok(()) };
        let doubtful = |said: &Option<Said>| said.as_ref().is_some_and(|said| said.doubtful);
        let inputs = self.inputs.iter().zip(&self.said).filter(|(_, said)| doubtful(said));
        let mut came = false;
        for ((_, input), _) in inputs {
            let (bytes, body) = match input.clone() {
                Input::Text(text) => (None, Some(text)),
                Input::Image(bytes) | Input::Sound(bytes) => (Some(bytes), None),
                _ => continue,
            };
            if !self.app.db.may_collect(dataset, &self.deployment.name).await? {
                break;
            }
            let blobs = self.app.blobs.clone();
            let keep = move || Ok(bytes.map(|bytes| blobs.keep_bytes(&bytes)).transpose()?);
            let blob = self.app.blocking(keep).await?;
            let (name, db) = (&self.deployment.name, &self.app.db);
            let kept = (blob.as_deref(), body.as_deref());
            came |= db.collect(&self.tenant, dataset, name, kept, self.app.max_examples).await?;
        }
        if came {
            self.app.lives.forget(dataset);
        }
        Ok(())
    }
}
