//! The fingerprint of a revision: the same examples with the same labels, in any order, under any root.

use std::io;

use store::{Hash, Hasher};

use crate::{Content, Dataset, Example, Target, Task};

impl Dataset {
    /// Hashes task, contents, labels, groups and parts. A changed pixel, label or group changes it; the order of
    /// reading, the place on disk and the file's times do not.
    pub fn fingerprint(&self) -> Hash {
        let mut hashes: Vec<Hash> = self.examples.iter().map(|example| self.hash_of(example)).collect();
        hashes.sort_unstable();
        let mut revision = Hasher::new("dianjing.revision.1");
        match &self.task {
            Task::SingleLabel { .. } => revision.field("task", b"single-label"),
            Task::MultiLabel { .. } => revision.field("task", b"multi-label"),
            Task::Regression { name } => revision.field("task", b"regression").field("name", name.as_bytes()),
        };
        for hash in hashes {
            revision.field("example", hash.as_bytes());
        }
        revision.finish()
    }

    fn hash_of(&self, example: &Example) -> Hash {
        let mut hasher = Hasher::new("dianjing.example.1");
        hasher.field("id", example.id.0.as_bytes());
        match content_hash(&example.content) {
            Ok(hash) => hasher.field("content", hash.as_bytes()),
            // A file that vanished is part of the revision as missing.
            Err(_) => hasher.field("missing", b""),
        };
        match &example.target {
            Target::Unlabelled => hasher.field("unlabelled", b""),
            Target::Class(class) => hasher.field("class", self.classes()[class.0 as usize].as_bytes()),
            Target::Classes(classes) => {
                for class in classes {
                    hasher.field("label", self.classes()[class.0 as usize].as_bytes());
                }
                &mut hasher
            }
            Target::Number(value) => hasher.field("number", &value.to_bits().to_le_bytes()),
        };
        if let Some(group) = &example.group {
            hasher.field("group", group.as_bytes());
        }
        if let Some(part) = example.part {
            hasher.field("part", &[part as u8]);
        }
        hasher.finish()
    }
}

/// The hash of a picture's bytes or a text's UTF-8.
pub fn content_hash(content: &Content) -> io::Result<Hash> {
    Ok(match content {
        Content::Image(path) => Hash::of(&std::fs::read(path)?),
        Content::Text(text) => Hash::of(text.as_bytes()),
    })
}
