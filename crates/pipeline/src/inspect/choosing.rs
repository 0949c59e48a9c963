//! Which detectors an inspector listens to: what is asked for, what labelled defects show to be better, or else the rule.
//!
//! All is decided on what detectors say of photos that they have not seen. Good parts alone cannot tell which detector finds
//! defects, only how steady it is; [`bundle::inspection::Usual::steady`] takes care of that. Labelled defects can, but few of
//! them say little, so what they favour must be better than the rule beyond doubt.

use bundle::inspection::{Detector, Raw, Units, WHOLE_FROM};
use evaluate::Estimate;
use evaluate::inspect::{auroc, auroc_difference};

use super::fitting::Lesson;
use super::seeing::Photo;
use crate::PipelineError;

/// Fewest groups of labelled defects that say which detectors are better.
const DEFECTS_FROM: usize = 10;
/// Standard errors by which others must be better than the rule: 31 sets of detectors are tried at once where parts lie any way
/// and 127 where they lie alike, most of them much alike.
const BEYOND_DOUBT: f64 = 2.5;

/// Which detectors are listened to, and why.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) votes: Vec<Detector>,
    pub(crate) why: Why,
    /// What is known of each detector alone.
    pub(crate) evidence: Vec<Evidence>,
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Why {
    /// The person did.
    Asked,
    /// No labelled defects, or none that favour others beyond doubt.
    Rule,
    /// The labelled defects: by how much more often they rank above good photos than by the rule, and the standard error.
    Defects { gain: f64, error: f64 },
}

/// One detector alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence {
    pub(crate) of: Detector,
    /// How far the least usual twentieth of good photos lies out, in units of what is usual.
    pub(crate) upset: f64,
    /// How well it tells labelled defects from good photos; absent without defects.
    pub(crate) auroc: Option<Estimate>,
}

/// The detectors to learn for the choice.
pub(crate) fn candidates(lesson: &Lesson<'_>) -> Vec<Detector> {
    let good = lesson.photos.iter().filter(|photo| !photo.is_defect()).count();
    let can_work = |detector: &Detector| *detector != Detector::Whole || good >= WHOLE_FROM;
    let wanted = |detector: &Detector| match lesson.asked {
        _ if !can_work(detector) => false,
        Some(asked) => detector.draws() || asked.contains(detector),
        None => !detector.is_extra() || lesson.groups_of_defects() >= DEFECTS_FROM,
    };
    Detector::ALL.into_iter().filter(wanted).collect()
}

/// Chooses by what was said of each photo by those that had not seen it; of one photo alone, by its quarters.
///
/// # Errors
/// [`PipelineError::NoDetector`] when one that was asked for cannot work on these photos.
pub(crate) fn choose(
    units: &Units,
    raws: &[&Raw],
    lesson: &Lesson<'_>,
    quartered: bool,
) -> Result<Choice, PipelineError> {
    let Lesson { photos, groups, asked, seed, .. } = *lesson;
    let defect: Vec<bool> = photos.iter().map(Photo::is_defect).collect();
    let known: Vec<Detector> = Detector::ALL.into_iter().filter(|detector| units.knows(*detector)).collect();
    let count = if quartered { 0 } else { lesson.groups_of_defects() };
    let score = |votes: &[Detector]| -> Vec<f64> {
        let judged = raws.iter().map(|raw| units.judge(raw, votes));
        judged.map(|(patches, whole)| patches + whole).collect()
    };
    let evidence = known
        .iter()
        .map(|detector| {
            let scores = score(&[*detector]);
            let good = scores.iter().enumerate().filter(|(at, _)| quartered || !defect[*at]);
            let upset = upper(good.map(|(_, score)| *score).collect());
            let auroc = (count > 0).then(|| auroc(&scores, &defect, groups, seed)).transpose()?;
            Ok(Evidence { of: *detector, upset, auroc })
        })
        .collect::<Result<_, PipelineError>>()?;
    if let Some(asked) = asked {
        if let Some(missing) = asked.iter().find(|detector| !known.contains(detector)) {
            return Err(PipelineError::NoDetector { detector: missing.name(), needs: needs(*missing) });
        }
        let votes = known.into_iter().filter(|detector| asked.contains(detector)).collect();
        return Ok(Choice { votes, why: Why::Asked, evidence });
    }
    let rule = units.rule();
    let mut best = Choice { votes: rule.clone(), why: Why::Rule, evidence };
    if count < DEFECTS_FROM {
        return Ok(best);
    }
    let by_rule = score(&rule);
    let mut sure = 0.0;
    for votes in subsets(&known) {
        let (gain, error) = auroc_difference(&score(&votes), &by_rule, &defect, groups)?;
        if gain - BEYOND_DOUBT * error > sure {
            sure = gain - BEYOND_DOUBT * error;
            (best.votes, best.why) = (votes, Why::Defects { gain, error });
        }
    }
    Ok(best)
}

/// What a detector needs that these photos lack.
fn needs(detector: Detector) -> DetectorNeeds {
    match detector {
        Detector::Whole => DetectorNeeds::GoodPhotos(WHOLE_FROM),
        Detector::Pixels | Detector::Place => DetectorNeeds::PartsThatLieAlike,
        Detector::Surface | Detector::Shape | Detector::Detail | Detector::Residual => {
            DetectorNeeds::AnotherBase
        }
    }
}

/// What a detector needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetectorNeeds {
    /// At least so many good photos.
    GoodPhotos(usize),
    /// Parts that lie alike on all photos.
    PartsThatLieAlike,
    /// A base with such a layer.
    AnotherBase,
}

impl std::fmt::Display for DetectorNeeds {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::GoodPhotos(count) => write!(out, "at least {count} good photos"),
            Self::PartsThatLieAlike => out.write_str("parts that lie alike on all photos"),
            Self::AnotherBase => out.write_str("a base with such a layer"),
        }
    }
}

/// All sets of detectors but the empty one.
fn subsets(of: &[Detector]) -> impl Iterator<Item = Vec<Detector>> {
    (1_u32..1 << of.len()).map(|set| {
        let inside = of.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0);
        inside.map(|(_, detector)| *detector).collect()
    })
}

/// What 95 of 100 values stay within.
fn upper(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get((values.len() * 19).div_ceil(20).saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_detectors_is_tried_once() {
        let sets: Vec<Vec<Detector>> = subsets(&[Detector::Surface, Detector::Whole]).collect();
        assert_eq!(
            sets,
            [vec![Detector::Surface], vec![Detector::Whole], vec![Detector::Surface, Detector::Whole]]
        );
    }
}
