//! Samples as the bytes of a WAV file: for sounds that are made or cut, not recorded.

/// A file of 16 bits and one channel at `rate` samples a second.
pub fn wav(samples: &[i16], rate: u32) -> Vec<u8> {
    file(1, rate, samples.iter().map(|sample| sample.to_le_bytes()))
}

/// A file of one channel at `rate` samples a second that holds these very numbers.
pub fn wav_of(samples: &[f32], rate: u32) -> Vec<u8> {
    file(3, rate, samples.iter().map(|sample| sample.to_le_bytes()))
}

/// `kind` is 1 for whole numbers and 3 for floating point.
fn file<const N: usize>(kind: u16, rate: u32, samples: impl ExactSizeIterator<Item = [u8; N]>) -> Vec<u8> {
    let size = N as u32;
    let bytes = u32::try_from(N * samples.len()).expect("a made sound is short");
    let mut file = Vec::with_capacity(44 + bytes as usize);
    file.extend(b"RIFF");
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // What the numbers are, and one channel.
    file.extend([kind, 1].iter().flat_map(|value| value.to_le_bytes()));
    file.extend([rate, size * rate].iter().flat_map(|value| value.to_le_bytes()));
    file.extend([size as u16, 8 * size as u16].iter().flat_map(|value| value.to_le_bytes()));
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    file.extend(samples.flatten());
    file
}
