//! A series of sensors as a picture: for each sensor its curve, and below it the spectrum over time.
//!
//! Everything is drawn on the scale of the series that were learned from ([`Traces::survey`]), so that a sensor that swings more, lies
//! elsewhere or hums at another pitch looks other; time goes to the right, as many columns a step for all of them.

use std::path::Path;

use image::imageops::{FilterType, replace, resize};
use image::{GrayImage, Luma};
use realfft::RealFftPlanner;
use serde::{Deserialize, Serialize};

use crate::prep::PrepError;
use crate::series::{Channel, Fault, Sensors, Series, damage, read, survey};

/// Files that are read to find the scale.
const LOOKED_AT: usize = 64;
/// Of a long series so many pieces, of so many steps, are looked at: all sensors of all files fit into some 70 MB.
const PIECES: (usize, usize) = (8, 512);
/// Columns of the usual series: between these, one a step.
const WIDTH: (f64, f64) = (224.0, 512.0);
/// A series may be this many times as long as the usual one.
const MOST_TIMES: f64 = 8.0;
/// Rows of all sensors together, and rows of one curve or one spectrum at least and at most.
const HEIGHT: usize = 768;
const ROWS: (usize, usize) = (8, 56);
/// What the curve's values usually lie between, as shares of all values, and the room left above and below it.
const USUAL: (f64, f64) = (0.005, 0.995);
const ROOM: f64 = 0.5;
/// The same of powers of ten of the spectrum, with the room below and above.
const USUAL_POWER: (f64, f64) = (0.05, 0.995);
const POWER_ROOM: (f64, f64) = (0.25, 1.0);
/// Shades of what lies below the curve, and of the curve.
const FILLED: u8 = 96;
const CURVE: u8 = 255;
/// Steps of a window of the spectrum: an eighth of the usual series, between these.
const WINDOW: (usize, usize) = (16, 128);
/// Power that is told from none.
const LEAST_POWER: f64 = 1e-12;

/// How series are drawn now. What an inspector learned from other drawings says nothing of these: 2 has the spectrum below its part of the
/// curve and sees the end; 1 had not.
const DRAWING: u8 = 2;

/// The sensors that were learned from, and the scale on which they are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// The sensors, from the top down.
    pub sensors: Sensors,
    /// Steps of the usual series.
    steps: usize,
    /// The value at the bottom and at the top of each curve.
    values: Vec<[f64; 2]>,
    /// The powers of ten that are black and white in each spectrum.
    powers: Vec<[f64; 2]>,
    /// The way of drawing that was learned from.
    #[serde(default = "first_drawing")]
    drawing: u8,
}

/// What a place in the picture of a series is.
#[derive(Debug, Clone, PartialEq)]
pub struct TracePlace {
    /// From which step to which.
    pub steps: [f64; 2],
    /// The same in seconds; `None` where no clock counts them.
    pub seconds: Option<[f64; 2]>,
    /// The sensors, from the top down.
    pub sensors: Vec<String>,
}

/// Before there was a second way, none was written down.
fn first_drawing() -> u8 {
    1
}

impl Traces {
    /// Finds sensors and scale, looking at up to 64 files spread over all; `None` when none can be read.
    pub fn survey(files: &[&Path]) -> Option<Self> {
        let sensors = survey(files).sensors?;
        let n = files.len().min(LOOKED_AT);
        let spread = (0..n).map(|place| files[place * files.len() / n]);
        let glimpse = |file| Some(Glimpse::of(&evened(file, &sensors).ok()?.0));
        let glimpses: Vec<Glimpse> = spread.filter_map(glimpse).collect();
        let mut steps: Vec<usize> = glimpses.iter().map(|glimpse| glimpse.steps).collect();
        steps.sort_unstable();
        let steps = steps.get(steps.len() / 2).copied()?.max(2);
        let (mut values, mut powers) = (Vec::new(), Vec::new());
        for place in 0..sensors.channels.len() {
            let of = || glimpses.iter().flat_map(move |glimpse| &glimpse.pieces[place]);
            values.push(scale_of_values(of().flatten().map(|value| f64::from(*value))));
            powers.push(scale_of_powers(of().flat_map(|values| spectra(values, window(steps)).concat())));
        }
        Some(Self { sensors, steps, values, powers, drawing: DRAWING })
    }

    /// Whether it was learned from drawings as they were made before.
    pub fn is_older(&self) -> bool {
        self.drawing < DRAWING
    }

    /// Whether the parts fit together, of what came from a file.
    pub fn is_sound(&self) -> bool {
        let n = self.sensors.channels.len();
        let rises = |[low, high]: &[f64; 2]| low.is_finite() && high.is_finite() && low < high;
        self.drawing == DRAWING
            && n > 0
            && n <= crate::series::MAX_CHANNELS
            && (2..=crate::series::MAX_STEPS).contains(&self.steps)
            && self.values.len() == n
            && self.powers.len() == n
            && self.values.iter().chain(&self.powers).all(rises)
    }

    /// When these columns of a picture are, in steps and, where a clock counts them, in seconds by the usual rate; and which sensors these
    /// rows show.
    pub fn place(&self, columns: [u32; 2], rows: [u32; 2]) -> TracePlace {
        let a_step = self.columns_a_step();
        let steps = columns.map(|column| f64::from(column) / a_step);
        let height = 2 * self.rows();
        let shown = (rows[0] / height) as usize..(rows[1].max(1) - 1) as usize / height as usize + 1;
        let sensors = self.sensors.channels.iter().enumerate().filter(|(place, _)| shown.contains(place));
        TracePlace {
            steps,
            seconds: self.sensors.rate.map(|rate| steps.map(|step| step / rate)),
            sensors: sensors.map(|(_, name)| name.clone()).collect(),
        }
    }

    fn columns_a_step(&self) -> f64 {
        let usual = self.steps as f64;
        usual.clamp(WIDTH.0, WIDTH.1) / usual
    }

    /// Rows of a curve, and of the spectrum below it.
    fn rows(&self) -> u32 {
        (HEIGHT / (2 * self.sensors.channels.len())).clamp(ROWS.0, ROWS.1) as u32
    }

    /// The picture of one series, and what of it was lost or set right.
    ///
    /// # Errors
    /// [`PrepError::NotASeries`] when it cannot be read, has none of the sensors, or is far longer than the usual one.
    pub fn draw(&self, path: &Path) -> Result<(GrayImage, Option<String>), PrepError> {
        let (series, faults, there) = evened(path, &self.sensors)?;
        if !there {
            let names = self.sensors.channels.join("`, `");
            return Err(PrepError::NotASeries { detail: format!("it has none of the sensors `{names}`") });
        }
        let (got, usual) = (series.len(), self.steps);
        if got as f64 > MOST_TIMES * usual as f64 {
            let detail = format!("it has {got} steps, those learned from usually have {usual}");
            return Err(PrepError::NotASeries { detail });
        }
        let width = (got as f64 * self.columns_a_step()).round().max(1.0) as u32;
        let (n, rows) = (self.sensors.channels.len(), self.rows());
        let mut picture = GrayImage::new(width, 2 * rows * n as u32);
        for (place, channel) in series.channels.iter().enumerate() {
            let top = i64::from(2 * rows) * place as i64;
            replace(&mut picture, &curve(&channel.values, self.values[place], (width, rows)), 0, top);
            let spectrum = spectrum(&channel.values, window(usual), self.powers[place], (width, rows));
            replace(&mut picture, &spectrum, 0, top + i64::from(rows));
        }
        Ok((picture, damage(&faults)))
    }
}

/// What is kept of one series to find the scale.
struct Glimpse {
    /// How long it is.
    steps: usize,
    /// For each sensor the whole curve, or pieces of a long one spread over all of it.
    pieces: Vec<Vec<Vec<f32>>>,
}

impl Glimpse {
    fn of(series: &Series) -> Self {
        let (steps, (many, length)) = (series.len(), PIECES);
        let starts: Vec<usize> = if steps <= many * length {
            vec![0]
        } else {
            (0..many).map(|piece| piece * (steps - length) / (many - 1)).collect()
        };
        let length = if starts.len() == 1 { steps } else { length };
        let cut = |channel: &Channel| {
            starts.iter().map(|start| channel.values[*start..start + length].to_vec()).collect()
        };
        Self { steps, pieces: series.channels.iter().map(cut).collect() }
    }
}

/// A series with equal steps and these sensors, what had to be set right for it, and whether it has any of them.
fn evened(path: &Path, sensors: &Sensors) -> Result<(Series, Vec<Fault>, bool), PrepError> {
    let (series, mut faults) =
        read(path).map_err(|error| PrepError::NotASeries { detail: error.to_string() })?;
    let there = series.channels.iter().any(|channel| sensors.channels.contains(&channel.name));
    let (series, more) = sensors.set_right(series);
    faults.extend(more);
    Ok((series, faults, there))
}

/// A power of two.
fn window(steps: usize) -> usize {
    (steps / 8).next_power_of_two().clamp(WINDOW.0, WINDOW.1)
}

/// The values below and above which few lie, with room; around a value that never changes there is room as well.
fn scale_of_values(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let [low, high] = between(values, USUAL).unwrap_or([0.0, 0.0]);
    let swing = high - low;
    let room = if swing > 0.0 { ROOM * swing } else { low.abs().max(1.0) };
    [low - room, high + room]
}

fn scale_of_powers(powers: impl Iterator<Item = f64>) -> [f64; 2] {
    let [low, high] = between(powers, USUAL_POWER).unwrap_or([0.0, 0.0]);
    [low - POWER_ROOM.0, high + POWER_ROOM.1]
}

fn between(values: impl Iterator<Item = f64>, shares: (f64, f64)) -> Option<[f64; 2]> {
    let mut sorted: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted[(share * (sorted.len() - 1) as f64).round() as usize];
    (!sorted.is_empty()).then(|| [at(shares.0), at(shares.1)])
}

/// What lies below the curve is grey, the curve itself white; a column shows all values of its steps. A sensor that is not there is black.
pub(super) fn curve(values: &[f32], [bottom, top]: [f64; 2], (width, rows): (u32, u32)) -> GrayImage {
    let mut picture = GrayImage::new(width, rows);
    let height = |value: f64| {
        let share = ((value - bottom) / (top - bottom)).clamp(0.0, 1.0);
        (share * f64::from(rows - 1)).round() as u32
    };
    let a_column = values.len() as f64 / f64::from(width);
    for x in 0..width {
        let start = (f64::from(x) * a_column) as usize;
        // One step more: the curve goes on to the next column.
        let end = ((f64::from(x + 1) * a_column).ceil() as usize + 1).min(values.len());
        let shown = values[start.min(end)..end].iter().filter(|value| value.is_finite());
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(f64::from(*value)), high.max(f64::from(*value)))
        });
        if low > high {
            continue;
        }
        for y in 0..=height(high) {
            let shade = if y < height(low) { FILLED } else { CURVE };
            picture.put_pixel(x, rows - 1 - y, Luma([shade]));
        }
    }
    picture
}

/// The spectrum over time, low frequencies at the bottom.
fn spectrum(values: &[f32], window: usize, [black, white]: [f64; 2], (width, rows): (u32, u32)) -> GrayImage {
    let frames = spectra(values, window);
    let bins = window / 2;
    let plain = GrayImage::from_fn(frames.len() as u32, bins as u32, |x, y| {
        let power = frames[x as usize][bins - 1 - y as usize];
        Luma([(255.0 * ((power - black) / (white - black)).clamp(0.0, 1.0)).round() as u8])
    });
    resize(&plain, width, rows, FilterType::Triangle)
}

/// Powers of ten of the spectrum without what does not change, `[frames][window / 2]`, in windows about every quarter of one.
///
/// The frames share the series evenly and each window lies around the middle of its share, so that a column of the picture shows what
/// the curve above it does. At both ends the series goes on as in a mirror: its last step is seen as well as any.
fn spectra(values: &[f32], window: usize) -> Vec<Vec<f64>> {
    let forward = RealFftPlanner::<f64>::new().plan_fft_forward(window);
    let (mut input, mut output) = (forward.make_input_vec(), forward.make_output_vec());
    let n_frames = values.len().div_ceil(window / 4).max(1);
    let turn = std::f64::consts::TAU / window as f64;
    let hann: Vec<f64> = (0..window).map(|step| 0.5 - 0.5 * (turn * (step as f64 + 0.5)).cos()).collect();
    let full: f64 = hann.iter().map(|weight| weight * weight).sum();
    let known = |step: i64| match mirrored(step, values.len()).map(|at| values[at]) {
        Some(value) if value.is_finite() => f64::from(value),
        _ => 0.0,
    };
    let frame = |number: usize| {
        let middle = (2 * number + 1) * values.len() / (2 * n_frames);
        let start = middle as i64 - window as i64 / 2;
        input.iter_mut().zip(start..).for_each(|(to, step)| *to = known(step));
        let mean = input.iter().sum::<f64>() / window as f64;
        input.iter_mut().zip(&hann).for_each(|(value, weight)| *value = weight * (*value - mean));
        forward.process(&mut input, &mut output).expect("the buffers were made by the transform");
        let power = output[1..].iter().map(|bin| (bin.norm_sqr() / full).max(LEAST_POWER).log10());
        power.collect()
    };
    (0..n_frames).map(frame).collect()
}

/// The place of a step in a series of `n` that goes on as in mirrors at its first and last step; `None` in an empty one.
fn mirrored(step: i64, n: usize) -> Option<usize> {
    let last = i64::try_from(n).ok()? - 1;
    match last {
        ..0 => None,
        0 => Some(0),
        _ => {
            let there = step.rem_euclid(2 * last);
            usize::try_from(there.min(2 * last - there)).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// A swing of this height and pitch around a level, 300 steps.
    fn swing(dir: &Path, name: &str, of: impl Fn(f64) -> f64) -> std::path::PathBuf {
        let path = dir.join(name);
        let mut text = "time,force,heat\n".to_owned();
        for step in 0..300 {
            let time = f64::from(step);
            writeln!(text, "{:.2},{:.4},20", time * 0.01, of(time)).unwrap();
        }
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn level_swing_and_pitch_show_and_the_scale_is_that_of_the_learned() {
        let dir = tempfile::tempdir().unwrap();
        let usual = swing(dir.path(), "a.csv", |time| (0.3 * time).sin());
        let traces = Traces::survey(&[&usual]).unwrap();
        assert!(traces.is_sound() && traces.sensors.channels == ["force", "heat"]);
        let again: Traces = serde_json::from_str(&serde_json::to_string(&traces).unwrap()).unwrap();
        assert_eq!(again, traces);
        let mut before = serde_json::to_value(&traces).unwrap();
        before.as_object_mut().unwrap().remove("drawing");
        let before: Traces = serde_json::from_value(before).unwrap();
        // A curve with its spectrum is 112 pixels high, a column is a step of a hundredth of a second.
        let place = traces.place([100, 150], [20, 60]);
        assert_eq!((place.steps, &place.sensors[..]), ([100.0, 150.0], &["force".to_owned()][..]));
        assert!(
            place.seconds.unwrap().iter().zip([1.0, 1.5]).all(|(got, wanted)| (got - wanted).abs() < 1e-6)
        );
        assert_eq!(traces.place([0, 9], [111, 113]).sensors, ["force", "heat"]);
        assert_eq!(traces.place([0, 9], [112, 224]).sensors, ["heat"]);
        assert!(before.is_older() && !before.is_sound() && !traces.is_older());
        let drawn = |path: &Path| traces.draw(path).unwrap().0;
        let plain = drawn(&usual);
        assert_eq!((plain.width(), plain.height()), (300, 224));
        let differ = |other: &GrayImage, rows: std::ops::Range<u32>| {
            let at = |picture: &GrayImage, x, y| f64::from(picture.get_pixel(x, y).0[0]);
            let off = rows.clone().flat_map(|y| (0..300).map(move |x| (x, y)));
            off.map(|(x, y)| (at(other, x, y) - at(&plain, x, y)).abs()).sum::<f64>()
                / f64::from(300 * rows.len() as u32)
        };
        let higher = drawn(&swing(dir.path(), "b.csv", |time| 0.5 + (0.3 * time).sin()));
        assert!(differ(&higher, 0..56) > 15.0 && differ(&higher, 56..112) < 5.0);
        let pitched = drawn(&swing(dir.path(), "c.csv", |time| (1.2 * time).sin()));
        assert!(differ(&pitched, 56..112) > 15.0);
        assert_eq!(differ(&pitched, 112..224), 0.0, "the other sensor is as it was");
    }

    #[test]
    fn a_knock_shows_below_the_curve_where_it_happens_at_the_very_end_too() {
        for (steps, at) in [(300, 40), (300, 150), (1000, 700), (1000, 997), (301, 299)] {
            let values: Vec<f32> = (0..steps).map(|step| f32::from(u8::from(step == at))).collect();
            let width = steps as u32;
            let picture = spectrum(&values, window(steps), [-4.0, 0.0], (width, 20));
            let column = |x: u32| (0..20).map(|y| u64::from(picture.get_pixel(x, y).0[0])).sum::<u64>();
            let (sum, moment) = (0..width)
                .fold((0, 0), |(sum, moment), x| (sum + column(x), moment + u64::from(x) * column(x)));
            let middle = moment as f64 / sum as f64;
            // The window itself reaches to each side.
            let off = (middle - at as f64).abs();
            assert!(off < window(steps) as f64 / 4.0 + 1.0, "{steps} {at}: {middle}");
        }
    }

    #[test]
    fn of_long_series_only_pieces_are_kept_and_the_scale_is_the_same() {
        let channel = |n: usize| Channel {
            name: "force".to_owned(),
            values: (0..n).map(|step| (0.3 * step as f32).sin() + 2.0 * step as f32 / n as f32).collect(),
        };
        let glimpse = |n: usize| Glimpse::of(&Series { channels: vec![channel(n)], times: None, rate: None });
        let (short, long) = (glimpse(4096), glimpse(2_000_000));
        assert_eq!((short.pieces[0].len(), short.pieces[0][0].len()), (1, 4096));
        assert_eq!((long.steps, long.pieces[0].iter().map(Vec::len).sum::<usize>()), (2_000_000, 4096));
        let scale = |glimpse: &Glimpse| {
            scale_of_values(glimpse.pieces[0].iter().flatten().map(|value| f64::from(*value)))
        };
        for (short, long) in scale(&short).iter().zip(scale(&long)) {
            // Of a scale some six wide.
            assert!((short - long).abs() < 0.3, "{short} {long}");
        }
    }

    #[test]
    fn what_is_no_series_of_these_sensors_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let usual = swing(dir.path(), "a.csv", |time| (0.3 * time).sin());
        let traces = Traces::survey(&[&usual]).unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(dir.path().join(name), text).unwrap();
            dir.path().join(name)
        };
        let refused = |path: &Path| traces.draw(path).unwrap_err().to_string();
        assert!(
            refused(&write("b.csv", "time,other\n0,1\n1,2\n2,3\n")).contains("none of the sensors `force`")
        );
        assert!(refused(&write("c.csv", "")).contains("not a series"));
        let long: String = (0..2500).map(|step| format!("{:.2},1,20\n", f64::from(step) * 0.01)).collect();
        assert!(refused(&write("d.csv", &format!("time,force,heat\n{long}"))).contains("2500 steps"));
        // A lost sensor is no reason to refuse: it shows.
        traces.draw(&write("e.csv", "time,force\n0,1\n0.01,2\n0.02,3\n")).unwrap();
        assert!(Traces::survey(&[Path::new("nowhere.csv")]).is_none());
    }
}
