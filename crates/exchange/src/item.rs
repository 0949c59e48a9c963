//! The neutral form that every format is written from and read into.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::Part;
use serde::{Deserialize, Serialize};

use crate::{Mark, names, picture};

/// What examples are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Pictures.
    Image,
    /// Texts.
    Text,
    /// Sounds.
    Sound,
    /// Videos.
    Video,
    /// Series of sensors.
    Series,
    /// Several of the others, by the name of the sense.
    Senses,
}

impl Kind {
    /// For sentences: `pictures`.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Image => "pictures",
            Self::Text => "texts",
            Self::Sound => "sounds",
            Self::Video => "videos",
            Self::Series => "series",
            Self::Senses => "examples of several senses",
        }
    }

    /// As [`plural`](Self::plural), in Chinese.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Image => "图片",
            Self::Text => "文本",
            Self::Sound => "音频",
            Self::Video => "视频",
            Self::Series => "传感器序列",
            Self::Senses => "多感官样本",
        }
    }
}

/// What a set is called, and its classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// A short name.
    pub name: String,
    /// What its examples are.
    pub kind: Kind,
    /// The classes, in order. Others that items name are added behind them.
    pub classes: Vec<String>,
}

/// One example with all that is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its path relative to the set with `/` between folders, or file and row.
    pub name: String,
    /// What it is.
    pub content: Content,
    /// Width and height in pixels, as the picture is shown.
    pub size: Option<(u32, u32)>,
    /// What a person answered about the whole of it.
    pub answer: Answer,
    /// What a person marked on it.
    pub marks: Vec<Mark>,
    /// Examples of one group stay together in every split.
    pub group: Option<String>,
    /// The part of the set that it belongs to, where that is said.
    pub part: Option<Part>,
    /// Where it was cut out, if it is a piece of a sound; its content is the piece alone.
    pub piece: Option<Piece>,
}

/// Where a piece of a sound was cut out, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// The path of the whole sound, as that of an example.
    pub file: String,
    /// Where it starts.
    pub start: f64,
    /// Where it ends; absent at the end of the sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<f64>,
}

impl Item {
    /// What its file is called: as the example, or where it was cut out and when.
    pub(crate) fn file_name(&self) -> String {
        let Some(Piece { file, start, end }) = &self.piece else { return self.name.clone() };
        let end = end.map_or_else(String::new, |end| end.to_string());
        format!("{}_{start}-{end}.wav", names::split(file).0)
    }

    /// The picture's size: as it is known, else as its file says.
    pub(crate) fn picture_size(&self) -> Option<(u32, u32)> {
        self.size.or_else(|| match &self.content {
            Content::File(path) => picture::size(path),
            Content::Text(_) | Content::Senses(_) => None,
        })
    }
}

/// What an example is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file on the disk.
    File(PathBuf),
    /// The text itself.
    Text(String),
    /// What several senses know of it, files and texts, by their names; what is missing is not there.
    Senses(BTreeMap<String, Content>),
}

impl Content {
    /// Its files.
    pub fn files(&self) -> Vec<&Path> {
        match self {
            Self::File(file) => vec![file],
            Self::Text(_) => Vec::new(),
            Self::Senses(senses) => senses.values().flat_map(Self::files).collect(),
        }
    }
}

/// What a person answered about an example.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Answer {
    /// Nothing yet.
    #[default]
    None,
    /// One class of several.
    Class(String),
    /// Any number of classes; none of them applies when it is empty.
    Classes(Vec<String>),
    /// A value.
    Number(f64),
}
