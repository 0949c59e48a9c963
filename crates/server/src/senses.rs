//! What several senses know of one example, kept as JSON: `{"note": {"text": "…"}, "photo": {"blob": "…"}}`.

use std::collections::BTreeMap;

use dataset::{Modality, Sense};
use serde::{Deserialize, Serialize};

/// What one sense knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Known {
    /// A file, by the name of its blob.
    Blob(String),
    Text(String),
}

/// By the names of the senses; what is missing is not there.
pub(crate) type Senses = BTreeMap<String, Known>;

/// Kinds of files that stand for an example where only one can be shown, the first that is there.
const FACES: [Modality; 4] = [Modality::Image, Modality::Video, Modality::Series, Modality::Sound];

/// What is kept; nothing of an example with one content.
pub(crate) fn of(kept: Option<&str>) -> Senses {
    kept.and_then(|kept| serde_json::from_str(kept).ok()).unwrap_or_default()
}

/// As it is kept.
pub(crate) fn keep(senses: &Senses) -> String {
    serde_json::to_string(senses).expect("names and texts are always JSON")
}

/// The files of what is kept.
pub(crate) fn blobs(kept: Option<&str>) -> Vec<String> {
    let blob = |known| if let Known::Blob(blob) = known { Some(blob) } else { None };
    of(kept).into_values().filter_map(blob).collect()
}

/// The texts, one below the other, as they are searched; `None` without any.
pub(crate) fn texts(senses: &Senses) -> Option<String> {
    let text = |known: &Known| match known {
        Known::Text(text) => Some(text.clone()),
        Known::Blob(_) => None,
    };
    let texts: Vec<String> = senses.values().filter_map(text).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// The sense that stands for an example.
pub(crate) fn face(senses: &Senses) -> Option<&Known> {
    let is_of = |known: &&Known, face: Modality| match known {
        Known::Blob(blob) => dataset::read::modality_of_file(blob.as_ref()) == Some(face),
        Known::Text(_) => false,
    };
    let seen = FACES.into_iter().find_map(|face| senses.values().find(|known| is_of(known, face)));
    seen.or_else(|| senses.values().next())
}

/// The senses of a data set, as they are kept.
pub(crate) fn named(kept: Option<&str>) -> Vec<Sense> {
    kept.and_then(|kept| serde_json::from_str(kept).ok()).unwrap_or_default()
}

/// Those that are known with those that come, each once; `None` where one is of another kind than it was.
pub(crate) fn joined(mut known: Vec<Sense>, more: &[Sense]) -> Option<Vec<Sense>> {
    for sense in more {
        match known.iter().find(|other| other.name == sense.name) {
            Some(other) if other.modality != sense.modality => return None,
            Some(_) => {}
            None => known.push(sense.clone()),
        }
    }
    Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sense(name: &str, modality: Modality) -> Sense {
        Sense { name: name.to_owned(), modality }
    }

    #[test]
    fn what_is_kept_comes_back() {
        let blob = |name: &str| Known::Blob(name.to_owned());
        let senses = Senses::from([
            ("note".to_owned(), Known::Text("ein 漢字".to_owned())),
            ("sound".to_owned(), blob("ab.wav")),
            ("photo".to_owned(), blob("cd.png")),
        ]);
        let kept = keep(&senses);
        assert_eq!(of(Some(&kept)), senses);
        assert_eq!(blobs(Some(&kept)), ["cd.png", "ab.wav"]);
        assert_eq!(texts(&senses).as_deref(), Some("ein 漢字"));
        assert_eq!(face(&senses), Some(&blob("cd.png")));
        assert_eq!((of(None).len(), blobs(None).len()), (0, 0));
    }

    #[test]
    fn a_sense_stays_of_its_kind() {
        let known = vec![sense("photo", Modality::Image)];
        let more = [sense("note", Modality::Text), sense("photo", Modality::Image)];
        let both = joined(known.clone(), &more).expect("they fit");
        assert_eq!(both, [sense("photo", Modality::Image), sense("note", Modality::Text)]);
        assert_eq!(joined(known, &[sense("photo", Modality::Sound)]), None);
    }
}
