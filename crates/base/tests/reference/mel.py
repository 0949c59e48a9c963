"""Makes `data/sound/mel.json`: log-mel spectrograms by an implementation of Whisper's front end that is not ours.

    pip install numpy==2.4.6 transformers==5.24.0 && python mel.py ../data/sound
"""

import json
import sys
from pathlib import Path

import numpy as np
from transformers import WhisperFeatureExtractor
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

RATE = 16_000
# Samples: the shortest that can be mirrored, an odd number, exact frames, and a third of a second.
LENGTHS = [201, 1_001, 1_600, 5_333]


def made(n: int) -> np.ndarray:
    """Two tones, one of which rises, over noise of whole numbers; the tests make the same."""
    t = np.arange(n, dtype=np.int64)
    noise = (t * 1_103_515_245 + 12_345) % 65_536 // 16 - 2_048
    slow = np.sin(2 * np.pi * 440 * t / RATE) * 0.3 + np.sin(2 * np.pi * (0.1 + t / 40_000) * t) * 0.1
    return (slow + noise / 2_000_000).astype(np.float32)


def plain(samples: np.ndarray) -> np.ndarray:
    """The power in each band as a logarithm, before anything is clamped, `[t, 80]`."""
    filters = mel_filter_bank(201, 80, 0.0, 8000.0, RATE, norm="slaney", mel_scale="slaney")
    window = window_function(400, "hann")
    wanted = {"frame_length": 400, "hop_length": 160, "power": 2.0, "mel_filters": filters, "log_mel": "log10"}
    return spectrogram(samples, window, **wanted)[:, :-1].T


def main():
    extractor = WhisperFeatureExtractor()
    pieces = []
    for n in LENGTHS:
        samples = made(n)
        theirs = extractor._np_extract_fbank_features(samples[None], "cpu")[0].T
        values = {"plain": plain(samples), "whisper": theirs}
        flat = {name: [round(float(v), 6) for v in value.ravel()] for name, value in values.items()}
        pieces.append({"n_samples": n, "frames": theirs.shape[0], **flat})
    out = Path(sys.argv[1])
    out.mkdir(exist_ok=True)
    (out / "mel.json").write_text(json.dumps({"pieces": pieces}) + "\n")


if __name__ == "__main__":
    main()
