//! What scores a photo: the memories of good parts, and what defects have taught, in one number and one map.

use linalg::Seed;
use serde::{Deserialize, Serialize};
use tune::TuneError;
use tune::detect::Aligner;

use super::kinds::{DefectLook, Kinds, NamedKind};
use super::laying::lay_back;
use super::map::ScoreMap;
use super::marks::{MarkUnits, Marks};
use super::memories::{Memories, Raw};
use super::sight::{Seen, Sight};
use super::weighing::{Units, Usual};

/// Everything that was learned.
#[derive(Debug, Clone)]
pub struct Inspector {
    /// How it looks.
    pub sight: Sight,
    /// What photos are laid over first; absent where parts do not lie alike.
    pub aligner: Option<Aligner>,
    /// What it remembers of good parts.
    pub memories: Memories,
    /// What is usual.
    pub units: Units,
    /// What defects have taught, with the units.
    pub taught: Option<Teaching>,
    /// What tells kinds of defects apart; absent where too few were shown.
    pub kinds: Option<Kinds>,
}

/// What defects have taught, and how it joins what is known of good parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Teaching {
    /// The heads.
    pub marks: Marks,
    /// How their answers are weighed.
    pub joining: Joining,
}

/// How both sides are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joining {
    /// Units of what the heads say.
    pub marks: MarkUnits,
    /// Of the score by good parts alone.
    pub alone: Usual,
    /// Of the sum of both.
    pub both: Usual,
}

/// What an inspector thinks of a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Suspicion in units of what is usual for good patches, on a grid over the photo.
    pub map: ScoreMap,
    /// Suspicion of the part, higher for more.
    pub score: f64,
    /// What the score were without what defects have taught; at most the score.
    pub alone: f64,
    /// What it is made of.
    pub evidence: Evidence,
    /// The kind of defect it is, should it have one; absent where too few were shown.
    pub kind: Option<NamedKind>,
}

/// The parts of a score, each in units of what is usual for good parts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evidence {
    /// Patches unlike those of good parts.
    pub patches: f64,
    /// A photo unlike those of good parts as a whole.
    pub whole: f64,
    /// Likeness to the defects that were shown; absent before there are some.
    pub defects: Option<f64>,
}

impl Inspector {
    /// Whether photos are changed before they are looked at.
    pub fn prepares(&self) -> bool {
        self.aligner.is_some() || self.sight.without_background
    }

    /// The opinion on what was seen.
    pub fn opinion(&self, seen: &Seen) -> Result<Opinion, TuneError> {
        let raw = self.memories.say(&self.sight, seen)?;
        let marked = self.taught.as_ref().map(|taught| taught.marks.say(&self.sight, seen)).transpose()?;
        let joining =
            self.taught.as_ref().zip(marked.as_ref()).map(|(taught, marked)| (&taught.joining, marked));
        let mut opinion = opinion(&self.units, &raw, joining);
        if let Some(kinds) = &self.kinds {
            let look = DefectLook::of(&self.sight, seen, &suspicion(&self.units, &raw, joining));
            opinion.kind = Some(kinds.name(&look)?);
        }
        Ok(opinion)
    }
}

/// Joins what all detectors say. The score by good parts alone is never dropped: where it is the higher one it counts, and so a
/// kind of defect that was never shown can alarm. But the threshold is that of the higher one of both, so what barely alarmed
/// before defects taught may no longer do; how many defects alarm by [`Opinion::alone`] is measured.
pub fn opinion(units: &Units, raw: &Raw, taught: Option<(&Joining, &super::marks::Marked)>) -> Opinion {
    let weighed = units.weigh(raw);
    let alone = weighed.patches + weighed.whole;
    let mut evidence = Evidence { patches: weighed.patches, whole: weighed.whole, defects: None };
    let over_photo = |map: ScoreMap| match &raw.laid {
        Some((rigid, size)) => lay_back(rigid, &map, *size),
        None => map,
    };
    let Some((joining, marked)) = taught else {
        return Opinion { map: over_photo(weighed.map), score: alone, alone, evidence, kind: None };
    };
    let defects = joining.marks.weigh(marked);
    evidence.defects = Some(defects);
    let score = joining.both.units(alone + defects);
    let alone = joining.alone.units(alone);
    let map = over_photo(joined(weighed.map, joining, marked));
    Opinion { map, score: alone.max(score), alone, evidence, kind: None }
}

/// Suspicion by cell as in [`Opinion`], but of what was seen: of the registered photo where parts lie alike.
pub fn suspicion(units: &Units, raw: &Raw, taught: Option<(&Joining, &super::marks::Marked)>) -> ScoreMap {
    let map = units.weigh(raw).map;
    match taught {
        Some((joining, marked)) => joined(map, joining, marked),
        None => map,
    }
}

/// What good parts and what marked defects say of each cell count alike.
fn joined(mut map: ScoreMap, joining: &Joining, marked: &super::marks::Marked) -> ScoreMap {
    if let Some(logits) = &marked.map {
        let logits = logits.resized(map.rows, map.cols);
        for (to, logit) in map.values.iter_mut().zip(&logits.values) {
            *to = f32::midpoint(*to, joining.marks.patches.units(f64::from(*logit)) as f32);
        }
    }
    map
}

impl Joining {
    /// All units.
    pub(super) fn all(&self) -> impl Iterator<Item = Usual> {
        let MarkUnits { patches, top, photo } = self.marks;
        [patches, top, photo, self.alone, self.both].into_iter()
    }

    /// From what was said of good photos that nobody had seen. From twenty of them on, 95 of 100 are below 1.645 units both with and without
    /// what defects taught, so that neither side of the higher score uses up the false alarms that are allowed because of a few odd photos.
    pub fn learn(units: &Units, held_out: &[(&Raw, &super::marks::Marked)]) -> Self {
        let marks = MarkUnits::learn(&held_out.iter().map(|(_, marked)| *marked).collect::<Vec<_>>());
        let alone = |raw: &Raw| {
            let weighed = units.weigh(raw);
            weighed.patches + weighed.whole
        };
        Self {
            marks,
            alone: Usual::steady(held_out.iter().map(|(raw, _)| alone(raw))),
            both: Usual::steady(held_out.iter().map(|(raw, marked)| alone(raw) + marks.weigh(marked))),
        }
    }
}

/// The seed that every part of an inspector is drawn with.
pub fn seed_of(number: u64) -> Seed {
    Seed(number).derive("inspector")
}
