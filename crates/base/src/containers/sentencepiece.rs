//! A tokenizer that sentencepiece trained: `sp.model`, a protocol buffer (`sentencepiece_model.proto`).
//!
//! Only what is read here is declared; unknown fields are skipped. [`SentencePiece::to_json`] writes the `tokenizer.json` that
//! [`crate::tokenizer`] takes. Field 3 holds the normaliser and field 2 the trainer, in models of 2019 as in those of today.

use std::collections::BTreeSet;

use prost::Message;
use serde_json::json;

use super::unigram::Vocabulary;
use super::{ContainerError, Fault};

const CONTAINER: &str = "sentencepiece model";
/// Most pieces a vocabulary may have.
const MAX_PIECES: usize = 1 << 24;
/// `TrainerSpec.ModelType.UNIGRAM`.
const UNIGRAM: i32 = 1;

/// A unigram vocabulary and its normaliser.
#[derive(Debug, Clone, PartialEq)]
pub struct SentencePiece {
    /// Text and log-probability of each piece; the position is the token id.
    pub pieces: Vec<(String, f32)>,
    /// Id of the piece for what no piece covers.
    pub unk: usize,
    /// Id put before every text.
    pub bos: usize,
    /// Id put after every text.
    pub eos: usize,
    /// The precompiled map of characters.
    pub charsmap: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(message, repeated, tag = "1")]
    pieces: Vec<PieceProto>,
    #[prost(message, optional, tag = "2")]
    trainer: Option<TrainerProto>,
    #[prost(message, optional, tag = "3")]
    normaliser: Option<NormaliserProto>,
}

#[derive(Clone, PartialEq, Message)]
struct PieceProto {
    #[prost(string, optional, tag = "1")]
    piece: Option<String>,
    #[prost(float, optional, tag = "2")]
    score: Option<f32>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct TrainerProto {
    #[prost(int32, optional, tag = "3")]
    model_type: Option<i32>,
    #[prost(bool, optional, tag = "24")]
    whitespace_as_suffix: Option<bool>,
    #[prost(bool, optional, tag = "35")]
    byte_fallback: Option<bool>,
    #[prost(int32, optional, tag = "40")]
    unk_id: Option<i32>,
    #[prost(int32, optional, tag = "41")]
    bos_id: Option<i32>,
    #[prost(int32, optional, tag = "42")]
    eos_id: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct NormaliserProto {
    #[prost(bytes = "vec", optional, tag = "2")]
    charsmap: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "3")]
    dummy_prefix: Option<bool>,
    #[prost(bool, optional, tag = "4")]
    remove_extra_whitespaces: Option<bool>,
    #[prost(bool, optional, tag = "5")]
    escape_whitespaces: Option<bool>,
}

/// Reads a unigram model; models with other rules for spaces than the usual ones are refused.
pub fn read(file: &[u8]) -> Result<SentencePiece, ContainerError> {
    model(file).map_err(|fault| fault.at(CONTAINER, 0))
}

fn model(file: &[u8]) -> Result<SentencePiece, Fault> {
    let proto = ModelProto::decode(file).map_err(|error| Fault::malformed(error.to_string()))?;
    let trainer = proto.trainer.unwrap_or_default();
    let normaliser = proto.normaliser.unwrap_or_default();
    if trainer.model_type.unwrap_or(UNIGRAM) != UNIGRAM {
        return Err(Fault::malformed("not a unigram model"));
    }
    let usual = [normaliser.dummy_prefix, normaliser.remove_extra_whitespaces, normaliser.escape_whitespaces];
    if usual.contains(&Some(false)) || trainer.whitespace_as_suffix == Some(true) {
        return Err(Fault::malformed("spaces are treated in another way than is known here"));
    }
    if trainer.byte_fallback == Some(true) {
        return Err(Fault::malformed("unknown characters become bytes, which is not known here"));
    }
    let pieces = pieces(proto.pieces)?;
    let id = |id: Option<i32>, usual: i32| {
        let id = id.unwrap_or(usual);
        let place = usize::try_from(id).ok().filter(|place| *place < pieces.len());
        place.ok_or_else(|| Fault::malformed(format!("special piece {id} of {}", pieces.len())))
    };
    let (unk, bos, eos) = (id(trainer.unk_id, 0)?, id(trainer.bos_id, 1)?, id(trainer.eos_id, 2)?);
    let charsmap = normaliser.charsmap.unwrap_or_default();
    check_charsmap(&charsmap)?;
    Ok(SentencePiece { pieces, unk, bos, eos, charsmap })
}

fn pieces(protos: Vec<PieceProto>) -> Result<Vec<(String, f32)>, Fault> {
    if protos.len() > MAX_PIECES {
        return Err(Fault::Limit { what: "pieces in a vocabulary", limit: MAX_PIECES as u64 });
    }
    let mut pieces = Vec::with_capacity(protos.len());
    for proto in protos {
        let (piece, score) = (proto.piece.unwrap_or_default(), proto.score.unwrap_or(0.0));
        if piece.is_empty() || !score.is_finite() {
            return Err(Fault::malformed(format!("piece {} has no text or no finite score", pieces.len())));
        }
        pieces.push((piece, score));
    }
    let different: BTreeSet<&str> = pieces.iter().map(|(piece, _)| piece.as_str()).collect();
    if different.len() != pieces.len() {
        return Err(Fault::malformed("two pieces have the same text"));
    }
    Ok(pieces)
}

/// The map is the length of a trie in bytes, the trie as `u32`, and texts.
fn check_charsmap(charsmap: &[u8]) -> Result<(), Fault> {
    let Some((len, rest)) = charsmap.split_first_chunk::<4>() else {
        return Err(Fault::malformed("the model has no map of characters"));
    };
    let len = u32::from_le_bytes(*len) as usize;
    let texts = rest.get(len..).filter(|_| len > 0 && len.is_multiple_of(4));
    match texts.map(std::str::from_utf8) {
        Some(Ok(_)) => Ok(()),
        _ => Err(Fault::malformed("the map of characters is damaged")),
    }
}

impl SentencePiece {
    /// Writes a `tokenizer.json`. The entry `sentencepiece` of its normaliser asks [`crate::tokenizer`] for sentencepiece's own rules;
    /// other programs do not know it and take the rest, which gives other ids where characters are unknown or combine, and for spaces
    /// at the end (decision 0007).
    /// The same model gives the same bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let vocabulary = Vocabulary { pieces: &self.pieces, unk: self.unk, bos: self.bos, eos: self.eos };
        let mut json = vocabulary.to_json(&self.charsmap);
        json["normalizer"]["normalizers"][0]["sentencepiece"] = json!({"bos": self.bos, "eos": self.eos});
        serde_json::to_vec(&json).expect("texts and finite numbers can always be written")
    }
}
