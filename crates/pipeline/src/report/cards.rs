//! An example as the report shows it: a small picture or a piece of text, with its label.

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
    let told = votes.iter().map(|vote| {
        if vote.label == given {
            vote.annotator.clone()
        } else {
            format!("{}: {}", vote.annotator, vote.label)
        }
    });
    told.collect::<Vec<_>>().join(", ")
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
