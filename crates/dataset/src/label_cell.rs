//! Several labels in one cell of a table: between bars, or as a JSON list where a name could be mistaken for several.

/// Labels as a cell has them: `a|b`; a JSON list where a bar, spaces around a name or no label at all would not come back.
pub fn join_labels(labels: &[impl AsRef<str>]) -> String {
    let labels: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
    let is_plain = |label: &&str| !label.trim().is_empty() && label.trim() == *label && !label.contains('|');
    let is_list = labels.first().is_some_and(|label| label.starts_with('['));
    if !labels.is_empty() && !is_list && labels.iter().all(is_plain) {
        labels.join("|")
    } else {
        serde_json::to_string(&labels).expect("texts are always JSON")
    }
}

/// The labels of a cell that [`join_labels`] wrote, or of one with several between bars.
pub fn split_labels(cell: &str) -> Vec<String> {
    listed(cell).unwrap_or_else(|| {
        cell.split('|').map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()).collect()
    })
}

/// The texts of a JSON list; `None` where the cell is none.
pub(crate) fn listed(cell: &str) -> Option<Vec<String>> {
    if cell.starts_with('[') { serde_json::from_str(cell).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_share_a_cell() {
        assert_eq!(join_labels(&["cat", "small dog"]), "cat|small dog");
        assert_eq!(join_labels(&["a|b", "c"]), r#"["a|b","c"]"#);
        assert_eq!(join_labels(&[""; 0]), "[]");
        assert_eq!(join_labels(&["[x]"]), r#"["[x]"]"#);
        assert_eq!(split_labels("cat | dog|"), ["cat", "dog"]);
    }

    proptest! {
        #[test]
        fn labels_come_back_from_a_cell(labels in proptest::collection::vec("[a\\[\\]|\", 猫]{0,4}", 0..5)) {
            prop_assert_eq!(split_labels(&join_labels(&labels)), labels);
        }
    }
}
