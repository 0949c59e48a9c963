//! Names the kind of a defect, or says that it is of a kind that was never shown.
//!
//! The evidence is the mean of the patches that the inspector itself finds most suspicious, and, where leave-one-out likes it
//! better, the photo as a whole. When learning, the most suspicious patches are those of detectors that had not seen the photo,
//! also where the defect is marked: features under the marks are cleaner than anything there will be later, and taught
//! worse (`docs/inspection.md`). Whether a defect is of a shown kind is a conformal test against shown defects that were held
//! out (methods 6.6).

use std::collections::BTreeSet;

use evaluate::OodDetector;
use linalg::logits::softmax;
use linalg::{Matrix, Seed};
use serde::{Deserialize, Serialize};
use tune::TuneError;
use tune::detect::{KindLogits, fit_kinds};

use super::map::{ScoreMap, top_count};
use super::marks::{patches_at, whole};
use super::sight::{Seen, Sight};
use crate::files::Tensors;

/// Share of the finest grid's patches that a defect is described by, at least one.
const TOP: f64 = 0.01;
/// A defect is called never seen when at most this share of the shown ones look as strange: at most so often a known one is.
const NEVER_SEEN: f64 = 0.1;
/// Up to this many groups of shown defects are held out one by one. Distances to models of fewer defects are larger, and with
/// so few even a fifth of them left out hides what is strange.
const ONE_BY_ONE: u32 = 60;

/// What tells kinds of defects apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Kinds {
    /// The kinds that were shown, ascending.
    names: Vec<String>,
    /// Absent for a single kind.
    head: Option<Head>,
    /// What shown defects look like; absent with fewer than 20 of them.
    familiar: Option<OodDetector>,
}

#[derive(Debug, Clone, PartialEq)]
struct Head {
    logits: KindLogits,
    /// Whether it looks at the photo as a whole too.
    whole: bool,
}

/// What is known of a defect before its kind is.
#[derive(Debug, Clone, PartialEq)]
pub struct DefectLook {
    /// The mean of its most suspicious patches.
    patches: Vec<f32>,
    /// The photo as a whole.
    whole: Vec<f32>,
}

/// What kind of defect a photo shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedKind {
    /// The shown kind it is most like.
    pub name: String,
    /// Of every shown kind, the most probable first; they sum to 1. Given that it is of a shown kind.
    pub probs: Vec<KindShare>,
    /// The share of shown defects that look at least as strange, in (0, 1]; absent with too few shown to tell.
    pub p_value: Option<f64>,
    /// Whether it is of a kind never shown: `p_value` is at most 0.1.
    pub never_seen: bool,
}

/// A kind and its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindShare {
    /// The kind.
    pub name: String,
    /// In [0, 1].
    pub probability: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredKinds {
    names: Vec<String>,
    whole: bool,
    familiar: Option<serde_json::Value>,
}

impl DefectLook {
    /// Looks where the inspector is most suspicious. `suspicion` is on any grid over what was seen.
    pub fn of(sight: &Sight, seen: &Seen, suspicion: &ScoreMap) -> Self {
        let suspicion = suspicion.resized(seen.grids[0].rows, seen.grids[0].cols);
        let mut cells: Vec<usize> = (0..suspicion.values.len()).collect();
        // Of equally suspicious patches the first.
        cells.sort_by(|a, b| suspicion.values[*b].total_cmp(&suspicion.values[*a]).then(a.cmp(b)));
        cells.truncate(top_count(TOP, cells.len()));
        let x = patches_at(sight, seen, &cells);
        let mut sums = vec![0.0_f64; x.cols()];
        for row in x.iter_rows() {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let patches = sums.into_iter().map(|sum| (sum / cells.len() as f64) as f32).collect();
        Self { patches, whole: whole(sight, seen).row(0).to_vec() }
    }

    fn features(&self, with_whole: bool) -> Vec<f32> {
        let whole = if with_whole { &self.whole[..] } else { &[] };
        [&self.patches[..], whole].concat()
    }
}

impl Kinds {
    /// Learns from shown defects and their kinds, `[n]` each. `groups`, `[n]`, numbered from 0, stay together when photos are
    /// held out.
    ///
    /// `None` when that says nothing: no defects, or a single kind with too few for the test of being like them.
    ///
    /// # Errors
    /// Features that are not finite.
    pub fn fit(
        looks: &[&DefectLook],
        kinds: &[&str],
        groups: &[u32],
        seed: Seed,
    ) -> Result<Option<Self>, TuneError> {
        let names: Vec<&str> = kinds.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let label = |kind: &&str| names.partition_point(|name| name < kind) as u32;
        let labels: Vec<u32> = kinds.iter().map(label).collect();
        let head = if names.len() < 2 { None } else { Some(Head::fit(looks, &labels, names.len())?) };
        let familiar = if looks.is_empty() {
            None
        } else {
            OodDetector::fit(matrix(looks, false).view(), &labels, &hold_out(groups, seed))
        };
        if head.is_none() && familiar.is_none() {
            return Ok(None);
        }
        Ok(Some(Self { names: names.into_iter().map(str::to_owned).collect(), head, familiar }))
    }

    /// The kinds that were shown, ascending.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it can tell that a kind was never shown.
    pub fn knows_strangers(&self) -> bool {
        self.familiar.is_some()
    }

    /// The kind of a defect.
    ///
    /// # Errors
    /// A photo seen otherwise than those that were learned from.
    pub fn name(&self, look: &DefectLook) -> Result<NamedKind, TuneError> {
        let probs = match &self.head {
            Some(head) => softmax(&head.logits.logits(&look.features(head.whole))?),
            None => vec![1.0],
        };
        let share = |(name, probability): (&String, f64)| KindShare { name: name.clone(), probability };
        let mut probs: Vec<KindShare> = self.names.iter().zip(probs).map(share).collect();
        probs.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let p_value = self.familiar.as_ref().map(|familiar| match (look.patches.len(), familiar.dim()) {
            (got, expected) if got != expected => Err(TuneError::PatchColumns { got, expected }),
            _ => Ok(familiar.p_value(&look.patches)),
        });
        let p_value = p_value.transpose()?;
        let never_seen = p_value.is_some_and(|p| p <= NEVER_SEEN);
        Ok(NamedKind { name: probs[0].name.clone(), probs, p_value, never_seen })
    }

    /// Structure and tensors, for storing.
    pub(super) fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let mut tensors = Tensors::new();
        let mut keep = |start: &str, some: Tensors| {
            tensors.extend(some.into_iter().map(|(name, tensor)| (format!("{start}.{name}"), tensor)));
        };
        if let Some(head) = &self.head {
            keep("head", head.logits.to_tensors());
        }
        let familiar = self.familiar.as_ref().map(|familiar| {
            let (structure, some) = familiar.to_tensors();
            keep("familiar", some);
            structure
        });
        let whole = self.head.as_ref().is_some_and(|head| head.whole);
        let stored = StoredKinds { names: self.names.clone(), whole, familiar };
        (serde_json::to_value(stored).expect("names and finite numbers"), tensors)
    }

    /// The reverse of [`Kinds::to_tensors`]; everything that came from a file is checked.
    pub(super) fn from_tensors(structure: &serde_json::Value, tensors: &Tensors) -> Result<Self, String> {
        let stored = StoredKinds::deserialize(structure).map_err(|error| error.to_string())?;
        let of = |start: &str| -> Tensors {
            let named = tensors.iter().filter_map(|(name, tensor)| {
                Some((name.strip_prefix(start)?.strip_prefix('.')?.to_owned(), tensor.clone()))
            });
            named.collect()
        };
        let (n, sorted) = (stored.names.len(), stored.names.is_sorted_by(|a, b| a < b));
        if n == 0 || !sorted || (n == 1 && stored.familiar.is_none()) {
            return Err("the kinds of defects are not in order".to_owned());
        }
        let head = if n < 2 {
            None
        } else {
            let logits = KindLogits::from_tensors(&of("head"), n).map_err(|error| error.to_string())?;
            Some(Head { logits, whole: stored.whole })
        };
        let familiar =
            stored.familiar.map(|structure| OodDetector::from_tensors(&structure, &of("familiar")));
        let familiar = familiar.transpose().map_err(|error| error.to_string())?;
        Ok(Self { names: stored.names, head, familiar })
    }
}

impl Head {
    /// Looks at the whole photo too where leave-one-out is surer with it: on one set it helps, on another it blurs.
    fn fit(looks: &[&DefectLook], labels: &[u32], k: usize) -> Result<Self, TuneError> {
        let (alone, loss_alone) = fit_kinds(matrix(looks, false).view(), labels, k)?;
        let (both, loss_both) = fit_kinds(matrix(looks, true).view(), labels, k)?;
        let whole = loss_both < loss_alone;
        Ok(Self { logits: if whole { both } else { alone }, whole })
    }
}

/// The fold of each shown defect, groups whole.
fn hold_out(groups: &[u32], seed: Seed) -> Vec<u8> {
    let one_by_one = groups.iter().map(|group| u8::try_from(*group).ok().filter(|_| *group < ONE_BY_ONE));
    one_by_one.collect::<Option<Vec<u8>>>().unwrap_or_else(|| OodDetector::folds(groups, seed))
}

fn matrix(looks: &[&DefectLook], with_whole: bool) -> Matrix {
    Matrix::from_rows(&looks.iter().map(|look| look.features(with_whole)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use linalg::random;

    use super::*;

    /// Defects that differ by kind in their patches and, when `told` by it, in the whole photo only.
    fn looks(kinds: &[&str], told_by_whole: bool, seed: u64) -> Vec<DefectLook> {
        let mut rng = Seed(seed).rng();
        let mut row = |kind: &str, told: bool| -> Vec<f32> {
            let at = |place: usize| kind.as_bytes()[0] as usize % 8 == place;
            let value = |place: usize| if told && at(place) { 6.0 } else { 0.0 };
            (0..16).map(|place| (value(place) + random::normal(&mut rng)) as f32).collect()
        };
        let look = |kind: &&str| DefectLook { patches: row(kind, !told_by_whole), whole: row(kind, true) };
        kinds.iter().map(look).collect()
    }

    fn fit(kinds: &[&str], told_by_whole: bool) -> Option<Kinds> {
        let looks = looks(kinds, told_by_whole, 1);
        let groups: Vec<u32> = (0..).take(kinds.len()).collect();
        Kinds::fit(&looks.iter().collect::<Vec<_>>(), kinds, &groups, Seed(1)).unwrap()
    }

    const SHOWN: [&str; 24] = [
        "a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b",
        "c", "a", "b", "c",
    ];

    #[test]
    fn shown_kinds_are_named_and_others_are_never_seen() {
        let kinds = fit(&SHOWN, false).unwrap();
        assert_eq!(kinds.names(), ["a", "b", "c"]);
        for (look, kind) in looks(&SHOWN, false, 2).iter().zip(SHOWN) {
            let named = kinds.name(look).unwrap();
            assert_eq!((named.name.as_str(), named.probs.len()), (kind, 3));
            assert!((named.probs.iter().map(|share| share.probability).sum::<f64>() - 1.0).abs() < 1e-9);
        }
        let never = |of: &[&str], seed| {
            let looks = looks(of, false, seed);
            looks.iter().filter(|look| kinds.name(look).unwrap().never_seen).count()
        };
        assert!(never(&["d"; 40], 3) > 30);
        assert!(never(&SHOWN, 4) < 6);
    }

    #[test]
    fn the_whole_photo_is_looked_at_where_it_helps() {
        let (by_patches, by_whole) = (fit(&SHOWN, false).unwrap(), fit(&SHOWN, true).unwrap());
        let right = |kinds: &Kinds, told_by_whole| {
            let looks = looks(&SHOWN, told_by_whole, 5);
            looks.iter().zip(SHOWN).filter(|(look, kind)| kinds.name(look).unwrap().name == *kind).count()
        };
        assert!(by_whole.head.as_ref().unwrap().whole);
        assert!(right(&by_patches, false) > 20 && right(&by_whole, true) > 20);
    }

    #[test]
    fn a_single_kind_is_only_told_from_others_and_few_say_nothing() {
        assert!(fit(&["a"; 9], false).is_none());
        assert!(fit(&[], false).is_none());
        let one = fit(&["a"; 30], false).unwrap();
        let named = one.name(&looks(&["d"], false, 7)[0]).unwrap();
        assert!(named.never_seen && named.probs[0].probability == 1.0);
        let few = fit(&["a", "b", "a", "b"], false).unwrap();
        assert!(!few.knows_strangers());
        let named = few.name(&looks(&["d"], false, 7)[0]).unwrap();
        assert!(!named.never_seen && named.p_value.is_none());
    }

    #[test]
    fn storing_changes_nothing() {
        for kinds in [fit(&SHOWN, true).unwrap(), fit(&["a"; 30], false).unwrap()] {
            let (structure, tensors) = kinds.to_tensors();
            let text = serde_json::to_string(&structure).unwrap();
            let back = Kinds::from_tensors(&serde_json::from_str(&text).unwrap(), &tensors).unwrap();
            let look = &looks(&["b"], false, 3)[0];
            assert_eq!(back.name(look).unwrap(), kinds.name(look).unwrap());
            assert!(Kinds::from_tensors(&structure, &Tensors::new()).is_err());
        }
    }
}
