//! What happens after a deployment has answered, while nobody waits: doubtful inputs come back as work, another model is compared.

use std::sync::Arc;

use base::open::Input;
use dataset::{Modality, Sense};
use pipeline::Lang;
use tokio::sync::mpsc::channel;

use super::doubted::{self, Doubted};
use super::inputs::Question;
use super::predict::{Predicted, ask};
use crate::App;
use crate::blobs::Blobs;
use crate::db::Tenant;
use crate::db::arriving::Incoming;
use crate::db::deployments::{Collected, DeploymentRow};
use crate::error::ApiError;
use crate::monitoring::Said;
use crate::senses::{self, Known, Senses};
use crate::serving::Opened;

/// A request that was answered.
pub(super) struct Aftermath {
    pub(super) app: Arc<App>,
    pub(super) tenant: Tenant,
    pub(super) deployment: DeploymentRow,
    pub(super) questions: Vec<Question>,
    /// What was said of each.
    pub(super) said: Vec<Option<Said>>,
    /// Of each that is a long sound, where the stretches lie that a person should look at, the most doubtful first.
    pub(super) doubts: Vec<Vec<[f64; 2]>>,
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
            Err(_) => {
                tracing::warn!(model = self.deployment.model, "too busy to compare or keep what was asked")
            }
        }
    }

    /// Who asked does not hear when this fails: the log does.
    async fn run(self) {
        for failed in [self.compare().await, self.bring_back().await].into_iter().filter_map(Result::err) {
            tracing::warn!(error = failed.en, model = self.deployment.model, "after an answer");
        }
    }

    /// Asks the shadow the same, and counts how often it says the same.
    async fn compare(&self) -> Result<(), ApiError> {
        let Some(shadow) = &self.deployment.shadow else { return Ok(()) };
        let opened = self.app.open_model(shadow).await?;
        // What has no answer as a whole has none to compare, nor what the shadow would look through piece by piece.
        let answered = self.questions.iter().zip(&self.said);
        let answered = answered.filter_map(|(question, said)| Some((question.clone(), said.as_ref()?)));
        let (mut questions, mut said): (Vec<Question>, Vec<&Said>) = answered.unzip();
        if let Opened::Answers(served) = &opened {
            let (long, _) = served.parted(questions.iter().map(Question::only).collect()).await;
            let mut is_long = long.iter().map(Option::is_some);
            (questions, said) =
                questions.into_iter().zip(said).filter(|_| is_long.next() == Some(false)).unzip();
        }
        if questions.is_empty() {
            return Ok(());
        }
        let told = ask(&self.app, &opened, questions, false, Lang::En).await?;
        let both = said.iter().zip(told.iter().map(Predicted::said));
        let same: Vec<bool> = both.filter_map(|(one, other)| Some(one.answer == other?.answer)).collect();
        let n_same = same.iter().filter(|same| **same).count() as u64;
        self.app.monitoring.compare(&self.tenant, &self.deployment.name, shadow, same.len() as u64, n_same);
        Ok(())
    }

    /// Keeps inputs that a person should look at as examples without a label, and such stretches of long sounds.
    async fn bring_back(&self) -> Result<(), ApiError> {
        let Some(dataset) = &self.deployment.collects else { return Ok(()) };
        let opened = self.app.open_model(&self.deployment.model).await?;
        let takes = opened.takes();
        let several = matches!(opened, Opened::Senses(_));
        let kind = takes.first().filter(|_| !several).map_or(Modality::Senses, |one| one.modality);
        let (kind, senses) = (kind.to_string(), if several { takes } else { Vec::new() });
        let back = Back { dataset, kind: &kind, senses: &senses };
        let mut came = false;
        for ((question, said), stretches) in self.questions.iter().zip(&self.said).zip(&self.doubts) {
            if said.as_ref().is_some_and(|said| said.doubtful) && self.left(&back).await? > 0 {
                let (blobs, asked, of) = (self.app.blobs.clone(), question.clone(), senses.clone());
                let held = self.app.blocking(move || named(&asked, &of, &blobs)).await?;
                let asked = question.clone();
                came |= self.come(&back, &held, move |blobs| keep(&asked, blobs)).await?;
            }
            if !stretches.is_empty() {
                came |= self.bring_stretches_back(&back, question, stretches).await?;
            }
        }
        if came && let Some(live) = self.app.lives.known(dataset) {
            live.hear(&self.app).await;
        }
        Ok(())
    }

    async fn bring_stretches_back(
        &self,
        back: &Back<'_>,
        question: &Question,
        stretches: &[[f64; 2]],
    ) -> Result<bool, ApiError> {
        let most = self.left(back).await?;
        if most == 0 {
            return Ok(false);
        }
        let (sender, mut arriving) = channel(1);
        let (asked, stretches) = (question.clone(), stretches.to_vec());
        let app = self.app.clone();
        let cutting = tokio::spawn(async move {
            app.blocking(move || doubted::cut(&asked, &stretches, most, &sender)).await
        });
        let mut came = false;
        while let Some(Doubted { held, bytes }) = arriving.recv().await {
            if self.left(back).await? == 0 {
                break;
            }
            came |= self
                .come(back, &held, move |blobs| {
                    blobs.keep_bytes(&bytes)?;
                    Ok(())
                })
                .await?;
        }
        drop(arriving);
        cutting.await.map_err(|error| ApiError::internal(&error))??;
        Ok(came)
    }

    /// How many more may come back today.
    async fn left(&self, back: &Back<'_>) -> Result<usize, ApiError> {
        Ok(self.app.db.left_to_collect(&self.tenant, back.dataset, &self.deployment.name).await?)
    }

    /// Brings one back, unless it is not welcome; its files are kept by `keep`, and lie here before a row names them.
    async fn come(
        &self,
        back: &Back<'_>,
        held: &Incoming,
        keep: impl FnOnce(&Blobs) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<bool, ApiError> {
        let Back { dataset, kind, senses } = *back;
        let new = Collected { dataset, name: &self.deployment.name, kind, senses, held };
        let (db, limits) = (&self.app.db, self.app.limits);
        if !db.would_collect(&self.tenant, &new, limits).await? {
            return Ok(false);
        }
        let blobs = self.app.blobs.clone();
        self.app.blocking(move || keep(&blobs)).await?;
        Ok(db.collect(&self.tenant, &new, limits).await?)
    }
}

/// Where doubtful inputs come back to, and what they are.
struct Back<'a> {
    dataset: &'a str,
    kind: &'a str,
    senses: &'a [Sense],
}

/// What was asked about as an example would be kept, with how much room its files take. Nothing is written.
fn named(question: &Question, senses: &[Sense], blobs: &Blobs) -> Result<Incoming, ApiError> {
    let mut kept = Incoming::default();
    let mut files = Vec::new();
    let mut hold = |input: &Input| {
        let (blob, size) = match input {
            Input::Text(text) => return Ok::<_, ApiError>(Known::Text(text.clone())),
            Input::Image(file) | Input::Sound(file) => (Blobs::name_of_bytes(file), file.len() as u64),
            Input::VideoFile(path) | Input::SeriesFile(path) | Input::SoundFile(path) => {
                (blobs.name_of(path)?, std::fs::metadata(path)?.len())
            }
            Input::Frames(_) | Input::Series(_) => unreachable!("what is sent is a text or a file"),
        };
        files.push((blob.clone(), i64::try_from(size).unwrap_or(i64::MAX)));
        Ok(Known::Blob(blob))
    };
    if senses.is_empty() {
        match hold(&question.only())? {
            Known::Text(text) => kept.body = Some(text),
            Known::Blob(blob) => kept.blob = Some(blob),
        }
    } else {
        let mut known = Senses::new();
        for (sense, input) in senses.iter().zip(&question.inputs) {
            if let Some(input) = input {
                known.insert(sense.name.clone(), hold(input)?);
            }
        }
        (kept.body, kept.senses) = (senses::texts(&known), Some(senses::keep(&known)));
    }
    kept.files = files;
    Ok(kept)
}

/// Keeps the files of what was asked about.
fn keep(question: &Question, blobs: &Blobs) -> Result<(), ApiError> {
    for input in question.inputs.iter().flatten() {
        match input {
            Input::Text(_) => {}
            Input::Image(file) | Input::Sound(file) => drop(blobs.keep_bytes(file)?),
            Input::VideoFile(path) | Input::SeriesFile(path) | Input::SoundFile(path) => {
                drop(blobs.keep(path)?);
            }
            Input::Frames(_) | Input::Series(_) => unreachable!("what is sent is a text or a file"),
        }
    }
    Ok(())
}
