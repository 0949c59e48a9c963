//! The tokenizer inside an E5S1 file: unigram pieces with scores, and a map from code points to texts.
//!
//! [`Unigram::to_json`] writes it as a `tokenizer.json` of the `tokenizers` crate. Two things differ from the package's
//! own C engine, both towards the original XLM-RoBERTa tokenizer: a run of unknown characters is one `<unk>`, and in a
//! short grapheme whose first character is mapped the marks that follow it are dropped (sentencepiece's rule).

use super::super::Fault;
use super::super::reader::{Reader, utf8};
use super::super::unigram::Vocabulary;
use super::charsmap;

/// Most pieces a vocabulary may have.
const MAX_PIECES: usize = 1 << 24;

/// A unigram vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct Unigram {
    /// Text and log-probability of each piece; the position is the token id.
    pub pieces: Vec<(String, f32)>,
    /// Id of the piece for what no piece covers.
    pub unk: usize,
    /// Id put before every text.
    pub bos: usize,
    /// Id put after every text.
    pub eos: usize,
    /// What single characters are replaced by before anything else, sorted.
    pub replacements: Vec<(char, String)>,
}

impl Unigram {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        const WHAT: &str = "the vocabulary";
        let count = reader.u32(WHAT)? as usize;
        if count > MAX_PIECES {
            return Err(Fault::Limit { what: "pieces in a vocabulary", limit: MAX_PIECES as u64 });
        }
        let mut id = || -> Result<usize, Fault> {
            let id = reader.u32(WHAT)? as usize;
            if id < count { Ok(id) } else { Err(Fault::malformed(format!("special piece {id} of {count}"))) }
        };
        let (bos, eos, _pad, unk) = (id()?, id()?, id()?, id()?);
        let text_bytes = usize::try_from(reader.u64(WHAT)?).map_err(|_| Fault::Truncated { what: WHAT })?;
        let offsets = words(reader.take_many(count + 1, 4, WHAT)?);
        let scores = reader.take_many(count, 4, WHAT)?;
        let text = reader.take(text_bytes, WHAT)?;
        let mut pieces = Vec::with_capacity(count);
        for (piece, score) in offsets.windows(2).zip(scores.as_chunks::<4>().0) {
            let bytes =
                text.get(piece[0]..piece[1]).ok_or_else(|| Fault::malformed("a piece outside the text"))?;
            let score = f32::from_le_bytes(*score);
            if !score.is_finite() {
                return Err(Fault::malformed(format!("piece {} has no finite score", pieces.len())));
            }
            pieces.push((utf8(bytes)?.to_owned(), score));
        }
        Ok(Self { pieces, unk, bos, eos, replacements: replacements(reader)? })
    }

    /// Writes the `tokenizer.json`. The same vocabulary gives the same bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let charsmap = charsmap::build(&self.replacements);
        let vocabulary = Vocabulary { pieces: &self.pieces, unk: self.unk, bos: self.bos, eos: self.eos };
        let json = vocabulary.to_json(&charsmap);
        serde_json::to_vec(&json).expect("texts and finite numbers can always be written")
    }
}

fn replacements(reader: &mut Reader<'_>) -> Result<Vec<(char, String)>, Fault> {
    const WHAT: &str = "the normaliser's map";
    let count = reader.u32(WHAT)?;
    let bytes = reader.u32(WHAT)? as usize;
    let mut map = Reader::new(reader.take(bytes, WHAT)?);
    let mut replacements = Vec::new();
    for _ in 0..count {
        let from = code_point(map.u32(WHAT)?)?;
        let len = map.u8(WHAT)?;
        let to = (0..len).map(|_| code_point(map.u32(WHAT)?)).collect::<Result<String, Fault>>()?;
        // A zero byte ends texts in the written form; no such pair exists in practice.
        if from == '\0' || to.contains('\0') {
            return Err(Fault::malformed("a map from or to the character zero"));
        }
        replacements.push((from, to));
    }
    if !replacements.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(Fault::malformed("the normaliser's map is not sorted"));
    }
    Ok(replacements)
}

fn code_point(value: u32) -> Result<char, Fault> {
    char::from_u32(value).ok_or_else(|| Fault::malformed(format!("{value:#x} is no character")))
}

fn words(bytes: &[u8]) -> Vec<usize> {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word) as usize).collect()
}
