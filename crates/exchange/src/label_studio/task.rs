//! One task of Label Studio becomes marks and an answer.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::brush;
use crate::lenient::Lenient;
use crate::{Content, Mark, Shape, picture};

/// One task, as far as it is read.
#[derive(Debug, Deserialize)]
pub(super) struct Task {
    pub(super) data: Map<String, Value>,
    #[serde(default)]
    annotations: Option<Vec<Lenient<Annotation>>>,
    /// What annotations were called until 1.0.
    #[serde(default)]
    completions: Option<Vec<Lenient<Annotation>>>,
    #[serde(default)]
    pub(super) meta: Option<Map<String, Value>>,
}

/// What one person said.
#[derive(Debug, Deserialize)]
struct Annotation {
    #[serde(default)]
    result: Vec<Lenient<Region>>,
    #[serde(default)]
    was_cancelled: Option<bool>,
    #[serde(default)]
    ground_truth: Option<bool>,
}

/// One result: a region, or an answer about the whole.
#[derive(Debug, Deserialize)]
pub(super) struct Region {
    #[serde(rename = "type")]
    kind: String,
    value: Map<String, Value>,
    #[serde(default)]
    original_width: Option<u32>,
    #[serde(default)]
    original_height: Option<u32>,
}

/// What the results of one task say.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) choices: Option<Vec<String>>,
    pub(super) number: Option<f64>,
    pub(super) marks: Vec<Mark>,
    /// What could not be read, with the number of the result.
    pub(super) unread: Vec<(u64, String)>,
}

impl Task {
    /// The results that count: those of the annotation that is marked as the truth, else of the last that was not cancelled.
    pub(super) fn results(&mut self) -> Result<Vec<Lenient<Region>>, String> {
        let all = self.annotations.take().or_else(|| self.completions.take()).unwrap_or_default();
        let all: Vec<Annotation> =
            all.into_iter().map(|annotation| annotation.0).collect::<Result<_, _>>()?;
        let mut all: Vec<Annotation> =
            all.into_iter().filter(|annotation| annotation.was_cancelled != Some(true)).collect();
        let truth = all.iter().position(|annotation| annotation.ground_truth == Some(true));
        let chosen = truth.map(|at| all.swap_remove(at)).or_else(|| all.pop());
        Ok(chosen.map(|annotation| annotation.result).unwrap_or_default())
    }
}

impl Said {
    pub(super) fn of(results: Vec<Lenient<Region>>, content: &Content, size: Option<(u32, u32)>) -> Self {
        let mut said = Self::default();
        for (number, region) in (1..).zip(results) {
            if let Err(detail) = region.0.and_then(|region| said.add(&region, content, size)) {
                said.unread.push((number, detail));
            }
        }
        said
    }

    fn add(&mut self, region: &Region, content: &Content, size: Option<(u32, u32)>) -> Result<(), String> {
        let kind = region.kind.as_str();
        match kind {
            "choices" => {
                self.choices.get_or_insert_default().extend(region.texts("choices")?);
                return Ok(());
            }
            "number" | "rating" => {
                self.number = Some(region.number(kind)?);
                return Ok(());
            }
            _ => {}
        }
        let size = region.original_width.zip(region.original_height).or(size);
        let shape = match kind {
            "rectanglelabels" | "rectangle" => region.rectangle(size)?,
            "polygonlabels" | "polygon" => region.polygon(size)?,
            "brushlabels" | "brush" => region.brush(size)?,
            "labels" | "hypertextlabels" => match content {
                Content::Text(text) => region.span(text)?,
                Content::File(_) | Content::Senses(_) => {
                    Shape::Segment { start: region.number("start")?, end: region.number("end")? }
                }
            },
            other => {
                return Err(format!(
                    "results of the type `{}` are not read",
                    other.chars().take(40).collect::<String>()
                ));
            }
        };
        let labels = if kind.ends_with("labels") { region.texts(kind)? } else { Vec::new() };
        // A region with several labels is several marks.
        if labels.is_empty() {
            self.marks.push(Mark { class: None, shape });
        } else {
            self.marks
                .extend(labels.into_iter().map(|label| Mark { class: Some(label), shape: shape.clone() }));
        }
        Ok(())
    }
}

impl Region {
    fn number(&self, name: &str) -> Result<f64, String> {
        let number = self.value.get(name).and_then(Value::as_f64);
        number.ok_or_else(|| format!("it has no number `{name}`"))
    }

    /// A list of texts; empty when it is not there.
    fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let Some(list) = self.value.get(name) else { return Ok(Vec::new()) };
        let texts = list
            .as_array()
            .and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        texts.ok_or_else(|| format!("`{name}` is no list of texts"))
    }

    /// From percent to pixels.
    fn rectangle(&self, size: Option<(u32, u32)>) -> Result<Shape, String> {
        let (across, down) = scales(size)?;
        let [x, y] = [self.number("x")? * across, self.number("y")? * down];
        let [width, height] = [self.number("width")? * across, self.number("height")? * down];
        let turn = self.value.get("rotation").and_then(Value::as_f64).unwrap_or(0.0).to_radians();
        let round = picture::rounded;
        if turn == 0.0 {
            return Ok(Shape::Box { x: round(x), y: round(y), width: round(width), height: round(height) });
        }
        // It is turned clockwise around its upper left corner.
        let (sine, cosine) = turn.sin_cos();
        let corner = |[right, down]: [f64; 2]| {
            [round(x + right * cosine - down * sine), round(y + right * sine + down * cosine)]
        };
        let corners = [[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]];
        Ok(Shape::Polygon { points: corners.map(corner).to_vec() })
    }

    fn polygon(&self, size: Option<(u32, u32)>) -> Result<Shape, String> {
        let (across, down) = scales(size)?;
        let points: Option<Vec<[f64; 2]>> =
            self.value.get("points").and_then(|points| serde_json::from_value(points.clone()).ok());
        let points = points.ok_or("its points are no list of pairs of numbers")?;
        let pixels =
            points.into_iter().map(|[x, y]| [picture::rounded(x * across), picture::rounded(y * down)]);
        Ok(Shape::Polygon { points: pixels.collect() })
    }

    fn brush(&self, size: Option<(u32, u32)>) -> Result<Shape, String> {
        let (width, height) = size.ok_or(NO_SIZE)?;
        let bytes: Option<Vec<u8>> =
            self.value.get("rle").and_then(|rle| serde_json::from_value(rle.clone()).ok());
        let bytes = bytes.ok_or("its `rle` is no list of bytes")?;
        let runs = brush::runs_from_bytes(&bytes, width, height);
        let runs = runs.ok_or("its `rle` is damaged, too finely divided, or for another size")?;
        Ok(Shape::Brush { width, height, runs })
    }

    /// In code points; in UTF-16 where only that gives the text that the region itself holds.
    fn span(&self, text: &str) -> Result<Shape, String> {
        let offsets = self.value.get("globalOffsets").and_then(Value::as_object).unwrap_or(&self.value);
        let place = |name: &str| {
            let place =
                offsets.get(name).and_then(|place| place.as_u64().or_else(|| place.as_str()?.parse().ok()));
            place
                .and_then(|place| usize::try_from(place).ok())
                .ok_or_else(|| format!("it has no place `{name}`"))
        };
        let (start, end) = (place("start")?, place("end")?);
        let own = self.value.get("text").and_then(Value::as_str);
        let is_own = |range: (usize, usize)| {
            own.is_some_and(|own| {
                text.chars().skip(range.0).take(range.1.saturating_sub(range.0)).eq(own.chars())
            })
        };
        let (start, end) = match from_utf16(text, start, end) {
            Some(range) if !is_own((start, end)) && is_own(range) => range,
            _ => (start, end),
        };
        if end > text.chars().count() {
            return Err(format!("it ends at {end}, the text at {}", text.chars().count()));
        }
        Ok(Shape::Span { start, end })
    }
}

const NO_SIZE: &str = "the size of its picture is not known";

/// Pixels of one percent, across and down.
fn scales(size: Option<(u32, u32)>) -> Result<(f64, f64), String> {
    let (width, height) = size.ok_or(NO_SIZE)?;
    Ok((f64::from(width) / 100.0, f64::from(height) / 100.0))
}

/// Places in UTF-16 units as places in characters; `None` when one is behind the end or within a character.
fn from_utf16(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let mut places = [None, None];
    let mut units = 0;
    for (at, length) in text.chars().map(char::len_utf16).chain([0]).enumerate() {
        for (place, wanted) in places.iter_mut().zip([start, end]) {
            if units == wanted {
                *place = Some(at);
            }
        }
        units += length;
    }
    Some((places[0]?, places[1]?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_characters_or_utf16() {
        assert_eq!(from_utf16("💩ab", 2, 4), Some((1, 3)));
        assert_eq!(from_utf16("💩ab", 1, 4), None);
        assert_eq!(from_utf16("💩ab", 2, 5), None);
        let span = |start: u64, end: u64, own: &str| {
            let value = serde_json::json!({ "start": start, "end": end, "text": own });
            let value = value.as_object().unwrap().clone();
            let region = Region { kind: "labels".into(), value, original_width: None, original_height: None };
            region.span("💩 This is an annotation.")
        };
        // The numbers of label-studio issue 1347, before and after its repair.
        assert_eq!(span(14, 24, "annotation"), Ok(Shape::Span { start: 13, end: 23 }));
        assert_eq!(span(13, 23, "annotation"), Ok(Shape::Span { start: 13, end: 23 }));
        assert_eq!(span(13, 99, ""), Err("it ends at 99, the text at 24".to_owned()));
    }
}
