//! Labels, predictions and features that were computed elsewhere: arrays that NumPy saved, boxes in the form of COCO.

mod boxes;
mod files;
mod pixels;

use std::path::{Path, PathBuf};

use base::containers::ContainerError;
use base::containers::npy::Array;
use curate::faults::Fault;
use linalg::{Matrix, Seed};
use store::{Hash, Hasher};

use super::labels::{Labels, Said, View};
use super::material::{Material, Question, Sets};
use crate::PipelineError;

use files::{array, shape};

/// Of labels that are numbers: sums of many squares stay finite.
const LARGEST: f64 = 1e100;
/// Of features, the squares of which are summed in single precision.
const LARGEST_FEATURE: f64 = 1e15;

/// Arrays to look through, and what not to look for.
#[derive(Debug, Clone)]
pub struct ArraysRequest {
    /// What was labelled and predicted.
    pub given: GivenArrays,
    /// `[n, d]` features, for neighbours, duplicates and outliers.
    pub features: Option<PathBuf>,
    /// What not to look for.
    pub skip: Vec<Fault>,
    /// Seed of everything random.
    pub seed: u64,
}

/// Where labels and what was predicted out of fold are; what is asked follows from the shapes.
#[derive(Debug, Clone)]
pub enum GivenArrays {
    /// Arrays of numbers.
    ///
    /// | labels | predictions | asks |
    /// |---|---|---|
    /// | `[n]` class numbers from 0 | `[n, k]` probabilities | one class an example |
    /// | the same, with `lengths` | the same | one class a token |
    /// | `[n, k]` of 0 and 1 | `[n, k]` probabilities | any number of labels |
    /// | `[n]` numbers | `[n]` numbers | a number |
    /// | `[n, h, w]` class numbers | `[n, k, h, w]` probabilities | a class a pixel |
    Numbers {
        /// The labels.
        labels: PathBuf,
        /// What was predicted.
        predicted: PathBuf,
        /// `[sentences]`: tokens in each, where examples are tokens one after the other.
        lengths: Option<PathBuf>,
    },
    /// Boxes in the form of COCO.
    Boxes {
        /// A data set: `images`, `annotations`, `categories`.
        given: PathBuf,
        /// Results: a list of boxes with `score`.
        found: PathBuf,
    },
}

/// Why an array from elsewhere cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ArrayError {
    /// The file cannot be opened.
    #[error("cannot read `{}`", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("`{}` has more than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    /// The file is no array of numbers that NumPy saved.
    #[error("`{}` is not an array of numbers saved by numpy.save", path.display())]
    Malformed {
        path: PathBuf,
        #[source]
        source: ContainerError,
    },
    /// The array holds nothing.
    #[error("`{}` holds no numbers; an axis of length 0 was saved", path.display())]
    Empty { path: PathBuf },
    /// What cannot be reckoned with.
    #[error("row {row} of `{}` has {value:?}; numbers are finite, and no larger than {limit:?}", path.display())]
    Value { path: PathBuf, row: usize, value: f64, limit: f64 },
    /// Lengths of sentences where examples are no tokens.
    #[error("`{}` has lengths of sentences, but the labels are {what}", path.display())]
    NoTokens { path: PathBuf, what: &'static str },
    /// The array has another number of dimensions or rows.
    #[error("`{}` has shape {got}, expected {expected}", path.display())]
    Shape { path: PathBuf, got: String, expected: String },
    /// A label that is not a whole number from 0.
    #[error("label {row} of `{}` is {value}; labels are whole numbers from 0", path.display())]
    Label { path: PathBuf, row: usize, value: f64 },
    /// In a table of labels, what is neither 0 nor 1.
    #[error("row {row} of `{}` has {value}; a table of labels has 1 where a label is given and 0 elsewhere", path.display())]
    NotYesOrNo { path: PathBuf, row: usize, value: f64 },
    /// Lengths that do not add up.
    #[error("the lengths in `{}` add up to {got}, but there are {expected} tokens", path.display())]
    Lengths { path: PathBuf, got: f64, expected: usize },
    /// A file that is no COCO data set, or no list of COCO results.
    #[error("`{}` is no {what}: {detail}", path.display())]
    Coco { path: PathBuf, what: &'static str, detail: String },
}

/// What an audit looks at, and what there is to say about its labels.
pub(super) struct FromElsewhere {
    pub(super) material: Material,
    pub(super) said: Vec<Said>,
    /// Where the labels are judged in a way of their own.
    pub(super) labels: Option<Labels>,
}

/// Of the files that labels and predictions are in.
pub(super) fn fingerprint(request: &ArraysRequest) -> Result<Hash, ArrayError> {
    let both = match &request.given {
        GivenArrays::Numbers { labels, predicted, .. } => [labels, predicted],
        GivenArrays::Boxes { given, found } => [given, found],
    };
    let mut hasher = Hasher::new("arrays from elsewhere");
    for file in both {
        hasher.field("file", &files::bytes(file)?);
    }
    Ok(hasher.finish())
}

/// Reads what an audit looks at.
pub(super) fn read(request: &ArraysRequest) -> Result<FromElsewhere, PipelineError> {
    match &request.given {
        GivenArrays::Boxes { given, found } => boxes::read(request, given, found),
        GivenArrays::Numbers { labels, predicted, lengths } => {
            let (given, found) = (array(labels)?, array(predicted)?);
            let dims = (given.shape.len(), found.shape.len());
            let other = match dims {
                (3, 4) => Some("pixels"),
                (1, 1) => Some("numbers"),
                (2, 2) if given.shape[1] > 1 => Some("sets"),
                _ => None,
            };
            if let Some((path, what)) = lengths.as_ref().zip(other) {
                return Err(ArrayError::NoTokens { path: path.clone(), what }.into());
            }
            match dims {
                (3, 4) => pixels::read(request, (labels, &given), (predicted, &found)),
                (1, 1) => of_numbers(request, (labels, given), (predicted, found)),
                (2, 2) if given.shape[1] > 1 => sets(request, (labels, given), (predicted, found)),
                _ => classes(request, (labels, &given), (predicted, found), lengths.as_deref()),
            }
        }
    }
}

/// A file and what it holds.
type Read<'a, T> = (&'a Path, T);

fn classes(
    request: &ArraysRequest,
    (path, given): Read<'_, &Array>,
    (of, found): Read<'_, Array>,
    lengths: Option<&Path>,
) -> Result<FromElsewhere, PipelineError> {
    if given.shape.len() > 2 || given.shape.get(1).is_some_and(|cols| *cols != 1) {
        return Err(shape(path, given, "(n,)".to_owned()).into());
    }
    let labels = files::class_numbers(path, &given.values)?;
    let values = files::table(of, found, labels.len())?;
    let n_classes = values.cols();
    if let Some(row) = labels.iter().position(|label| *label as usize >= n_classes) {
        return Err(curate::CurateError::LabelOutOfRange { row, label: labels[row], n_classes }.into());
    }
    let ids = match lengths {
        Some(lengths) => files::token_ids(lengths, labels.len())?,
        None => (0..labels.len()).map(|row| row.to_string()).collect(),
    };
    let mut material = material(request, path, ids, Question::Classes)?;
    material.given = labels.iter().map(|label| Some(label.to_string())).collect();
    // Tokens of one sentence do not vouch for each other.
    if lengths.is_some() {
        let sentence = |id: &String| id.split_once(':').map(|(sentence, _)| sentence.to_owned());
        material.groups = material.ids.iter().map(sentence).collect();
    }
    material.labels = labels.into_iter().map(Some).collect();
    material.classes = (0..n_classes).map(|class| class.to_string()).collect();
    Ok(FromElsewhere { material, said: vec![Said { view: View::Given, values }], labels: None })
}

fn sets(
    request: &ArraysRequest,
    (path, given): Read<'_, Array>,
    (of, found): Read<'_, Array>,
) -> Result<FromElsewhere, PipelineError> {
    let (n, k) = (given.shape[0], given.shape[1]);
    if found.shape != given.shape {
        return Err(shape(of, &found, format!("({n}, {k})")).into());
    }
    if let Some(place) = given.values.iter().position(|value| *value != 0.0 && *value != 1.0) {
        let (row, value) = (place / k, given.values[place]);
        return Err(ArrayError::NotYesOrNo { path: path.to_owned(), row, value }.into());
    }
    let of =
        |row: &[f64]| Some((0..).zip(row).filter(|(_, has)| **has == 1.0).map(|(class, _)| class).collect());
    let sets = Sets {
        classes: (0..k).map(|class| class.to_string()).collect(),
        of: given.values.chunks_exact(k).map(of).collect(),
    };
    let given = sets.of.iter().map(|set| set.as_ref().map(|set| sets.text(set))).collect();
    let ids = (0..n).map(|row| row.to_string()).collect();
    let mut material = material(request, path, ids, Question::Sets(sets))?;
    material.given = given;
    let values = Matrix::from_vec(n, k, found.values);
    Ok(FromElsewhere { material, said: vec![Said { view: View::Given, values }], labels: None })
}

fn of_numbers(
    request: &ArraysRequest,
    (path, given): Read<'_, Array>,
    (of, found): Read<'_, Array>,
) -> Result<FromElsewhere, PipelineError> {
    if found.shape != given.shape {
        return Err(shape(of, &found, format!("({},)", given.shape[0])).into());
    }
    files::check_size(path, &given, LARGEST)?;
    files::check_size(of, &found, LARGEST)?;
    let n = given.values.len();
    let ids = (0..n).map(|row| row.to_string()).collect();
    let numbers = given.values.iter().copied().map(Some).collect();
    let mut material = material(request, path, ids, Question::Numbers(numbers))?;
    material.given = given.values.iter().map(|value| Some(value.to_string())).collect();
    let values = Matrix::from_vec(n, 1, found.values);
    Ok(FromElsewhere { material, said: vec![Said { view: View::Given, values }], labels: None })
}

/// Examples of which nothing is known but their ids and, perhaps, features.
fn material(
    request: &ArraysRequest,
    path: &Path,
    ids: Vec<String>,
    question: Question,
) -> Result<Material, PipelineError> {
    let n = ids.len();
    let features = |path: &PathBuf| {
        let array = array(path)?;
        files::check_size(path, &array, LARGEST_FEATURE)?;
        files::table(path, array, n)
    };
    let x = request.features.as_ref().map(features).transpose()?;
    Ok(Material {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        ids,
        given: vec![None; n],
        labels: vec![None; n],
        classes: Vec::new(),
        parts: vec![None; n],
        groups: vec![None; n],
        texts: None,
        names: Vec::new(),
        columns: Vec::new(),
        attributes: Vec::new(),
        looks: Vec::new(),
        fingerprints: Vec::new(),
        x: x.map(|x| x.map(|value| value as f32)),
        question,
        skip: request.skip.clone(),
        seed: Seed(request.seed),
    })
}
