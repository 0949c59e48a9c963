//! A class for every pixel: each picture is an example.

use std::collections::BTreeMap;

use base::containers::npy::Array;
use curate::labels::Judged;
use curate::labels::pixels::{JudgedPixels, flagged_pixels, image_scores};
use linalg::Matrix;

use super::super::labels::Labels;
use super::super::material::Question;
use super::{ArraysRequest, FromElsewhere, Read, files, material, shape};
use crate::report::Sentence;
use crate::{PipelineError, percent};

/// Share of its pixels from which a picture is a finding: fewer are the rim of an outline.
const WORTH_A_LOOK: f64 = 0.001;

pub(super) fn read(
    request: &ArraysRequest,
    (path, given): Read<'_, &Array>,
    (of, found): Read<'_, &Array>,
) -> Result<FromElsewhere, PipelineError> {
    let (n, pixels) = (given.shape[0], given.shape[1] * given.shape[2]);
    let k = found.shape[1];
    if [found.shape[0], found.shape[2], found.shape[3]] != given.shape[..] || k == 0 {
        let expected = format!("({n}, k, {}, {})", given.shape[1], given.shape[2]);
        return Err(shape(of, found, expected).into());
    }
    let labels = files::class_numbers(path, &given.values)?;
    // Elsewhere a class is a picture of probabilities; here a pixel has a row of them.
    let at = |place: usize| found.values[(place / k / pixels * k + place % k) * pixels + place / k % pixels];
    let probs = Matrix::from_vec(n * pixels, k, (0..found.values.len()).map(at).collect());
    let judged = Judged::new(&labels, probs.view())?;
    let pictures = JudgedPixels::new(&labels, probs.view(), pixels)?;
    let ids = (0..n).map(|row| row.to_string()).collect();
    let material = material(request, path, ids, Question::Nothing(nothing_else()))?;
    let mut of = Labels::silent(n);
    of.checked.scores = image_scores(pictures).into_iter().map(Some).collect();
    let mask = flagged_pixels(pictures);
    for row in 0..n {
        let places: Vec<usize> = (row * pixels..(row + 1) * pixels).filter(|place| mask[*place]).collect();
        if places.len() as f64 > WORTH_A_LOOK * pixels as f64 {
            of.about[row] = Some(about(judged, &places, pixels));
            of.checked.flagged.push(row);
        }
    }
    let score = |row: &usize| of.checked.scores[*row].unwrap_or(1.0);
    of.checked.flagged.sort_by(|a, b| score(a).total_cmp(&score(b)));
    Ok(FromElsewhere { material, said: Vec::new(), labels: Some(of) })
}

/// How many pixels, and which confusion is most frequent among them.
fn about(judged: Judged<'_>, places: &[usize], pixels: usize) -> Sentence {
    let mut pairs: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for place in places {
        *pairs.entry((judged.labels()[*place], judged.predicted(*place))).or_default() += 1;
    }
    let most = pairs.iter().max_by_key(|(pair, count)| (**count, std::cmp::Reverse(**pair)));
    let (given, found) = most.map_or((0, 0), |(pair, _)| *pair);
    let share = percent(places.len() as f64 / pixels as f64);
    let n = places.len();
    Sentence {
        en: format!("{n} pixels ({share}) look wrong, most of them `{given}` that looks like `{found}`"),
        zh: format!("{n} 个像素（{share}）看起来标错了，多数是像“{found}”的“{given}”"),
    }
}

fn nothing_else() -> Sentence {
    Sentence {
        en: "Pixels were judged by what was predicted; rules in conflict are not looked for among them."
            .to_owned(),
        zh: "像素按给出的预测检查；不在像素之间查找规则冲突。".to_owned(),
    }
}
