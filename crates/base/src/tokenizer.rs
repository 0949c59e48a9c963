//! Text to token ids, exactly as each family's reference tokenizer.

mod sentencepiece;

use std::{error::Error, path::Path, path::PathBuf, sync::Arc};

use tokenizers::{PostProcessor, TruncationParams};

use sentencepiece::SentencePiece;

/// A tokenizer as its `tokenizer.json` describes it, cut to the network's length.
///
/// Padding and truncation that the file asks for are replaced: examples run one at a time, so there is nothing to pad, and the length is
/// the network's.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    rules: Rules,
    max_tokens: usize,
}

#[derive(Debug, Clone)]
enum Rules {
    /// Whatever the file describes.
    Described(Box<tokenizers::Tokenizer>),
    /// Sentencepiece's own, for a file that asks for them.
    SentencePiece(Arc<SentencePiece>),
}

/// Why a text has no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The file could not be read, or describes no tokenizer.
    #[error("cannot read a tokenizer from `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Bytes that describe no tokenizer.
    #[error("not a tokenizer")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
    /// The special tokens leave no room for text.
    #[error("max_tokens {max_tokens} leaves no room beside {special} special tokens")]
    TooShort {
        /// The limit that was asked for.
        max_tokens: usize,
        /// How many tokens the tokenizer adds to every text.
        special: usize,
    },
    /// The tokenizer's rules failed on a text.
    #[error("cannot tokenize a text of {bytes} bytes")]
    Encode {
        /// The length of the text.
        bytes: usize,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Tokenizer {
    /// Reads a `tokenizer.json`; no text becomes more than `max_tokens` tokens, special ones included.
    pub fn from_file(path: &Path, max_tokens: usize) -> Result<Self, TokenizerError> {
        let read = |source| TokenizerError::Read { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(|error| read(error.into()))?;
        Self::from_bytes(&bytes, max_tokens).map_err(|error| match error {
            TokenizerError::Malformed(source) => read(source),
            other => other,
        })
    }

    /// As [`Tokenizer::from_file`], from the file's bytes.
    pub fn from_bytes(json: &[u8], max_tokens: usize) -> Result<Self, TokenizerError> {
        if sentencepiece::is_asked_for(json) {
            let rules =
                SentencePiece::from_json(json).map_err(|why| TokenizerError::Malformed(why.into()))?;
            let rules = Rules::SentencePiece(Arc::new(rules));
            return if max_tokens > 2 {
                Ok(Self { rules, max_tokens })
            } else {
                Err(TokenizerError::TooShort { max_tokens, special: 2 })
            };
        }
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(TokenizerError::Malformed)?;
        let special = inner.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        if max_tokens <= special {
            return Err(TokenizerError::TooShort { max_tokens, special });
        }
        let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
        inner.with_padding(None).with_truncation(Some(truncation)).map_err(TokenizerError::Malformed)?;
        Ok(Self { rules: Rules::Described(Box::new(inner)), max_tokens })
    }

    /// The ids of a text, special tokens included: at least one, at most [`Tokenizer::max_tokens`]. What is too long loses its end, never
    /// its special tokens.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let failed = |source| TokenizerError::Encode { bytes: text.len(), source };
        match &self.rules {
            Rules::Described(inner) => Ok(inner.encode_fast(text, true).map_err(failed)?.get_ids().to_vec()),
            Rules::SentencePiece(rules) => {
                let mut ids = rules.encode(text).map_err(|error| failed(error.into()))?;
                ids.truncate(self.max_tokens - 2);
                ids.insert(0, rules.bos);
                ids.push(rules.eos);
                Ok(ids)
            }
        }
    }

    /// The most tokens that a text becomes.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// How many different tokens there are; every id is below it.
    pub fn vocabulary_size(&self) -> usize {
        match &self.rules {
            Rules::Described(inner) => inner.get_vocab_size(true),
            Rules::SentencePiece(rules) => rules.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three words between two special tokens, with padding and truncation that must not matter.
    const TINY: &str = r###"{"version":"1.0",
        "truncation":{"max_length":3,"strategy":"LongestFirst","stride":0,"direction":"Right"},
        "padding":{"strategy":{"Fixed":128},"direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"[PAD]"},
        "added_tokens":[{"id":0,"special":true,"content":"[PAD]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false},
            {"id":1,"special":true,"content":"[CLS]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false},
            {"id":2,"special":true,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false}],
        "normalizer":null,"pre_tokenizer":{"type":"WhitespaceSplit"},"decoder":null,
        "post_processor":{"type":"TemplateProcessing","pair":[],
            "single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],
            "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[1],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[2],"tokens":["[SEP]"]}}},
        "model":{"type":"WordLevel","vocab":{"[PAD]":0,"[CLS]":1,"[SEP]":2,"[UNK]":3,"good":4,"little":5,"data":6},"unk_token":"[UNK]"}}"###;

    #[track_caller]
    fn check(max_tokens: usize, text: &str, expect: &[u32]) {
        let tokenizer = Tokenizer::from_bytes(TINY.as_bytes(), max_tokens).unwrap();
        assert_eq!(tokenizer.encode(text).unwrap(), expect);
        assert_eq!(tokenizer.vocabulary_size(), 7);
    }

    #[test]
    fn special_tokens_stay_and_nothing_is_padded() {
        check(8, "little good data", &[1, 5, 4, 6, 2]);
        check(4, "little good data", &[1, 5, 4, 2]);
        check(8, "much data", &[1, 3, 6, 2]);
        check(8, "", &[1, 2]);
    }

    #[test]
    fn no_room_and_no_tokenizer_are_errors() {
        let error = Tokenizer::from_bytes(TINY.as_bytes(), 2).unwrap_err();
        assert_eq!(error.to_string(), "max_tokens 2 leaves no room beside 2 special tokens");
        assert_eq!(Tokenizer::from_bytes(b"{}", 8).unwrap_err().to_string(), "not a tokenizer");
        let error = Tokenizer::from_file(Path::new("nowhere/tokenizer.json"), 8).unwrap_err();
        assert_eq!(error.to_string(), "cannot read a tokenizer from `nowhere/tokenizer.json`");
    }
}
