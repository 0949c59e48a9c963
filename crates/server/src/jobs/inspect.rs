//! An inspector is made of photos, sounds or videos of good parts, and of defects where there are some.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bundle::Form;
use dataset::{
    ExampleId, InspectionExample, InspectionSet, Part, Verdict, VerdictsBy, Why, names_good_parts,
};
use pipeline::report::inspection::render_inspection;
use pipeline::{InspectRequest, InspectionSource, Lang, Orientation};

use super::{InHand, Stopped};
use crate::api::models::Wish;
use crate::blobs::Blobs;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::db::models::ModelRow;
use crate::error::ApiError;
use crate::ids::new_id;
use crate::measured::{self, Measured};
use crate::{clock, facts, gathering, marks};

/// Seed of everything random.
const SEED: u64 = 1;
/// At most this share of good parts may alarm, unless asked otherwise.
const FALSE_ALARMS: f64 = 0.05;
/// How sure that is, unless asked otherwise.
const CONFIDENCE: f64 = 0.95;
/// Share of parts with a defect where the inspector will work; matters only where a missed one has a price.
const DEFECT_SHARE: f64 = 0.01;

pub(super) async fn run(
    hand: InHand,
    wish: Wish,
    dataset: &DatasetRow,
    (seq, rows): (i64, Vec<ExampleRow>),
) -> Result<(), Stopped> {
    let InHand { app, tenant, job, held, progress } = hand;
    // A worker that lost its lease may still write: no two tries have a file in common.
    let (id, of) = (new_id(), app.clone());
    let (name, made) = (dataset.name.clone(), id.clone());
    let modality = gathering::modality(dataset.modality.as_deref())?;
    let kept = app
        .blocking(move || {
            let _here = of.blobs.fetch(rows.iter().filter_map(|row| row.blob.as_deref()))?;
            let masks = tempfile::tempdir()?;
            let set = InspectionSet {
                root: PathBuf::from(&name),
                name,
                layout: "studio".to_owned(),
                modality,
                why: Why { by: VerdictsBy::Studio, measured: None },
                examples: examples(&rows, &of.blobs, masks.path())?,
            };
            let request = InspectRequest {
                source: InspectionSource::Examples(Box::new(set)),
                base: None,
                out: of.model_file(&made, "djm"),
                form: Form::File,
                report: of.model_file(&made, "en.html"),
                lang: Lang::En,
                false_alarms: wish.false_alarms.unwrap_or(FALSE_ALARMS),
                confidence: wish.confidence.unwrap_or(CONFIDENCE),
                miss_cost: None,
                defect_share: DEFECT_SHARE,
                mm_per_pixel: None,
                smallest_defect: None,
                orientation: Orientation::FindOut,
                without_background: false,
                detectors: None,
                seed: SEED,
                created: clock::written(clock::now()),
            };
            let made_of = match progress.run(|run| pipeline::inspect(&of.home, &request, run)) {
                Ok(made) => made,
                Err(error) => return Ok(Err(Stopped::from(error))),
            };
            let page = render_inspection(&made_of.report, Lang::Zh);
            store::write_atomic(&of.model_file(&made, "zh.html"), |out| out.write_all(page.as_bytes()))?;
            let ids: HashMap<&str, &str> =
                rows.iter().map(|row| (row.name.as_str(), row.id.as_str())).collect();
            let example = |name: &str| ids.get(name).map(|id| (*id).to_owned());
            let seen = serde_json::to_vec(&Measured::of(&made_of.report, example));
            let seen = seen.map_err(|error| ApiError::internal(&error))?;
            store::write_atomic(&of.model_file(&made, measured::ENDING), |out| out.write_all(&seen))?;
            of.keep_model(&made, &["djm", "en.html", "zh.html", measured::ENDING])?;
            let size = std::fs::metadata(&request.out)?.len();
            Ok(Ok(facts::of_inspecting(&made_of, size, &example)))
        })
        .await??;
    let body = serde_json::to_string(&kept).map_err(|error| ApiError::internal(&error))?;
    let name = wish.name.unwrap_or_else(|| dataset.name.clone());
    let bytes = app.model_bytes(&id);
    let row =
        ModelRow { id, dataset: job.dataset, name, body, bytes, created_at: clock::now(), seq: Some(seq) };
    app.db.add_model(&tenant, &row, &held, app.limits).await?.came()
}

/// The photos, sounds or videos with their verdicts; what is marked on defects becomes masks in a folder.
fn examples(rows: &[ExampleRow], blobs: &Blobs, masks: &Path) -> Result<Vec<InspectionExample>, ApiError> {
    let mut examples = Vec::new();
    for row in rows {
        let (Some(blob), Some(label)) = (&row.blob, &row.label) else { continue };
        let good = names_good_parts(label);
        let mask = if good { None } else { mask(row, masks)? };
        examples.push(InspectionExample {
            id: ExampleId(row.name.clone()),
            path: blobs.path(blob),
            verdict: if good { Verdict::Good } else { Verdict::Defect { kind: label.clone() } },
            mask,
            by_mask: false,
            group: row.part_group.clone(),
            part: row.part.as_deref().and_then(Part::from_name),
        });
    }
    Ok(examples)
}

/// A picture of what is marked on an example; `None` where nothing is, or its size is not known.
fn mask(row: &ExampleRow, masks: &Path) -> Result<Option<PathBuf>, ApiError> {
    let marks = marks::of(row.marks.as_deref());
    let sides = (
        row.width.and_then(|side| u32::try_from(side).ok()),
        row.height.and_then(|side| u32::try_from(side).ok()),
    );
    let (false, (Some(width), Some(height))) = (marks.is_empty(), sides) else { return Ok(None) };
    if u64::from(width) * u64::from(height) > exchange::MOST_PIXELS {
        return Ok(None);
    }
    let path = masks.join(format!("{}.png", row.id));
    exchange::mask(&marks, (width, height)).save(&path).map_err(|error| ApiError::internal(&error))?;
    Ok(Some(path))
}
