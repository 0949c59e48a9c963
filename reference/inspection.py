"""Makes inspection.json: what scikit-learn, SciPy, anomalib and plain NumPy say of made scores, maps and masks.

AUPRO comes twice. `aupro` is NumPy in 64 bits, written from the definition; `aupro_anomalib` is anomalib's own curve, whose sums are in 32
bits. AUPIMO comes twice as well: `aupimo` is NumPy at every score that occurs, `aupimo_anomalib` is anomalib's at evenly spaced thresholds.
Of anomalib only these two modules are loaded, without the packages that the rest of it needs:

    V/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 torch==2.15.0 torchmetrics==1.9.0
    V/bin/pip install --no-deps anomalib==2.7.0
"""

import importlib
import sys
import types
from importlib.metadata import files, version
from pathlib import Path

import numpy as np
import scipy.ndimage
import scipy.stats
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torchmetrics.utilities.compute import auc

import made

LIMIT = 0.3
THRESHOLDS = 300_000


def anomalib(module: str):
    """A module of anomalib, without running the `__init__` of the packages around it."""
    home = next(Path(file.locate()).parent for file in files("anomalib") if str(file) == "anomalib/__init__.py")
    for name in ("anomalib", "anomalib.metrics", "anomalib.metrics.pimo"):
        package = types.ModuleType(name)
        package.__path__ = [str(home.joinpath(*name.split(".")[1:]))]
        sys.modules.setdefault(name, package)
    # What the module of AUPRO imports for drawing and for finding regions; SciPy finds them here.
    for name, members in {
        "matplotlib": [],
        "matplotlib.figure": ["Figure"],
        "anomalib.metrics.base": ["AnomalibMetric"],
        "anomalib.metrics.utils": ["plot_metric_curve"],
        "anomalib.metrics.pro": ["connected_components_cpu", "connected_components_gpu"],
    }.items():
        stub = sys.modules.setdefault(name, types.ModuleType(name))
        for member in members:
            setattr(stub, member, type(member, (), {}))
    return importlib.import_module(module)


def maps(name: str, n: int, height: int, width: int, score_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and masks `[n, height, width]`: every second image has salt-like defects that score a quarter higher."""
    scores, masks = [], []
    for image in range(n):
        words = made.bits(f"{name}/{image}", height * width)
        salt = made.bits(f"{name}/{image}/mask", height * width) >> np.uint64(60)
        mask = (salt < 3) & (image % 2 == 0)
        score = (words >> np.uint64(64 - score_bits)).astype(np.float64) / 2**score_bits + 0.25 * mask
        scores.append(score.reshape(height, width))
        masks.append(mask.reshape(height, width))
    return np.stack(scores), np.stack(masks)


def label(masks: np.ndarray) -> np.ndarray:
    """8-connected regions, numbered over all images."""
    labels, last = np.zeros(masks.shape, np.int64), 0
    for image, mask in enumerate(masks):
        found, count = scipy.ndimage.label(mask, structure=np.ones((3, 3)))
        labels[image] = np.where(found > 0, found + last, 0)
        last += count
    return labels


def aupro(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the mean share of a region against the share of background, at every score that occurs."""
    flat, region = scores.ravel(), labels.ravel()
    sizes = np.bincount(region)
    gain = np.where(region > 0, 1.0 / sizes[region], 0.0) / (len(sizes) - 1)
    thresholds = np.unique(flat)[::-1]
    place = np.searchsorted(-thresholds, -flat)
    fpr = np.concatenate([[0.0], np.cumsum(np.bincount(place, region == 0, len(thresholds))) / sizes[0]])
    pro = np.concatenate([[0.0], np.cumsum(np.bincount(place, gain, len(thresholds)))])
    # The first point at or beyond the limit: a curve that rises straight up there adds nothing.
    end = np.searchsorted(fpr, LIMIT)
    height = pro[end - 1] + (pro[end] - pro[end - 1]) * (LIMIT - fpr[end - 1]) / (fpr[end] - fpr[end - 1])
    x, y = np.append(fpr[:end], LIMIT), np.append(pro[:end], height)
    return float(np.trapezoid(y, x) / LIMIT)


def aupro_anomalib(scores: np.ndarray, labels: np.ndarray) -> float:
    module = anomalib("anomalib.metrics.aupro")
    settings = types.SimpleNamespace(fpr_limit=torch.tensor(LIMIT))
    fpr, pro = module._AUPRO.compute_pro(settings, cca=torch.tensor(labels), preds=torch.tensor(scores))
    return float(auc(fpr, pro, reorder=True) / fpr[-1])


def aupimo(scores: np.ndarray, masks: np.ndarray, bounds: tuple[float, float]) -> list[float]:
    """For each image with a defect the mean recall over the logarithm of the rate; a rate is had by the loosest threshold within it."""
    good = ~masks.any((1, 2))
    thresholds, counts = np.unique(scores[good], return_counts=True)
    rates = np.cumsum(counts[::-1]) / counts.sum()
    edges = np.log(np.clip(np.concatenate([[bounds[0]], rates]), *bounds))
    values = []
    for score, mask in zip(scores[~good], masks[~good]):
        recall = (score[mask][None, :] > thresholds[::-1][:, None]).mean(1)
        values.append(float((np.diff(edges) * recall).sum() / np.log(bounds[1] / bounds[0])))
    return values


def aupimo_anomalib(scores: np.ndarray, masks: np.ndarray, bounds: tuple[float, float]) -> list[float]:
    functional = anomalib("anomalib.metrics.pimo.functional")
    result = functional.aupimo_scores(torch.tensor(scores), torch.tensor(masks), num_thresholds=THRESHOLDS, fpr_bounds=bounds)
    return [float(value) for value, mask in zip(result[4], masks) if mask.any()]


def map_case(name: str, n: int, height: int, width: int, score_bits: int, bounds: tuple[float, float]) -> dict:
    scores, masks = maps(name, n, height, width, score_bits)
    labels = label(masks)
    case = {"name": name, "n": n, "height": height, "width": width, "score_bits": score_bits, "fpr_bounds": bounds}
    case["n_regions"] = int(labels.max())
    case["areas"] = [int(area) for area in np.bincount(labels.ravel())[1:20]]
    case["pixel_auroc"] = float(roc_auc_score(masks.ravel(), scores.ravel()))
    case["aupro"], case["aupro_anomalib"] = aupro(scores, labels), aupro_anomalib(scores, labels)
    case["aupimo"] = aupimo(scores, masks, bounds)
    # The bounds are whole numbers of good pixels, so both integrate over the same range. With few distinct scores the trapezoids of evenly spaced thresholds and the staircase differ by definition.
    case["aupimo_anomalib"] = aupimo_anomalib(scores, masks, bounds) if score_bits > 20 else []
    return case


def rank_case(name: str, n: int, score_bits: int) -> dict:
    defect = made.bits(f"{name}/defect", n) >> np.uint64(62) == 0
    words = made.bits(name, n) >> np.uint64(64 - score_bits)
    scores = words.astype(np.float64) / 2**score_bits + 0.25 * defect
    values = {"auroc": float(roc_auc_score(defect, scores)), "average_precision": float(average_precision_score(defect, scores))}
    return {"name": name, "n": n, "score_bits": score_bits} | values


def threshold_case(name: str, n: int, rate: float, confidence: float) -> dict:
    """The smallest rank that keeps the promise; 0 when none does."""
    ranks = np.arange(1, n + 1)
    keeps = scipy.stats.beta.cdf(rate, n + 1 - ranks, ranks) >= confidence
    return {"name": name, "n": n, "rate": rate, "confidence": confidence, "rank": int(ranks[keeps][0]) if keeps.any() else 0}


def called_case(name: str, n: int, rate: float) -> dict:
    """How many p-values of a batch the procedure of Benjamini and Hochberg calls."""
    p_values = ((made.bits(name, n) >> np.uint64(44)).astype(np.float64) + 1) / 2**20
    p_values[: n // 4] /= 64
    return {"name": name, "n": n, "rate": rate, "called": int((scipy.stats.false_discovery_control(p_values) <= rate).sum())}


PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "torchmetrics", "anomalib")
made.write(
    "inspection.json",
    {
        "made_by": "reference/inspection.py",
        "versions": {package: version(package) for package in PACKAGES},
        "maps": [
            map_case("small", 6, 10, 6, 22, (0.05, 0.5)),
            map_case("tied", 10, 24, 31, 6, (0.02, 0.5)),
            map_case("plain", 12, 40, 50, 22, (0.005, 0.1)),
            map_case("wide", 10, 30, 64, 22, (0.01, 0.3)),
        ],
        "ranks": [rank_case("few", 12, 4), rank_case("ties", 200, 4), rank_case("many", 400, 22)],
        "thresholds": [
            threshold_case(f"{n}-{rate}-{confidence}", n, rate, confidence)
            for n in (1, 20, 59, 100, 250, 1000)
            for rate, confidence in ((0.01, 0.95), (0.05, 0.95), (0.05, 0.9), (0.2, 0.99))
        ],
        "batches": [called_case(f"batch-{n}", n, rate) for n, rate in ((8, 0.1), (40, 0.05), (200, 0.2))],
    },
)
