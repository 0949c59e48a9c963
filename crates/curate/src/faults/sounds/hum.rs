//! The hum of the mains: 50 or 60 hertz and their multiples, where nothing else is.

use crate::spectrum;

/// Frequencies of the mains, in hertz.
const MAINS: [u32; 2] = [50, 60];
/// Multiples looked at.
const MULTIPLES: usize = 6;
/// How many of them must stand out: two can be a tone and its octave.
const NEEDED: usize = 3;
/// Steps between frequencies are at most this, in hertz.
const STEP: f64 = 2.0;
/// How far the power of a hum may be from its frequency, in hertz, and how far the power around it reaches.
const NEAR: f64 = 3.0;
const AROUND: f64 = 20.0;

/// By how many decibels three of the first six multiples of one frequency of the mains stand out above what is around them, and which
/// frequency it is. `None` with less than one second, or a sample rate that has no such frequencies.
pub(super) fn hum(signal: &[f64], sample_rate: u32) -> Option<(f64, u32)> {
    let rate = f64::from(sample_rate);
    let n = ((rate / STEP).ceil() as usize).next_power_of_two();
    let highest = f64::from(MAINS[1]) * MULTIPLES as f64 + AROUND;
    if signal.len() < (sample_rate as usize).max(n) || highest > rate / 2.0 {
        return None;
    }
    let mut power = vec![0.0; n / 2 + 1];
    // Pieces overlap by half, as their windows do.
    for start in (0..=signal.len() - n).step_by(n / 2) {
        power.iter_mut().zip(spectrum::power(&signal[start..start + n])).for_each(|(sum, own)| *sum += own);
    }
    let step = rate / n as f64;
    let stands_out = |frequency: f64| {
        let within = |reach: f64| {
            ((frequency - reach) / step).ceil() as usize..((frequency + reach) / step).floor() as usize + 1
        };
        let peak = power[within(NEAR)].iter().copied().fold(0.0, f64::max);
        let (inner, outer) = (within(2.0 * NEAR), within(AROUND));
        let mut around: Vec<f64> = outer.filter(|at| !inner.contains(at)).map(|at| power[at]).collect();
        around.sort_by(f64::total_cmp);
        let usual = around[around.len() / 2];
        if usual > 0.0 { (10.0 * (peak / usual).log10()).max(0.0) } else { 0.0 }
    };
    let of = |mains: u32| {
        let mut all: Vec<f64> =
            (1..=MULTIPLES).map(|multiple| stands_out(f64::from(mains) * multiple as f64)).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        (all[NEEDED - 1], mains)
    };
    MAINS.map(of).into_iter().max_by(|a, b| a.0.total_cmp(&b.0))
}
