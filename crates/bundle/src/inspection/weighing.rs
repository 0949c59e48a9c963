//! From what each detector says to one score and one map: everything is told in units of what is usual for good parts.

use serde::{Deserialize, Serialize};

use super::ground::Ground;
use super::map::ScoreMap;
use super::memories::{Raw, Voice};
use super::votes::Detector;

/// Turns a median absolute deviation into the standard deviation of a normal distribution.
const TO_DEVIATION: f64 = 1.4826;
/// Standard deviations above the middle that 95 of 100 values of a normal distribution stay within.
const WITHIN: f64 = 1.645;
/// Fewest good photos from which a few can be told from most.
const STEADY_FROM: usize = 20;

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

    /// As [`Usual::of`], but no spread is less than what 95 of 100 good parts stay within: a detector that a few good parts
    /// upset speaks the more quietly.
    pub fn steady(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        let usual = Self::of(values.iter().copied());
        if values.len() < STEADY_FROM {
            return usual;
        }
        values.sort_unstable_by(f64::total_cmp);
        let within = values[(values.len() * 19).div_ceil(20) - 1];
        Self { spread: usual.spread.max((within - usual.middle) / WITHIN), ..usual }
    }

    /// Whether anything can be told in these units.
    pub(super) fn is_sound(self) -> bool {
        self.middle.is_finite() && self.spread > 0.0 && self.spread.is_finite()
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

/// The units of every detector, and who decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// The detector behind each voice.
    pub voices: Vec<Detector>,
    /// Of a voice's cells, voice by voice.
    pub patches: Vec<Usual>,
    /// Of what a voice says of a photo.
    pub tops: Vec<Usual>,
    /// Of whole photos, by scale; empty where they are not compared.
    pub pooled: Vec<Usual>,
    /// Of pixels and of photos compared with the reference; absent where parts do not lie alike.
    pub pixels: Option<(Usual, Usual)>,
    /// What the map of patches shows of good photos as well; absent where they are too few, and in older bundles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<Ground>,
    /// The detectors whose word counts for a photo.
    pub votes: Vec<Detector>,
}

/// What the detectors of good parts say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// Suspicion in units of good patches, by cell of the finest grid; by pixel of the reference where parts lie alike.
    pub map: ScoreMap,
    /// The mean over the voices of patches that count; 0 without any.
    pub patches: f64,
    /// The mean over the comparisons of whole photos that count; 0 without any.
    pub whole: f64,
}

impl Units {
    /// From what detectors said of good photos that they had not seen. [`Units::rule`] decides until votes are set.
    pub fn learn(held_out: &[&Raw]) -> Self {
        let first = held_out.first().map_or(&[][..], |raw| &raw.voices);
        let wholes = held_out.iter().map(|raw| raw.pooled.len()).min().unwrap_or(0);
        let of_patches = |voice: usize| {
            let values = held_out.iter().flat_map(|raw| &raw.voices[voice].map.values);
            Usual::of(values.map(|value| f64::from(*value)))
        };
        let of_photos = |said: &dyn Fn(&Raw) -> f64| Usual::steady(held_out.iter().map(|raw| said(raw)));
        let pixels: Option<Vec<&(ScoreMap, f64)>> = held_out.iter().map(|raw| raw.pixels.as_ref()).collect();
        let pixels = pixels.filter(|pixels| !pixels.is_empty()).map(|pixels| {
            // A photo has a hundred thousand pixels; every sixteenth tells as well what is usual.
            let values = pixels.iter().flat_map(|(map, _)| map.values.iter().step_by(16));
            (
                Usual::of(values.map(|value| f64::from(*value))),
                Usual::steady(pixels.iter().map(|(_, score)| *score)),
            )
        });
        let mut units = Self {
            voices: first.iter().map(|voice| voice.of).collect(),
            patches: (0..first.len()).map(of_patches).collect(),
            tops: (0..first.len()).map(|voice| of_photos(&|raw| raw.voices[voice].top)).collect(),
            pooled: (0..wholes).map(|scale| of_photos(&|raw| raw.pooled[scale])).collect(),
            pixels,
            ground: None,
            votes: Vec::new(),
        };
        units.votes = units.rule();
        let maps: Vec<ScoreMap> = held_out.iter().map(|raw| units.of_patches(raw)).collect();
        units.ground = Ground::learn(&maps);
        units
    }

    /// Who decides where nothing better is known: the patches, and pixels where parts lie alike or else whole photos.
    pub fn rule(&self) -> Vec<Detector> {
        let whole = if self.pixels.is_some() { Detector::Pixels } else { Detector::Whole };
        let rule = [Detector::Surface, Detector::Shape, whole];
        rule.into_iter().filter(|detector| self.knows(*detector)).collect()
    }

    /// Whether this detector has said something.
    pub fn knows(&self, detector: Detector) -> bool {
        match detector {
            Detector::Whole => !self.pooled.is_empty(),
            Detector::Pixels => self.pixels.is_some(),
            patches => self.voices.contains(&patches),
        }
    }

    /// All units.
    pub(super) fn all(&self) -> impl Iterator<Item = Usual> {
        let pixels = self.pixels.into_iter().flat_map(|(pixels, photos)| [pixels, photos]);
        [&self.patches, &self.tops, &self.pooled].into_iter().flatten().copied().chain(pixels)
    }

    /// Weighs what was said of a photo.
    pub fn weigh(&self, raw: &Raw) -> Weighed {
        let (patches, whole) = self.judge(raw, &self.votes);
        Weighed { map: self.map(raw), patches, whole }
    }

    /// What these detectors say of a photo: the mean over the voices of patches, and over the comparisons of whole photos.
    pub fn judge(&self, raw: &Raw, votes: &[Detector]) -> (f64, f64) {
        let voices = self.tops.iter().zip(&raw.voices).filter(|(_, voice)| votes.contains(&voice.of));
        let patches: Vec<f64> = voices.map(|(units, voice)| units.units(voice.top)).collect();
        let mut wholes = Vec::new();
        if votes.contains(&Detector::Whole) && !self.pooled.is_empty() {
            let said = self.pooled.iter().zip(&raw.pooled).map(|(units, value)| units.units(*value));
            wholes.push(mean(&said.collect::<Vec<f64>>()));
        }
        if votes.contains(&Detector::Pixels)
            && let Some(((_, units), (_, score))) = self.pixels.zip(raw.pixels.as_ref())
        {
            wholes.push(units.units(*score));
        }
        (mean(&patches), mean(&wholes))
    }

    fn map(&self, raw: &Raw) -> ScoreMap {
        let map = self.of_patches(raw);
        let map = match &self.ground {
            Some(ground) => ground.taken_from(map),
            None => map,
        };
        let Some(((units, _), (pixels, _))) = self.pixels.zip(raw.pixels.as_ref()) else { return map };
        // Pixels show the outline, patches what belongs together: both count alike.
        let mut joined = map.resized(pixels.rows, pixels.cols);
        for (to, value) in joined.values.iter_mut().zip(&pixels.values) {
            *to = f32::midpoint(*to, units.units(f64::from(*value)) as f32);
        }
        joined
    }

    /// The mean of what patches say, by cell of the finest grid.
    fn of_patches(&self, raw: &Raw) -> ScoreMap {
        let drawing: Vec<(&Usual, &Voice)> =
            self.patches.iter().zip(&raw.voices).filter(|(_, voice)| voice.of.draws()).collect();
        let (rows, cols) = drawing
            .iter()
            .map(|(_, voice)| (voice.map.rows, voice.map.cols))
            .max_by_key(|(rows, cols)| rows * cols)
            .unwrap_or(raw.grid);
        let mut values = vec![0.0_f32; rows * cols];
        for (units, voice) in &drawing {
            let map = voice.map.resized(rows, cols);
            for (to, value) in values.iter_mut().zip(&map.values) {
                *to += (units.units(f64::from(*value)) / drawing.len() as f64) as f32;
            }
        }
        ScoreMap { rows, cols, values }
    }
}

/// The mean; 0 of nothing.
fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
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
        assert!(usual.is_sound() && !Usual { spread: 0.0, ..usual }.is_sound());
        assert!(
            !Usual { spread: f64::NAN, ..usual }.is_sound() && !Usual { spread: -1.0, ..usual }.is_sound()
        );
    }

    #[test]
    fn what_a_few_good_parts_upset_speaks_quietly() {
        let upset = |value: f64| {
            (0..40).map(move |part| if part < 3 { value } else { f64::from(part % 5) }).collect::<Vec<_>>()
        };
        assert_eq!(Usual::steady(upset(2.0)), Usual::of(upset(2.0)));
        assert_eq!(Usual::steady(upset(100.0)).spread, (100.0 - 2.0) / WITHIN);
        assert_eq!(Usual::steady([0.0, 0.0, 9.0]), Usual::of([0.0, 0.0, 9.0]));
    }
}
