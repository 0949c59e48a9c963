//! Text to token ids, exactly as each family's reference tokenizer.
