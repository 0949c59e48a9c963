//! Runs of pixels: turned from row by row to column by column and back, measured, and drawn.

/// Lengths of runs of a mask of `width * height` pixels that is walked the other way: from row by row to column by column.
/// For the way back, swap `width` and `height`.
///
/// The work grows with the number of runs, not of pixels. `None` when more than `most` runs come out, when the runs do not
/// cover the mask exactly, or when it has no pixels.
pub fn transposed(runs: &[u32], width: u32, height: u32, most: usize) -> Option<Vec<u32>> {
    let (w, h) = (u64::from(width), u64::from(height));
    let total = w * h;
    let sum: u64 = runs.iter().map(|run| u64::from(*run)).sum();
    if total == 0 || sum != total || total > u64::from(u32::MAX) {
        return None;
    }
    let flips = flips(runs, total);
    // Between two rows the value of a column changes where exactly one of them changes it; those are runs' ends on the way
    // down. Only rows in or before which something changes need be looked at.
    let mut ends: Vec<u64> = Vec::new();
    let mut rows: Vec<u64> = flips.iter().flat_map(|flip| [flip / w, flip / w + 1]).collect();
    rows.push(0);
    rows.sort_unstable();
    rows.dedup();
    for row in rows.into_iter().filter(|row| *row < h) {
        // Above the first row of a column lies the last row of the column before.
        let (above, shift) = if row == 0 { (h - 1, 1) } else { (row - 1, 0) };
        let mut borders = borders(&flips, above, w);
        borders.iter_mut().for_each(|border| *border = (*border + shift).min(w));
        if row == 0 {
            // Before the first pixel of all, nothing is marked.
            borders.retain(|border| *border < w);
        }
        borders.extend(self::borders(&flips, row, w));
        borders.sort_unstable();
        let mut at = 0;
        let mut differs = false;
        for border in borders.into_iter().chain([w]) {
            if differs {
                if ends.len() as u64 + (border - at) > most as u64 {
                    return None;
                }
                ends.extend((at..border).map(|column| column * h + row));
            }
            (at, differs) = (border, !differs);
        }
    }
    ends.sort_unstable();
    let mut lengths = Vec::with_capacity(ends.len() + 1);
    let mut from = 0;
    for end in ends.into_iter().chain([total]) {
        lengths.push((end - from) as u32);
        from = end;
    }
    (lengths.len() <= most).then_some(lengths)
}

/// Where the value changes, ascending; runs of length 0 cancel out.
fn flips(runs: &[u32], total: u64) -> Vec<u64> {
    let mut flips: Vec<u64> = Vec::with_capacity(runs.len());
    let mut at = 0;
    for run in runs {
        at += u64::from(*run);
        if at == total {
            break;
        }
        if flips.last() == Some(&at) {
            flips.pop();
        } else {
            flips.push(at);
        }
    }
    flips
}

/// Where the value changes within one row, starting from unmarked; 0 when the row begins marked.
fn borders(flips: &[u64], row: u64, width: u64) -> Vec<u64> {
    let start = row * width;
    let before = flips.partition_point(|flip| *flip <= start);
    let after = before + flips[before..].partition_point(|flip| *flip < start + width);
    let begins_marked = before % 2 == 1;
    begins_marked
        .then_some(0)
        .into_iter()
        .chain(flips[before..after].iter().map(|flip| flip - start))
        .collect()
}

/// The marked stretches: where each begins and ends, in pixels from the first.
pub(crate) fn stretches(runs: &[u32]) -> impl Iterator<Item = (u64, u64)> {
    let mut at = 0;
    runs.chunks(2).filter_map(move |pair| {
        let from = at + u64::from(pair[0]);
        at = from + pair.get(1).map_or(0, |run| u64::from(*run));
        (at > from).then_some((from, at))
    })
}

/// The number of marked pixels.
pub(crate) fn area(runs: &[u32]) -> u64 {
    stretches(runs).map(|(from, to)| to - from).sum()
}

/// The smallest rectangle around what is marked: left, upper, right and lower edge.
pub(crate) fn edges(width: u32, runs: &[u32]) -> Option<[f64; 4]> {
    let width = u64::from(width).max(1);
    let mut edges: Option<[u64; 4]> = None;
    for (from, to) in stretches(runs) {
        let (first, last) = (from / width, (to - 1) / width);
        // A stretch of several rows reaches from the left to the right edge, or across it.
        let [left, right] = if first == last { [from % width, (to - 1) % width + 1] } else { [0, width] };
        let one = [left, first, right, last + 1];
        edges = Some(edges.map_or(one, |all| {
            [all[0].min(one[0]), all[1].min(one[1]), all[2].max(one[2]), all[3].max(one[3])]
        }));
    }
    edges.map(|edges| edges.map(|edge| edge as f64))
}

/// The runs of a mask, row by row.
pub(crate) fn of_pixels(marked: impl Iterator<Item = bool>) -> Vec<u32> {
    let mut runs = vec![0];
    let mut now = false;
    for is_marked in marked {
        if is_marked != now {
            runs.push(0);
            now = is_marked;
        }
        if let Some(run) = runs.last_mut() {
            *run += 1;
        }
    }
    runs
}

/// The runs of what more than half of several masks of one size mark.
pub(crate) fn most(masks: &[Vec<u32>]) -> Vec<u32> {
    let total: u64 = masks.first().into_iter().flatten().map(|run| u64::from(*run)).sum();
    let mut changes: Vec<(u64, i64)> =
        masks.iter().flat_map(|runs| stretches(runs)).flat_map(|(from, to)| [(from, 1), (to, -1)]).collect();
    changes.sort_unstable();
    let (mut lengths, mut last, mut n, mut now) = (Vec::new(), 0, 0, false);
    for changes in changes.chunk_by(|a, b| a.0 == b.0) {
        n += changes.iter().map(|(_, change)| change).sum::<i64>();
        let marks = 2 * n > masks.len() as i64;
        if marks != now {
            lengths.push((changes[0].0 - last) as u32);
            (last, now) = (changes[0].0, marks);
        }
    }
    lengths.extend((last < total || lengths.is_empty()).then(|| (total - last) as u32));
    lengths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turned(pixels: &[bool], width: usize) -> Vec<bool> {
        let height = pixels.len() / width;
        (0..width).flat_map(|x| (0..height).map(move |y| pixels[y * width + x])).collect()
    }

    #[test]
    fn a_small_mask_is_turned() {
        // . # #
        // # # .
        assert_eq!(transposed(&[1, 4, 1], 3, 2, 100), Some(vec![1, 4, 1]));
        // # . .
        // # . #
        assert_eq!(transposed(&[0, 1, 2, 1, 1, 1], 3, 2, 100), Some(vec![0, 2, 3, 1]));
        assert_eq!(transposed(&[6], 3, 2, 100), Some(vec![6]));
        assert_eq!(transposed(&[0, 6], 3, 2, 100), Some(vec![0, 6]));
        assert_eq!(transposed(&[1, 2, 0, 2, 1], 3, 2, 100), Some(vec![1, 4, 1]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(transposed(&[1, 4], 3, 2, 100), None);
        assert_eq!(transposed(&[], 0, 2, 100), None);
        let stripes = vec![1; 64 * 64];
        assert_eq!(transposed(&stripes, 64, 64, 10), None);
        // Costs nothing although it has as many pixels as any mask may have.
        assert_eq!(transposed(&[0, 1 << 26], 1, 1 << 26, 10), Some(vec![0, 1 << 26]));
        assert_eq!(
            transposed(&[1 << 25, 1 << 25], 1 << 13, 1 << 13, 1 << 14).map(|runs| runs.len()),
            Some(1 << 14)
        );
    }

    proptest! {
        #[test]
        fn most_is_what_pixels_say(masks in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 12), 1..6)) {
            let all: Vec<Vec<u32>> = masks.iter().map(|mask| of_pixels(mask.iter().copied())).collect();
            let marked = |at: usize| 2 * masks.iter().filter(|mask| mask[at]).count() > masks.len();
            prop_assert_eq!(most(&all), of_pixels((0..12).map(marked)));
        }

        #[test]
        fn turning_is_what_pixels_say(width in 1_usize..9, pixels in proptest::collection::vec(any::<bool>(), 1..80)) {
            let pixels = &pixels[..pixels.len() / width * width];
            prop_assume!(!pixels.is_empty());
            let height = pixels.len() / width;
            let runs = of_pixels(pixels.iter().copied());
            let expect = of_pixels(turned(pixels, width).into_iter());
            let got = transposed(&runs, width as u32, height as u32, 1000).unwrap();
            prop_assert_eq!(&got, &expect);
            prop_assert_eq!(transposed(&got, height as u32, width as u32, 1000).unwrap(), runs);
        }

        #[test]
        fn any_runs_end(runs in proptest::collection::vec(0_u32..9, 0..20), width in 0_u32..9, height in 0_u32..9) {
            let _ = transposed(&runs, width, height, 50);
            let _ = edges(width, &runs);
        }
    }
}
