//! What models are asked about: read from forms and from JSON.

use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use base::open::Input;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dataset::Modality;
use serde::Deserialize;
use utoipa::ToSchema;

use super::reading::Sent;
use crate::error::ApiError;

/// Inputs of one request.
const MOST_INPUTS: usize = 256;

/// What models are asked about: as JSON, or as parts called `file` of a form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Questions {
    inputs: Vec<Sample>,
}

/// One of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    text: Option<String>,
    /// The file, in base64.
    image: Option<String>,
    /// The file, in base64.
    sound: Option<String>,
}

/// What is asked about, by name.
pub(super) async fn inputs(request: Request, takes: Modality) -> Result<Vec<(String, Input)>, ApiError> {
    let inputs =
        if is_form(request.headers()) { parts(request, takes).await? } else { samples(request).await? };
    check_count(inputs.len())?;
    Ok(inputs)
}

async fn samples(request: Request) -> Result<Vec<(String, Input)>, ApiError> {
    let Sent(questions) = Sent::<Questions>::from_request(request, &()).await?;
    let one = |(place, sample): (usize, Sample)| Ok(((place + 1).to_string(), sample.input()?));
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

async fn parts(request: Request, takes: Modality) -> Result<Vec<(String, Input)>, ApiError> {
    let bad = |error: &dyn std::fmt::Display| {
        ApiError::invalid(format!("the form cannot be read: {error}"), format!("无法读取表单：{error}"))
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| bad(&error))?;
    let mut inputs = Vec::new();
    while let Some(part) = form.next_field().await.map_err(|error| bad(&error))? {
        if part.name() != Some("file") {
            continue;
        }
        let name = part.file_name().map_or_else(|| (inputs.len() + 1).to_string(), str::to_owned);
        let bytes = part.bytes().await.map_err(|error| too_large_or(&error, &bad))?.to_vec();
        let input = match takes {
            Modality::Text => Input::Text(String::from_utf8(bytes).map_err(|error| bad(&error))?),
            Modality::Sound => Input::Sound(bytes),
            _ => Input::Image(bytes),
        };
        inputs.push((name, input));
    }
    Ok(inputs)
}

fn too_large_or(
    error: &axum::extract::multipart::MultipartError,
    bad: &dyn Fn(&dyn std::fmt::Display) -> ApiError,
) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large("the form is too large", "表单太大");
    }
    bad(error)
}

impl Sample {
    fn input(self) -> Result<Input, ApiError> {
        let decode = |text: String| {
            let bad = |_| ApiError::invalid("a file is not base64", "文件不是 base64 编码");
            STANDARD.decode(text.trim()).map_err(bad)
        };
        match (self.text, self.image, self.sound) {
            (Some(text), None, None) => Ok(Input::Text(text)),
            (None, Some(image), None) => Ok(Input::Image(decode(image)?)),
            (None, None, Some(sound)) => Ok(Input::Sound(decode(sound)?)),
            _ => Err(ApiError::invalid(
                "each input is one of text, image and sound",
                "每个输入须为 text、image、sound 之一",
            )),
        }
    }
}
