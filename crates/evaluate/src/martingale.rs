//! What bets on a stream of p-values have won: evidence that may be looked at whenever one likes (a test martingale, Shafer et al. 2011).

/// Evidence beyond which it does not matter how much there is; keeps the wealth finite.
const ENOUGH: f64 = 1e9;

/// One round of several bettors. The share `dealt` of all wealth is dealt anew before, so that one that is right late is not poor by then;
/// then each has `wins` times what it had. The evidence is what they have together, 1 at the beginning; `most` is the most that there ever was.
pub(crate) fn play<const N: usize>(wealth: &mut [f64; N], most: &mut f64, dealt: f64, wins: [f64; N]) {
    let anew = dealt * wealth.iter().sum::<f64>() / N as f64;
    for (wealth, wins) in wealth.iter_mut().zip(wins) {
        *wealth = ((1.0 - dealt) * *wealth + anew) * wins;
    }
    let evidence: f64 = wealth.iter().sum();
    if evidence > ENOUGH {
        wealth.iter_mut().for_each(|wealth| *wealth *= ENOUGH / evidence);
    }
    *most = most.max(evidence.min(ENOUGH));
}
