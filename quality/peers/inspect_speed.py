"""Times what inspection does most, the way it is done with numpy and faiss: one JSON line.

    python inspect_speed.py coreset [--projected]      k-centre greedy, 3,300 of 33,000 patches (--rows and --kept: others)
    python inspect_speed.py nearest --peer numpy|faiss the nearest of 3,300 patches for each of 33,000
    python inspect_speed.py held-out                   the same, from other photos only (numpy)
    python inspect_speed.py weighted                   whitened first, each squared distance times a weight of the kept patch (numpy)

Versions: numpy and faiss-cpu as in requirements.txt. Two threads. The patches are made here by the same formula as on our
side, so `answer` (a radius or a mean distance) must agree where there is one.
"""

import argparse
import json
import os
import resource
import time

THREADS = 2
# Before numpy is loaded, else its own threads are more than two.
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(THREADS))

import numpy as np  # noqa: E402

PATCHES, DIM, PER_PHOTO = 33_000, 384, 1000
KEPT, CLUSTERS, RANK = 3300, 40, 48
BLOCK = 4096


def uniform(stream: int, count: int) -> np.ndarray:
    """SplitMix64 of stream and place, in [-1, 1)."""
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint64) + np.uint64(stream << 40)
        x = x * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)).astype(np.float64) / (1 << 52) - 1.0


def patches(n: int) -> np.ndarray:
    """Clusters in 48 directions of falling strength, noise in all, unit length."""
    strength = 1.0 / np.sqrt(1.0 + np.arange(RANK))
    directions = uniform(1, RANK * DIM).reshape(RANK, DIM) * strength[:, None]
    centres = 1.5 * uniform(2, CLUSTERS * RANK).reshape(CLUSTERS, RANK)
    cluster = ((uniform(3, n) + 1.0) / 2.0 * CLUSTERS).astype(int)
    inside = centres[cluster] + uniform(4, n * RANK).reshape(n, RANK)
    x = inside @ directions + 0.15 * uniform(5, n * DIM).reshape(n, DIM)
    return np.ascontiguousarray(x / np.linalg.norm(x, axis=1, keepdims=True), dtype=np.float32)


def coreset(x: np.ndarray, kept: int):
    """The plain greedy algorithm, a product of matrix and vector for each pick."""
    squares = np.einsum("ij,ij->i", x, x)
    nearest = np.full(len(x), np.inf, dtype=np.float32)
    pick = 0
    for _ in range(kept):
        np.minimum(nearest, squares + squares[pick] - 2.0 * (x @ x[pick]), out=nearest)
        pick = int(nearest.argmax())
    return float(np.sqrt(nearest[pick]))


def nearest(x: np.ndarray, bank: np.ndarray, peer: str, held_out: bool):
    """Mean distance to the nearest of the bank."""
    if peer == "faiss":
        import faiss

        faiss.omp_set_num_threads(THREADS)
        index = faiss.IndexFlatL2(DIM)
        index.add(bank)
        squared = index.search(x, 1)[0][:, 0]
    else:
        squares = np.einsum("ij,ij->i", bank, bank)
        squared = np.empty(len(x), dtype=np.float32)
        kept = np.arange(len(bank)) * (PATCHES // KEPT) // PER_PHOTO
        step = PER_PHOTO if held_out else BLOCK
        for first in range(0, len(x), step):
            block = x[first : first + step]
            far = squares - 2.0 * (block @ bank.T)
            if held_out:
                far[:, kept == first // PER_PHOTO] = np.inf
            squared[first : first + step] = far.min(axis=1) + np.einsum("ij,ij->i", block, block)
    return float(np.sqrt(np.maximum(squared, 0.0), dtype=np.float64).mean())


def whitening(x: np.ndarray):
    """Mean, and what brings every direction to variance 1."""
    mean = x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(x - mean, rowvar=False))
    return mean, np.ascontiguousarray(vectors / np.sqrt(values + 0.01 * values.mean()), dtype=np.float32)


def weighted(x: np.ndarray, mean: np.ndarray, to: np.ndarray, bank: np.ndarray, weight: np.ndarray):
    """Finds the nearest of the bank, in units of what is usual around it, for each patch."""
    squares = np.einsum("ij,ij->i", bank, bank)
    scores = np.empty(len(x), dtype=np.float32)
    for first in range(0, len(x), BLOCK):
        z = (x[first : first + BLOCK] - mean) @ to
        far = (squares - 2.0 * (z @ bank.T) + np.einsum("ij,ij->i", z, z)[:, None]) * weight
        scores[first : first + BLOCK] = np.sqrt(np.maximum(far.min(axis=1), 0.0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["coreset", "nearest", "held-out", "weighted"])
    parser.add_argument("--rows", type=int, default=PATCHES)
    parser.add_argument("--kept", type=int, default=KEPT)
    parser.add_argument("--projected", action="store_true")
    parser.add_argument("--peer", choices=["numpy", "faiss"], default="numpy")
    parser.add_argument("--data", help="not needed; every peer is called with it")
    arguments = parser.parse_args()
    x = patches(arguments.rows)
    bank = np.ascontiguousarray(x[:: PATCHES // KEPT])
    if arguments.projected:
        draws = np.random.default_rng(0).random((DIM, 128))
        signs = np.sqrt(3 / 128) * np.select([draws < 1 / 6, draws < 2 / 6], [1.0, -1.0], 0.0)
        x = np.ascontiguousarray(x @ signs.astype(np.float32))
    if arguments.what == "weighted":
        mean, to = whitening(x[:20_000])
        bank = (bank - mean) @ to
        weight = (1.0 + uniform(6, len(bank)) / 2).astype(np.float32)
    times, answer = [], None
    # The plain coreset takes long enough to be timed once.
    for _ in range(1 if arguments.what == "coreset" else 3):
        started = time.perf_counter()
        if arguments.what == "coreset":
            answer = coreset(x, arguments.kept)
        elif arguments.what == "weighted":
            weighted(x, mean, to, bank, weight)
        else:
            answer = nearest(x, bank, arguments.peer, arguments.what == "held-out")
        times.append(time.perf_counter() - started)
    seconds = sorted(times)[len(times) // 2]
    result = {"what": arguments.what, "seconds": round(seconds, 4), "per_second": round(arguments.rows / seconds, 2)}
    # Another projection, other weights: nothing to compare.
    if answer is not None and not arguments.projected:
        result["answer"] = answer
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(result | {"peak_rss_bytes": peak}))


if __name__ == "__main__":
    main()
