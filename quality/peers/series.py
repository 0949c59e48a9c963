"""Makes labelled series as CSV files, and prints what aeon's transforms get on them, one JSON line a set: `quality series` asks it.

    python3 -m venv V && V/bin/pip install aeon==1.1.0
    V/bin/python series.py make DIR
    V/bin/python series.py score DIR

One folder a set, `train` and `test` in it, one folder a class, one file a series. The last sets come with the aeon package. All
transforms get RidgeClassifierCV, aeon's on standardised columns, as its classifiers do, ours, which lies beside the folders as
`train.npy` and `test.npy`, as it is. Seconds are those of the transform of the training part and the test part, on one thread, the
middle of three times after a first call that compiles.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

SEED = 7
TRIES = 3
PER_CLASS = {"train": 20, "test": 50}
#: Sets within the aeon package.
BUNDLED = ("ItalyPowerDemand", "GunPoint", "ArrowHead", "OSULeaf", "ACSF1", "BasicMotions")


def waveforms(rng, label):
    """Sine, square or sawtooth, of random phase and frequency, in noise."""
    phase = rng.uniform(0, 1) + np.arange(200) * rng.uniform(0.02, 0.05)
    part = phase % 1
    wave = (np.sin(2 * np.pi * part), np.sign(0.5 - part) * 0.7, (2 * part - 1) * 1.2)[label]
    return [wave + rng.normal(0, 0.5, 200)]


def shapelets(rng, label):
    """A short bump somewhere in noise: round, steep on its left, or double."""
    x = np.linspace(-1, 1, 40)
    bump = (np.exp(-8 * x**2), np.where(x < -0.6, 0, (1 - x) / 1.6), np.exp(-40 * (np.abs(x) - 0.5) ** 2))[label]
    series = rng.normal(0, 0.35, 300)
    start = rng.integers(0, 260)
    series[start : start + 40] += 2 * bump / np.sqrt(np.mean(bump**2)) * 0.5
    return [series]


def frequencies(rng, label):
    """Tones whose frequencies differ by a twelfth, in noise."""
    t = np.arange(250)
    return [np.sin(2 * np.pi * (0.06, 0.065, 0.07)[label] * t + rng.uniform(0, 7)) + rng.normal(0, 1, 250)]


def chirps(rng, label):
    """A tone that rises or falls, in noise."""
    t = np.arange(250) / 250
    phase = 2 * np.pi * (8 * t + 10 * t**2) + rng.uniform(0, 7)
    wave = np.sin(phase)
    return [(wave if label == 0 else wave[::-1]) + rng.normal(0, 1, 250)]


def bearings(rng, label):
    """Impulses that ring, at a rate of the class, deep in noise."""
    n, period = 2048, (80, 100, 125)[label]
    hits = np.zeros(n)
    at = rng.uniform(0, period)
    while at < n:
        hits[int(at)] += rng.uniform(0.7, 1.3)
        at += period * rng.normal(1, 0.01)
    t = np.arange(40)
    ring = np.exp(-t / 8) * np.sin(2 * np.pi * 0.31 * t)
    return [3 * np.convolve(hits, ring)[:n] + rng.normal(0, 1, n)]


def lags(rng, label):
    """Two channels with the same tone, one behind the other."""
    t = np.arange(200) * rng.uniform(0.25, 0.35) + rng.uniform(0, 7)
    lag = (0.4, 0.9, 1.4)[label]
    return [np.sin(t) + rng.normal(0, 0.7, 200), np.sin(t - lag) + rng.normal(0, 0.7, 200)]


MADE = {
    "waveforms": (waveforms, 3),
    "shapelets": (shapelets, 3),
    "frequencies": (frequencies, 3),
    "chirps": (chirps, 2),
    "bearings": (bearings, 3),
    "lags": (lags, 3),
}


def write(folder: Path, index: int, channels) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = ",".join(f"channel {place}" for place in range(len(channels)))
    values = np.stack(channels, axis=1)
    np.savetxt(folder / f"{index:04}.csv", values, fmt="%.7g", delimiter=",", header=names, comments="")


def make(data: Path) -> None:
    for place, (name, (one, n_classes)) in enumerate(MADE.items()):
        for part, count in PER_CLASS.items():
            rng = np.random.default_rng([SEED, place, part == "test"])
            for label in range(n_classes):
                for index in range(count):
                    write(data / name / part / str(label), index, one(rng, label))
    from aeon.datasets import load_classification

    for name in BUNDLED:
        for part in PER_CLASS:
            x, y = load_classification(name, split=part)
            for index, (series, label) in enumerate(zip(x, y)):
                write(data / name / part / str(label).replace("/", "-"), index, list(series))


def read(folder: Path):
    files = sorted(folder.glob("*/*.csv"))
    x = [np.loadtxt(file, delimiter=",", skiprows=1, ndmin=2).T for file in files]
    return np.stack(x), np.array([file.parent.name for file in files])


def accuracy(train, y, test, y_test, scaler) -> float:
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline

    head = make_pipeline(scaler, RidgeClassifierCV(alphas=np.logspace(-6, 5, 14)))
    return round(float(head.fit(train, y).score(test, y_test)), 4)


def peers():
    from aeon.transformations.collection.convolution_based import MiniRocket, MultiRocket

    return {"MiniRocket": MiniRocket(random_state=SEED), "MultiRocket": MultiRocket(random_state=SEED)}


def score(data: Path) -> None:
    from sklearn.preprocessing import StandardScaler

    for folder in sorted(data.iterdir()):
        x, y = read(folder / "train")
        x_test, y_test = read(folder / "test")
        right, seconds = {}, {}
        for name, transform in peers().items():
            transform.fit_transform(x)
            took = []
            for _ in range(TRIES):
                start = time.perf_counter()
                train, test = transform.transform(x), transform.transform(x_test)
                took.append(time.perf_counter() - start)
            seconds[name] = round(sorted(took)[TRIES // 2], 3)
            right[name] = accuracy(np.nan_to_num(train), y, np.nan_to_num(test), y_test, StandardScaler())
        train, test = (np.load(folder / f"{part}.npy").astype(float) for part in PER_CLASS)
        right["ours"] = accuracy(train, y, test, y_test, StandardScaler(with_std=False))
        print(json.dumps({"set": folder.name, "accuracy": right, "seconds": seconds}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["make", "score"])
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    (make if arguments.step == "make" else score)(arguments.data)


if __name__ == "__main__":
    main()
