//! Sounds are decoded as libsndfile and ffmpeg decode them, and their log-mels are Whisper's. `reference/sounds.py` and `reference/mel.py` made the
//! files and the values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::prep::PrepError;
use base::sound::{
    BANDS, Cut, Damage, Decoder, LogMel, MAX_CHANNELS, RATE, Window, Windows, decode_whole, whisper,
};
use serde::Deserialize;

/// Both are computed in single precision; the values span 0 to 2, and -10 to 2 before Whisper's scaling.
const LOG_MEL: f32 = 1e-4;
/// Exact codings differ by the rounding of what was written down.
const EXACT: f32 = 1e-6;
/// Two decoders of a lossy coding, which round on the way.
const LOSSY: f32 = 1e-3;

#[derive(Deserialize)]
struct Mel {
    pieces: Vec<Piece>,
}

#[derive(Deserialize)]
struct Piece {
    n_samples: usize,
    frames: usize,
    plain: Vec<f32>,
    whisper: Vec<f32>,
}

#[derive(Deserialize)]
struct Decoded {
    n_samples: usize,
    every: usize,
    channels: Vec<Vec<f32>>,
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound").join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(data(name)).unwrap()
}

#[track_caller]
fn close(got: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let worst = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "{what}: off by {worst}");
}

/// What `made` of `mel.py` makes.
fn made(n: usize) -> Vec<f32> {
    let sample = |t: usize| {
        let noise = (t as u64 * 1_103_515_245 + 12_345) % 65_536 / 16;
        let (noise, t) = (noise as f64 - 2_048.0, t as f64);
        let tau = std::f64::consts::TAU;
        let tones =
            (tau * 440.0 * t / f64::from(RATE)).sin() * 0.3 + (tau * (0.1 + t / 40_000.0) * t).sin() * 0.1;
        (tones + noise / 2_000_000.0) as f32
    };
    (0..n).map(sample).collect()
}

/// A WAV file; `format` is 1 for whole numbers and 3 for floating point.
fn wav(format: u16, bits: u16, n_channels: u16, rate: u32, data: &[u8]) -> Vec<u8> {
    let frame = n_channels * bits / 8;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0");
    file.extend(format.to_le_bytes());
    file.extend(n_channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn silence(rate: u32, n: usize) -> Vec<u8> {
    wav(1, 16, 1, rate, &vec![0; 2 * n])
}

#[test]
fn log_mels_equal_transformers() {
    let mel: Mel = serde_json::from_slice(&read("mel.json")).unwrap();
    let ours = LogMel::default();
    for Piece { n_samples, frames, plain, whisper: scaled } in mel.pieces {
        let mut got = ours.log_mel(&made(n_samples));
        assert_eq!((got.rows(), got.cols()), (frames, BANDS));
        close(got.data(), &plain, LOG_MEL, &format!("{n_samples} samples, plain"));
        whisper(&mut got);
        close(got.data(), &scaled, LOG_MEL, &format!("{n_samples} samples, scaled"));
    }
}

#[test]
fn short_pieces_are_followed_by_silence() {
    let mel = LogMel::default();
    let mut padded = made(50);
    let short = mel.log_mel(&padded);
    padded.resize(201, 0.0);
    assert_eq!(short.data(), mel.log_mel(&padded).data());
    assert_eq!(mel.log_mel(&[0.5]).rows(), 1);
    assert_eq!(mel.log_mel(&[]).rows(), 0);
    assert!(mel.log_mel(&[0.0; 400]).data().iter().all(|value| *value == -10.0));
}

#[test]
fn files_decode_as_other_decoders_decode_them() {
    let decoded: BTreeMap<String, Decoded> = serde_json::from_slice(&read("decoded.json")).unwrap();
    for (name, expected) in decoded {
        let got = decode_whole(&read(&name), 60).unwrap();
        assert_eq!((got.rate, got.damage), (22_050, Damage::default()), "{name}");
        let is_exact = !["made.ogg", "made.mp3", "made.m4a", "adpcm.wav"].contains(&name.as_str());
        let tolerance = if is_exact { EXACT } else { LOSSY };
        assert_eq!(got.channels.len(), expected.channels.len(), "{name}");
        // What an encoder of AAC begins with is not cut off: a twentieth of a second of all but silence.
        let before = if name == "made.m4a" { 1024 } else { 0 };
        for (got, kept) in got.channels.iter().map(|channel| &channel[before..]).zip(&expected.channels) {
            assert_eq!(got.len(), expected.n_samples, "{name}");
            let got: Vec<f32> = got.iter().step_by(expected.every).copied().collect();
            close(&got, kept, tolerance, &name);
        }
    }
}

#[test]
fn every_width_of_samples_has_full_scale_at_one() {
    let low_half_high = |bytes: &[u8], format, bits, what: &str| {
        let got = decode_whole(&wav(format, bits, 1, 8_000, bytes), 1).unwrap();
        close(&got.channels[0], &[-1.0, 0.0, 0.5], EXACT, what);
    };
    low_half_high(&[0, 128, 192], 1, 8, "8 bits");
    low_half_high(&[0, 0x80, 0, 0, 0, 0x40], 1, 16, "16 bits");
    low_half_high(&[0, 0, 0x80, 0, 0, 0, 0, 0, 0x40], 1, 24, "24 bits");
    low_half_high(&[0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x40], 1, 32, "32 bits");
    let floats: Vec<u8> = [-1.0_f32, 0.0, 0.5].iter().flat_map(|value| value.to_le_bytes()).collect();
    low_half_high(&floats, 3, 32, "floating point");
}

#[test]
fn channels_stay_apart_and_values_above_full_scale_stay() {
    let values: Vec<u8> = (0..12).flat_map(|i| (i as f32 / 4.0).to_le_bytes()).collect();
    let got = decode_whole(&wav(3, 32, 6, 192_000, &values), 1).unwrap();
    assert_eq!((got.rate, got.channels.len()), (192_000, 6));
    assert_eq!(got.channels[5], [1.25, 2.75]);
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    assert_eq!(decode_whole(bytes, 60).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_no_sound_is_refused_with_its_reason() {
    refused(b"", "the file is empty");
    refused(b"a text that is called tone.wav", "not a sound that can be read: it holds text");
    refused(b"\x89PNG\r\n\x1a\n", "not a sound that can be read: it is a picture");
    refused(&silence(8_000, 0), "the sound holds no samples");
    refused(&silence(8_000, 8_000 * 61), "the sound is longer than 60 s, more is not decoded");
    let nan: Vec<u8> = [0.5, f32::NAN].iter().flat_map(|value| value.to_le_bytes()).collect();
    refused(&wav(3, 32, 1, 8_000, &nan), "the sound is damaged: it holds values that are not finite");
    let many = MAX_CHANNELS as u16 + 1;
    assert!(decode_whole(&wav(1, 16, many, 8_000, &vec![0; 200 * usize::from(many)]), 60).is_err());
    assert!(decode_whole(&wav(1, 16, 1, 0, &[0; 20]), 60).is_err());
    let missing = Decoder::open(Path::new("no/such/file.wav")).err();
    assert!(matches!(missing, Some(PrepError::Unreadable { .. })));
}

#[test]
fn of_a_file_cut_off_what_is_there_is_decoded() {
    // An Ogg file of one page is no example of it: nothing of the page can be trusted.
    for name in ["made.wav", "made.flac", "made.mp3"] {
        let bytes = read(name);
        let whole = decode_whole(&bytes, 60).unwrap();
        let part = decode_whole(&bytes[..bytes.len() * 8 / 10], 60)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(part.damage.is_short, "{name}");
        let n = part.channels[0].len();
        assert!(n > 0 && n < whole.channels[0].len(), "{name}: {n} samples");
        assert!(part.damage.detail().is_some() && whole.damage.detail().is_none(), "{name}");
    }
}

#[test]
fn a_block_of_no_bytes_is_refused() {
    let mut bytes = read("adpcm.wav");
    bytes[32..34].fill(0);
    assert!(decode_whole(&bytes, 60).is_err());
}

fn windows(bytes: &[u8], cut: Cut) -> Vec<(u64, usize)> {
    let windows = Windows::new(Decoder::new(bytes).unwrap(), cut);
    windows.map(Result::unwrap).map(|Window { start, samples }| (start, samples.len())).collect()
}

#[test]
fn windows_follow_each_other_and_the_last_is_shorter() {
    let second = RATE as usize;
    let apart = Cut::seconds(3.0, 3.0);
    assert_eq!(windows(&silence(RATE, 7 * second), apart), [(0, 48_000), (48_000, 48_000), (96_000, second)]);
    assert_eq!(windows(&silence(RATE, 3 * second), apart), [(0, 48_000)]);
    assert_eq!(windows(&silence(48_000, 1), apart), [(0, 1)]);
    let overlapping = Cut::seconds(10.0, 5.0);
    assert_eq!(windows(&silence(RATE, 12 * second), overlapping), [(0, 160_000), (80_000, 7 * second)]);
    assert_eq!(windows(&silence(RATE, 10 * second), overlapping), [(0, 160_000)]);
}

#[test]
fn a_last_window_with_hardly_anything_new_is_left_out() {
    let second = RATE as usize;
    assert_eq!(windows(&silence(RATE, 3 * second + 1_599), Cut::seconds(3.0, 3.0)), [(0, 48_000)]);
    let enough = windows(&silence(RATE, 3 * second + 1_600), Cut::seconds(3.0, 3.0));
    assert_eq!(enough, [(0, 48_000), (48_000, 1_600)]);
    assert_eq!(windows(&silence(RATE, 10 * second + 1_599), Cut::seconds(10.0, 5.0)), [(0, 160_000)]);
}

#[test]
fn windows_hold_the_sound_itself() {
    let values: Vec<f32> = (0..40_000).map(|i| (i % 997) as f32 / 1000.0).collect();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let bytes = wav(3, 32, 1, RATE, &bytes);
    for window in Windows::new(Decoder::new(&bytes).unwrap(), Cut::seconds(1.0, 0.5)) {
        let Window { start, samples } = window.unwrap();
        assert_eq!(samples, values[start as usize..start as usize + samples.len()]);
    }
}

#[test]
fn no_bytes_make_the_decoder_panic() {
    let mut state = 1_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for name in ["made.wav", "made.flac", "made.ogg", "made.mp3", "made.aiff", "adpcm.wav"] {
        let bytes = read(name);
        for _ in 0..60 {
            let mut broken = bytes.clone();
            for _ in 0..1 + next() % 12 {
                let at = if next() % 2 == 0 { next() % 200 } else { next() % broken.len() };
                broken[at] = next() as u8;
            }
            if let Ok(sound) = decode_whole(&broken, 60) {
                assert!(
                    sound.channels.iter().all(|channel| channel.len() == sound.channels[0].len()),
                    "{name}"
                );
            }
        }
    }
}
