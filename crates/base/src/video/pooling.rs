//! From a vector for each frame, in the order of time, to one for the video.
//!
//! Every function takes at least one vector, all of one length, and gives a vector of that length.

/// The mean over time.
pub fn mean(rows: &[Vec<f32>]) -> Vec<f32> {
    each(rows, |values| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation over time, divided by the number of frames; 0 for a single one.
pub fn deviation(rows: &[Vec<f32>]) -> Vec<f32> {
    each(rows, |values| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    })
}

/// What changed from the first frame to the last.
pub fn last_less_first(rows: &[Vec<f32>]) -> Vec<f32> {
    each(rows, |values| values[values.len() - 1] - values[0])
}

/// The largest value at any time: what happens once is not averaged away.
pub fn largest(rows: &[Vec<f32>]) -> Vec<f32> {
    each(rows, |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// The mean size of a step from a frame to the next; 0 for a single frame.
pub fn mean_step(rows: &[Vec<f32>]) -> Vec<f32> {
    each(rows, |values| {
        let steps = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>();
        steps / (values.len() - 1).max(1) as f64
    })
}

/// Applies a function to the course of each number.
fn each(rows: &[Vec<f32>], pool: impl Fn(&[f64]) -> f64) -> Vec<f32> {
    let dim = rows.first().map_or(0, Vec::len);
    let course = |place: usize| rows.iter().map(|row| f64::from(row[place])).collect::<Vec<_>>();
    (0..dim).map(|place| pool(&course(place)) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_is_pooled_in_five_ways() {
        let rows = [vec![1.0, 0.0], vec![3.0, 0.0], vec![2.0, 6.0]];
        assert_eq!(mean(&rows), [2.0, 2.0]);
        assert_eq!(deviation(&rows), [(2.0_f32 / 3.0).sqrt(), 8.0_f32.sqrt()]);
        assert_eq!(last_less_first(&rows), [1.0, 6.0]);
        assert_eq!(largest(&rows), [3.0, 6.0]);
        assert_eq!(mean_step(&rows), [1.5, 3.0]);
    }

    #[test]
    fn a_single_frame_does_not_move() {
        let rows = [vec![-4.0, 5.0]];
        assert_eq!((mean(&rows), largest(&rows)), (rows[0].clone(), rows[0].clone()));
        for still in [deviation(&rows), last_less_first(&rows), mean_step(&rows)] {
            assert_eq!(still, [0.0, 0.0]);
        }
    }
}
