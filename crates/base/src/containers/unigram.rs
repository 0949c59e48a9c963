//! A unigram vocabulary as a `tokenizer.json` of the `tokenizers` crate.

use serde_json::{Value, json};

use crate::base64;

/// Pieces with their log-probabilities, and which of them are special.
pub(super) struct Vocabulary<'a> {
    /// The position is the token id.
    pub(super) pieces: &'a [(String, f32)],
    pub(super) unk: usize,
    pub(super) bos: usize,
    pub(super) eos: usize,
}

impl Vocabulary<'_> {
    /// The description: `charsmap` is sentencepiece's precompiled map of characters.
    pub(super) fn to_json(&self, charsmap: &[u8]) -> Value {
        let special = |id: usize| &self.pieces[id].0;
        let token = |id: usize| json!({"SpecialToken": {"id": special(id), "type_id": 0}});
        let one = |id: usize| json!({"id": special(id), "ids": [id], "tokens": [special(id)]});
        let sequence = json!({"Sequence": {"id": "A", "type_id": 0}});
        json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": [],
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Precompiled", "precompiled_charsmap": base64::encode(charsmap)},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ]},
            "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [token(self.bos), sequence, token(self.eos)],
                "pair": [
                    token(self.bos), sequence, token(self.eos),
                    token(self.eos), {"Sequence": {"id": "B", "type_id": 0}}, token(self.eos),
                ],
                "special_tokens": {special(self.bos): one(self.bos), special(self.eos): one(self.eos)},
            },
            "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
            "model": {
                "type": "Unigram",
                "unk_id": self.unk,
                "vocab": self.pieces,
                "byte_fallback": false,
            },
        })
    }
}
