//! What is known of examples besides what they show: columns of their table, who labelled them, size, brightness, length.

use std::collections::BTreeSet;

use curate::attributes::{ANNOTATOR, Attribute, AttributeValues};
use curate::faults::Picture;
use dataset::{Content, Dataset, Example};

use super::media::Media;

/// Share of the values of a column that must be numbers for it to be one of numbers.
const NUMBERS: f64 = 0.9;
/// Most columns of a table that are looked at.
const MOST_COLUMNS: usize = 50;

/// The columns of the table that have no role, in alphabetical order.
pub(super) fn columns(data: &Dataset) -> Vec<Attribute> {
    let names: BTreeSet<&String> = data.examples.iter().flat_map(|example| example.details.keys()).collect();
    let column = |name: &String| {
        let of = |example: &Example| example.details.get(name).cloned();
        Attribute { name: name.clone(), values: typed(data.examples.iter().map(of).collect()) }
    };
    names.into_iter().take(MOST_COLUMNS).map(column).collect()
}

/// What is measured or known of each example besides.
pub(super) fn measured(data: &Dataset, media: &Media) -> Vec<Attribute> {
    let examples = &data.examples;
    let mut found = Vec::new();
    let annotators: Vec<Option<String>> = examples.iter().map(annotator).collect();
    if annotators.iter().flatten().collect::<BTreeSet<_>>().len() > 1 {
        found.push(Attribute { name: ANNOTATOR.to_owned(), values: AttributeValues::Names(annotators) });
    }
    let mut numbers = |name: &str, values: Vec<Option<f64>>| {
        if values.iter().any(Option::is_some) {
            found.push(Attribute { name: name.to_owned(), values: AttributeValues::Numbers(values) });
        }
    };
    let of = |measure: fn(&Picture) -> f64| -> Vec<Option<f64>> {
        media.pictures.iter().map(|picture| picture.as_ref().map(measure)).collect()
    };
    numbers("pixels", of(|picture| f64::from(picture.width) * f64::from(picture.height)));
    numbers("width over height", of(|picture| f64::from(picture.width) / f64::from(picture.height)));
    numbers("brightness", of(|picture| picture.mean));
    numbers("sharpness", of(|picture| picture.sharpness));
    numbers("seconds", media.sounds.iter().map(|sound| sound.map(|sound| sound.duration)).collect());
    let length = |example: &Example| match &example.content {
        Content::Text(text) => Some(text.chars().count() as f64),
        _ => None,
    };
    numbers("length", examples.iter().map(length).collect());
    found
}

/// Who labelled it, when it was one.
pub(crate) fn annotator(example: &Example) -> Option<String> {
    match &example.votes[..] {
        [vote] => Some(vote.annotator.clone()),
        _ => None,
    }
}

/// Numbers where nearly all known values are, else names.
fn typed(values: Vec<Option<String>>) -> AttributeValues {
    let number = |text: &String| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let known = values.iter().flatten().count();
    let numbers = values.iter().flatten().filter_map(number).count();
    if numbers as f64 >= NUMBERS * known as f64 {
        AttributeValues::Numbers(values.iter().map(|value| value.as_ref().and_then(number)).collect())
    } else {
        AttributeValues::Names(values)
    }
}
