//! Boxes around objects, in the form of COCO: each picture is an example.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use curate::labels::boxes::{FlaggedBoxes, GivenBox, JudgedImage, PredictedBox, box_scores, flagged_boxes};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::labels::Labels;
use super::super::material::Question;
use super::{ArrayError, ArraysRequest, FromElsewhere, files, material};
use crate::PipelineError;
use crate::report::Sentence;

/// Boxes of one kind that are named.
const SHOWN: usize = 3;

/// What people drew.
#[derive(Debug, Deserialize)]
struct Coco {
    images: Vec<Image>,
    annotations: Vec<Drawn>,
    categories: Vec<Category>,
}

#[derive(Debug, Deserialize)]
struct Image {
    id: i64,
    file_name: String,
}

#[derive(Debug, Deserialize)]
struct Category {
    id: i64,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Drawn {
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
}

/// What a detector found.
#[derive(Debug, Deserialize)]
struct Found {
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    score: f64,
}

pub(super) fn read(
    request: &ArraysRequest,
    given: &Path,
    found: &Path,
) -> Result<FromElsewhere, PipelineError> {
    let coco: Coco = parse(given, "COCO data set")?;
    let results: Vec<Found> = parse(found, "list of COCO results")?;
    let images = images(&coco, &results, (given, found))?;
    let ids = coco.images.iter().map(|image| image.file_name.clone()).collect();
    let material = material(request, given, ids, Question::Nothing(nothing_else()))?;
    let scores = box_scores(&images)?;
    let flagged = flagged_boxes(&images)?;
    let mut labels = Labels::silent(images.len());
    labels.checked.scores = scores.iter().map(|scores| Some(scores.image)).collect();
    for (row, (image, flagged)) in images.iter().zip(&flagged).enumerate() {
        if flagged.any() {
            labels.checked.flagged.push(row);
            labels.about[row] = Some(about(&coco.categories, image, flagged));
        }
    }
    labels.checked.flagged.sort_by(|a, b| scores[*a].image.total_cmp(&scores[*b].image));
    Ok(FromElsewhere { material, said: Vec::new(), labels: Some(labels) })
}

fn parse<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, ArrayError> {
    let wrong = |error: serde_json::Error| ArrayError::Coco {
        path: path.to_owned(),
        what,
        detail: error.to_string(),
    };
    serde_json::from_slice(&files::bytes(path)?).map_err(wrong)
}

/// The boxes picture by picture; categories by their place in the list.
fn images(
    coco: &Coco,
    results: &[Found],
    (given, found): (&Path, &Path),
) -> Result<Vec<JudgedImage>, ArrayError> {
    let unknown =
        |path: &Path, what, detail: String| ArrayError::Coco { path: path.to_owned(), what, detail };
    let images: BTreeMap<i64, usize> =
        coco.images.iter().enumerate().map(|(row, image)| (image.id, row)).collect();
    if images.len() < coco.images.len() {
        return Err(unknown(given, "COCO data set", "two images have the same id".to_owned()));
    }
    let classes: BTreeMap<i64, u32> =
        (0..).zip(&coco.categories).map(|(class, category)| (category.id, class)).collect();
    let place =
        |path: &Path, what, image: i64, category: i64| match (images.get(&image), classes.get(&category)) {
            (Some(row), Some(class)) => Ok((*row, *class)),
            (None, _) => Err(unknown(path, what, format!("a box names image {image}, which is not listed"))),
            (_, None) => {
                Err(unknown(path, what, format!("a box names category {category}, which is not listed")))
            }
        };
    let corners = |[left, top, width, height]: [f64; 4]| [left, top, left + width, top + height];
    let mut judged = vec![JudgedImage::default(); coco.images.len()];
    for drawn in &coco.annotations {
        let (row, class) = place(given, "COCO data set", drawn.image_id, drawn.category_id)?;
        judged[row].given.push(GivenBox { corners: corners(drawn.bbox), class });
    }
    for one in results {
        let (row, class) = place(found, "list of COCO results", one.image_id, one.category_id)?;
        judged[row].predicted.push(PredictedBox { corners: corners(one.bbox), class, confidence: one.score });
    }
    Ok(judged)
}

/// Which boxes, and what about them.
fn about(categories: &[Category], image: &JudgedImage, flagged: &FlaggedBoxes) -> Sentence {
    let name = |class: u32, [left, top, right, bottom]: [f64; 4]| {
        let name = &categories[class as usize].name;
        format!("`{name}` ({left:.0}, {top:.0}, {right:.0}, {bottom:.0})")
    };
    let given = |places: &[usize]| -> Vec<String> {
        places.iter().map(|place| name(image.given[*place].class, image.given[*place].corners)).collect()
    };
    let swapped: BTreeSet<usize> = flagged.swapped.iter().copied().collect();
    // A box of another class lies badly for its own class as well: once is enough.
    let misplaced: Vec<usize> =
        flagged.bad_location.iter().copied().filter(|place| !swapped.contains(place)).collect();
    let missing = flagged
        .overlooked
        .iter()
        .map(|place| name(image.predicted[*place].class, image.predicted[*place].corners))
        .collect::<Vec<_>>();
    let kinds = [
        ("no box around", "没有框出", missing),
        ("probably another class", "类别可能不对", given(&flagged.swapped)),
        ("badly placed", "位置不准", given(&misplaced)),
    ];
    let mut parts = (Vec::new(), Vec::new());
    for (en, zh, boxes) in kinds.iter().filter(|(_, _, boxes)| !boxes.is_empty()) {
        let shown = boxes.iter().take(SHOWN).cloned().collect::<Vec<_>>();
        let more = boxes.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" + {more}") } else { String::new() };
        parts.0.push(format!("{en}: {}{more}", shown.join(", ")));
        parts.1.push(format!("{zh}：{}{more}", shown.join("、")));
    }
    Sentence { en: parts.0.join("; "), zh: parts.1.join("；") }
}

fn nothing_else() -> Sentence {
    Sentence {
        en: "Boxes were judged by what was detected; rules in conflict are not looked for among them."
            .to_owned(),
        zh: "框按检测结果检查；不在框之间查找规则冲突。".to_owned(),
    }
}
