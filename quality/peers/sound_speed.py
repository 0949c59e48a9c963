"""Seconds and peak memory of librosa on log-mel frames of a minute of sound at 16 kHz; one JSON line.

    python sound_speed.py log-mel [--data DIR]

Frames of 25 ms every 10 ms, 80 Slaney mel bands, logarithm: what Whisper takes.
"""

import argparse
import json
import resource
import time

import numpy as np

SECONDS = 60
RATE = 16_000
RUNS = 3


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("what", choices=["log-mel"])
    arguments.add_argument("--data")
    arguments.parse_args()
    import librosa

    time_axis = np.arange(SECONDS * RATE) / RATE
    samples = (0.3 * np.sin(2 * np.pi * (200 + 50 * time_axis) * time_axis)).astype(np.float32)

    def log_mel():
        mel = librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=400, hop_length=160, n_mels=80)
        return np.log10(np.maximum(mel, 1e-10))

    log_mel()
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        log_mel()
        times.append(time.perf_counter() - started)
    seconds = sorted(times)[RUNS // 2]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "per_second": SECONDS / seconds, "peak_rss_bytes": peak}))


if __name__ == "__main__":
    main()
