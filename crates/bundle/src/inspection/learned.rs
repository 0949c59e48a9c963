//! The photos that an inspector was made from: never themselves, only what they are recognised by.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Knows the photos that were learned from by the first 8 bytes of the hash of their files: two photos of a million share them
/// with a chance of one in thirty million. A photo that was saved anew is another one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Learned(BTreeSet<u64>);

impl Learned {
    /// Whether a file with this hash was learned from.
    pub fn contains(&self, hash: &store::Hash) -> bool {
        self.0.contains(&beginning(hash))
    }
}

impl FromIterator<store::Hash> for Learned {
    fn from_iter<I: IntoIterator<Item = store::Hash>>(hashes: I) -> Self {
        Self(hashes.into_iter().map(|hash| beginning(&hash)).collect())
    }
}

fn beginning(hash: &store::Hash) -> u64 {
    let (first, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
    u64::from_be_bytes(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_from_is_known_again_after_storing() {
        let hash = |text: &str| store::Hash::of(text.as_bytes());
        let learned: Learned = [hash("a"), hash("b"), hash("a")].into_iter().collect();
        let stored = serde_json::to_string(&learned).unwrap();
        assert!(stored.len() < 2 * 22, "{stored}");
        let learned: Learned = serde_json::from_str(&stored).unwrap();
        assert!(
            learned.contains(&hash("a")) && learned.contains(&hash("b")) && !learned.contains(&hash("c"))
        );
    }
}
