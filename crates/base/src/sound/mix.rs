//! One channel of several: their mean, or the loudest where that is next to nothing.

/// The mean counts as nothing where its power is this share of the channels' mean power: 20 dB below.
const CANCELLED: f64 = 0.01;
/// Power below which a block is silent and says nothing of its channels.
const SILENT: f64 = 1e-8;
/// How much more power another channel needs to take over from the one that speaks: from block to block one channel should.
const LOUDER: f64 = 4.0;

/// Mixes the channels of a sound block by block.
///
/// Two microphones that are wired the other way round cancel each other, and their mean is silence although both hear: there the loudest
/// channel speaks for all.
#[derive(Debug, Default)]
pub struct Mixer {
    /// The channel that spoke last where the mean said nothing.
    speaks: Option<usize>,
}

impl Mixer {
    /// Replaces `mono` by the mean of the channels, or by the loudest where they cancel each other.
    pub fn mix(&mut self, channels: &[Vec<f32>], mono: &mut Vec<f32>) {
        mono.clear();
        let Some((first, others)) = channels.split_first() else { return };
        mono.extend_from_slice(first);
        if others.is_empty() {
            return;
        }
        for other in others {
            mono.iter_mut().zip(other).for_each(|(sum, value)| *sum += value);
        }
        let share = 1.0 / channels.len() as f32;
        mono.iter_mut().for_each(|sum| *sum *= share);
        let powers: Vec<f64> = channels.iter().map(|channel| power(channel)).collect();
        let usual = powers.iter().sum::<f64>() / powers.len() as f64;
        if usual > SILENT && power(mono) < CANCELLED * usual {
            let loudest =
                (0..powers.len()).fold(0, |best, at| if powers[at] > powers[best] { at } else { best });
            let stays = self.speaks.filter(|at| *at < powers.len() && powers[loudest] < LOUDER * powers[*at]);
            let speaks = stays.unwrap_or(loudest);
            self.speaks = Some(speaks);
            mono.copy_from_slice(&channels[speaks]);
        }
    }

    /// Whether the channels cancelled each other anywhere.
    pub fn has_cancelled(&self) -> bool {
        self.speaks.is_some()
    }
}

fn power(samples: &[f32]) -> f64 {
    samples.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / samples.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(mixer: &mut Mixer, channels: &[Vec<f32>]) -> Vec<f32> {
        let mut mono = vec![9.0];
        mixer.mix(channels, &mut mono);
        mono
    }

    #[test]
    fn one_channel_is_the_mean() {
        let mut mixer = Mixer::default();
        assert_eq!(mixed(&mut mixer, &[vec![1.0, 0.0], vec![0.0, -1.0]]), [0.5, -0.5]);
        assert_eq!(mixed(&mut mixer, &[vec![0.0; 2], vec![0.0; 2]]), [0.0, 0.0]);
        assert!(!mixer.has_cancelled());
    }

    #[test]
    fn channels_that_cancel_each_other_are_heard_by_the_loudest() {
        let hum: Vec<f32> = (0..100).map(|at| (at as f32 * 0.3).sin()).collect();
        let turned = |share: f32| -> Vec<f32> { hum.iter().map(|value| -share * value).collect() };
        let mut mixer = Mixer::default();
        assert_eq!(mixed(&mut mixer, &[hum.clone(), turned(1.05)]), turned(1.05));
        assert!(mixer.has_cancelled());
        // The same one goes on, or the sound would turn around from block to block.
        assert_eq!(mixed(&mut mixer, &[hum.clone(), turned(0.95)]), turned(0.95));
        // A channel that is much quieter takes nothing away.
        let mean: Vec<f32> = hum.iter().zip(turned(0.5)).map(|(a, b)| (a + b) * 0.5).collect();
        assert_eq!(mixed(&mut Mixer::default(), &[hum.clone(), turned(0.5)]), mean);
    }
}
