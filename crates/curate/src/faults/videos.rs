//! Videos that show less than they promise, by small grey frames at even steps of time.

use super::{Checked, Evidence, Fault};
use crate::CurateError;

/// Mean difference, of 255, from which a frame differs from the one before: more than the noise of coding.
const CHANGE: f64 = 0.5;
/// Brightness up to which a pixel is black: what players show as black in either range of levels.
const BLACK: u8 = 20;
/// Share of black pixels from which a frame is black.
const ALL_BLACK: f64 = 0.98;
/// Share of black frames from which a video is flagged.
const BLACK_FRAMES: f64 = 0.5;
/// Share of the steps in the longest stretch without a change from which a video is frozen.
const FROZEN: f64 = 0.8;
/// Share of the steps without a change, outside that stretch, from which frames are repeated.
const REPEATED: f64 = 0.4;

/// What is measured of one video. A share is `None` where a single frame says nothing about change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Video {
    /// Share of the frames that are black.
    pub black: f64,
    /// Share of the steps from frame to frame that the longest stretch without a change takes.
    pub frozen: Option<f64>,
    /// Share of the other steps that change nothing: frames given twice among frames that move.
    pub repeated: Option<f64>,
}

impl Video {
    /// Measures grey frames in the order of time, all of one size; 32 pixels a side are enough.
    ///
    /// # Errors
    /// When there is no frame or no pixel, or the frames differ in size.
    pub fn measure(frames: &[&[u8]]) -> Result<Self, CurateError> {
        let first = *frames.first().ok_or(CurateError::Empty { what: "frames" })?;
        if first.is_empty() {
            return Err(CurateError::Empty { what: "pixels" });
        }
        if let Some(odd) = frames.iter().find(|frame| frame.len() != first.len()) {
            return Err(CurateError::Shape {
                what: "pixels of a frame",
                expected: first.len(),
                got: odd.len(),
            });
        }
        let black = frames.iter().filter(|frame| is_black(frame)).count() as f64 / frames.len() as f64;
        let still: Vec<bool> = frames.windows(2).map(|pair| difference(pair[0], pair[1]) < CHANGE).collect();
        let longest = still.split(|is_still| !is_still).map(<[bool]>::len).max().unwrap_or(0);
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let n_still = still.iter().filter(|is_still| **is_still).count();
        Ok(Self {
            black,
            frozen: share(longest, still.len()),
            repeated: share(n_still - longest, still.len() - longest),
        })
    }
}

/// Every check of videos, in the order of [`Fault::ALL`]. Where a quarter of the videos repeat frames, that is how the set is.
pub fn videos(measured: &[Video]) -> Vec<Checked> {
    let each = |score: &dyn Fn(&Video) -> Option<f64>| measured.iter().map(score).collect::<Vec<_>>();
    let because = |value: fn(&Video) -> Option<f64>, limit| {
        move |row: usize| Evidence::Limit { value: value(&measured[row]).unwrap_or_default(), limit }
    };
    vec![
        Checked::known_below(
            Fault::BlackFrames,
            each(&|video| Some(1.0 - video.black)),
            just_above(BLACK_FRAMES),
        )
        .because(because(|video| Some(video.black), BLACK_FRAMES)),
        Checked::known_below(
            Fault::Frozen,
            each(&|video| video.frozen.map(|share| 1.0 - share)),
            just_above(FROZEN),
        )
        .because(because(|video| video.frozen, FROZEN)),
        Checked::below_unless_usual(
            Fault::RepeatedFrames,
            each(&|video| video.repeated.map(|share| 1.0 - share)),
            just_above(REPEATED),
        )
        .because(because(|video| video.repeated, REPEATED)),
    ]
}

/// The score below which a share of `limit` or more lies.
fn just_above(limit: f64) -> f64 {
    (1.0 - limit).next_up()
}

fn is_black(frame: &[u8]) -> bool {
    let black = frame.iter().filter(|value| **value <= BLACK).count();
    black as f64 >= ALL_BLACK * frame.len() as f64
}

fn difference(one: &[u8], other: &[u8]) -> f64 {
    let sum: u64 = one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright bar that moves by a pixel a frame over grey.
    fn moving(time: usize) -> Vec<u8> {
        (0..256).map(|place| if place % 16 == time % 16 { 240 } else { 90 }).collect()
    }

    #[track_caller]
    fn check(frames: Vec<Vec<u8>>, faults: &[Fault]) {
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let odd = Video::measure(&frames).unwrap();
        let usual: Vec<Vec<u8>> = (0..20).map(moving).collect();
        let usual: Vec<&[u8]> = usual.iter().map(Vec::as_slice).collect();
        let mut all = vec![Video::measure(&usual).unwrap(); 9];
        all.push(odd);
        for checked in videos(&all) {
            let expected: &[usize] = if faults.contains(&checked.fault) { &[9] } else { &[] };
            assert_eq!(checked.flagged, expected, "{:?} {odd:?}", checked.fault);
            assert!(checked.evidence.keys().eq(expected), "{:?}", checked.fault);
        }
    }

    #[test]
    fn each_fault_is_flagged_and_no_other() {
        check((0..20).map(|time| moving(3 * time)).collect(), &[]);
        check((0..20).map(|time| moving(time.min(2))).collect(), &[Fault::Frozen]);
        check((0..20).map(|time| moving(time / 2)).collect(), &[Fault::RepeatedFrames]);
        let black = |time: usize| if time < 12 { vec![(time % 2) as u8 * 9; 256] } else { moving(time) };
        check((0..20).map(black).collect(), &[Fault::BlackFrames]);
        check(vec![vec![0; 256]; 20], &[Fault::BlackFrames, Fault::Frozen]);
        // A stop in between is no fault.
        check((0..20).map(|time| moving(if (5..10).contains(&time) { 5 } else { time })).collect(), &[]);
    }

    #[test]
    fn a_single_frame_says_nothing_about_change() {
        let frame = moving(0);
        let video = Video::measure(&[&frame]).unwrap();
        assert_eq!(video, Video { black: 0.0, frozen: None, repeated: None });
        assert!(videos(&[video]).iter().all(|checked| checked.flagged.is_empty()));
        let still = Video::measure(&[&frame, &frame]).unwrap();
        assert_eq!((still.frozen, still.repeated), (Some(1.0), None));
    }

    #[test]
    fn frames_that_are_none_are_refused() {
        assert_eq!(Video::measure(&[]), Err(CurateError::Empty { what: "frames" }));
        assert_eq!(Video::measure(&[&[]]), Err(CurateError::Empty { what: "pixels" }));
        assert!(matches!(Video::measure(&[&[1], &[1, 2]]), Err(CurateError::Shape { .. })));
    }
}
