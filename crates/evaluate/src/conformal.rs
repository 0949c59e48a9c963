//! Intervals and sets with a stated coverage (methods 6.2).

use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Half the width of an interval that covers a new value with probability at least `coverage`, from out-of-fold errors.
///
/// It is the `ceil((n + 1) coverage)`-th smallest absolute error; infinite when there are too few for the promise.
pub fn half_width(errors: &[f64], coverage: f64) -> f64 {
    let mut sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    order_statistic(&mut sizes, coverage)
}

/// As [`half_width`], taking errors for normal around 0: for coverages that so few errors cannot promise. Infinite without errors.
///
/// It is Student's interval for one more value.
pub fn normal_half_width(errors: &[f64], coverage: f64) -> f64 {
    let n = errors.len() as f64;
    let Ok(t) = StudentsT::new(0.0, 1.0, n) else { return f64::INFINITY };
    let square = errors.iter().map(|error| error * error).sum::<f64>() / n;
    t.inverse_cdf(f64::midpoint(1.0, coverage)) * square.sqrt()
}

/// The largest `1 - p` a class may have to be in the set, from out-of-fold probabilities of the given classes.
///
/// The set `{k : 1 - p_k <= threshold}` holds the truth with probability at least `coverage` for exchangeable examples.
pub fn prediction_set_threshold(probs_of_given: &[f64], coverage: f64) -> f64 {
    let mut misses: Vec<f64> = probs_of_given.iter().map(|p| 1.0 - p).collect();
    order_statistic(&mut misses, coverage).min(1.0)
}

fn order_statistic(values: &mut [f64], coverage: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = ((values.len() + 1) as f64 * coverage).ceil() as usize;
    rank.checked_sub(1).and_then(|index| values.get(index)).copied().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    #[test]
    fn the_promise_is_kept_over_redraws() {
        let mut rng = Seed(4).rng();
        let mut covered = 0;
        for _ in 0..4000 {
            let errors: Vec<f64> = (0..40).map(|_| random::normal(&mut rng)).collect();
            covered += usize::from(random::normal(&mut rng).abs() <= half_width(&errors, 0.9));
        }
        assert!((3550..3750).contains(&covered), "{covered}");
    }

    #[test]
    fn normal_errors_promise_more_than_their_number_does() {
        let mut rng = Seed(5).rng();
        let mut covered = 0;
        for _ in 0..4000 {
            let errors: Vec<f64> = (0..12).map(|_| random::normal(&mut rng)).collect();
            covered += usize::from(random::normal(&mut rng).abs() <= normal_half_width(&errors, 0.99));
        }
        assert!((3935..3980).contains(&covered), "{covered}");
        assert_eq!(normal_half_width(&[], 0.9), f64::INFINITY);
        assert_eq!(normal_half_width(&[0.0; 3], 0.9), 0.0);
    }

    #[test]
    fn too_few_errors_promise_nothing() {
        assert_eq!(half_width(&[0.1; 8], 0.9), f64::INFINITY);
        assert_eq!(half_width(&[0.1; 9], 0.9), 0.1);
        assert_eq!(prediction_set_threshold(&[], 0.9), 1.0);
    }
}
