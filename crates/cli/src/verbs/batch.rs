//! Photos judged as one batch, with a bound on the share of good parts among those called defects.

use evaluate::inspect::{GoodScores, benjamini_hochberg, fewest_called, good_needed_to_call};
use pipeline::report::inspection::promised;
use pipeline::{InspectedRow, Lang};
use serde::Serialize;

/// Which photos of a batch are called defects, and what the number of good parts allows.
#[derive(Debug, Serialize)]
pub(super) struct Batch {
    /// On average at most this share of those called is good.
    rate: f64,
    /// Photos that were judged: those that could be read.
    photos: usize,
    /// How many of them are called defects.
    called: usize,
    /// Good parts, or groups of them, behind the p-values.
    good_parts: usize,
    /// No part has a smaller p-value: 1 / (`good_parts` + 1).
    smallest_p_value: f64,
    /// Fewest photos of this batch that can be called at once; absent when none ever can.
    fewest_callable: Option<usize>,
    /// Good parts with which a single photo of this batch could be called.
    good_parts_to_call_one: usize,
    /// Row by row; absent where the photo could not be read.
    #[serde(skip)]
    calls: Vec<Option<bool>>,
}

/// A photo with what its batch says of it.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    row: &'a InspectedRow,
    called_defect: Option<bool>,
}

/// Photos and what holds for all of them.
#[derive(Serialize)]
pub(super) struct Judged<'a> {
    batch: &'a Batch,
    photos: Vec<Row<'a>>,
}

impl Batch {
    /// Judges the photos that could be read by the procedure of Benjamini and Hochberg on their conformal p-values.
    pub(super) fn judge(rows: &[InspectedRow], good: &GoodScores, rate: f64) -> Self {
        let p_values: Vec<f64> =
            rows.iter().filter_map(|row| row.found.as_ref()).map(|found| found.p_value).collect();
        let called = benjamini_hochberg(&p_values, rate);
        let (photos, good_parts) = (p_values.len(), good.n());
        let mut next = called.iter().copied();
        Self {
            rate,
            photos,
            called: called.iter().filter(|called| **called).count(),
            good_parts,
            smallest_p_value: 1.0 / (good_parts + 1) as f64,
            fewest_callable: fewest_called(good_parts, photos, rate),
            good_parts_to_call_one: good_needed_to_call(1, photos, rate),
            calls: rows.iter().map(|row| row.found.as_ref().and_then(|_| next.next())).collect(),
        }
    }

    /// How many photos are called defects.
    pub(super) fn called(&self) -> usize {
        self.called
    }

    /// The rows with what the batch says of each.
    pub(super) fn with<'a>(&'a self, rows: &'a [InspectedRow]) -> Judged<'a> {
        let photos = rows.iter().zip(&self.calls).map(|(row, call)| Row { row, called_defect: *call });
        Judged { batch: self, photos: photos.collect() }
    }

    /// One word about the photo in this row.
    pub(super) fn verdict(&self, row: usize, lang: Lang) -> &'static str {
        match self.calls[row] {
            Some(true) => lang.pick("DEFECT", "缺陷"),
            Some(false) | None => "-",
        }
    }

    /// What was called with which bound, and what stands in the way.
    pub(super) fn told(&self, lang: Lang) -> Vec<String> {
        let Self { photos, called, good_parts, .. } = self;
        let rate = promised(self.rate);
        if *photos == 0 {
            return Vec::new();
        }
        let mut told = vec![lang.pick(
            format!("As one batch: {called} of {photos} called defects; on average at most {rate} of those called are good"),
            format!("作为一批：{photos} 张中有 {called} 张判为缺陷；平均而言，其中至多 {rate} 是良品"),
        )];
        let smallest = format!("{:.3}", self.smallest_p_value);
        let more =
            |called: usize| good_needed_to_call(called, *photos, self.rate).saturating_sub(*good_parts);
        told.extend(match self.fewest_callable {
            None => Some(lang.pick(
                format!(
                    "note: with {good_parts} good parts nothing can be called at {rate}: the smallest possible p-value is {smallest}; it takes at least {} more good parts, and {} more to call a single photo of {photos}",
                    more(*photos), more(1)
                ),
                format!(
                    "注意：只有 {good_parts} 个良品时，以 {rate} 为上限无法判出任何缺陷：p 值最小只能是 {smallest}；至少还需 {} 个良品；若要在 {photos} 张中判出单独一张，还需 {} 个",
                    more(*photos), more(1)
                ),
            )),
            Some(fewest) if fewest > 1 && *called == 0 => Some(lang.pick(
                format!(
                    "note: with {good_parts} good parts fewer than {fewest} defects among {photos} photos cannot be called at {rate}: the smallest possible p-value is {smallest}; it takes {} more good parts to call a single one",
                    more(1)
                ),
                format!(
                    "注意：只有 {good_parts} 个良品时，以 {rate} 为上限，{photos} 张中少于 {fewest} 张缺陷就无法判出：p 值最小只能是 {smallest}；若要判出单独一张，还需 {} 个良品",
                    more(1)
                ),
            )),
            Some(_) => None,
        });
        told
    }
}
