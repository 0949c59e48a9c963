//! Marks: where on an example something is, and what.

use serde::{Deserialize, Serialize};

use crate::Kind;

/// Most points of one polygon.
pub const MOST_POINTS: usize = 10_000;
/// Most runs of one brush.
pub const MOST_RUNS: usize = 200_000;
/// Most pixels of the picture under a brush.
pub const MOST_PIXELS: u64 = 64 << 20;

/// What is marked on an example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// What it is; `None` when only the place is known.
    pub class: Option<String>,
    /// Where it is.
    #[serde(flatten)]
    pub shape: Shape,
}

/// Where a mark is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "lowercase")]
pub enum Shape {
    /// A rectangle on a picture, in pixels from its top left corner.
    Box {
        /// Its left edge.
        x: f64,
        /// Its upper edge.
        y: f64,
        /// Above zero.
        width: f64,
        /// Above zero.
        height: f64,
    },
    /// An area of a picture within straight lines; where it covers itself twice it is not marked (even-odd).
    Polygon {
        /// The corners in pixels, at least three; the last is joined to the first.
        points: Vec<[f64; 2]>,
    },
    /// Any pixels of a picture.
    Brush {
        /// The picture's width in pixels.
        width: u32,
        /// The picture's height in pixels.
        height: u32,
        /// Lengths of runs, row by row: the first is unmarked (perhaps 0 long), the next marked, and so on. Their sum is
        /// `width * height`.
        runs: Vec<u32>,
    },
    /// Part of a text, in Unicode scalar values.
    Span {
        /// The first character.
        start: usize,
        /// Behind the last character.
        end: usize,
    },
    /// Part of a sound, in seconds.
    Segment {
        /// Where it begins.
        start: f64,
        /// Where it ends, after its begin.
        end: f64,
    },
}

/// Why a mark cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum MarkError {
    /// A shape that is not for this kind of example.
    #[error("a {shape} is no mark on {}", on.plural())]
    OtherKind { shape: &'static str, on: Kind },
    /// A number that is infinite, or no number.
    #[error("a {shape} has a coordinate that is no finite number")]
    NotFinite { shape: &'static str },
    /// Nothing lies inside.
    #[error("a {shape} has no size")]
    NoSize { shape: &'static str },
    /// A polygon of less than three corners.
    #[error("a polygon has {got} points, at least 3 are needed")]
    FewPoints { got: usize },
    /// More than the documented limits.
    #[error("a {shape} has {got} {what}, at most {most} are kept")]
    TooMuch { shape: &'static str, what: &'static str, got: u64, most: u64 },
    /// Runs that do not cover the picture exactly.
    #[error("the runs of a brush cover {got} pixels, the picture has {expected}")]
    Sum { got: u64, expected: u64 },
    /// A class without a name.
    #[error("a mark has an empty class; leave it out instead")]
    EmptyClass,
}

impl Mark {
    /// Whether it is a mark that an example of this kind can have: finite, of some size, within the limits. It may reach over
    /// the picture's edge.
    pub fn check(&self, on: Kind) -> Result<(), MarkError> {
        if self.class.as_ref().is_some_and(|class| class.trim().is_empty()) {
            return Err(MarkError::EmptyClass);
        }
        if self.shape.is_on() != on {
            return Err(MarkError::OtherKind { shape: self.shape.name(), on });
        }
        self.shape.check()
    }
}

impl Shape {
    /// Its name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Box { .. } => "box",
            Self::Polygon { .. } => "polygon",
            Self::Brush { .. } => "brush",
            Self::Span { .. } => "span",
            Self::Segment { .. } => "segment",
        }
    }

    /// The kind of example that it marks.
    pub fn is_on(&self) -> Kind {
        match self {
            Self::Box { .. } | Self::Polygon { .. } | Self::Brush { .. } => Kind::Image,
            Self::Span { .. } => Kind::Text,
            Self::Segment { .. } => Kind::Sound,
        }
    }

    fn check(&self) -> Result<(), MarkError> {
        let shape = self.name();
        let finite = |numbers: &[f64]| match numbers.iter().all(|number| number.is_finite()) {
            true => Ok(()),
            false => Err(MarkError::NotFinite { shape }),
        };
        let sized = |is_sized: bool| if is_sized { Ok(()) } else { Err(MarkError::NoSize { shape }) };
        match self {
            Self::Box { x, y, width, height } => {
                finite(&[*x, *y, *width, *height, x + width, y + height])?;
                sized(*width > 0.0 && *height > 0.0)
            }
            Self::Polygon { points } => {
                points.iter().try_for_each(|point| finite(point))?;
                check_points(points)
            }
            Self::Brush { width, height, runs } => check_runs(*width, *height, runs),
            Self::Span { start, end } => sized(start < end),
            Self::Segment { start, end } => {
                finite(&[*start, *end])?;
                sized(*start >= 0.0 && start < end)
            }
        }
    }

    /// The smallest rectangle around it: left, upper, right and lower edge in pixels. `None` where there is none, as for a
    /// span, or a brush that marks nothing.
    pub fn edges(&self) -> Option<[f64; 4]> {
        match self {
            Self::Box { x, y, width, height } => Some([*x, *y, x + width, y + height]),
            Self::Polygon { points } => {
                let [x, y] = *points.first()?;
                Some(points.iter().fold([x, y, x, y], |[left, upper, right, lower], [x, y]| {
                    [left.min(*x), upper.min(*y), right.max(*x), lower.max(*y)]
                }))
            }
            Self::Brush { width, runs, .. } => crate::runs::edges(*width, runs),
            Self::Span { .. } | Self::Segment { .. } => None,
        }
    }
}

fn check_points(points: &[[f64; 2]]) -> Result<(), MarkError> {
    match points.len() {
        got @ ..3 => Err(MarkError::FewPoints { got }),
        got if got > MOST_POINTS => Err(MarkError::TooMuch {
            shape: "polygon",
            what: "points",
            got: got as u64,
            most: MOST_POINTS as u64,
        }),
        _ => Ok(()),
    }
}

fn check_runs(width: u32, height: u32, runs: &[u32]) -> Result<(), MarkError> {
    let shape = "brush";
    let expected = u64::from(width) * u64::from(height);
    if expected == 0 {
        return Err(MarkError::NoSize { shape });
    }
    if expected > MOST_PIXELS {
        return Err(MarkError::TooMuch { shape, what: "pixels", got: expected, most: MOST_PIXELS });
    }
    if runs.len() > MOST_RUNS {
        let (got, most) = (runs.len() as u64, MOST_RUNS as u64);
        return Err(MarkError::TooMuch { shape, what: "runs", got, most });
    }
    let got: u64 = runs.iter().map(|run| u64::from(*run)).sum();
    if got != expected {
        return Err(MarkError::Sum { got, expected });
    }
    let marked: u64 = runs.iter().skip(1).step_by(2).map(|run| u64::from(*run)).sum();
    if marked == 0 { Err(MarkError::NoSize { shape }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, on: Kind, expect: &str) {
        let mark: Mark = serde_json::from_str(json).unwrap();
        let again: Mark = serde_json::from_str(&serde_json::to_string(&mark).unwrap()).unwrap();
        assert_eq!(again, mark);
        let got = mark.check(on).map_or_else(|error| error.to_string(), |()| "fits".to_owned());
        assert_eq!(got, expect, "{json}");
    }

    #[test]
    fn marks_are_checked() {
        let image = |shape: &str, expect| check(&format!(r#"{{"class":"a",{shape}}}"#), Kind::Image, expect);
        image(r#""shape":"box","x":-1.5,"y":2,"width":3,"height":0.1"#, "fits");
        image(r#""shape":"box","x":1,"y":2,"width":0,"height":4"#, "a box has no size");
        image(
            r#""shape":"box","x":1e308,"y":2,"width":1e308,"height":4"#,
            "a box has a coordinate that is no finite number",
        );
        image(r#""shape":"polygon","points":[[0,0],[1,0],[0,1]]"#, "fits");
        image(r#""shape":"polygon","points":[[0,0],[1,0]]"#, "a polygon has 2 points, at least 3 are needed");
        image(r#""shape":"brush","width":3,"height":2,"runs":[0,6]"#, "fits");
        image(r#""shape":"brush","width":3,"height":2,"runs":[6]"#, "a brush has no size");
        image(r#""shape":"brush","width":0,"height":2,"runs":[]"#, "a brush has no size");
        image(
            r#""shape":"brush","width":3,"height":2,"runs":[1,4]"#,
            "the runs of a brush cover 5 pixels, the picture has 6",
        );
        image(
            r#""shape":"brush","width":4000000000,"height":4000000000,"runs":[1,4]"#,
            "a brush has 16000000000000000000 pixels, at most 67108864 are kept",
        );
        image(r#""shape":"span","start":1,"end":4"#, "a span is no mark on pictures");
        check(r#"{"class":null,"shape":"span","start":1,"end":4}"#, Kind::Text, "fits");
        check(r#"{"class":null,"shape":"span","start":4,"end":4}"#, Kind::Text, "a span has no size");
        check(r#"{"class":null,"shape":"segment","start":0.5,"end":1.25}"#, Kind::Sound, "fits");
        check(r#"{"class":null,"shape":"segment","start":-1,"end":1}"#, Kind::Sound, "a segment has no size");
        check(
            r#"{"class":" ","shape":"segment","start":0,"end":1}"#,
            Kind::Sound,
            "a mark has an empty class; leave it out instead",
        );
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        let shape = Shape::Segment { start: 0.0, end: f64::NAN };
        let error = Mark { class: None, shape }.check(Kind::Sound);
        assert_eq!(error, Err(MarkError::NotFinite { shape: "segment" }));
        let points = vec![[0.0, 0.0]; MOST_POINTS + 1];
        let error = Mark { class: None, shape: Shape::Polygon { points } }.check(Kind::Image);
        assert!(matches!(error, Err(MarkError::TooMuch { what: "points", got: 10_001, .. })));
    }

    #[test]
    fn edges_surround_each_shape() {
        let polygon = Shape::Polygon { points: vec![[3.0, 1.0], [5.5, 4.0], [2.0, 8.0]] };
        assert_eq!(polygon.edges(), Some([2.0, 1.0, 5.5, 8.0]));
        let brush = Shape::Brush { width: 4, height: 3, runs: vec![5, 2, 3, 1, 1] };
        assert_eq!(brush.edges(), Some([1.0, 1.0, 3.0, 3.0]));
        assert_eq!(Shape::Span { start: 0, end: 1 }.edges(), None);
    }
}
