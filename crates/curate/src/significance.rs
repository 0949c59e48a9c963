//! Whether something could be chance: permutations, and many questions asked at once.

/// The p-value of a permutation test: how often chance alone does as well, of `as_extreme` among `drawn` random orders.
pub(crate) fn permutation_p(as_extreme: usize, drawn: usize) -> f64 {
    (1 + as_extreme) as f64 / (1 + drawn) as f64
}

/// Which p-values are discoveries when a share `rate` of the discoveries may be false (Benjamini and Hochberg 1995).
pub(crate) fn discoveries(p_values: &[f64], rate: f64) -> Vec<bool> {
    let mut sorted = p_values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let passes = |(place, p): &(usize, &f64)| **p <= rate * (place + 1) as f64 / p_values.len() as f64;
    let limit = sorted.iter().enumerate().rfind(passes).map(|(_, p)| *p);
    p_values.iter().map(|p| limit.is_some_and(|limit| *p <= limit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_p_value_under_the_line_takes_all_smaller_ones_along() {
        // The line at a rate of 0.1 is 0.025, 0.05, 0.075, 0.1: the second is above it, the third below.
        assert_eq!(discoveries(&[0.9, 0.07, 0.01, 0.055], 0.1), [false, true, true, true]);
        assert_eq!(discoveries(&[0.9, 0.2, 0.06, 0.06], 0.1), [false; 4]);
        assert!(discoveries(&[], 0.1).is_empty());
    }

    #[test]
    fn a_permutation_never_proves_more_than_were_drawn() {
        assert_eq!((permutation_p(0, 199), permutation_p(199, 199)), (0.005, 1.0));
    }
}
