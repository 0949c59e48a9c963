//! How far what is suspicious reaches: to half of its peak, as the width of a blurred spot is told.
//!
//! A map is blurred by what its patches see of their surroundings and by the bilinear way from cells to pixels. Everything above the mark
//! would be an area that grows with how strange a defect is, not with how large: the mark is what good parts hardly reach, and the slope
//! around a strong peak stays above it for long. Half of the peak does not depend on how strange a defect is.

use super::map::ScoreMap;

/// Which pixels of a photo of so many rows and columns are marked, row by row: more suspicious than `mark`, and at least half as suspicious
/// as the peak that they lead up to.
///
/// A peak that is parted from a higher one by less than half of itself is a shoulder of that one.
pub fn marked(map: &ScoreMap, rows: usize, cols: usize, mark: f32) -> Vec<bool> {
    let cuts = cuts(map);
    let full = map.resized(rows, cols);
    let inside = |(at, value): (usize, &f32)| {
        let (row, col) = (at / cols * map.rows / rows, at % cols * map.cols / cols);
        *value > mark && *value >= cuts[row * map.cols + col]
    };
    full.values.iter().enumerate().map(inside).collect()
}

/// What is suspicious around one peak.
struct Hill {
    peak: f32,
    /// The hill that it was joined to, as one piece of the map.
    joined: Option<usize>,
    /// The higher hill whose shoulder it is.
    shoulder_of: Option<usize>,
}

/// For each cell half of the peak that it leads up to, in the order of the map: cells are added from the most suspicious on, each to the
/// highest hill beside it.
fn cuts(map: &ScoreMap) -> Vec<f32> {
    let mut order: Vec<usize> = (0..map.values.len()).filter(|at| !map.values[*at].is_nan()).collect();
    order.sort_by(|a, b| map.values[*b].total_cmp(&map.values[*a]).then(a.cmp(b)));
    let mut hills: Vec<Hill> = Vec::new();
    let mut hill_of: Vec<Option<usize>> = vec![None; map.values.len()];
    for at in order {
        let value = map.values[at];
        let mut beside: Vec<usize> = around(map, at)
            .filter_map(|cell| hill_of[cell])
            .map(|hill| last(&hills, hill, |hill| hill.joined))
            .collect();
        beside.sort_unstable();
        beside.dedup();
        // Of equal peaks the first.
        let Some(highest) = beside
            .iter()
            .copied()
            .reduce(|best, hill| if hills[hill].peak > hills[best].peak { hill } else { best })
        else {
            hill_of[at] = Some(hills.len());
            hills.push(Hill { peak: value, joined: None, shoulder_of: None });
            continue;
        };
        hill_of[at] = Some(highest);
        for lower in beside.into_iter().filter(|hill| *hill != highest) {
            let is_shoulder = value >= hills[lower].peak / 2.0;
            hills[lower].joined = Some(highest);
            hills[lower].shoulder_of = is_shoulder.then_some(highest);
        }
    }
    let cut = |hill: &Option<usize>| {
        let peak = hill.map_or(0.0, |hill| hills[last(&hills, hill, |hill| hill.shoulder_of)].peak);
        if peak > 0.0 { peak / 2.0 } else { f32::NEG_INFINITY }
    };
    hill_of.iter().map(cut).collect()
}

/// Where following `next` from a hill ends.
fn last(hills: &[Hill], mut hill: usize, next: impl Fn(&Hill) -> Option<usize>) -> usize {
    while let Some(on) = next(&hills[hill]) {
        hill = on;
    }
    hill
}

/// The cells around one.
fn around(map: &ScoreMap, at: usize) -> impl Iterator<Item = usize> {
    let (rows, cols) = (map.rows, map.cols);
    let (row, col) = (at / cols, at % cols);
    let near = |place: usize, end: usize| place.saturating_sub(1)..(place + 2).min(end);
    near(row, rows)
        .flat_map(move |other| near(col, cols).map(move |beside| other * cols + beside))
        .filter(move |cell| *cell != at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which cells of one row are marked above 1.
    #[track_caller]
    fn check(values: &[f32], expect: &str) {
        let map = ScoreMap { rows: 1, cols: values.len(), values: values.to_vec() };
        let told: String =
            marked(&map, 1, values.len(), 1.0).iter().map(|at| if *at { '#' } else { '.' }).collect();
        assert_eq!(told, expect, "{values:?}");
    }

    #[test]
    fn a_defect_reaches_to_half_of_its_peak_however_strange_it_is() {
        check(&[0.0, 2.0, 4.0, 8.0, 4.0, 2.0, 0.0], "..###..");
        check(&[0.0, 20.0, 40.0, 80.0, 40.0, 20.0, 0.0], "..###..");
        check(&[0.0, 0.6, 1.2, 0.9, 0.0], "..#..");
    }

    #[test]
    fn a_weaker_defect_beside_a_strong_one_stays_marked_and_a_shoulder_is_none() {
        check(&[1.2, 3.0, 1.2, 8.0, 3.0], ".#.#.");
        check(&[0.0, 3.0, 2.0, 8.0, 3.0], "...#.");
        check(&[8.0, 5.0, 8.0], "###");
        check(&[2.0, 0.0, 8.0], "#.#");
    }

    #[test]
    fn what_is_no_number_or_below_nothing_marks_nothing() {
        check(&[f32::NAN, 4.0, 2.0], ".##");
        check(&[-4.0, -2.0], "..");
        check(&[3.0; 5], "#####");
    }

    /// A peak that falls off as a Gaussian of two cells, on a map of cells of 8 pixels.
    fn spot(peak: f32) -> ScoreMap {
        let fall = |at: usize| (-0.125 * (at as f32 - 20.0).powi(2)).exp();
        let values = (0..41 * 41).map(|at| peak * fall(at / 41) * fall(at % 41)).collect();
        ScoreMap { rows: 41, cols: 41, values }
    }

    #[test]
    fn the_area_is_that_within_half_of_the_peak_of_a_blurred_spot() {
        // The width at half height of a Gaussian is 2.355 deviations: here 37.7 pixels, a disc of 1115.
        for peak in [4.0, 8.0, 40.0] {
            let area = marked(&spot(peak), 328, 328, 1.0).iter().filter(|inside| **inside).count();
            assert!(area.abs_diff(1115) < 130, "{peak}: {area}");
        }
    }
}
