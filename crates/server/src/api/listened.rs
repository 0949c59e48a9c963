//! What a model of pieces says of a long sound that we have: looked through when somebody asks, and held in memory for a while.

use std::sync::Arc;

use base::open::Input;
use bundle::{Answer, Verdict};
use pipeline::pieces::Stretch;
use tokio::sync::Semaphore;

use crate::App;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::lately::Lately;
use crate::serving::{Heard, Opened};

/// Bytes of the largest sound that is looked through: it is held in memory as long as that takes.
const LARGEST: u64 = 256 << 20;
/// Sounds that are held at once for that.
const AT_ONCE: usize = 2;
/// Stretches that are held, of all sounds: some 20 MB.
const MOST_STRETCHES: usize = 1 << 18;

/// What models of pieces said lately.
#[derive(Debug)]
pub(crate) struct Listened {
    lately: Lately<Vec<Known>>,
    turns: Semaphore,
}

impl Default for Listened {
    fn default() -> Self {
        Self { lately: Lately::new(MOST_STRETCHES), turns: Semaphore::new(AT_ONCE) }
    }
}

/// A stretch of which the model says what it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    /// Start and end.
    pub(super) seconds: [f64; 2],
    pub(super) class: String,
    /// Calibrated, in [0, 1].
    pub(super) confidence: Option<f64>,
}

/// The stretches of a sound that a model knows, in their order. None of one that is hardly longer than what it learned from, too long, or
/// damaged: then their times may be wrong. `None` where the model is none of pieces.
pub(super) async fn known(
    app: &Arc<App>,
    model: &str,
    row: &ExampleRow,
) -> Result<Option<Arc<Vec<Known>>>, ApiError> {
    let Opened::Answers(served) = app.open_model(model).await? else { return Ok(None) };
    let (Some(_), Some(blob)) = (served.bundle().manifest.piece_seconds, &row.blob) else { return Ok(None) };
    let name = format!("{model}/{blob}");
    // Who asks for the same waits, and finds it.
    let turn = app.making.under_way.at(&name);
    let _own = turn.lock().await;
    if let Some(found) = app.listened.lately.get(&name) {
        return Ok(Some(found));
    }
    let _turn = app.listened.turns.acquire().await.map_err(|error| ApiError::internal(&error))?;
    let (blobs, blob) = (app.blobs.clone(), blob.clone());
    let sound = app
        .blocking(move || {
            if blobs.size(&blob)?.is_none_or(|size| size > LARGEST) {
                return Ok(None);
            }
            let _here = blobs.fetch(std::iter::once(blob.as_str()))?;
            Ok(Some(std::fs::read(blobs.path(&blob))?))
        })
        .await?;
    // What is short the base need not hear for this.
    let long = match sound {
        Some(sound) => served.parted(vec![Input::Sound(sound)]).await.0.pop().flatten(),
        None => None,
    };
    let heard = match long {
        Some(sound) => served.hear(vec![Input::Sound(sound)]).await?.pop(),
        None => None,
    };
    let stretches: Vec<Known> = match heard {
        Some(Heard::Stretches(stretches, None)) => stretches.into_iter().filter_map(of_stretch).collect(),
        _ => Vec::new(),
    };
    let stretches = Arc::new(stretches);
    app.listened.lately.hold(name, stretches.clone(), stretches.len() + 1);
    Ok(Some(stretches))
}

/// A stretch that is one class, which the model stands behind or at least says.
fn of_stretch(Stretch { seconds, prediction }: Stretch) -> Option<Known> {
    let says = matches!(prediction.verdict, Verdict::Answered | Verdict::Unproven);
    match prediction.answer {
        Answer::Class { name, .. } if says => {
            Some(Known { seconds, class: name, confidence: prediction.confidence })
        }
        _ => None,
    }
}
