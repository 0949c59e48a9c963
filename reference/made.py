"""Numbers made by a formula, the same in Python and in Rust (crates/base/tests/it/made.rs)."""

import json
import math
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
KEPT = 48
"""How many values of an output are stored, at most."""


def fnv1a(data: bytes) -> int:
    """64-bit FNV-1a."""
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def bits(name: str, count: int) -> np.ndarray:
    """SplitMix64 started at the hash of the name: `count` words of 64 bits."""
    with np.errstate(over="ignore"):
        x = np.uint64(fnv1a(name.encode())) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def uniform(name: str, count: int) -> np.ndarray:
    """Numbers in [-1, 1) with 24 bits, exact in f32."""
    return (bits(name, count) >> np.uint64(40)).astype(np.float64) / 2**23 - 1.0


def weight(name: str, shape) -> np.ndarray:
    """A tensor as a trained network could have it: what its name ends in decides its scale."""
    u = uniform(name, math.prod(shape))
    if name.endswith("running_var"):
        values = 1.0 + 0.5 * u
    elif name.endswith("lambda1"):
        values = 0.5 + 0.25 * u
    elif len(shape) <= 1:
        values = (1.0 if name.endswith("weight") else 0.0) + 0.1 * u
    else:
        values = u * math.sqrt(3.0 / math.prod(shape[1:]))
    return values.astype(np.float32).reshape(shape)


def image(name: str, height: int, width: int) -> np.ndarray:
    """A prepared image, `[1, 3, height, width]` in [-1, 1)."""
    return uniform(name, 3 * height * width).astype(np.float32).reshape(1, 3, height, width)


def tokens(name: str, count: int, vocabulary: int) -> list[int]:
    """Token ids below the vocabulary's size."""
    return [int(word % np.uint64(vocabulary)) for word in bits(name, count)]


def kept(output) -> dict:
    """What is stored of an output: its size, its largest magnitude, and every so-many-th value."""
    flat = np.asarray(output, dtype=np.float64).reshape(-1)
    every = max(1, flat.size // KEPT)
    values = [float(f"{value:.7g}") for value in flat[::every]]
    return {"len": int(flat.size), "scale": float(f"{np.abs(flat).max():.7g}"), "every": every, "values": values}


def write(file: str, value: dict) -> None:
    """Writes a JSON file beside the scripts, one line a case."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    (HERE / file).write_text(text.replace('{"name"', '\n{"name"') + "\n")
