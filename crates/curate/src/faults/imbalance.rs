//! Classes with far fewer examples than their even share.

use super::{Checked, Evidence, Fault};

/// Share of the even share below which a class is flagged (cleanlab's rule).
const TOO_FEW: f64 = 0.1;

/// Flags the rows of classes with less than a tenth of `n / k` examples. `labels` is `[n]`, each below `k`; a class without any
/// example counts in `k`. The score is the share of the even share, at most 1.
pub fn class_imbalance(labels: &[u32], k: usize) -> Checked {
    let mut counts = vec![0_usize; k];
    labels.iter().for_each(|label| counts[*label as usize] += 1);
    let even = labels.len() as f64 / k.max(1) as f64;
    let score = |label: &u32| (counts[*label as usize] as f64 / even).min(1.0);
    let checked = Checked::below(Fault::ClassImbalance, labels.iter().map(score).collect(), TOO_FEW);
    checked
        .because(|row| Evidence::Limit { value: counts[labels[row] as usize] as f64, limit: TOO_FEW * even })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_class_is_flagged_and_an_even_one_is_not() {
        let labels: Vec<u32> = (0..99).map(|row| u32::from(row >= 96)).collect();
        assert_eq!(class_imbalance(&labels, 2).flagged, [96, 97, 98]);
        assert!(class_imbalance(&labels[60..], 2).flagged.is_empty());
        assert!(class_imbalance(&[], 0).flagged.is_empty());
    }
}
