//! What models are asked about: read from forms and from JSON.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use base::open::Input;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dataset::{Modality, Sense};
use serde::Deserialize;
use tempfile::TempPath;
use utoipa::ToSchema;

use super::reading::Sent;
use crate::error::ApiError;

/// Inputs of one request.
const MOST_INPUTS: usize = 256;
/// What an input of one sense is called in JSON.
const KINDS: [Modality; 5] =
    [Modality::Image, Modality::Text, Modality::Sound, Modality::Video, Modality::Series];

/// What models are asked about: as JSON, or as parts of a form called `file`, or as the senses of one thing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Questions {
    inputs: Vec<Sample>,
}

/// One of `text`, `image`, `sound`, `video` and `series`; of a model of several senses what is there, by their names. Files are in base64.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Sample(BTreeMap<String, Option<String>>);

/// One thing that a model is asked about.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) name: String,
    /// One for each sense that the model takes, in their order; `None` for what is missing.
    pub(super) inputs: Vec<Option<Input>>,
    /// Files that inputs lie in; they go with the last that looks at them.
    files: Vec<Arc<TempPath>>,
}

impl Question {
    /// About a text or the bytes of a file.
    pub(super) fn one(name: String, bytes: Vec<u8>, of: Modality) -> Result<Self, ApiError> {
        let mut question = Self { name, inputs: Vec::new(), files: Vec::new() };
        let input = question.input(bytes, of)?;
        question.inputs.push(Some(input));
        Ok(question)
    }

    /// The only input, of a question to a model of one sense.
    pub(super) fn only(&self) -> Input {
        self.inputs.iter().flatten().next().cloned().expect("a question of one sense has its input")
    }

    /// As [`Question::only`], of a question that is done with it: it is not held twice. Its name, and files that it lies in, stay.
    pub(super) fn take_only(&mut self) -> Input {
        self.inputs.iter_mut().find_map(Option::take).expect("a question of one sense has its input")
    }

    /// About what is there of several senses.
    fn several(
        name: String,
        mut there: BTreeMap<String, Vec<u8>>,
        senses: &[Sense],
    ) -> Result<Self, ApiError> {
        let mut question = Self { name, inputs: Vec::new(), files: Vec::new() };
        let given = there.len();
        for sense in senses {
            let input = there.remove(&sense.name).map(|bytes| question.input(bytes, sense.modality));
            question.inputs.push(input.transpose()?);
        }
        if given == 0 || !there.is_empty() {
            let names: Vec<&str> = senses.iter().map(|sense| sense.name.as_str()).collect();
            let (en, zh) = (
                format!("this model takes {}, each by its name", names.join(", ")),
                format!("该模型接受 {}，请按名称发送", names.join("、")),
            );
            return Err(ApiError::invalid(en, zh).hint("leave out what is missing", "缺少的可以省略"));
        }
        Ok(question)
    }

    /// What a base takes. Videos and series are read from files, so they are laid aside.
    fn input(&mut self, bytes: Vec<u8>, of: Modality) -> Result<Input, ApiError> {
        Ok(match of {
            Modality::Text => Input::Text(String::from_utf8(bytes).map_err(|error| unread(&error))?),
            Modality::Sound => Input::Sound(bytes),
            Modality::Video => Input::VideoFile(self.aside(&bytes, ".mp4")?),
            Modality::Series => Input::SeriesFile(self.aside(&bytes, table_ending(&bytes))?),
            Modality::Image | Modality::Senses => Input::Image(bytes),
        })
    }

    fn aside(&mut self, bytes: &[u8], ending: &str) -> Result<std::path::PathBuf, ApiError> {
        let mut file = tempfile::Builder::new().suffix(ending).tempfile()?;
        file.write_all(bytes)?;
        let path = file.into_temp_path();
        let place = path.to_path_buf();
        self.files.push(Arc::new(path));
        Ok(place)
    }

    /// A sentence with the question's name in place of where its files lie here.
    pub(super) fn told(&self, sentence: String) -> String {
        let hide = |told: String, file: &Arc<TempPath>| told.replace(&*file.to_string_lossy(), &self.name);
        self.files.iter().fold(sentence, hide)
    }
}

/// The ending by which a table is read.
fn table_ending(bytes: &[u8]) -> &'static str {
    match bytes.trim_ascii_start().first() {
        _ if bytes.starts_with(b"PAR1") => ".parquet",
        Some(b'{' | b'[') => ".json",
        _ => ".csv",
    }
}

/// What is asked about, of a model that takes one sense or several.
pub(super) async fn questions(request: Request, takes: &[Sense]) -> Result<Vec<Question>, ApiError> {
    let questions = if is_form(request.headers()) {
        parts(request, takes).await?
    } else {
        samples(request, takes).await?
    };
    check_count(questions.len())?;
    Ok(questions)
}

async fn samples(request: Request, takes: &[Sense]) -> Result<Vec<Question>, ApiError> {
    let Sent(questions) = Sent::<Questions>::from_request(request, &()).await?;
    let one = |(place, sample): (usize, Sample)| sample.question((place + 1).to_string(), takes);
    questions.inputs.into_iter().enumerate().map(one).collect()
}

/// Refuses none and too many.
pub(super) fn check_count(count: usize) -> Result<(), ApiError> {
    match count {
        0 => Err(ApiError::invalid("there is no input", "没有输入")
            .hint("send `inputs`, or parts called `file`", "请发送 inputs，或名为 file 的表单部分")),
        1..=MOST_INPUTS => Ok(()),
        _ => Err(ApiError::too_large("at most 256 inputs at once", "一次最多 256 个输入")),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
}

/// Files of one sense, one after the other; or one thing with a part for each of its senses.
async fn parts(request: Request, takes: &[Sense]) -> Result<Vec<Question>, ApiError> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| unread(&error))?;
    let mut questions = Vec::new();
    let mut there = BTreeMap::new();
    while let Some(part) = form.next_field().await.map_err(|error| unread(&error))? {
        let called = part.name().unwrap_or_default().to_owned();
        let named = part.file_name().map(str::to_owned);
        match takes {
            [one] if called == "file" => {
                let name = named.unwrap_or_else(|| (questions.len() + 1).to_string());
                let bytes = part.bytes().await.map_err(|error| too_large_or(&error))?.to_vec();
                questions.push(Question::one(name, bytes, one.modality)?);
            }
            [_] => {}
            _ => {
                let bytes = part.bytes().await.map_err(|error| too_large_or(&error))?.to_vec();
                there.insert(called, bytes);
            }
        }
    }
    if !there.is_empty() {
        questions.push(Question::several("1".to_owned(), there, takes)?);
    }
    Ok(questions)
}

fn unread(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::invalid(format!("the form cannot be read: {error}"), format!("无法读取表单：{error}"))
}

fn too_large_or(error: &axum::extract::multipart::MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large("the form is too large", "表单太大");
    }
    unread(error)
}

impl Sample {
    fn question(self, name: String, takes: &[Sense]) -> Result<Question, ApiError> {
        let there = self.there();
        let [_] = takes else {
            let of = |(sense, value): (String, String)| {
                // What is no sense of this model is refused for its name, whatever it holds.
                let file = takes.iter().any(|one| one.name == sense && one.modality != Modality::Text);
                let bytes = if file { decoded(&value)? } else { value.into_bytes() };
                Ok::<_, ApiError>((sense, bytes))
            };
            return Question::several(name, there.into_iter().map(of).collect::<Result<_, _>>()?, takes);
        };
        of_one_sense(name, there).map(|(question, _)| question)
    }

    /// A question about one sense, with what it is, whatever it is asked of.
    pub(super) fn only(self, name: String) -> Result<(Question, Modality), ApiError> {
        of_one_sense(name, self.there())
    }

    fn there(self) -> BTreeMap<String, String> {
        self.0.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

fn of_one_sense(name: String, there: BTreeMap<String, String>) -> Result<(Question, Modality), ApiError> {
    let kind = |key: &String| KINDS.into_iter().find(|kind| kind.to_string() == *key);
    let mut kinds = there.into_iter().map(|(key, value)| Some((kind(&key)?, value)));
    match (kinds.next(), kinds.next()) {
        (Some(Some((kind, value))), None) => {
            let bytes = if kind == Modality::Text { value.into_bytes() } else { decoded(&value)? };
            Ok((Question::one(name, bytes, kind)?, kind))
        }
        _ => Err(ApiError::invalid(
            "each input is one of text, image, sound, video and series",
            "每个输入须为 text、image、sound、video、series 之一",
        )),
    }
}

/// A file in base64.
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, ApiError> {
    let bad = |_| ApiError::invalid("a file is not base64", "文件不是 base64 编码");
    STANDARD.decode(text.trim()).map_err(bad)
}
