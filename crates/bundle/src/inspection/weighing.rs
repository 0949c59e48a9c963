//! From what each detector says to one score and one map: everything is told in units of what is usual for good parts.

use serde::{Deserialize, Serialize};

use super::map::ScoreMap;
use super::memories::Raw;

/// Turns a median absolute deviation into the standard deviation of a normal distribution.
const TO_DEVIATION: f64 = 1.4826;

/// What is usual for good parts: the median, and the median absolute deviation as a standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usual {
    /// The median.
    pub middle: f64,
    /// Above 0.
    pub spread: f64,
}

impl Usual {
    /// Of values that held-out good parts gave. Values that are all the same have the unit 1.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        let middle = median(&mut values);
        let mut apart: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        let spread = TO_DEVIATION * median(&mut apart);
        Self { middle, spread: if spread > 0.0 { spread } else { 1.0 } }
    }

    /// How many spreads a value is above the middle.
    pub fn units(self, value: f64) -> f64 {
        (value - self.middle) / self.spread
    }
}

fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_unstable_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

/// The units of every detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Of a view's patches, view by view.
    pub patches: Vec<Usual>,
    /// Of what a view says of a photo.
    pub tops: Vec<Usual>,
    /// Of whole photos, by scale; empty where they are not compared.
    pub pooled: Vec<Usual>,
    /// Of pixels and of photos compared with the reference; absent where parts do not lie alike.
    pub pixels: Option<(Usual, Usual)>,
    /// Which views make the map: the first of each scale, which sees surfaces.
    pub mapped: Vec<usize>,
}

/// What the detectors of good parts say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// Suspicion in units of good patches, by cell of the finest scale; by pixel of the reference where parts lie alike.
    pub map: ScoreMap,
    /// The mean over views.
    pub patches: f64,
    /// The mean over whole-photo comparisons, or the comparison with the reference where parts lie alike; 0 without any.
    pub whole: f64,
}

impl Units {
    /// From what detectors said of good photos that they had not seen.
    pub fn learn(held_out: &[&Raw], mapped: Vec<usize>) -> Self {
        let views = held_out.first().map_or(0, |raw| raw.maps.len());
        let wholes = held_out.iter().map(|raw| raw.pooled.len()).min().unwrap_or(0);
        let of_patches = |view: usize| {
            Usual::of(
                held_out.iter().flat_map(|raw| raw.maps[view].values.iter().map(|value| f64::from(*value))),
            )
        };
        let pixels: Option<Vec<&(ScoreMap, f64)>> = held_out.iter().map(|raw| raw.pixels.as_ref()).collect();
        let pixels = pixels.filter(|pixels| !pixels.is_empty()).map(|pixels| {
            // A photo has a hundred thousand pixels; every sixteenth tells as well what is usual.
            let values = pixels.iter().flat_map(|(map, _)| map.values.iter().step_by(16));
            (
                Usual::of(values.map(|value| f64::from(*value))),
                Usual::of(pixels.iter().map(|(_, score)| *score)),
            )
        });
        Self {
            pixels,
            patches: (0..views).map(of_patches).collect(),
            tops: (0..views).map(|view| Usual::of(held_out.iter().map(|raw| raw.tops[view]))).collect(),
            pooled: (0..wholes)
                .map(|scale| Usual::of(held_out.iter().map(|raw| raw.pooled[scale])))
                .collect(),
            mapped,
        }
    }

    /// Weighs what was said of a photo.
    pub fn weigh(&self, raw: &Raw) -> Weighed {
        let mean = |units: &[Usual], values: &[f64]| {
            let said: Vec<f64> = units.iter().zip(values).map(|(units, value)| units.units(*value)).collect();
            if said.is_empty() { 0.0 } else { said.iter().sum::<f64>() / said.len() as f64 }
        };
        let compared = self.pixels.zip(raw.pixels.as_ref());
        let whole = compared
            .map_or_else(|| mean(&self.pooled, &raw.pooled), |((_, units), (_, score))| units.units(*score));
        Weighed { map: self.map(raw), patches: mean(&self.tops, &raw.tops), whole }
    }

    fn map(&self, raw: &Raw) -> ScoreMap {
        let (rows, cols) = (raw.maps[0].rows, raw.maps[0].cols);
        let mut values = vec![0.0_f32; rows * cols];
        for view in &self.mapped {
            let map = raw.maps[*view].resized(rows, cols);
            let (units, share) = (self.patches[*view], self.mapped.len() as f64);
            for (to, value) in values.iter_mut().zip(&map.values) {
                *to += (units.units(f64::from(*value)) / share) as f32;
            }
        }
        let map = ScoreMap { rows, cols, values };
        let Some(((units, _), (pixels, _))) = self.pixels.zip(raw.pixels.as_ref()) else { return map };
        // Pixels show the outline, patches what belongs together: both count alike.
        let mut joined = map.resized(pixels.rows, pixels.cols);
        for (to, value) in joined.values.iter_mut().zip(&pixels.values) {
            *to = f32::midpoint(*to, units.units(f64::from(*value)) as f32);
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_middle_half() {
        let usual = Usual::of([1.0, 2.0, 3.0, 4.0, 1000.0]);
        assert_eq!((usual.middle, usual.spread), (3.0, TO_DEVIATION));
        assert_eq!(Usual::of([5.0; 4]).units(6.0), 1.0);
        assert_eq!(Usual::of([]).units(2.0), 2.0);
    }
}
