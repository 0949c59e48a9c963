//! What is marked on examples, kept as JSON: boxes, outlines and brush strokes on pictures, spans of texts, segments of sounds.

use std::collections::BTreeSet;

use dataset::Modality;
use exchange::{Kind, Mark, MarkError};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// What a mark says that was suggested because the same string was marked before: no model did it.
pub(crate) const AGAIN: &str = "marks";
/// Longest name of what suggested a mark, in bytes: ids are far shorter.
const MOST_NAMED: usize = 64;
/// Marks of one example.
const MOST: usize = 2000;
/// Of one example, as they are kept: an event holds them twice, a page of the gallery five hundred times.
const MOST_BYTES: usize = 2 << 20;

/// A mark with where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptMark {
    #[serde(flatten)]
    pub(crate) mark: Mark,
    /// Of one that was suggested and that a person accepted, perhaps with changes: the id of the model, or [`AGAIN`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) suggested_by: Option<String>,
}

impl From<Mark> for KeptMark {
    fn from(mark: Mark) -> Self {
        Self { mark, suggested_by: None }
    }
}

/// As they are kept; `None` where nothing is marked.
///
/// # Errors
/// When there are too many, or one is not of the kind of the example, or none at all.
pub(crate) fn keep(marks: &[KeptMark], on: Modality) -> Result<Option<String>, ApiError> {
    if marks.len() > MOST {
        return Err(ApiError::too_large("at most 2,000 marks on one example", "每个样本最多 2000 个标记"));
    }
    let kind = kind(on);
    for (number, KeptMark { mark, suggested_by }) in (1..).zip(marks) {
        if suggested_by.as_ref().is_some_and(|by| by.is_empty() || by.len() > MOST_NAMED) {
            let (en, zh) = (
                format!("mark {number}: `suggested_by` is the id of a model, or `{AGAIN}`"),
                format!("第 {number} 个标记：suggested_by 须为模型的编号或 {AGAIN}"),
            );
            return Err(ApiError::invalid(en, zh).hint(
                "send what `suggested-marks` said, or leave it out",
                "请照 suggested-marks 的回答发送，或省略该字段",
            ));
        }
        mark.check(kind).map_err(|error| {
            let (en, zh) =
                (format!("mark {number}: {error}"), format!("第 {number} 个标记：{}", chinese(&error)));
            ApiError::invalid(en, zh)
        })?;
    }
    if marks.is_empty() {
        return Ok(None);
    }
    let kept = serde_json::to_string(marks).map_err(|error| ApiError::internal(&error))?;
    if kept.len() > MOST_BYTES {
        return Err(ApiError::too_large(
            "the marks of one example are too detailed",
            "单个样本的标记过于精细",
        )
        .hint("use fewer points, or smoother strokes", "请减少点数或使用更平滑的涂抹"));
    }
    Ok(Some(kept))
}

fn chinese(error: &MarkError) -> String {
    match error {
        MarkError::OtherKind { on, .. } => format!("该形状不能标在{}上", on.chinese()),
        MarkError::NotFinite { .. } => "坐标须为有限的数值".to_owned(),
        MarkError::NoSize { .. } => "标记没有大小".to_owned(),
        MarkError::FewPoints { got } => format!("多边形只有 {got} 个点，至少需要 3 个"),
        MarkError::TooMuch { got, most, .. } => format!("数量为 {got}，最多 {most}"),
        MarkError::Sum { got, expected } => format!("涂抹覆盖 {got} 个像素，而图片有 {expected} 个"),
        MarkError::EmptyClass => "类别为空，请省略".to_owned(),
    }
}

/// The kind of examples, as files of annotations call it.
pub(crate) fn kind(modality: Modality) -> Kind {
    match modality {
        Modality::Image => Kind::Image,
        Modality::Text => Kind::Text,
        Modality::Sound => Kind::Sound,
        Modality::Video => Kind::Video,
        Modality::Series => Kind::Series,
        Modality::Senses => Kind::Senses,
    }
}

/// What is kept, each with where it came from.
pub(crate) fn told(kept: Option<&str>) -> Vec<KeptMark> {
    kept.and_then(|kept| serde_json::from_str(kept).ok()).unwrap_or_default()
}

/// What is kept.
pub(crate) fn of(kept: Option<&str>) -> Vec<Mark> {
    told(kept).into_iter().map(|kept| kept.mark).collect()
}

/// The classes of what is kept, each once.
pub(crate) fn classes(kept: &str) -> Vec<String> {
    let classes: BTreeSet<String> = of(Some(kept)).into_iter().filter_map(|mark| mark.class).collect();
    classes.into_iter().collect()
}

/// What the class of a mark looks like inside what is kept. Texts hold no such thing: there quotes are escaped.
pub(crate) fn named(class: &str) -> String {
    let class = serde_json::to_string(class).expect("a name is written");
    format!("\"class\":{class}")
}

/// What is kept, with a class under another name; `None` where no mark has it.
pub(crate) fn renamed(kept: &str, name: &str, to: &str) -> Option<String> {
    let mut marks = told(Some(kept));
    let mut named = marks.iter_mut().filter(|kept| kept.mark.class.as_deref() == Some(name)).peekable();
    named.peek()?;
    named.for_each(|kept| kept.mark.class = Some(to.to_owned()));
    serde_json::to_string(&marks).ok()
}
