//! The labelling interface of an export.

use std::fmt::Write as _;

use super::key;
use crate::voc::escaped;
use crate::{Answer, Item, Kind, Shape};

/// What a set needs to be marked and answered with.
#[derive(Debug, Default)]
pub(super) struct Used {
    one_class: bool,
    several_classes: bool,
    number: bool,
    boxes: bool,
    polygons: bool,
    brushes: bool,
    parts: bool,
}

impl Used {
    pub(super) fn add(&mut self, item: &Item) {
        match item.answer {
            Answer::None => {}
            Answer::Class(_) => self.one_class = true,
            Answer::Classes(_) => self.several_classes = true,
            Answer::Number(_) => self.number = true,
        }
        for mark in &item.marks {
            match mark.shape {
                Shape::Box { .. } => self.boxes = true,
                Shape::Polygon { .. } => self.polygons = true,
                Shape::Brush { .. } => self.brushes = true,
                Shape::Span { .. } | Shape::Segment { .. } => self.parts = true,
            }
        }
    }

    /// The document; of each control there is one, called as in the results.
    pub(super) fn document(&self, kind: Kind, classes: &[String]) -> String {
        let to = key(kind);
        let tag = match kind {
            Kind::Image => "Image",
            Kind::Text => "Text",
            Kind::Sound => "Audio",
            Kind::Video => "Video",
            Kind::Series | Kind::Senses => unreachable!("these are refused before"),
        };
        let mut text = format!("<View>\n  <{tag} name=\"{to}\" value=\"${to}\"/>\n");
        // Writing to a text cannot fail.
        let mut control = |name: &str, tag: &str, choice: &str, one: &str| {
            _ = writeln!(text, "  <{tag} name=\"{name}\" toName=\"{to}\"{choice}>");
            for class in classes {
                _ = writeln!(text, "    <{one} value=\"{}\"/>", escaped(class));
            }
            _ = writeln!(text, "  </{tag}>");
        };
        let has_marks = self.boxes || self.polygons || self.brushes || self.parts;
        if self.several_classes {
            control("class", "Choices", " choice=\"multiple\"", "Choice");
        } else if self.one_class || !(has_marks || self.number) {
            control("class", "Choices", " choice=\"single\"", "Choice");
        }
        for (is_used, name, tag) in [
            (self.boxes, "boxes", "RectangleLabels"),
            (self.polygons, "polygons", "PolygonLabels"),
            (self.brushes, "brushes", "BrushLabels"),
            (self.parts, "parts", "Labels"),
        ] {
            if is_used {
                control(name, tag, "", "Label");
            }
        }
        if self.number {
            _ = writeln!(text, "  <Number name=\"number\" toName=\"{to}\"/>");
        }
        text.push_str("</View>\n");
        text
    }
}
