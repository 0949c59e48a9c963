//! From photos of good parts to a defect inspector: look, fit, hold out, decide when to alarm, measure, write.

mod blind;
mod choosing;
mod contamination;
mod dealing;
mod fitting;
mod glancing;
mod kinds;
mod known;
mod listening;
mod marking;
mod measuring;
#[cfg(test)]
mod redrawn;
mod seeing;
mod telling;
mod turning;
mod verdicts;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use base::depict::{Canvas, Film, Traces};
use base::video::{Ffmpeg, VideoError};
use bundle::inspection::{
    Alarm, Chosen, Detector, Eye, InspectionBundle, InspectionPredictor, Inspector, Learned, Sight, seed_of,
};
use bundle::{BaseReference, DataReference, Evaluation, Form, Manifest, TaskReference};
use dataset::split::Groups;
use dataset::{InspectionExample, InspectionOptions, InspectionSet, Modality, Problem, Role, Verdict};
use evaluate::inspect::AlarmThreshold;
use linalg::{Matrix, Seed};

pub use blind::Blind;
pub use choosing::DetectorNeeds;
pub use contamination::Suspect;
use fitting::{Fitted, Lesson};
use glancing::Glanced;
pub use kinds::{NamedKinds, NamedRow};
pub use measuring::{COST_FROM, CostUse, OfKind};
use measuring::{Held, Judged, Measurements, On};
use seeing::Photo;
pub use turning::Orientation;

use crate::report::inspection::{InspectionReport, promise_caveat, render_inspection};
use crate::{Event, Home, InspectionSource, InspectorMeasures, Lang, PipelineError, Run, Step, taken_for};

/// What to make an inspector of, what it has to promise, and where to put it.
#[derive(Debug, Clone)]
pub struct InspectRequest {
    /// The photos, with what is said about them.
    pub source: InspectionSource,
    /// Catalogue id of the base; absent: the default for pictures.
    pub base: Option<String>,
    /// Where the bundle goes.
    pub out: PathBuf,
    /// One file or a folder.
    pub form: Form,
    /// Where the report goes.
    pub report: PathBuf,
    /// The report's language.
    pub lang: Lang,
    /// At most this share of good parts may alarm. In (0, 1).
    pub false_alarms: f64,
    /// How sure that is. In (0, 1).
    pub confidence: f64,
    /// What a missed defect costs, in false alarms; absent: only the promise counts. Above 0.
    pub miss_cost: Option<f64>,
    /// Share of parts with a defect where the inspector will work; matters with `miss_cost` only. In (0, 1).
    pub defect_share: f64,
    /// Millimetres a pixel, when known. Above 0.
    pub mm_per_pixel: Option<f64>,
    /// Side in pixels of the smallest defect that matters; absent: as those that are marked. Above 0.
    pub smallest_defect: Option<f64>,
    /// Whether a part that lies another way is still a good part.
    pub orientation: Orientation,
    /// Whether what lies beside the part is painted over before anything is looked at.
    pub without_background: bool,
    /// The detectors that the person wants listened to; absent: chosen.
    pub detectors: Option<Vec<Detector>>,
    /// Seed of everything random.
    pub seed: u64,
    /// RFC 3339 time that is written beside the bundle's hashes, not into them.
    pub created: String,
}

/// What came of it.
#[derive(Debug)]
pub struct Inspecting {
    /// The bundle, as written.
    pub bundle: InspectionBundle,
    /// Its identity.
    pub identity: store::Hash,
    /// What was read.
    pub set: InspectionSet,
    /// Everything that was left out or set right.
    pub problems: Vec<Problem>,
    /// Good photos that look as if they were not.
    pub suspects: Vec<Suspect>,
    /// How many good photos it knows, and in how many groups.
    pub n_good: (usize, usize),
    /// What the cost of a missed defect did; absent where none was named.
    pub cost: Option<CostUse>,
    /// How many labelled defects were there to learn from and taught nothing.
    pub n_idle: usize,
    /// What is too small to be seen; absent where it was looked closely enough for the smallest defects that are known.
    pub blind: Option<Blind>,
    /// What the report shows.
    pub report: InspectionReport,
}

/// Everything that was found out before it is told.
pub(crate) struct Findings<'a> {
    pub(crate) request: &'a InspectRequest,
    pub(crate) set: &'a InspectionSet,
    /// By what the photos that were learned from are known.
    pub(crate) known: &'a Learned,
    pub(crate) fitted: &'a Fitted,
    pub(crate) alarm: &'a Alarm,
    /// What was measured on, by inspectors that had not seen it.
    pub(crate) judged: &'a [Judged],
    /// What was learned from, as those see it that had not seen it.
    pub(crate) learned: &'a [Judged],
    pub(crate) measured: &'a Measurements,
    pub(crate) cost: Option<CostUse>,
    pub(crate) suspects: &'a [Suspect],
    pub(crate) problems: &'a [Problem],
    pub(crate) n_good: (usize, usize),
    /// Labelled defects that were there to learn from and taught nothing.
    pub(crate) n_idle: usize,
    /// Whether good photos were shown turned around as well.
    pub(crate) turned: bool,
    /// What is too small to be seen.
    pub(crate) blind: Option<Blind>,
}

/// Makes an inspector and writes the bundle and the report.
pub fn inspect(home: &Home, request: &InspectRequest, run: &Run<'_>) -> Result<Inspecting, PipelineError> {
    let (set, known, mut problems) = read_known(&request.source, run)?;
    let id = request.base.clone().unwrap_or_else(|| Home::default_base(Modality::Image).to_owned());
    let dir = run.step(Step::Base, || home.fetch(&id, run))?;
    let learned: Vec<&InspectionExample> = set.with_role(Role::Learn).collect();
    let canvas = canvas(&set, &learned, run)?;
    let canvas = canvas.as_ref();
    let Some(glanced) = Glanced::at(request, &learned, canvas, run)? else {
        problems.extend(seeing::unreadable(&learned, canvas));
        return Err(nothing_usable(&set, &problems));
    };
    let Chosen { sight, eye, room_for } = Sight::choose(&dir, &home.engine, &glanced.shown())?;
    let blind = Blind::of(&sight, glanced.shown().smallest, room_for);
    let blind = blind.filter(|_| set.modality == Modality::Image);
    let seed = seed_of(request.seed);
    let orientation = request.orientation.of(set.modality);
    let aligner = run.step(Step::Audit, || seeing::aligner(&eye, &learned, orientation, seed))?;
    let (mut photos, more) =
        run.step(Step::Features, || seeing::learned(&eye, aligner.as_ref(), &learned, set.modality, run))?;
    problems.extend(more);
    if photos.iter().all(Photo::is_defect) {
        return Err(nothing_usable(&set, &problems));
    }
    let turned = turning::turn(&sight, &eye, &mut photos, orientation, seed, run)?;
    let photos = photos;
    let groups = run.step(Step::Audit, || groups(&photos))?;
    let asked = request.detectors.as_deref();
    let lesson =
        Lesson { sight: &sight, aligner: aligner.as_ref(), photos: &photos, groups: &groups, asked, seed };
    let fitted = run.step(Step::Tune, || fitting::fit(&lesson, run))?;
    let (alarm, cost, n_good) = alarm(request, &photos, &groups, &fitted)?;
    let learned = out_of_fold(&photos, &groups, &fitted)?;
    let (judged, on, more) = judge(&set, &eye, &fitted, (&learned, cost), run)?;
    problems.extend(more);
    let measured = run.step(Step::Evaluate, || {
        measuring::measure(&judged, &alarm, fitted.inspector.kinds.as_ref(), on, seed)
    })?;
    let suspects = contamination::suspects(request, &photos, &groups, &fitted)?;
    let n_defects = photos.iter().filter(|photo| photo.is_defect()).count();
    let n_idle = if fitted.inspector.taught.is_some() { 0 } else { n_defects };
    let findings = Findings {
        request,
        set: &set,
        known: &known,
        fitted: &fitted,
        alarm: &alarm,
        judged: &judged,
        learned: &learned,
        measured: &measured,
        cost,
        suspects: &suspects,
        problems: &problems,
        n_good,
        n_idle,
        turned,
        blind,
    };
    let (bundle, report, identity) = run.step(Step::Write, || write(&findings, &dir, &eye))?;
    Ok(Inspecting { bundle, identity, problems, suspects, n_good, cost, n_idle, blind, report, set })
}

/// How series or videos are drawn, by the good ones; `None` for photos and sounds.
fn canvas(
    set: &InspectionSet,
    learned: &[&InspectionExample],
    run: &Run<'_>,
) -> Result<Option<Canvas>, PipelineError> {
    let good = learned.iter().filter(|example| example.verdict == Verdict::Good);
    let files: Vec<&Path> = good.map(|example| example.path.as_path()).collect();
    match set.modality {
        Modality::Series => {
            let none = || PipelineError::no_sensors(&set.root, base::series::survey(&files));
            Ok(Some(Canvas::Series(Traces::survey(&files).ok_or_else(none)?)))
        }
        Modality::Video => match Film::survey(&Ffmpeg::until(run.cancel_flag()), &files) {
            Ok(film) => Ok(Some(Canvas::Videos(film))),
            Err(VideoError::Stopped) => Err(PipelineError::Cancelled),
            Err(VideoError::Ffmpeg(error)) => Err(base::open::BaseError::from(error).into()),
            Err(VideoError::File(error)) => {
                let first = files.first().copied().unwrap_or(&set.root);
                Err(nothing_usable(set, &[Problem::in_file(error.into(), first)]))
            }
        },
        _ => Ok(None),
    }
}

/// Reads a set to learn from, with by what its photos are known again, and without copies of these.
fn read_known(
    source: &InspectionSource,
    run: &Run<'_>,
) -> Result<(InspectionSet, Learned, Vec<Problem>), PipelineError> {
    let (mut set, mut problems) = read(source, run)?;
    let (known, copies) = known::part(&mut set);
    copies.iter().for_each(|problem| run.tell(Event::Problem(problem.clone())));
    problems.extend(copies);
    Ok((set, known, problems))
}

/// Reads a set and settles what its masks say.
fn read(source: &InspectionSource, run: &Run<'_>) -> Result<(InspectionSet, Vec<Problem>), PipelineError> {
    let (set, problems) = run.step(Step::Read, || {
        let (mut set, mut problems) = source.read()?;
        problems.extend(verdicts::settle(&mut set, source.purpose())?);
        Ok((set, problems))
    })?;
    for problem in &problems {
        run.tell(Event::Problem(problem.clone()));
    }
    Ok((set, problems))
}

/// What was measured on, what it is called, and what could not be read.
type MeasuredOn<'l> = (Cow<'l, [Judged]>, On, Vec<Problem>);

/// When to alarm, what a cost did to it, and from how many good photos and groups it is known.
type Decided = (Alarm, Option<CostUse>, (usize, usize));

/// What the inspector says of the test part; without one, what those said of the photos it learned from that had not seen them.
fn judge<'l>(
    set: &InspectionSet,
    eye: &Eye,
    fitted: &Fitted,
    (learned, cost): (&'l [Judged], Option<CostUse>),
    run: &Run<'_>,
) -> Result<MeasuredOn<'l>, PipelineError> {
    let examples: Vec<&InspectionExample> = set.with_role(Role::Measure).collect();
    if examples.is_empty() {
        let on = if cost == Some(CostUse::Used) { On::OutOfFoldByCost } else { On::OutOfFold };
        return Ok((Cow::Borrowed(learned), on, Vec::new()));
    }
    let (judged, problems) = judged(&fitted.inspector, eye, &examples, run)?;
    Ok((Cow::Owned(judged), On::Test, problems))
}

/// What an inspector says of photos that it has not seen, with the groups that the data name, and which cannot be read.
fn judged(
    inspector: &Inspector,
    eye: &Eye,
    examples: &[&InspectionExample],
    run: &Run<'_>,
) -> Result<(Vec<Judged>, Vec<Problem>), PipelineError> {
    let groups = Groups::from_names(examples.iter().map(|example| example.group.as_deref())).numbers();
    let judge =
        |at: usize, photo: Photo<'_>| Ok(Judged::new(&photo, inspector.opinion(&photo.seen)?, groups[at]));
    run.step(Step::Features, || seeing::look(eye, inspector.aligner.as_ref(), examples, run, judge))
}

fn write(
    findings: &Findings<'_>,
    dir: &Path,
    eye: &Eye,
) -> Result<(InspectionBundle, InspectionReport, store::Hash), PipelineError> {
    let request = findings.request;
    let mut bundle = bundle_of(findings, dir, eye, findings.n_good.0)?;
    let report = telling::report(findings, &bundle)?;
    let identity = bundle.write(&request.out, request.form, &request.created)?;
    let page = render_inspection(&report, request.lang);
    store::write_atomic(&request.report, |out| out.write_all(page.as_bytes()))?;
    Ok((bundle, report, identity))
}

fn nothing_usable(set: &InspectionSet, problems: &[Problem]) -> PipelineError {
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    PipelineError::NothingUsable { n_examples: set.examples.len(), n_problems: problems.len(), first }
}

/// Photos that stay together: those of one group, and those that show the same thing again.
fn groups(photos: &[Photo<'_>]) -> Result<Vec<u32>, PipelineError> {
    let mut groups = Groups::from_names(photos.iter().map(|photo| photo.example.group.as_deref()));
    let wholes: Vec<Vec<f32>> = photos.iter().map(|photo| mean(&photo.seen.grids[0].x)).collect();
    for component in curate::duplicates(Matrix::from_rows(&wholes).view())?.components {
        for pair in component.windows(2) {
            groups.join(pair[0], pair[1]);
        }
    }
    Ok(groups.numbers())
}

/// The mean of all rows.
fn mean(x: &Matrix) -> Vec<f32> {
    let mut sums = vec![0.0_f64; x.cols()];
    x.iter_rows()
        .for_each(|row| row.iter().zip(&mut sums).for_each(|(value, sum)| *sum += f64::from(*value)));
    sums.iter().map(|sum| (sum / x.rows() as f64) as f32).collect()
}

/// When to alarm, and from how many good photos and groups that is known.
fn alarm(
    request: &InspectRequest,
    photos: &[Photo<'_>],
    groups: &[u32],
    fitted: &Fitted,
) -> Result<Decided, PipelineError> {
    if fitted.quartered {
        let (alarm, cost) = measuring::alarm_of_quarters(request, &fitted.held_out)?;
        return Ok((alarm, cost, (1, 1)));
    }
    let rows: Vec<usize> = (0..photos.len()).filter(|at| !photos[*at].is_defect()).collect();
    let (alarm, cost) = measuring::alarm(request, &Held::new(photos, groups, fitted, &rows))?;
    let n_groups = alarm.good.n();
    Ok((alarm, cost, (rows.len(), n_groups)))
}

/// The photos that were learned from, with what those say that had not seen them. From a single good photo only it itself is
/// learned: the inspector has seen no defect.
fn out_of_fold(photos: &[Photo<'_>], groups: &[u32], fitted: &Fitted) -> Result<Vec<Judged>, PipelineError> {
    let grouped = photos.iter().zip(groups);
    if fitted.quartered {
        let judge = |(photo, group): (&Photo<'_>, &u32)| {
            Ok(Judged::new(photo, fitted.inspector.opinion(&photo.seen)?, *group))
        };
        return grouped.filter(|(photo, _)| photo.is_defect()).map(judge).collect();
    }
    let judged = grouped.zip(&fitted.held_out);
    Ok(judged.map(|((photo, group), opinion)| Judged::new(photo, opinion.clone(), *group)).collect())
}

fn bundle_of(
    findings: &Findings<'_>,
    dir: &Path,
    eye: &Eye,
    n_examples: usize,
) -> Result<InspectionBundle, PipelineError> {
    let card = base::cache::Card::read(dir).map_err(base::open::BaseError::from)?;
    let kinds = findings.measured.kinds.iter().map(|of| of.kind.clone()).collect();
    let data = DataReference { fingerprint: findings.set.fingerprint().to_string(), n_examples };
    let base = BaseReference {
        id: card.id,
        hash: eye.hash().to_string(),
        modality: findings.set.modality.to_string(),
        licence: card.licence,
        sensors: None,
    };
    let task = TaskReference::Inspection { kinds };
    let manifest = Manifest::new(&findings.set.name, findings.request.seed, task, data, base);
    let (recipe, mut why) = listening::recipe(findings.fitted);
    if let AlarmThreshold::Proven(_) = findings.alarm.threshold {
        why += &format!(" {}", promise_caveat().en);
    }
    Ok(InspectionBundle {
        manifest,
        inspector: findings.fitted.inspector.clone(),
        alarm: findings.alarm.clone(),
        evaluation: Evaluation {
            measured: findings.measured.metrics.clone(),
            recall: findings.measured.kinds.iter().map(|of| of.recall).collect(),
            recipe,
            why,
        },
        learned: findings.known.clone(),
        golden: findings.fitted.inspector.record_golden(eye)?,
    })
}

/// Measures an inspector on the examples of a set that it did not learn from: those of its test part; where there is none, all.
///
/// # Errors
/// [`PipelineError::LearnedFrom`] when it learned from all of them.
pub(crate) fn measure_unseen(
    predictor: &InspectionPredictor,
    data: &Path,
    read: &InspectionOptions,
    run: &Run<'_>,
) -> Result<InspectorMeasures, PipelineError> {
    let source = InspectionSource::At { path: data.to_owned(), read: read.clone() };
    let (set, mut problems) = self::read(&source, run)?;
    let mut examples: Vec<&InspectionExample> = set.with_role(Role::Measure).collect();
    if examples.is_empty() {
        examples = set.examples.iter().collect();
    }
    if examples.is_empty() {
        return Err(nothing_usable(&set, &problems));
    }
    let InspectionBundle { inspector, learned, alarm, .. } = predictor.bundle();
    let examples = known::unknown(learned, examples);
    if examples.is_empty() {
        return Err(PipelineError::LearnedFrom { path: data.to_owned() });
    }
    let (judged, more) = judged(inspector, predictor.eye(), &examples, run)?;
    problems.extend(more);
    if judged.is_empty() {
        return Err(nothing_usable(&set, &problems));
    }
    let measured = run.step(Step::Evaluate, || {
        measuring::measure(&judged, alarm, inspector.kinds.as_ref(), On::Test, Seed(0))
    })?;
    let n_defects = judged.iter().filter(|judged| judged.kind.is_some()).count();
    Ok(InspectorMeasures {
        metrics: measured.metrics,
        kinds: measured.kinds,
        n_good: judged.len() - n_defects,
        n_defects,
        n_left_out: set.examples.len() - examples.len(),
        taken: taken_for(&set.layout, &set.why),
        layout: set.layout,
        why: set.why.to_string(),
    })
}
