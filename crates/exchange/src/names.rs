//! Names of files in an archive: they stay inside it, on every system, and no two are the same.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Deepest path.
const MOST_DEPTH: usize = 12;
/// Longest name of one folder or file, in bytes.
const LONGEST: usize = 180;
/// Names that Windows keeps for devices.
const DEVICES: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A path that cannot leave the folder it is unpacked into: without roots, drives, `..`, and what Windows does not take in names.
pub fn safe_path(name: &str) -> String {
    let parts: Vec<String> = name.split(['/', '\\']).filter_map(safe_part).collect();
    let deep = parts.len().saturating_sub(MOST_DEPTH);
    if parts.is_empty() { "unnamed".to_owned() } else { parts[deep..].join("/") }
}

/// One part of a path; what would divide it is replaced.
pub fn safe_name(name: &str) -> String {
    safe_part(&name.replace(['/', '\\'], "_")).unwrap_or_else(|| "unnamed".to_owned())
}

fn safe_part(part: &str) -> Option<String> {
    let is_odd = |char: char| char.is_control() || "<>:\"|?*\u{202e}\u{2066}\u{2067}".contains(char);
    let part: String = part.chars().map(|char| if is_odd(char) { '_' } else { char }).collect();
    // Windows drops dots and spaces at the end; `.` and `..` become nothing.
    let part = part.trim().trim_end_matches(['.', ' ']);
    if part.is_empty() {
        return None;
    }
    let (stem, ending) = split(part);
    let stem = shortened(stem, LONGEST.saturating_sub(ending.len()).max(1));
    let device = DEVICES.contains(&stem.split('.').next().unwrap_or_default().to_lowercase().as_str());
    Some(format!("{stem}{}{ending}", if device { "_" } else { "" }))
}

/// The name without its ending, and the ending with its dot; endings are short.
pub(crate) fn split(path: &str) -> (&str, &str) {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[start..].rfind('.') {
        Some(dot) if dot > 0 && path.len() - start - dot <= 12 => path.split_at(start + dot),
        _ => (path, ""),
    }
}

fn shortened(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// What of two names must differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apart {
    /// The whole name.
    Whole,
    /// The name without its ending, since something beside it is called so.
    Stem,
}

/// Names that were given out. Only hashes are kept, so that a large set takes little memory; two names that share one are told
/// apart although they need not be.
#[derive(Debug)]
pub(crate) struct Names {
    apart: Apart,
    taken: HashMap<u64, u32>,
}

impl Names {
    pub(crate) fn new(apart: Apart) -> Self {
        Self { apart, taken: HashMap::new() }
    }

    /// The name, with ` (2)` and so on before its ending where it was given out before. Case does not tell names apart.
    pub(crate) fn give(&mut self, name: String) -> String {
        let (stem, ending) = split(&name);
        let first = self.key(stem, ending);
        let mut number = match self.taken.get(&first) {
            None => {
                self.taken.insert(first, 1);
                return name;
            }
            Some(number) => *number,
        };
        loop {
            number += 1;
            let stem = format!("{stem} ({number})");
            let key = self.key(&stem, ending);
            if !self.taken.contains_key(&key) {
                self.taken.insert(key, 1);
                self.taken.insert(first, number);
                return format!("{stem}{ending}");
            }
        }
    }

    fn key(&self, stem: &str, ending: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        stem.to_lowercase().hash(&mut hasher);
        if self.apart == Apart::Whole {
            ending.to_lowercase().hash(&mut hasher);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_stay_inside() {
        for (name, expect) in [
            ("a/b.png", "a/b.png"),
            ("良品/图 1.png", "良品/图 1.png"),
            ("../../etc/passwd", "etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("C:\\Windows\\x.png", "C_/Windows/x.png"),
            ("C:x.png", "C_x.png"),
            ("a/./b/...", "a/b"),
            ("nul.txt", "nul_.txt"),
            ("a\0b\n.png", "a_b_.png"),
            ("", "unnamed"),
            ("..", "unnamed"),
        ] {
            assert_eq!(safe_path(name), expect, "{name}");
        }
        assert_eq!(safe_name("a/b:c"), "a_b_c");
        assert_eq!(safe_path(&format!("{}.png", "长".repeat(300))).len(), 174 + 4);
    }

    #[test]
    fn the_second_of_a_name_gets_a_number() {
        let mut names = Names::new(Apart::Whole);
        let given = ["a.png", "A.png", "a.jpg", "a.png", "a (2).png"].map(|name| names.give(name.to_owned()));
        assert_eq!(given, ["a.png", "A (2).png", "a.jpg", "a (3).png", "a (2) (2).png"]);
        let mut names = Names::new(Apart::Stem);
        let given = ["d/a.png", "d/a.jpg", "a.png"].map(|name| names.give(name.to_owned()));
        assert_eq!(given, ["d/a.png", "d/a (2).jpg", "a.png"]);
    }

    proptest! {
        #[test]
        fn no_name_leaves_the_archive(name in ".{0,60}", odd in "[./\\\\: a]{0,30}") {
            for name in [name, odd] {
                let path = safe_path(&name);
                prop_assert!(!path.starts_with('/') && !path.contains(['\\', ':']));
                prop_assert!(path.split('/').all(|part| !part.is_empty() && part != "." && part != ".."));
                prop_assert_eq!(safe_path(&path), path.clone());
            }
        }
    }
}
