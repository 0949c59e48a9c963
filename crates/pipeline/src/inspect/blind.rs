//! What is too small to be seen at the scale at which photos are looked at.

use bundle::inspection::Sight;

use crate::report::Sentence;

/// Sides in pixels of a photo are told as wanted when they differ by less than this factor.
const NEARLY: f64 = 1.01;

/// Below which side defects cover fewer than two cells of the finest map, so that they are hardly seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blind {
    /// In pixels of a photo.
    pub below: f64,
    /// The smallest defect that was asked for or is marked, which limits of time and memory kept out of reach.
    pub asked: Option<f64>,
    /// Whether looking more closely shows more: photos are scaled down.
    pub is_scaled: bool,
    /// With about how many photos to learn from they would be looked at as closely as wanted; `None` where it is not memory that keeps them from it.
    pub room_for: Option<usize>,
}

impl Blind {
    /// `None` where it is looked closely enough for the smallest defect that is known.
    pub(crate) fn of(sight: &Sight, smallest: Option<f64>, room_for: Option<usize>) -> Option<Self> {
        let below = sight.smallest_seen();
        let is_scaled = sight.looks.first().is_some_and(|look| look.plan.scale < 1.0);
        let is_enough = smallest.is_some_and(|smallest| below <= smallest * NEARLY);
        (!is_enough).then_some(Self { below, asked: smallest, is_scaled, room_for })
    }

    /// What keeps so many photos from being looked at more closely.
    fn crowded(&self) -> (String, String) {
        let n = self.room_for.unwrap_or_default();
        (
            format!(
                "so many photos share the memory for what is learned, some 6 GB; learn from {n} or fewer to look more closely"
            ),
            format!("照片太多，共用约 6 GB 的学习内存；用不超过 {n} 张学习，可看得更细"),
        )
    }

    /// What that means, and what helps.
    pub fn told(&self) -> Sentence {
        let below = self.below.round();
        let (en, zh) = match (self.asked, self.is_scaled) {
            (_, true) if self.room_for.is_some() => self.crowded(),
            (Some(asked), true) => (
                format!(
                    "{asked:.0} pixels are out of reach for reasons of time and memory; photograph parts in several pieces"
                ),
                format!("受时间和内存所限，看不清 {asked:.0} 像素的缺陷；请把零件分成几块拍摄"),
            ),
            (None, true) => (
                "if smaller ones matter, pass --smallest-defect with their size in pixels".to_owned(),
                "若更小的也要检出，请用 --smallest-defect 给出其像素大小".to_owned(),
            ),
            (_, false) => (
                "if smaller ones matter, go closer or use a camera with more pixels".to_owned(),
                "若更小的也要检出，请靠近拍摄或使用更高分辨率的相机".to_owned(),
            ),
        };
        Sentence {
            en: format!("Defects below {below:.0} pixels across are hardly seen: {en}."),
            zh: format!("小于 {below:.0} 像素的缺陷很难看出：{zh}。"),
        }
    }
}

#[cfg(test)]
mod tests {
    use base::patches::PatchPlan;
    use base::prep::Depth;
    use bundle::inspection::Look;

    use super::*;

    fn sight(scale: f64) -> Sight {
        let look = |cell| Look {
            plan: PatchPlan { scale, tiles: vec![160], margin: 32, cell, maps: vec!["a".to_owned()] },
            views: std::iter::once(0..4).collect(),
            pooled: 0..0,
        };
        Sight {
            looks: vec![look(16), look(8)],
            without_background: false,
            depth: Depth::FULL,
            canvas: None,
            sides: None,
        }
    }

    #[test]
    fn what_is_too_small_is_told_unless_it_was_looked_closely_enough() {
        let told = |scale, smallest| Blind::of(&sight(scale), smallest, None).map(|blind| blind.told().en);
        let default = told(0.25, None).unwrap();
        assert_eq!(
            default,
            "Defects below 64 pixels across are hardly seen: if smaller ones matter, pass --smallest-defect with their size in pixels."
        );
        assert!(told(1.0, None).unwrap().starts_with(
            "Defects below 16 pixels across are hardly seen: if smaller ones matter, go closer"
        ));
        assert_eq!(told(0.25, Some(64.0)), None);
        assert!(told(0.25, Some(10.0)).unwrap().contains("10 pixels are out of reach"));
        assert!(Blind::of(&sight(0.25), None, None).unwrap().told().zh.contains("--smallest-defect"));
        let crowded = Blind::of(&sight(0.25), Some(10.0), Some(1144)).unwrap().told();
        assert!(
            crowded.en.contains("learn from 1144 or fewer") && crowded.zh.contains("1144"),
            "{crowded:?}"
        );
    }
}
