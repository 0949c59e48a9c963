//! The detectors that there are; an inspector listens to some of them.

use serde::{Deserialize, Serialize};

use super::sight::Sight;

/// A way to find a defect, at every scale at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// Patches whose surface is unlike that of remembered good patches: the middle layers of the base.
    Surface,
    /// Patches that show other things than remembered good patches: a deeper layer, which sees further around.
    Shape,
    /// Small cells of an early layer unlike remembered good ones.
    Detail,
    /// Patches whose surface leaves the directions in which good patches vary.
    Residual,
    /// Patches unlike good ones at the same place; only where parts lie alike.
    Place,
    /// Photos that as a whole are unlike remembered good photos; only with enough of them.
    Whole,
    /// Pixels that differ from the median good part; only where parts lie alike.
    Pixels,
}

impl Detector {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Surface, Self::Shape, Self::Detail, Self::Residual, Self::Place, Self::Whole, Self::Pixels];

    /// Its name, as it is typed and stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Surface => "surface",
            Self::Shape => "shape",
            Self::Detail => "detail",
            Self::Residual => "residual",
            Self::Place => "place",
            Self::Whole => "whole",
            Self::Pixels => "pixels",
        }
    }

    /// Whether it always works on the map, whoever judges the photo.
    pub fn draws(self) -> bool {
        matches!(self, Self::Surface | Self::Detail)
    }

    /// Whether it is only learned where there is a reason: it was asked for, or defects tell whether it is worth its time.
    pub fn is_extra(self) -> bool {
        matches!(self, Self::Residual | Self::Place)
    }
}

/// The detector behind each view of the looks, in their order.
pub(crate) fn of_views(sight: &Sight) -> Vec<Detector> {
    let of_look = |look: &super::sight::Look| {
        let count = look.views.len();
        let first = if look.is_detail() { Detector::Detail } else { Detector::Surface };
        std::iter::once(first).chain(std::iter::repeat_n(Detector::Shape, count.saturating_sub(1)))
    };
    sight.looks.iter().flat_map(of_look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_stored() {
        for detector in Detector::ALL {
            assert_eq!(serde_json::to_value(detector).unwrap(), detector.name());
        }
    }
}
