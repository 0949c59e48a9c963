//! Writes sentencepiece's "precompiled characters map", the form in which the `tokenizers` crate takes a normaliser's
//! map.
//!
//! It is the length of a trie in bytes, the trie as a *double array* of `u32` (darts-clone), and the replacement texts,
//! each ended by a zero byte. A unit has the label in bits 0 to 7, "has a value" in bit 8 and the offset to the children
//! from bit 10; a child lies at `position ^ offset ^ label`. A value is the unit under label 0, with bit 31 set.

use std::collections::{BTreeMap, BTreeSet};

/// Children never leave the block of this many units that their base lies in.
const BLOCK: usize = 256;
const HAS_VALUE: u32 = 1 << 8;
const IS_VALUE: u32 = 1 << 31;
const OFFSET_SHIFT: u32 = 10;

/// Builds the map. Characters and texts hold no zero.
pub(super) fn build(replacements: &[(char, String)]) -> Vec<u8> {
    let mut texts = Vec::new();
    let mut root = Trie::default();
    for (from, to) in replacements {
        let mut node = &mut root;
        for &byte in from.encode_utf8(&mut [0; 4]).as_bytes() {
            node = node.children.entry(byte).or_default();
        }
        node.value = Some(texts.len() as u32);
        texts.extend_from_slice(to.as_bytes());
        texts.push(0);
    }
    let mut array = DoubleArray::default();
    array.reserve(0);
    array.place(&root, 0);
    let units = array.finish();
    let mut bytes = (4 * units.len() as u32).to_le_bytes().to_vec();
    bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes.extend(texts);
    bytes
}

#[derive(Default)]
struct Trie {
    value: Option<u32>,
    children: BTreeMap<u8, Trie>,
}

#[derive(Default)]
struct DoubleArray {
    units: Vec<Option<u32>>,
    /// Bases in use: two nodes that shared one could take each other's children.
    bases: BTreeSet<usize>,
    /// No free unit lies below.
    free_from: usize,
}

impl DoubleArray {
    /// Places the children of the node at `position` and then theirs.
    fn place(&mut self, node: &Trie, position: usize) {
        let labels: Vec<u8> =
            node.value.map(|_| 0).into_iter().chain(node.children.keys().copied()).collect();
        let base = self.free_base(&labels);
        self.bases.insert(base);
        for &label in &labels {
            self.reserve(base ^ usize::from(label));
        }
        let mut unit = self.units[position].unwrap_or_default() | ((position ^ base) as u32) << OFFSET_SHIFT;
        if let Some(value) = node.value {
            unit |= HAS_VALUE;
            self.units[base] = Some(IS_VALUE | value);
        }
        self.units[position] = Some(unit);
        for (&label, child) in &node.children {
            let position = base ^ usize::from(label);
            self.units[position] = Some(label.into());
            self.place(child, position);
        }
    }

    fn free_base(&mut self, labels: &[u8]) -> usize {
        while self.taken(self.free_from) {
            self.free_from += 1;
        }
        let first = self.free_from / BLOCK * BLOCK;
        let fits = |base: &usize| {
            !self.bases.contains(base) && labels.iter().all(|&label| !self.taken(base ^ usize::from(label)))
        };
        (first.max(1)..).find(fits).expect("there is always room further on")
    }

    fn taken(&self, position: usize) -> bool {
        self.units.get(position).is_some_and(Option::is_some)
    }

    fn reserve(&mut self, position: usize) {
        if self.units.len() <= position {
            self.units.resize((position / BLOCK + 1) * BLOCK, None);
        }
        self.units[position] = Some(0);
    }

    /// A free unit is given a label that no byte has, so that no lookup goes through it.
    fn finish(self) -> Vec<u32> {
        self.units.into_iter().map(|unit| unit.unwrap_or(IS_VALUE)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lookup as sentencepiece does it.
    fn lookup(map: &[u8], text: &str) -> Option<String> {
        let trie_len = u32::from_le_bytes(map[..4].try_into().unwrap()) as usize;
        let units: Vec<u32> =
            map[4..4 + trie_len].as_chunks::<4>().0.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
        let mut at = (units[0] >> OFFSET_SHIFT) as usize;
        for &byte in text.as_bytes() {
            at ^= usize::from(byte);
            let unit = units[at];
            if unit & (IS_VALUE | 255) != u32::from(byte) {
                return None;
            }
            at ^= (unit >> OFFSET_SHIFT) as usize;
            if unit & HAS_VALUE != 0 {
                let start = 4 + trie_len + (units[at] & !IS_VALUE) as usize;
                let len = map[start..].iter().position(|&byte| byte == 0).unwrap();
                return Some(String::from_utf8(map[start..start + len].to_vec()).unwrap());
            }
        }
        None
    }

    #[test]
    fn every_mapped_character_and_no_other_is_found() {
        let replacements: Vec<(char, String)> = (1..0x3000_u32)
            .filter(|code| code % 3 == 0)
            .filter_map(char::from_u32)
            .map(|from| (from, format!("<{}>", from as u32).repeat(from as usize % 2)))
            .collect();
        let map = build(&replacements);
        for code in (1..0x3100_u32).chain([0x1f600, 0x10_ffff]) {
            let from = char::from_u32(code).unwrap();
            let expect = replacements.iter().find(|(char, _)| *char == from).map(|(_, to)| to.clone());
            assert_eq!(lookup(&map, &from.to_string()), expect, "{code:#x}");
        }
    }
}
