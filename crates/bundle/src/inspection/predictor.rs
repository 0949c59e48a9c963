//! An inspector on its base: from a photo to an alarm, with marks where the defect is.

use std::path::Path;

use base::depict::{Canvas, TracePlace, seconds_of_sound};
use base::open::EngineChoice;
use evaluate::inspect::{Outline, Plane, Region, conformal_p_value, find_regions};
use image::RgbImage;
use serde::Serialize;

use super::contents::InspectionBundle;
use super::extent::marked;
use super::inspector::{Evidence, Inspector, Opinion};
use super::kinds::NamedKind;
use super::laying::{has_shape, outside};
use super::map::ScoreMap;
use super::odd::{Odd, is_blank};
use super::sight::{Eye, Seen};
use crate::{BundleError, Golden, GoldenRow, golden};

/// An inspector that is ready to look at photos.
#[derive(Debug)]
pub struct InspectionPredictor {
    bundle: InspectionBundle,
    eye: Eye,
}

/// What was found on one photo.
#[derive(Debug, Clone, Serialize)]
pub struct Inspected {
    /// Whether the part alarms.
    pub alarm: bool,
    /// Suspicion, higher for more; the bundle tells the threshold.
    pub score: f64,
    /// The chance that a good part scores as high, in (0, 1].
    pub p_value: f64,
    /// What the score is made of.
    pub evidence: Evidence,
    /// What kind of defect it is; absent where the part does not alarm, nothing is to be seen on the photo, or too few were shown to tell.
    pub kind: Option<NamedKind>,
    /// Where the part is marked, the most suspicious first.
    pub regions: Vec<MarkedRegion>,
}

/// What was found on one photo, with what it can be shown by.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What was found.
    pub found: Inspected,
    /// Suspicion by cell.
    pub map: ScoreMap,
    /// The decoded photo.
    pub photo: RgbImage,
    /// What is odd about the photo, the worst first.
    pub odd: Vec<Odd>,
    /// How the base sees all of it: mean and spread over the patches of the first look.
    pub whole: Vec<f32>,
}

/// One marked place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarkedRegion {
    /// Corners along the edges of pixels, clockwise.
    pub outline: Vec<[u32; 2]>,
    /// The outlines of holes in it, the other way round.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Vec<[u32; 2]>>,
    /// Pixels inside, without those of holes. The marked area is as coarse as the map: thin defects are wider in it than they are.
    pub area_px: usize,
    /// The same in square millimetres, when the scale is known.
    pub area_mm2: Option<f64>,
    /// When that is in a sound, a video or a series whose clock counts seconds: start and end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<[f64; 2]>,
    /// From which step to which that is in a series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<[f64; 2]>,
    /// Which sensors of a series it is in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<String>,
    /// The largest suspicion inside.
    pub peak: f32,
}

impl InspectionPredictor {
    /// Puts a bundle on the base in a folder of the cache and runs the self-test.
    ///
    /// # Errors
    /// [`BundleError::WrongBase`] for another base than the bundle's, [`BundleError::SelfTest`] when the golden outputs differ.
    pub fn new(bundle: InspectionBundle, dir: &Path, engine: &EngineChoice) -> Result<Self, BundleError> {
        let eye = bundle.inspector.sight.open(dir, engine)?;
        let expected = bundle.manifest.base.hash.clone();
        let got = eye.hash().to_string();
        if got != expected {
            return Err(BundleError::WrongBase { id: bundle.manifest.base.id.clone(), expected, got });
        }
        if !eye.shows(&bundle.inspector.sight) {
            let detail = "it looks at columns that the base does not have".to_owned();
            return Err(BundleError::Malformed {
                path: dir.to_owned(),
                file: "inspector.json".to_owned(),
                detail,
            });
        }
        let fresh = record_golden(&bundle.inspector, &eye)?;
        let logits: Vec<Vec<f64>> = fresh.rows.into_iter().map(|row| row.logits).collect();
        bundle.golden.check(&eye.engine_name(), &logits)?;
        Ok(Self { bundle, eye })
    }

    /// The bundle inside.
    pub fn bundle(&self) -> &InspectionBundle {
        &self.bundle
    }

    /// How it looks at photos.
    pub fn eye(&self) -> &Eye {
        &self.eye
    }

    /// Inspects the bytes of a photo file.
    pub fn inspect(&self, bytes: &[u8]) -> Result<Looked, BundleError> {
        let decoded = self.eye.decode(bytes).map_err(base::open::BaseError::from)?;
        self.inspect_decoded(decoded)
    }

    /// Inspects a photo as [`Eye::decode`] gives it.
    pub fn inspect_decoded(&self, (photo, is_brighter): (RgbImage, bool)) -> Result<Looked, BundleError> {
        let seen = self.eye.see(&photo, self.bundle.inspector.aligner.as_ref())?;
        let opinion = self.bundle.inspector.opinion(&seen)?;
        let whole = seen.whole(&self.bundle.inspector.sight);
        let alarm = &self.bundle.alarm;
        let scale = alarm.mm_per_pixel;
        let drawn = |region: &Region| self.drawn(region);
        let regions =
            regions(&opinion.map, photo.dimensions(), alarm.mark.threshold() as f32, scale, &drawn)?;
        let alarms = alarm.threshold.alarms(opinion.score);
        let is_blank = alarms && self.shows_photos() && is_blank(&photo);
        let odd = self.odd(&photo, &seen, is_blank, is_brighter);
        let found = Inspected {
            alarm: alarms,
            kind: opinion.kind.filter(|_| alarms && !is_blank),
            score: opinion.score,
            p_value: conformal_p_value(&alarm.good, opinion.score),
            evidence: opinion.evidence,
            regions,
        };
        Ok(Looked { found, map: opinion.map, photo, odd, whole })
    }

    /// Whether it looks at photos, not at pictures of something else.
    fn shows_photos(&self) -> bool {
        self.bundle.manifest.base.modality == "image"
    }

    fn odd(&self, photo: &RgbImage, seen: &Seen, is_blank: bool, is_brighter: bool) -> Vec<Odd> {
        let Inspector { sight, aligner, .. } = &self.bundle.inspector;
        let size = photo.dimensions();
        let other_size = self.shows_photos().then(|| Odd::of_size(sight, size)).flatten();
        let laid = aligner.as_ref().zip(seen.laid.as_ref()).filter(|_| self.shows_photos());
        let shape = laid.filter(|(aligner, _)| !has_shape(aligner, size)).map(|_| Odd::OtherShape);
        let strips = laid.and_then(|(aligner, laid)| Odd::of_outside(outside(aligner, &laid.rigid, size)));
        let blank = is_blank.then_some(Odd::Blank);
        let all = [blank, other_size, shape, strips, is_brighter.then_some(Odd::Brighter)];
        all.into_iter().flatten().collect()
    }

    /// What a region of the picture of a sound, a video or a series stands for.
    fn drawn(&self, region: &Region) -> Drawn {
        let [left, right] = [region.left, region.left + region.width].map(|at| at as u32);
        let rows = [region.top, region.top + region.height].map(|at| at as u32);
        match &self.bundle.inspector.sight.canvas {
            Some(Canvas::Videos(film)) => {
                Drawn { seconds: Some(film.seconds([left, right], rows)), ..Drawn::default() }
            }
            Some(Canvas::Series(traces)) => {
                let TracePlace { steps, seconds, sensors } = traces.place([left, right], rows);
                Drawn { seconds, steps: Some(steps), sensors }
            }
            None if self.bundle.manifest.base.modality == "sound" => {
                Drawn { seconds: Some(seconds_of_sound(left, right)), ..Drawn::default() }
            }
            None => Drawn::default(),
        }
    }
}

/// What a place of a picture that was drawn stands for; nothing of a photo.
#[derive(Default)]
struct Drawn {
    seconds: Option<[f64; 2]>,
    steps: Option<[f64; 2]>,
    sensors: Vec<String>,
}

/// The self-test of an inspector that is about to be bundled: the score, and the map's largest and mean suspicion, of a made-up
/// picture.
pub(crate) fn record_golden(inspector: &Inspector, eye: &Eye) -> Result<Golden, BundleError> {
    let photo = base::prep::decode(&golden::probe_image()).map_err(base::open::BaseError::from)?;
    let opinion = inspector.look(eye, &photo)?;
    let values = &opinion.map.values;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64;
    let logits = vec![opinion.score, f64::from(opinion.map.max()), mean];
    Ok(Golden { engine: eye.engine_name(), rows: vec![GoldenRow { logits }] })
}

impl Inspector {
    /// The opinion on a photo.
    pub fn look(&self, eye: &Eye, photo: &RgbImage) -> Result<Opinion, BundleError> {
        Ok(self.opinion(&eye.see(photo, self.aligner.as_ref())?)?)
    }

    /// Records the self-test of an inspector that is about to be bundled.
    pub fn record_golden(&self, eye: &Eye) -> Result<Golden, BundleError> {
        record_golden(self, eye)
    }
}

/// The places of a photo of this width and height that are marked.
fn regions(
    map: &ScoreMap,
    (width, height): (u32, u32),
    mark: f32,
    mm_per_pixel: Option<f64>,
    drawn: &dyn Fn(&Region) -> Drawn,
) -> Result<Vec<MarkedRegion>, BundleError> {
    if map.max() <= mark {
        return Ok(Vec::new());
    }
    let (rows, cols) = (height as usize, width as usize);
    let full = map.resized(rows, cols);
    let inside = marked(map, rows, cols, mark);
    let plane = Plane::new(rows, cols, &inside)?;
    let found = find_regions(plane);
    let mut peaks = vec![f32::NEG_INFINITY; found.list().len()];
    for (label, value) in found.labels().iter().zip(&full.values) {
        if let Some(region) = (*label as usize).checked_sub(1) {
            peaks[region] = peaks[region].max(*value);
        }
    }
    let mut regions: Vec<MarkedRegion> = found
        .list()
        .iter()
        .enumerate()
        .map(|(at, region)| {
            let Outline { outer, holes } = found.outline(at);
            let area_mm2 = mm_per_pixel.map(|side| region.area as f64 * side * side);
            let Drawn { seconds, steps, sensors } = drawn(region);
            let (outline, area_px, peak) = (outer, region.area, peaks[at]);
            MarkedRegion { outline, holes, area_px, area_mm2, seconds, steps, sensors, peak }
        })
        .collect();
    regions.sort_by(|a, b| b.peak.total_cmp(&a.peak));
    Ok(regions)
}
