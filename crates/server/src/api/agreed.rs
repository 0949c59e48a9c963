//! How far people agree in what they mark, and where they do not.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use curate::consensus::marks::agreement;
use linalg::Seed;
use serde::Serialize;
use utoipa::ToSchema;

use super::examples::{Example, Teller, names};
use super::labels::Measure;
use super::reading::found;
use crate::agreeing::{self, Compared};
use crate::db::Tenant;
use crate::db::mark_pairs::{OpenPair, PairRow};
use crate::error::ApiError;
use crate::people::{Caller, Right};
use crate::{App, marks};

/// Disputes that are listed.
const MOST_DISPUTES: usize = 200;
/// Marks of two people that are read at once.
const AT_ONCE: i64 = 50;
/// What is compared before it is kept, as [`agreeing::work`] counts it: a fraction of a second, so that little is done again when who asked has left.
const SOON: usize = 1_000_000;
/// Seed of the intervals.
const SEED: Seed = Seed(1);

/// How far people agree in what they mark.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MarksAgreement {
    /// The share of marks that have a partner: of the other person, of the same class, overlapping by half (intersection over union). A mean over examples,
    /// each a mean over its people, two at a time; where both marked nothing it is 1. Absent while nobody marked what another did.
    agreement: Option<Measure>,
    /// How far those partners overlap, as a mean over examples.
    overlap: Option<Measure>,
    /// Who marked most, first.
    people: Vec<MarkingPerson>,
    n_disputed: usize,
    /// Examples on which people marked different things and nobody decided, those with the least agreement first; at most 200.
    disputes: Vec<MarksDispute>,
    /// Examples on which two people marked so much that it is not compared: what the marks of each have in corners, times the marks of the other, is more
    /// than ten million. They count nowhere here.
    n_too_much: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MarkingPerson {
    name: String,
    /// Examples that they marked, or looked at and marked nothing.
    n_marked: i64,
    /// With the others, over the examples that another marked as well.
    agreement: Option<Measure>,
}

/// An example on which people marked different things.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MarksDispute {
    example: Example,
    /// In [0, 1].
    agreement: f64,
}

/// Shows how far people agree in what they mark, and where they do not.
#[utoipa::path(get, path = "/v1/datasets/{id}/agreement/marks", tag = "labels", responses((status = 200, body = MarksAgreement)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<MarksAgreement>, ApiError> {
    caller.may(Right::Edit)?;
    found(app.db.dataset(&caller.tenant, &id).await?)?;
    reckon(&app, &caller.tenant, &id).await?;
    let (pairs, too_much): (Vec<PairRow>, Vec<PairRow>) =
        app.db.pairs(&caller.tenant, &id).await?.into_iter().partition(|pair| pair.n_same.is_some());
    let too_much: HashSet<&str> = too_much.iter().map(|pair| pair.example.as_str()).collect();
    let n_too_much = too_much.len();
    let markers = app.db.markers(&caller.tenant, &id).await?;
    let names = names(&app, &caller.tenant).await?;
    let (figures, markers) = app
        .blocking(move || {
            let of =
                |(person, n): (String, i64)| (measured(&by_example(of_person(&pairs, &person))), person, n);
            let markers: Vec<(Option<Measure>, String, i64)> = markers.into_iter().map(of).collect();
            Ok((Figures::of(&pairs), markers))
        })
        .await?;
    let person = |(agreement, person, n_marked): (Option<Measure>, String, i64)| MarkingPerson {
        name: names.get(&person).cloned().unwrap_or_default(),
        n_marked,
        agreement,
    };
    let mut people: Vec<MarkingPerson> = markers.into_iter().map(person).collect();
    people.sort_by(|a, b| b.n_marked.cmp(&a.n_marked).then_with(|| a.name.cmp(&b.name)));
    let n_disputed = figures.disputes.len();
    let ids: Vec<String> = figures.disputes.iter().take(MOST_DISPUTES).map(|(id, _)| id.clone()).collect();
    let rows = app.db.examples_by_id(&caller.tenant, &ids).await?;
    let mut teller = Teller::of(&app, &caller, &id).await?;
    teller.read_own_marks(&app, &caller, &rows).await?;
    let least: HashMap<String, f64> = figures.disputes.into_iter().collect();
    let disputes = rows.into_iter().filter_map(|row| {
        let agreement = *least.get(&row.id)?;
        Some(MarksDispute { example: teller.tell(row), agreement })
    });
    Ok(Json(MarksAgreement {
        agreement: figures.agreement,
        overlap: figures.overlap,
        people,
        n_disputed,
        disputes: disputes.collect(),
        n_too_much,
    }))
}

/// Compares the marks of people who marked the same example, as far as that was not done since they changed. Who comes while that is under way waits
/// for it, and what was compared is kept also when who asked has left.
pub(super) async fn reckon(app: &App, tenant: &Tenant, dataset: &str) -> Result<(), ApiError> {
    let _turn = app.reckonings.at(dataset).lock_owned().await;
    loop {
        let mut open = app.db.open_pairs(tenant, dataset, AT_ONCE).await?;
        if open.is_empty() {
            return Ok(());
        }
        while !open.is_empty() {
            let (reckoned, rest) = app.comparing(move || compare_some(open)).await?;
            app.db.keep_pairs(tenant, dataset, &reckoned).await?;
            open = rest;
        }
    }
}

/// Compares the first of these, as many as are soon done, and gives the others back.
fn compare_some(open: Vec<OpenPair>) -> (Vec<(OpenPair, Option<Compared>)>, Vec<OpenPair>) {
    let (mut done, mut work) = (Vec::new(), 0);
    let mut open = open.into_iter();
    while work < SOON
        && let Some(pair) = open.next()
    {
        let marks = [&pair.marks_one, &pair.marks_other].map(|kept| marks::of(Some(kept)));
        let too_much = agreeing::is_too_much(&marks);
        let compared = (!too_much).then(|| agreeing::compare(&marks[0], &marks[1], pair.size()));
        work += agreeing::work(&marks);
        done.push((pair, compared));
    }
    (done, open.collect())
}

/// What all pairs add up to.
struct Figures {
    agreement: Option<Measure>,
    overlap: Option<Measure>,
    /// Examples, with how far their people agree, the least first.
    disputes: Vec<(String, f64)>,
}

impl Figures {
    fn of(pairs: &[PairRow]) -> Self {
        let agreed = by_example(pairs.iter().map(|pair| (pair, share(pair))));
        let overlaps = pairs.iter().filter_map(|pair| Some((pair, pair.n_same.filter(|n| *n > 0)?)));
        let overlaps = by_example(overlaps.map(|(pair, n_same)| (pair, pair.overlap / n_same as f64)));
        let open = pairs.iter().filter(|pair| pair.open == 1).map(|pair| (pair, share(pair)));
        let mut disputes: Vec<(String, f64)> =
            by_example(open).into_iter().filter(|(_, value)| *value < 1.0).collect();
        disputes.sort_by(|a, b| a.1.total_cmp(&b.1));
        Self { agreement: measured(&agreed), overlap: measured(&overlaps), disputes }
    }
}

fn of_person<'a>(pairs: &'a [PairRow], person: &'a str) -> impl Iterator<Item = (&'a PairRow, f64)> {
    let of = pairs.iter().filter(move |pair| pair.one == person || pair.other == person);
    of.map(|pair| (pair, share(pair)))
}

fn share(pair: &PairRow) -> f64 {
    let [one, other, same] = [pair.n_one, pair.n_other, pair.n_same.unwrap_or_default()]
        .map(|n| usize::try_from(n).unwrap_or_default());
    agreement((one, other), same)
}

/// The mean of each example, in their order.
fn by_example<'a>(values: impl Iterator<Item = (&'a PairRow, f64)>) -> Vec<(String, f64)> {
    let mut means: Vec<(&str, f64, f64)> = Vec::new();
    for (pair, value) in values {
        match means.last_mut() {
            Some((example, sum, n)) if *example == pair.example => (*sum, *n) = (*sum + value, *n + 1.0),
            _ => means.push((&pair.example, value, 1.0)),
        }
    }
    means.into_iter().map(|(example, sum, n)| (example.to_owned(), sum / n)).collect()
}

/// A mean of shares. One example alone says nothing of how much they differ.
fn measured(values: &[(String, f64)]) -> Option<Measure> {
    let values: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    match values.as_slice() {
        [] => None,
        [value] => Some(Measure { value: *value, low: 0.0, high: 1.0, n: 1 }),
        values => Some(evaluate::metrics::mean(values, SEED).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two people with so many boxes each.
    fn pair(n: usize) -> OpenPair {
        let one = r#"{"class":null,"shape":"box","x":0,"y":0,"width":9,"height":9}"#;
        let marks = format!("[{}]", vec![one; n].join(","));
        let of = |name: &str| name.to_owned();
        let (width, height, seq_one, seq_other) = (None, None, 1, 2);
        let (example, one, other) = (of("e"), of("a"), of("b"));
        let (marks_one, marks_other) = (marks.clone(), marks);
        OpenPair { example, width, height, one, other, seq_one, seq_other, marks_one, marks_other }
    }

    #[test]
    fn many_small_ones_are_kept_together_and_a_large_one_soon() {
        let (done, rest) = compare_some(vec![pair(2); 50]);
        assert_eq!((done.len(), rest.len()), (50, 0));
        assert!(done.iter().all(|(_, compared)| compared.is_some_and(|compared| compared.n_same == 2)));
        // Each of more than half of what is soon done.
        let (done, rest) = compare_some(vec![pair(600); 4]);
        assert_eq!((done.len(), rest.len()), (2, 2));
    }

    #[test]
    fn what_is_too_much_is_kept_as_that() {
        let (done, rest) = compare_some(vec![pair(2_300), pair(1)]);
        assert_eq!((done.len(), rest.len()), (1, 1));
        assert!(done[0].1.is_none());
    }
}
