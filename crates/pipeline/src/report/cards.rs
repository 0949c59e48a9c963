//! An example as the report shows it: a small picture or a piece of text, with its label.

use std::collections::BTreeSet;
use std::io::Cursor;

use base::prep;
use base64::Engine;
use dataset::{Content, Vote};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbImage};
use serde::{Deserialize, Serialize};

use super::series::series_card;
use super::sounds::{piece_card, sound_card};
use super::videos::video_card;

/// Longer side of a thumbnail, in pixels: sharp on a phone, about 6 KB each.
const THUMBNAIL_PIXELS: u32 = 176;
/// Annotators named on a card.
const ANNOTATORS: usize = 5;
/// Longest text on a card, in characters.
const TEXT_CHARACTERS: usize = 280;

/// An example on the page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Card {
    /// Its stable id: a relative path, or file and row.
    pub id: String,
    /// The label it was given, if any.
    pub given: String,
    /// Who gave it, and who said something else, as `ann, bo: scratch`; empty where the data does not say.
    pub labelled_by: String,
    /// What it looks like.
    pub content: CardContent,
}

/// The visible part of a card.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum CardContent {
    /// A JPEG as a `data:` address, small enough to sit in the page.
    Picture(String),
    /// A sound: its drawing as [`CardContent::Picture`], and its beginning as a `data:` address that can be played.
    Sound {
        /// The drawing.
        drawing: String,
        /// The beginning.
        clip: String,
    },
    /// The beginning of a text.
    Text(String),
    /// What each sense knows, by its name.
    Senses(Vec<(String, CardContent)>),
    /// The example could not be read again.
    Missing,
}

/// The annotators of an example: by name those who gave its label, with what they said those who did not.
pub(crate) fn labelled_by(given: &str, votes: &[Vote]) -> String {
    let told = votes.iter().take(ANNOTATORS).map(|vote| {
        if alike(&vote.label, given) {
            vote.annotator.clone()
        } else {
            format!("{}: {}", vote.annotator, vote.label)
        }
    });
    let more = votes.len().checked_sub(ANNOTATORS).filter(|more| *more > 0).map(|more| format!("+{more}"));
    told.chain(more).collect::<Vec<_>>().join(", ")
}

/// Whether two labels say the same: sets in any order, numbers however they are written.
fn alike(one: &str, other: &str) -> bool {
    let parts = |label: &str| -> BTreeSet<String> {
        label.split(['|', ',']).map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let number = |label: &str| label.trim().parse::<f64>().ok();
    parts(one) == parts(other) || number(one).is_some_and(|value| number(other) == Some(value))
}

impl CardContent {
    /// As a person sees an example at a glance.
    pub(crate) fn of(content: &Content) -> Self {
        match content {
            Content::Text(text) => Self::text(text),
            Content::Image(path) => {
                let picture = std::fs::read(path).ok().and_then(|bytes| prep::decode(&bytes).ok());
                picture.map_or(Self::Missing, |picture| thumbnail(&DynamicImage::ImageRgb8(picture)))
            }
            Content::Sound(path) => sound_card(path),
            Content::Piece(path, span) => piece_card(path, *span),
            Content::Video(path) => video_card(path),
            Content::Series(path) => series_card(path),
            Content::Senses(senses) => Self::Senses(
                senses.iter().map(|(sense, content)| (sense.clone(), Self::of(content))).collect(),
            ),
        }
    }

    /// The beginning of a text, cut between characters.
    pub fn text(text: &str) -> Self {
        let mut short: String = text.chars().take(TEXT_CHARACTERS).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        Self::Text(short)
    }
}

/// Shrinks a decoded picture and packs it into a `data:` address.
pub fn thumbnail(picture: &DynamicImage) -> CardContent {
    let small = picture.thumbnail(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS).to_rgb8();
    jpeg(&small).map_or(CardContent::Missing, CardContent::Picture)
}

/// Packs a picture into a `data:` address; `None` where a JPEG cannot hold it.
pub(super) fn jpeg(picture: &RgbImage) -> Option<String> {
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, 78).encode_image(picture).ok()?;
    let packed = base64::engine::general_purpose::STANDARD.encode(jpeg.into_inner());
    Some(format!("data:image/jpeg;base64,{packed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gave_a_label_is_told_apart_from_who_did_not() {
        let votes = |said: &[&str]| -> Vec<Vote> {
            let vote = |(who, label): (usize, &&str)| Vote {
                annotator: format!("a{who}"),
                label: (*label).to_owned(),
            };
            said.iter().enumerate().map(vote).collect()
        };
        assert_eq!(labelled_by("cat", &votes(&["cat", "dog"])), "a0, a1: dog");
        assert_eq!(labelled_by("a, b", &votes(&["b|a", "a"])), "a0, a1: a");
        assert_eq!(labelled_by("3", &votes(&["3.0", "4"])), "a0, a1: 4");
        assert_eq!(labelled_by("c", &votes(&["c"; 7])), "a0, a1, a2, a3, a4, +2");
        assert_eq!(labelled_by("c", &[]), "");
    }
}
