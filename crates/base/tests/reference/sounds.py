"""Makes the small files of `data/sound` and of the fuzzer, and what libsndfile decodes of them.

    pip install numpy==2.4.6 soundfile==0.14.0 && python sounds.py ../data/sound ../../../../fuzz/seeds/sound
"""

import json
import sys
from pathlib import Path

import numpy as np
import soundfile

RATE = 22_050
N = 6_000
# Every so many samples of both channels are kept.
EVERY = 23
FILES = {
    "made.flac": "PCM_16",
    "made.ogg": "VORBIS",
    "made.mp3": "MPEG_LAYER_III",
    "made.aiff": "PCM_16",
    "made.wav": "PCM_24",
    "adpcm.wav": "IMA_ADPCM",
    "alaw.wav": "ALAW",
}


def main():
    out, seeds = Path(sys.argv[1]), Path(sys.argv[2])
    for folder in (out, seeds):
        folder.mkdir(exist_ok=True)
    t = np.arange(N) / RATE
    sound = np.stack([0.5 * np.sin(2 * np.pi * (300 + 2_000 * t) * t), 0.2 * np.sin(2 * np.pi * 950 * t)], axis=1)
    decoded = {}
    for name, coding in FILES.items():
        soundfile.write(out / name, sound, RATE, subtype=coding)
        (seeds / name).write_bytes((out / name).read_bytes())
        samples, _ = soundfile.read(out / name, dtype="float32")
        kept = [[round(float(value), 7) for value in samples[::EVERY, channel]] for channel in range(2)]
        decoded[name] = {"n_samples": len(samples), "every": EVERY, "channels": kept}
    (out / "decoded.json").write_text(json.dumps(decoded) + "\n")


if __name__ == "__main__":
    main()
