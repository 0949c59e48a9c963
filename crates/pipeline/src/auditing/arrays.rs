//! Labels, probabilities and features that were computed elsewhere and saved by NumPy.

use std::path::{Path, PathBuf};

use base::containers::npy::{self, Array};
use base::containers::{ContainerError, Limits};
use curate::faults::Fault;
use linalg::{Matrix, Seed};

use super::labels::{Said, View};
use super::material::Material;
use crate::PipelineError;

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 8 << 30;

/// Arrays to look through, and what not to look for.
#[derive(Debug, Clone)]
pub struct ArraysRequest {
    /// `[n]` class numbers from 0.
    pub labels: PathBuf,
    /// `[n, k]` out-of-fold probabilities.
    pub probs: PathBuf,
    /// `[n, d]` features, for neighbours, duplicates and outliers.
    pub features: Option<PathBuf>,
    /// What not to look for.
    pub skip: Vec<Fault>,
    /// Seed of everything random.
    pub seed: u64,
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
    /// The array has another number of dimensions or rows.
    #[error("`{}` has shape {got}, expected {expected}", path.display())]
    Shape { path: PathBuf, got: String, expected: String },
    /// A label that is not a whole number from 0.
    #[error("label {row} of `{}` is {value}; labels are whole numbers from 0", path.display())]
    Label { path: PathBuf, row: usize, value: f64 },
}

/// Reads what an audit looks at.
pub(super) fn material(request: &ArraysRequest) -> Result<(Material, Vec<Said>), PipelineError> {
    let labels = labels(&request.labels)?;
    let n = labels.len();
    let probs = table(&request.probs, n)?;
    let x = request.features.as_ref().map(|path| table(path, n)).transpose()?;
    if let Some(row) = labels.iter().position(|label| *label as usize >= probs.cols()) {
        let n_classes = probs.cols();
        return Err(curate::CurateError::LabelOutOfRange { row, label: labels[row], n_classes }.into());
    }
    let name = request.labels.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let material = Material {
        name,
        ids: (0..n).map(|row| row.to_string()).collect(),
        given: labels.iter().map(|label| Some(label.to_string())).collect(),
        labels: labels.into_iter().map(Some).collect(),
        classes: (0..probs.cols()).map(|class| class.to_string()).collect(),
        parts: vec![None; n],
        groups: vec![None; n],
        texts: None,
        names: Vec::new(),
        columns: Vec::new(),
        attributes: Vec::new(),
        x: x.map(|x| x.map(|value| value as f32)),
        unjudged: None,
        skip: request.skip.clone(),
        seed: Seed(request.seed),
    };
    Ok((material, vec![Said { view: View::Given, probs }]))
}

fn labels(path: &Path) -> Result<Vec<u32>, ArrayError> {
    let array = array(path)?;
    if array.cols.is_some_and(|cols| cols != 1) {
        return Err(shape(path, &array, "(n,)".to_owned()));
    }
    let label = |(row, value): (usize, &f64)| {
        let whole = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value);
        if whole {
            Ok(*value as u32)
        } else {
            Err(ArrayError::Label { path: path.to_owned(), row, value: *value })
        }
    };
    array.values.iter().enumerate().map(label).collect()
}

fn table(path: &Path, n: usize) -> Result<Matrix<f64>, ArrayError> {
    let array = array(path)?;
    match array.cols {
        Some(cols) if array.rows == n && cols > 0 => Ok(Matrix::from_vec(n, cols, array.values)),
        _ => Err(shape(path, &array, format!("({n}, k)"))),
    }
}

fn shape(path: &Path, array: &Array, expected: String) -> ArrayError {
    let got = array.cols.map_or(format!("({},)", array.rows), |cols| format!("({}, {cols})", array.rows));
    ArrayError::Shape { path: path.to_owned(), got, expected }
}

fn array(path: &Path) -> Result<Array, ArrayError> {
    let open = |source| ArrayError::Open { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(open)?.len() > MAX_BYTES {
        return Err(ArrayError::TooLarge { path: path.to_owned(), limit: MAX_BYTES });
    }
    let bytes = std::fs::read(path).map_err(open)?;
    npy::read(&bytes, &Limits::default())
        .map_err(|source| ArrayError::Malformed { path: path.to_owned(), source })
}
