//! `dianjing predict` and `evaluate` with an inspector: alarms, heat maps, regions.

use std::mem::discriminant;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use bundle::inspection::{Inspected, InspectionBundle, Kinds, Looked, MarkedRegion};
use dataset::{ProblemKind, Purpose, ReadOptions};
use image::{ImageBuffer, Luma};
use pipeline::{InspectedRow, InspectorMeasures, Lang, PipelineError, Subject, counted, words};

use super::batch::Batch;
use super::{inspect, say, with_progress};
use crate::args::{Arguments, EvaluateArguments, PredictArguments};
use crate::exit::Usage;
use crate::{exit, settings, show};

/// A 16-bit map holds `(suspicion + OFFSET) * STEPS`, rounded, in 0 to 65,535.
const OFFSET: f32 = 10.0;
/// See [`OFFSET`].
const STEPS: f32 = 1000.0;
/// Times that are shown of one example.
const SPANS: usize = 3;

pub(super) fn predict(
    arguments: &Arguments,
    verb: &PredictArguments,
    lang: Lang,
) -> anyhow::Result<ExitCode> {
    let home = settings::home(arguments)?;
    if verb.inputs == [Path::new("-")] {
        return Err(Usage {
            en: "an inspector looks at files; name them or folders instead of `-`".to_owned(),
            zh: "检测器看的是文件；请给出文件或文件夹，而不是 -".to_owned(),
        }
        .into());
    }
    let cut = AtomicUsize::new(0);
    let read = ReadOptions { contents: verb.contents.senses(), ..ReadOptions::default() };
    let (rows, bundle) = with_progress(arguments, lang, |run| {
        let predictor = home.open_inspector(&verb.bundle, run)?;
        let mark = predictor.bundle().alarm.mark.threshold() as f32;
        let draw = |id: &str, looked: &Looked| match &verb.heatmaps {
            Some(dir) => {
                let is_cut = write_heat(dir, id, looked, mark)?;
                cut.fetch_add(usize::from(is_cut), Ordering::Relaxed);
                Ok(())
            }
            None => Ok(()),
        };
        let rows =
            pipeline::inspect_photos(&predictor, &verb.inputs, &read, verb.heatmaps.as_deref(), run, &draw)?;
        Ok((rows, predictor.bundle().clone()))
    })?;
    if let Some(file) = &verb.regions {
        let coco = serde_json::to_vec_pretty(&coco(&rows, bundle.inspector.kinds.as_ref()))?;
        store::write_atomic(file, |out| out.write_all(&coco))?;
    }
    let batch = verb.false_discoveries.map(|rate| Batch::judge(&rows, &bundle.alarm.good, rate));
    match (&batch, arguments.json) {
        (Some(batch), true) => show::json(&batch.with(&rows))?,
        (None, true) => show::json(&rows)?,
        (batch, false) => table(&rows, batch.as_ref(), &bundle, lang)?,
    }
    let alarms = rows.iter().filter(|row| row.found.as_ref().is_some_and(|found| found.alarm)).count();
    let unread = rows.iter().filter(|row| row.found.is_none()).count();
    let subject = Subject::named(&bundle.manifest.base.modality);
    say(arguments, &subject.say(&summary(rows.len(), alarms, unread, lang), lang));
    for line in odd(&rows, lang) {
        say(arguments, &line);
    }
    if let Some(line) = cut_maps(cut.into_inner(), lang) {
        say(arguments, &line);
    }
    for line in batch.iter().flat_map(|batch| batch.told(lang)) {
        say(arguments, &subject.say(&line, lang));
    }
    let called = batch.as_ref().map_or(0, Batch::called);
    Ok(if unread == rows.len() {
        ExitCode::FAILURE
    } else if verb.fail_on_unsure && alarms + unread + called > 0 {
        ExitCode::from(exit::FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}

fn summary(n: usize, alarms: usize, unread: usize, lang: Lang) -> String {
    let mut told = lang.pick(
        format!("{}: {alarms} alarm, {} do not", counted(n, "photo"), n - alarms - unread),
        format!("{n} 张照片：{alarms} 张报警，{} 张正常", n - alarms - unread),
    );
    if unread > 0 {
        told += &lang.pick(format!(", {unread} could not be read"), format!("，{unread} 张无法读取"));
    }
    told
}

/// How many maps do not hold all of their values; `None` when all do.
fn cut_maps(n: usize, lang: Lang) -> Option<String> {
    let maps = counted(n, "map");
    let told = lang.pick(
        format!(
            "note: {maps} with values that 16 bits do not hold; there they are the nearest that these do"
        ),
        format!("注意：{n} 张热图有 16 位存不下的数值，存为最接近的值"),
    );
    (n > 0).then_some(told)
}

/// What is odd about photos that were looked at all the same, each sort once: the first file that has it, and how many have something like it.
fn odd(rows: &[InspectedRow], lang: Lang) -> Vec<String> {
    let mut sorts: Vec<(&ProblemKind, &str, usize)> = Vec::new();
    for row in rows.iter().filter(|row| row.found.is_some()) {
        let Some(kind) = &row.problem else { continue };
        match sorts.iter_mut().find(|(first, ..)| discriminant(*first) == discriminant(kind)) {
            Some((.., more)) => *more += 1,
            None => sorts.push((kind, &row.id, 0)),
        }
    }
    let line = |(kind, first, more): (&ProblemKind, &str, usize)| {
        let told = words::problem_kind(kind, lang);
        let others = match more {
            0 => String::new(),
            _ => lang.pick(
                format!(" ({more} more like it; --json tells each)"),
                format!("（另有 {more} 个类似，见 --json）"),
            ),
        };
        format!("{}{first}{}{told}{others}", lang.pick("note: ", "注意："), lang.pick(": ", "："))
    };
    sorts.into_iter().map(line).collect()
}

fn table(
    rows: &[InspectedRow],
    batch: Option<&Batch>,
    bundle: &InspectionBundle,
    lang: Lang,
) -> anyhow::Result<()> {
    let area = |found: &Inspected| match (found.regions.first(), bundle.alarm.mm_per_pixel) {
        (None, _) => "-".to_owned(),
        (Some(MarkedRegion { seconds: Some(_), .. } | MarkedRegion { steps: Some(_), .. }), _) => {
            times(found, lang)
        }
        (Some(_), None) => format!("{} px", found.regions.iter().map(|region| region.area_px).sum::<usize>()),
        (Some(_), Some(_)) => {
            format!("{:.2} mm²", found.regions.iter().filter_map(|region| region.area_mm2).sum::<f64>())
        }
    };
    let named = bundle.inspector.kinds.is_some();
    let cells = |row: &InspectedRow| {
        let mut cells = match &row.found {
            Some(found) => vec![
                row.id.clone(),
                if found.alarm { lang.pick("ALARM", "报警") } else { lang.pick("ok", "正常") }.to_owned(),
                format!("{:.2}", found.score),
                format!("{:.3}", found.p_value),
                area(found),
            ],
            None => {
                let why =
                    row.problem.as_ref().map(|kind| words::problem_kind(kind, lang)).unwrap_or_default();
                vec![row.id.clone(), "-".to_owned(), "-".to_owned(), "-".to_owned(), why]
            }
        };
        if named {
            cells.insert(2, kind(row, lang));
        }
        cells
    };
    let score = format!(
        "{} {:.2}",
        lang.pick("score, alarm above", "得分，报警阈值"),
        bundle.alarm.threshold.threshold()
    );
    let subject = Subject::named(&bundle.manifest.base.modality).say(lang.pick("photo", "照片"), lang);
    let mut header = vec![
        subject.as_str(),
        lang.pick("verdict", "判定"),
        &score,
        lang.pick("p-value", "p 值"),
        lang.pick("marked area", "标出面积"),
    ];
    if named {
        header.insert(2, lang.pick("kind", "种类"));
    }
    let mut cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    if let Some(batch) = batch {
        header.insert(2, lang.pick("in this batch", "本批判定"));
        cells
            .iter_mut()
            .enumerate()
            .for_each(|(row, cells)| cells.insert(2, batch.verdict(row, lang).to_owned()));
    }
    show::table(&header, cells)
}

/// When what is marked happens and in which sensors, most suspicious first: the first few times, those that overlap once.
fn times(found: &Inspected, lang: Lang) -> String {
    let mut spans: Vec<([f64; 2], &[String])> = Vec::new();
    let in_seconds = found.regions.iter().all(|region| region.seconds.is_some());
    for region in &found.regions {
        let Some([start, end]) = (if in_seconds { region.seconds } else { region.steps }) else { continue };
        let same = |(span, of): &&mut ([f64; 2], &[String])| {
            *of == &region.sensors[..] && start <= span[1] && span[0] <= end
        };
        match spans.iter_mut().find(same) {
            Some((span, _)) => *span = [span[0].min(start), span[1].max(end)],
            None => spans.push(([start, end], &region.sensors)),
        }
    }
    let more = if spans.len() > SPANS { ", ..." } else { "" };
    let told = |([start, end], sensors): &([f64; 2], &[String])| {
        let when = if in_seconds {
            format!("{start:.1}-{end:.1} s")
        } else {
            lang.pick(format!("steps {start:.0}-{end:.0}"), format!("第 {start:.0}-{end:.0} 步"))
        };
        if sensors.is_empty() { when } else { format!("{when} {}", sensors.join(" + ")) }
    };
    spans.iter().take(SPANS).map(told).collect::<Vec<String>>().join(", ") + more
}

/// What kind of defect an alarm is, with its probability where there are several.
fn kind(row: &InspectedRow, lang: Lang) -> String {
    match row.found.as_ref().and_then(|found| found.kind.as_ref()) {
        None => "-".to_owned(),
        Some(named) if named.never_seen => lang.pick("never seen", "未见种类").to_owned(),
        Some(named) if named.probs.len() == 1 => named.name.clone(),
        Some(named) => format!("{} {}", named.name, pipeline::percent(named.probs[0].probability)),
    }
}

/// `heat/NAME.heat.png` to look at and `heat/NAME.map.png` with 16-bit values, both of the photo's size. Says whether some values were cut.
fn write_heat(dir: &Path, id: &str, looked: &Looked, mark: f32) -> Result<bool, PipelineError> {
    let place = dir.join(inside(id));
    let named = |end: &str| {
        let mut name = place.clone().into_os_string();
        name.push(end);
        PathBuf::from(name)
    };
    let (width, height) = looked.photo.dimensions();
    let full = looked.map.resized(height as usize, width as usize);
    let (values, cut): (Vec<u16>, Vec<bool>) = full.values.iter().map(|value| in_16_bits(*value)).unzip();
    let map =
        ImageBuffer::<Luma<u16>, _>::from_raw(width, height, values).expect("the map has the photo's size");
    let heat = pipeline::heat_picture(looked, mark);
    let [heat_end, map_end] = pipeline::DRAWN;
    write_png(&named(heat_end), &heat.into())?;
    write_png(&named(map_end), &map.into())?;
    Ok(cut.contains(&true))
}

/// A suspicion as a map holds it, and whether it had to be cut. What is no number is as suspicious as can be, as it is for the alarm.
fn in_16_bits(suspicion: f32) -> (u16, bool) {
    let value = ((suspicion + OFFSET) * STEPS).round();
    let most = f32::from(u16::MAX);
    if value.is_nan() {
        (u16::MAX, true)
    } else {
        (value.clamp(0.0, most) as u16, !(0.0..=most).contains(&value))
    }
}

fn write_png(path: &Path, picture: &image::DynamicImage) -> Result<(), PipelineError> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a PNG in memory can always be written");
    Ok(store::write_atomic(path, |out| out.write_all(bytes.get_ref()))?)
}

/// The name below the folder: the id without anything that would lead out of it, `_up` for every `..`.
fn inside(id: &str) -> PathBuf {
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("_up")),
        _ => None,
    };
    Path::new(id).components().filter_map(name).collect()
}

/// Marked regions as a COCO file: pictures, an annotation for each region, and categories: a defect of no known kind first, then
/// the kinds that were shown and, where that can be told, one never seen. A region has the kind of its photo.
fn coco(rows: &[InspectedRow], kinds: Option<&Kinds>) -> serde_json::Value {
    let mut names = vec!["defect"];
    names.extend(kinds.iter().flat_map(|kinds| kinds.names()).map(String::as_str));
    let shown = names.len();
    names.extend(kinds.filter(|kinds| kinds.knows_strangers()).map(|_| "never seen"));
    let category = |found: &Inspected| match &found.kind {
        None => 1,
        Some(named) if named.never_seen => names.len(),
        Some(named) => 1 + names[1..shown].iter().position(|name| *name == named.name).map_or(0, |at| at + 1),
    };
    let read = rows.iter().filter_map(|row| Some((row, row.found.as_ref()?, row.size?)));
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for (image_id, (row, found, (width, height))) in (1..).zip(read) {
        images.push(
            serde_json::json!({ "id": image_id, "file_name": row.id, "width": width, "height": height }),
        );
        for region in &found.regions {
            let side = |axis: usize| {
                let places = || region.outline.iter().map(move |corner| corner[axis]);
                let least = places().min().unwrap_or(0);
                (least, places().max().unwrap_or(0) - least)
            };
            let ((left, across), (top, down)) = (side(0), side(1));
            annotations.push(serde_json::json!({
                "id": annotations.len() + 1,
                "image_id": image_id,
                "category_id": category(found),
                "segmentation": segmentation(region, (width, height)),
                "bbox": [left, top, across, down],
                "area": region.area_px,
                "area_mm2": region.area_mm2,
                "seconds": region.seconds,
                "steps": region.steps,
                "sensors": region.sensors,
                "score": region.peak,
                "iscrowd": 0,
            }));
        }
    }
    serde_json::json!({
        "images": images,
        "annotations": annotations,
        "categories": (1..).zip(&names).map(|(id, name)| serde_json::json!({ "id": id, "name": name })).collect::<Vec<_>>(),
    })
}

/// A polygon; of a region with holes, which COCO's polygons cannot have, the lengths of runs outside and inside, column by column.
fn segmentation(region: &MarkedRegion, (width, height): (u32, u32)) -> serde_json::Value {
    if region.holes.is_empty() {
        let flat: Vec<u32> = region.outline.iter().flatten().copied().collect();
        return serde_json::json!([flat]);
    }
    serde_json::json!({ "size": [height, width], "counts": runs(region, width, height) })
}

/// Lengths of the runs of pixels outside and inside a region in turn, down each column of the photo, as in COCO's uncompressed masks.
fn runs(region: &MarkedRegion, width: u32, height: u32) -> Vec<u64> {
    // Where each column changes between outside and inside: at every edge that goes along a row.
    let mut changes: Vec<Vec<u32>> = vec![Vec::new(); width as usize];
    for outline in std::iter::once(&region.outline).chain(&region.holes) {
        for (from, to) in outline.iter().zip(outline.iter().cycle().skip(1)) {
            let (left, right) = (from[0].min(to[0]), from[0].max(to[0]));
            (left..right).for_each(|column| changes[column as usize].push(from[1]));
        }
    }
    let mut runs = Vec::new();
    let mut before = 0;
    for (column, changes) in (0..).zip(&mut changes) {
        changes.sort_unstable();
        for row in changes {
            let at = column * u64::from(height) + u64::from(*row);
            // A region that goes on from the end of a column into the next one does not change there.
            match runs.pop() {
                Some(run) if at == before => before = at - run,
                run => {
                    runs.extend(run);
                    runs.push(at - before);
                    before = at;
                }
            }
        }
    }
    let end = u64::from(width) * u64::from(height);
    if before < end {
        runs.push(end - before);
    }
    runs
}

pub(super) fn evaluate(
    arguments: &Arguments,
    verb: &EvaluateArguments,
    lang: Lang,
) -> anyhow::Result<ExitCode> {
    let home = settings::home(arguments)?;
    let read = inspect::options(&verb.inspection_columns(), Purpose::Measure);
    let (measured, subject) = with_progress(arguments, lang, |run| {
        let predictor = home.open_inspector(&verb.bundle, run)?;
        let subject = Subject::named(&predictor.bundle().manifest.base.modality);
        Ok((pipeline::measure_inspector(&predictor, &verb.data, &read, run)?, subject))
    })?;
    if arguments.json {
        show::json(&measured)?;
        return Ok(ExitCode::SUCCESS);
    }
    let metric = |measured: &bundle::Measured| {
        let name = pipeline::report::metric_name(&measured.metric, lang).to_owned();
        vec![name, show::estimate(&measured.metric, &measured.estimate, lang)]
    };
    let mut rows: Vec<Vec<String>> = measured.metrics.iter().map(metric).collect();
    for of in &measured.kinds {
        let kind = &of.kind;
        let name = lang.pick(format!("found of {kind}"), format!("检出：{kind}"));
        rows.push(vec![name, show::estimate("recall", &of.recall, lang)]);
        rows.extend(of.others.iter().map(|(metric, estimate)| {
            let name = format!("{}: {kind}", pipeline::report::metric_name(metric, lang));
            vec![name, show::estimate(metric, estimate, lang)]
        }));
    }
    show::table(&[lang.pick("metric", "指标"), lang.pick("value", "值")], rows)?;
    for line in measured_on(&measured, subject, lang) {
        say(arguments, &line);
    }
    Ok(ExitCode::SUCCESS)
}

/// What was made of the set, and what of it was measured.
fn measured_on(measured: &InspectorMeasures, subject: Subject, lang: Lang) -> Vec<String> {
    let InspectorMeasures { n_good, n_defects, n_left_out, taken, .. } = measured;
    let n = n_good + n_defects;
    let measured = subject.say(
        &lang.pick(
            format!("Measured on {}, {n_good} good and {n_defects} with defects", counted(n, "photo")),
            format!("在 {n} 张照片上测得：良品 {n_good} 张，缺陷 {n_defects} 张"),
        ),
        lang,
    );
    let mut told =
        vec![lang.pick(format!("{measured} ({}).", taken.en), format!("{measured}（{}）。", taken.zh))];
    if *n_left_out > 0 {
        let left_out = lang.pick(
            format!("{n_left_out} were left out: the inspector learned from them, or they are there to learn from."),
            format!("另有 {n_left_out} 张未使用：检测器从中学习过，或本来就是用于学习的。"),
        );
        told.push(subject.say(&left_out, lang));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_as_suspicious_as_can_be_and_what_is_cut_is_told() {
        let told = [0.0, -10.0, 55.535, 55.54, -10.01, f32::NAN, f32::INFINITY].map(in_16_bits);
        let most = u16::MAX;
        let expect =
            [(10_000, false), (0, false), (most, false), (most, true), (0, true), (most, true), (most, true)];
        assert_eq!(told, expect);
    }

    #[test]
    fn a_region_with_a_hole_is_told_by_runs_that_leave_it_out() {
        let square = |a: u32, b: u32| vec![[a, a], [b, a], [b, b], [a, b]];
        let mut region = MarkedRegion {
            outline: square(1, 4),
            holes: Vec::new(),
            area_px: 9,
            area_mm2: None,
            seconds: None,
            steps: None,
            sensors: Vec::new(),
            peak: 1.0,
        };
        assert_eq!(segmentation(&region, (5, 5)), serde_json::json!([[1, 1, 4, 1, 4, 4, 1, 4]]));
        region.holes = vec![vec![[2, 2], [2, 3], [3, 3], [3, 2]]];
        let told = segmentation(&region, (5, 5));
        assert_eq!(told["size"], serde_json::json!([5, 5]));
        assert_eq!(told["counts"], serde_json::json!([6, 3, 2, 1, 1, 1, 2, 3, 6]));
        // Inside from the first pixel to the last: the columns run into each other.
        region.outline = vec![[0, 0], [3, 0], [3, 3], [0, 3]];
        region.holes = vec![vec![[1, 1], [1, 2], [2, 2], [2, 1]]];
        assert_eq!(segmentation(&region, (3, 3))["counts"], serde_json::json!([0, 4, 1, 4]));
    }

    #[test]
    fn heat_maps_of_different_photos_have_different_names_inside_the_folder() {
        let names = ["a/1.png", "../a/1.png", "../../a/1.png", "/a/../1.png"].map(inside);
        let expect = ["a/1.png", "_up/a/1.png", "_up/_up/a/1.png", "a/_up/1.png"];
        assert_eq!(names, expect.map(PathBuf::from));
    }
}
