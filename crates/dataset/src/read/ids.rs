//! Ids that name one example each.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::{Example, ExampleId};

/// The name of a file below the folder that is read; the file's own name when that is what is read.
pub(super) fn place_of(root: &Path, file: &Path) -> String {
    let inner = file.strip_prefix(root).ok().filter(|inner| !inner.as_os_str().is_empty());
    let inner = inner.or_else(|| file.file_name().map(Path::new)).unwrap_or(file);
    inner.to_string_lossy().replace('\\', "/")
}

/// Makes ids unique: those that several examples share get the file (below `root`) and the row put in front, all of them
/// alike, so that an id does not depend on the order of reading.
pub(super) fn make_unique(root: &Path, examples: &mut [Example]) {
    let mut uses: HashMap<ExampleId, usize> = HashMap::new();
    for example in &*examples {
        *uses.entry(example.id.clone()).or_default() += 1;
    }
    if uses.len() == examples.len() {
        return;
    }
    let mut taken: HashSet<ExampleId> = HashSet::new();
    for example in examples {
        if uses[&example.id] > 1 {
            let place = place_of(root, &example.origin.path);
            let row = example.origin.row.map(|row| format!(":{row}")).unwrap_or_default();
            // A file that is the example is named by its place alone.
            let is_file = row.is_empty() && place.ends_with(&example.id.0);
            example.id = ExampleId(if is_file { place } else { format!("{place}{row}:{}", example.id) });
        }
        // Only ids made to collide, or one file read twice, go round.
        while !taken.insert(example.id.clone()) {
            example.id.0.push('+');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, Origin, Target};

    #[track_caller]
    fn check(examples: &[(&str, &str, u64)], expect: &[&str]) {
        let mut examples: Vec<Example> = examples
            .iter()
            .map(|(id, file, row)| Example {
                id: ExampleId((*id).to_owned()),
                content: Content::Text(String::new()),
                target: Target::Unlabelled,
                votes: Vec::new(),
                group: None,
                part: None,
                details: std::collections::BTreeMap::new(),
                origin: Origin { path: Path::new("root").join(file), row: Some(*row) },
            })
            .collect();
        make_unique(Path::new("root"), &mut examples);
        let ids: Vec<&str> = examples.iter().map(|example| example.id.0.as_str()).collect();
        assert_eq!(ids, expect);
    }

    #[test]
    fn shared_ids_get_their_place() {
        check(&[("a", "t.csv", 2), ("b", "t.csv", 3)], &["a", "b"]);
        check(
            &[("a", "t.csv", 2), ("b", "t.csv", 3), ("a", "x/t.csv", 2)],
            &["t.csv:2:a", "b", "x/t.csv:2:a"],
        );
        check(&[("a", "t.csv", 2), ("a", "t.csv", 2)], &["t.csv:2:a", "t.csv:2:a+"]);
        check(
            &[("a", "t.csv", 2), ("a", "t.csv", 3), ("t.csv:2:a", "t.csv", 4)],
            &["t.csv:2:a", "t.csv:3:a", "t.csv:2:a+"],
        );
    }
}
