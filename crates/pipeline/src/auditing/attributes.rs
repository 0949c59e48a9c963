//! What is known of examples besides what they show: columns of their table, who labelled them, size, brightness, length.

use std::collections::BTreeSet;

use curate::attributes::{ANNOTATOR, Attribute, AttributeValues};
use curate::faults::Picture;
use curate::moment;
use dataset::{Content, Dataset, Example};

use super::media::Media;

/// Share of the values of a column that must be numbers, or dates, for it to be one of these.
const NEARLY_ALL: f64 = 0.9;
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

/// Numbers where nearly all known values are, dates where those are, else names.
fn typed(values: Vec<Option<String>>) -> AttributeValues {
    let known = values.iter().flatten().count();
    let read = |read: fn(&str) -> Option<f64>| {
        let read = |value: &Option<String>| value.as_ref().and_then(|text| read(text.trim()));
        let read: Vec<Option<f64>> = values.iter().map(read).collect();
        (read.iter().flatten().count() as f64 >= NEARLY_ALL * known as f64).then_some(read)
    };
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some(numbers) = read(number) {
        return AttributeValues::Numbers(numbers);
    }
    let times = read(moment::seconds);
    times.map_or(AttributeValues::Names(values), AttributeValues::Times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], expect: &AttributeValues) {
        assert_eq!(typed(values.iter().map(|value| Some((*value).to_owned())).collect()), *expect);
    }

    #[test]
    fn columns_are_numbers_dates_or_names() {
        check(&["1", " 2.5"], &AttributeValues::Numbers(vec![Some(1.0), Some(2.5)]));
        check(&["1970-01-02", "1970/1/1 0:01"], &AttributeValues::Times(vec![Some(86_400.0), Some(60.0)]));
        let names = vec![Some("2031-05-28".to_owned()), Some("red".to_owned())];
        check(&["2031-05-28", "red"], &AttributeValues::Names(names));
    }
}
