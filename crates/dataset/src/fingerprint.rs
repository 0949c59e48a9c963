//! The fingerprint of a revision: the same examples with the same labels, in any order, under any root.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::PathBuf;

use rayon::prelude::*;
use store::{Hash, Hasher};

use crate::{Content, Dataset, Example, InspectionExample, InspectionSet, Span, Target, Task};

impl InspectionSet {
    /// Hashes contents, verdicts, masks, groups and parts; as [`Dataset::fingerprint`], it does not depend on order or place.
    pub fn fingerprint(&self) -> Hash {
        let mut hashes: Vec<Hash> = self.examples.par_iter().map(hash_of_inspected).collect();
        hashes.sort_unstable();
        let mut revision = Hasher::new("dianjing.inspection.1");
        for hash in hashes {
            revision.field("example", hash.as_bytes());
        }
        revision.finish()
    }
}

fn hash_of_inspected(example: &InspectionExample) -> Hash {
    let mut hasher = Hasher::new("dianjing.inspected.1");
    hasher.field("id", example.id.0.as_bytes());
    for (name, path) in [("content", Some(&example.path)), ("mask", example.mask.as_ref())] {
        let Some(path) = path else { continue };
        match content_hash(&Content::Image(path.clone())) {
            Ok(hash) => hasher.field(name, hash.as_bytes()),
            // A file that vanished is part of the revision as missing.
            Err(_) => hasher.field("missing", name.as_bytes()),
        };
    }
    match example.verdict.kind() {
        None => hasher.field("good", b""),
        Some(kind) => hasher.field("defect", kind.as_bytes()),
    };
    if let Some(group) = &example.group {
        hasher.field("group", group.as_bytes());
    }
    if let Some(part) = example.part {
        hasher.field("part", format!("{part:?}").as_bytes());
    }
    hasher.finish()
}

impl Dataset {
    /// Hashes task, contents, labels, votes, groups and parts. A changed pixel, label, vote or group changes it; the order of
    /// reading, the place on disk, the file's times and the number of threads do not.
    pub fn fingerprint(&self) -> Hash {
        let contents: Vec<&Content> = self.examples.iter().map(|example| &example.content).collect();
        let of = |(example, content)| self.hash_of(example, content);
        let mut hashes: Vec<Hash> = self.examples.par_iter().zip(content_hashes(&contents)).map(of).collect();
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

    fn hash_of(&self, example: &Example, content: io::Result<Hash>) -> Hash {
        let mut hasher = Hasher::new("dianjing.example.1");
        hasher.field("id", example.id.0.as_bytes());
        match content {
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
        let mut votes: Vec<_> = example.votes.iter().map(|vote| (&vote.annotator, &vote.label)).collect();
        votes.sort_unstable();
        for (annotator, label) in votes {
            hasher.field("annotator", annotator.as_bytes()).field("vote", label.as_bytes());
        }
        if let Some(group) = &example.group {
            hasher.field("group", group.as_bytes());
        }
        if let Some(part) = example.part {
            hasher.field("part", &[part as u8]);
        }
        hasher.finish()
    }
}

/// The hashes of many contents, in their order: a sound that many pieces were cut from is read once.
pub fn content_hashes(contents: &[&Content]) -> Vec<io::Result<Hash>> {
    let cut = contents.iter().filter_map(|content| match content {
        Content::Piece(path, _) => Some(path),
        _ => None,
    });
    let files: BTreeSet<&PathBuf> = cut.collect();
    let files: HashMap<&PathBuf, Hash> =
        files.into_par_iter().filter_map(|path| Some((path, Hash::of_file(path).ok()?))).collect();
    let hash = |content: &&Content| match content {
        Content::Piece(path, span) if files.contains_key(path) => Ok(piece_hash(&files[path], *span)),
        content => content_hash(content),
    };
    contents.par_iter().map(hash).collect()
}

fn piece_hash(file: &Hash, span: Span) -> Hash {
    let mut hasher = Hasher::new("dianjing.piece.1");
    hasher.field("file", file.as_bytes()).field("start", &span.start().as_nanos().to_le_bytes());
    let end = span.end().map(|end| end.as_nanos().to_le_bytes());
    hasher.field("end", end.as_ref().map_or(&[], |end| end)).finish()
}

/// The hash of a file's bytes or a text's UTF-8; of several senses, that of theirs.
pub fn content_hash(content: &Content) -> io::Result<Hash> {
    Ok(match content {
        Content::Image(path) => Hash::of(&std::fs::read(path)?),
        // Recordings may be hours long.
        Content::Sound(path) | Content::Video(path) | Content::Series(path) => Hash::of_file(path)?,
        Content::Piece(path, span) => piece_hash(&Hash::of_file(path)?, *span),
        Content::Text(text) => Hash::of(text.as_bytes()),
        Content::Senses(senses) => {
            let mut hasher = Hasher::new("dianjing.senses.1");
            for (sense, content) in senses {
                hasher.field(sense, content_hash(content)?.as_bytes());
            }
            hasher.finish()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClassIdx, Decision, ExampleId, Modality, Origin, Vote};

    fn dataset() -> Dataset {
        let example = |number: usize| Example {
            id: ExampleId(format!("t.csv:{number}")),
            content: Content::Text(format!("text {number}")),
            target: Target::Class(ClassIdx((number % 2) as u32)),
            votes: ["A", "B"].map(|who| Vote { annotator: who.to_owned(), label: "x".to_owned() }).to_vec(),
            group: None,
            part: None,
            details: std::collections::BTreeMap::new(),
            origin: Origin { path: "t.csv".into(), row: Some(number as u64) },
        };
        let (layout, content, task, why) = Default::default();
        Dataset {
            name: "t".to_owned(),
            root: "t.csv".into(),
            task: Task::SingleLabel { classes: vec!["x".to_owned(), "y".to_owned()] },
            decision: Decision { layout, content, label: None, task, why },
            modality: Modality::Text,
            senses: Vec::new(),
            examples: (0..200).map(example).collect(),
        }
    }

    #[test]
    fn order_and_threads_do_not_matter() {
        let expect = dataset().fingerprint();
        let mut shuffled = dataset();
        shuffled.examples.reverse();
        shuffled.examples.iter_mut().for_each(|example| example.votes.reverse());
        assert_eq!(shuffled.fingerprint(), expect);
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| dataset().fingerprint()), expect);
        }
    }

    #[test]
    fn a_changed_vote_or_label_matters() {
        let expect = dataset().fingerprint();
        let changes: [fn(&mut Example); 4] = [
            |example| example.votes[1].label.push('!'),
            |example| example.votes[1].annotator.push('!'),
            |example| drop(example.votes.pop()),
            |example| example.target = Target::Unlabelled,
        ];
        for change in changes {
            let mut changed = dataset();
            change(&mut changed.examples[7]);
            assert_ne!(changed.fingerprint(), expect);
        }
    }
}
