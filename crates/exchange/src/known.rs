//! What is known of an example besides its marks, as it stands in JSON.

use dataset::Part;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Answer, Item};

/// Answer, group and part; what is not known is not there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "part")]
    pub(crate) part: Option<Part>,
}

/// From the usual spellings.
fn part<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Part>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    let unknown =
        |name: &str| D::Error::custom(format!("`{}` is no part", name.chars().take(80).collect::<String>()));
    name.map(|name| Part::from_name(&name).ok_or_else(|| unknown(&name))).transpose()
}

impl Known {
    pub(crate) fn of(item: &Item) -> Self {
        let mut known = Self { group: item.group.clone(), part: item.part, ..Self::default() };
        match &item.answer {
            Answer::None => {}
            Answer::Class(class) => known.label = Some(class.clone()),
            Answer::Classes(classes) => known.labels = Some(classes.clone()),
            Answer::Number(value) => known.number = Some(*value),
        }
        known
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The answer; a class goes before several, several before a number.
    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self { label: Some(label), .. } => Answer::Class(label.clone()),
            Self { labels: Some(labels), .. } => Answer::Classes(labels.clone()),
            Self { number: Some(number), .. } if number.is_finite() => Answer::Number(*number),
            _ => Answer::None,
        }
    }
}
