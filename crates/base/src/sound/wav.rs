//! Samples as the bytes of a WAV file: for sounds that are made, not recorded.

/// A file of 16 bits and one channel at `rate` samples a second.
pub fn wav(samples: &[i16], rate: u32) -> Vec<u8> {
    let bytes = u32::try_from(2 * samples.len()).expect("a made sound is short");
    let mut file = Vec::with_capacity(44 + bytes as usize);
    file.extend(b"RIFF");
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // Plain numbers, one channel, two bytes a sample.
    file.extend([1_u16, 1].iter().flat_map(|value| value.to_le_bytes()));
    file.extend([rate, 2 * rate].iter().flat_map(|value| value.to_le_bytes()));
    file.extend([2_u16, 16].iter().flat_map(|value| value.to_le_bytes()));
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}
