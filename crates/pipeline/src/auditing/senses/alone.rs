//! One sense by itself: what is blurred, silent, flat, far from all others, or the same twice.

use curate::attributes::{Attribute, AttributeValues};
use curate::faults::{Checked, Fault};
use dataset::Modality;
use linalg::Seed;

use super::super::attributes;
use super::super::material::{Material, Nearness};
use super::super::media::Media;
use super::super::worklist::{self, Action, AuditFinding};
use super::super::{AuditRequest, checks, whole};
use super::OfSense;
use crate::senses::OneSense;
use crate::{PipelineError, Run};

/// What is asked of examples as a whole and not of each sense.
const OF_WHOLE: [Fault; 12] = [
    Fault::GroupLeak,
    Fault::RuleBroken,
    Fault::Label,
    Fault::SenseConflict,
    Fault::Conflict,
    Fault::SpuriousCorrelation,
    Fault::WeakSlice,
    Fault::LowValue,
    Fault::ClassImbalance,
    Fault::NonIid,
    Fault::MissingValue,
    Fault::IdentifierColumn,
];
/// Short texts beside other senses are alike for other reasons than being copies.
const OF_COPIES: [Fault; 2] = [Fault::Leak, Fault::Duplicate];

/// One sense with what its own checks want to know.
pub(super) struct Alone<'a> {
    pub(super) one: &'a OneSense,
    pub(super) material: Material,
    pub(super) nearness: Nearness,
    media: Vec<Checked>,
    measured: Vec<Attribute>,
    /// Whether what is the same twice is a copy.
    tells_copies: bool,
}

impl<'a> Alone<'a> {
    /// Measures what the files of this sense show.
    pub(super) fn new(
        one: &'a OneSense,
        request: &AuditRequest,
        only_texts: bool,
        run: &Run<'_>,
    ) -> Result<Self, PipelineError> {
        let tells_copies = only_texts || one.sense.modality != Modality::Text;
        let mut skip = [&request.skip[..], &OF_WHOLE].concat();
        if !tells_copies {
            skip.extend(OF_COPIES);
        }
        let data = &one.table.data;
        let media = Media::measure(data, &skip, run)?;
        let of_media = media.check(&skip);
        let measured = attributes::measured(data, &media);
        let material = Material::of_table(&one.table, media, &skip, Seed(request.seed));
        let nearness = checks::nearness(&material)?.expect("a sense has features");
        Ok(Self { one, material, nearness, media: of_media, measured, tells_copies })
    }

    /// Whether an example has this sense.
    pub(super) fn has(&self, place: usize) -> bool {
        self.one.places.binary_search(&place).is_ok()
    }

    /// Sets of examples of which this sense is the same.
    pub(super) fn copies(&self) -> impl Iterator<Item = Vec<usize>> + '_ {
        let sets = self.nearness.duplicates.components.iter().filter(|_| self.tells_copies);
        sets.map(|set| set.iter().map(|row| self.one.places[*row]).collect())
    }

    /// What was measured of it, `[n]` each, by the name of the sense.
    pub(super) fn attributes(&self, n: usize) -> impl Iterator<Item = Attribute> + '_ {
        fn laid<T: Clone>(values: &[Option<T>], places: &[usize], n: usize) -> Vec<Option<T>> {
            let mut all = vec![None; n];
            places.iter().zip(values).for_each(|(place, value)| all[*place].clone_from(value));
            all
        }
        self.measured.iter().filter_map(move |attribute| {
            let AttributeValues::Numbers(values) = &attribute.values else { return None };
            Some(Attribute {
                name: format!("{} of {}", attribute.name, self.one.sense.name),
                values: AttributeValues::Numbers(laid(values, &self.one.places, n)),
            })
        })
    }

    /// Its checks and findings, brought to all `n` examples. What is the same as a whole is told as a whole.
    pub(super) fn audit(&self, n: usize, same: &[Vec<usize>]) -> Result<OfSense, PipelineError> {
        let name = &self.one.sense.name;
        let mut found = checks::of_examples(&self.material, Some(&self.nearness))?;
        found.extend(self.media.iter().cloned());
        let of_names = whole::whole(&self.material, Some(&self.nearness), None)?;
        found.extend(of_names.checks);
        let listed =
            worklist::worklist(&self.material, &found, None, Some(&self.nearness), of_names.told, Vec::new());
        let is_new = |finding: &AuditFinding| {
            !matches!(finding.fault, Fault::Leak | Fault::Duplicate)
                || !same.iter().any(|set| finding.rows.iter().all(|row| set.contains(row)))
        };
        let findings = listed.into_iter().map(|finding| self.laid(finding)).filter(is_new);
        let checks = found.into_iter().map(|checked| (name.clone(), checked.brought(&self.one.places, n)));
        Ok((checks.collect(), findings.collect()))
    }

    /// A finding with its rows among all examples.
    fn laid(&self, mut finding: AuditFinding) -> AuditFinding {
        let places = &self.one.places;
        finding.rows.iter_mut().for_each(|row| *row = places[*row]);
        finding.neighbours.iter_mut().for_each(|near| near.row = places[near.row]);
        if finding.fault == Fault::Duplicate {
            // The examples differ in their other senses: one of them has a foreign one, or both show one thing.
            finding.action = Action::CheckPairing;
        }
        finding.sense = Some(self.one.sense.name.clone());
        finding
    }
}
