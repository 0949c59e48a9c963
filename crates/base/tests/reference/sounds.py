"""Makes the small files of `data/sound` and of the fuzzer, and what libsndfile decodes of them; what it does not know, ffmpeg.

    pip install numpy==2.4.6 soundfile==0.14.0 && python sounds.py ../data/sound ../../../../fuzz/seeds/sound
"""

import json
import subprocess
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
# By ffmpeg 5.1, from `made.flac`.
BY_FFMPEG = {"made.m4a": ["-c:a", "aac", "-b:a", "64k"], "alac.m4a": ["-c:a", "alac"]}


def ffmpeg(*arguments):
    return subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout


def kept(samples):
    channels = [[round(float(value), 7) for value in samples[::EVERY, channel]] for channel in range(2)]
    return {"n_samples": len(samples), "every": EVERY, "channels": channels}


def main():
    out, seeds = Path(sys.argv[1]), Path(sys.argv[2])
    for folder in (out, seeds):
        folder.mkdir(exist_ok=True)
    t = np.arange(N) / RATE
    sound = np.stack([0.5 * np.sin(2 * np.pi * (300 + 2_000 * t) * t), 0.2 * np.sin(2 * np.pi * 950 * t)], axis=1)
    decoded = {}
    for name, coding in FILES.items():
        soundfile.write(out / name, sound, RATE, subtype=coding)
        decoded[name] = kept(soundfile.read(out / name, dtype="float32")[0])
    for name, coding in BY_FFMPEG.items():
        ffmpeg("-i", out / "made.flac", *coding, "-fflags", "+bitexact", "-flags:a", "+bitexact", out / name)
        decoded[name] = kept(np.frombuffer(ffmpeg("-i", out / name, "-f", "f32le", "-"), np.float32).reshape(-1, 2))
    for name in decoded:
        (seeds / name).write_bytes((out / name).read_bytes())
    (out / "decoded.json").write_text(json.dumps(decoded) + "\n")


if __name__ == "__main__":
    main()
