//! What an inspector is made of, in words.

use bundle::inspection::Inspector;

/// The recipe's name and why it is this one.
pub(crate) fn recipe(inspector: &Inspector) -> (String, String) {
    let (views, wholes) = (inspector.memories.views.len(), inspector.memories.pooled.len());
    let scales = inspector.sight.looks.len();
    let mut parts = vec![format!("{views} patch memories at {scales} scales")];
    if wholes > 0 {
        parts.push(format!("{wholes} memories of whole photos"));
    }
    if inspector.taught.is_some() {
        parts.push("two heads taught by defects".to_owned());
    }
    let why = if wholes > 0 {
        "enough good photos to compare photos as a whole"
    } else {
        "too few good photos to compare photos as a whole"
    };
    (parts.join(" + "), why.to_owned())
}
