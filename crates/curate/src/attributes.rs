//! What is known of examples besides their content: size, source, hour, annotator.

use std::collections::BTreeMap;

/// The attribute that says who labelled an example. It explains a conflict, and is no rule by which to settle it.
pub const ANNOTATOR: &str = "annotator";

/// What is measured of examples, as Chinese readers call it; a column of the data keeps its own name.
pub fn in_chinese(name: &str) -> &str {
    match name {
        ANNOTATOR => "标注者",
        "pixels" => "像素数",
        "width over height" => "宽高比",
        "brightness" => "亮度",
        "sharpness" => "清晰度",
        "seconds" => "时长（秒）",
        "length" => "字数",
        other => other,
    }
}

/// One property of every example.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// How people call it.
    pub name: String,
    /// One value an example, in the order of the data.
    pub values: AttributeValues,
}

/// The values of an attribute, `[n]`.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValues {
    /// Numbers; one that is missing or not finite is unknown.
    Numbers(Vec<Option<f64>>),
    /// Days and times, as [moments](crate::moment).
    Times(Vec<Option<f64>>),
    /// Names of categories; an empty one is a category too.
    Names(Vec<Option<String>>),
}

impl AttributeValues {
    /// How many examples there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) | Self::Times(values) => values.len(),
            Self::Names(values) => values.len(),
        }
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the value of an example is not known.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn is_unknown(&self, row: usize) -> bool {
        match self {
            Self::Numbers(values) | Self::Times(values) => values[row].is_none_or(|value| !value.is_finite()),
            Self::Names(values) => values[row].is_none(),
        }
    }
}

/// The rows of each name, names in order; rows without one are left out.
pub(crate) fn rows_by_name(names: &[Option<String>]) -> BTreeMap<&str, Vec<usize>> {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, name) in names.iter().enumerate() {
        if let Some(name) = name {
            rows.entry(name).or_default().push(row);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_told_from_what_is_empty() {
        let numbers = AttributeValues::Numbers(vec![Some(1.0), None, Some(f64::NAN)]);
        assert_eq!([0, 1, 2].map(|row| numbers.is_unknown(row)), [false, true, true]);
        let names = vec![Some("b".to_owned()), None, Some(String::new()), Some("b".to_owned())];
        let rows: Vec<_> = rows_by_name(&names).into_iter().collect();
        assert_eq!(rows, [("", vec![2]), ("b", vec![0, 3])]);
        assert!(!AttributeValues::Names(names).is_unknown(2));
    }
}
