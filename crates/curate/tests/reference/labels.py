"""What cleanlab 2.9.0 answers on small made data: the values that `tests/it/labels.rs` compares with.

    python -m venv env && env/bin/pip install cleanlab==2.9.0 numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1
    env/bin/python labels.py > labels.json

Probabilities are rounded to six digits before use, so that both sides read the same numbers.
"""

import json
import sys
import warnings

import cleanlab
import numpy as np
from cleanlab import count, filter, multilabel_classification, object_detection, rank, regression, segmentation
from cleanlab import token_classification
from cleanlab.internal.label_quality_utils import _subtract_confident_thresholds

assert cleanlab.__version__ == "2.9.0", cleanlab.__version__
warnings.filterwarnings("ignore")

FILTERS = [
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_normalized_margin",
    "low_self_confidence",
]


def noisy(rng, n, k, noise, sharpness, unused=0, weights=None):
    """Given labels and the probabilities of a model that mostly knows the truth; the last `unused` columns have no example."""
    used = k - unused
    truth = rng.choice(used, n, p=weights)
    labels = np.where(rng.random(n) < noise, rng.integers(0, used, n), truth)
    logits = rng.normal(size=(n, k)) + sharpness * rng.random((n, 1)) * np.eye(k)[truth]
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probs = np.round(probs, 6)
    probs[np.arange(n), truth] += 1 - probs.sum(1)
    return labels, np.round(probs, 6)


def multiclass(rng):
    cases = {
        "balanced": noisy(rng, 300, 4, 0.15, 5),
        "binary": noisy(rng, 200, 2, 0.1, 4),
        "imbalanced": noisy(rng, 400, 5, 0.2, 4, weights=[0.7, 0.15, 0.1, 0.04, 0.01]),
        "unused": noisy(rng, 150, 6, 0.2, 3, unused=2),
        "vague": noisy(rng, 120, 3, 0.4, 1),
        "tiny": noisy(rng, 9, 3, 0.3, 3),
    }
    out = {}
    for name, (labels, probs) in cases.items():
        joint, contradicted = count.compute_confident_joint(
            labels, probs, calibrate=True, return_indices_of_off_diagonals=True
        )
        out[name] = {
            "labels": labels.tolist(),
            "probs": probs.tolist(),
            "thresholds": count.get_confident_thresholds(labels, probs).tolist(),
            "joint": joint.tolist(),
            "contradicted": contradicted.tolist(),
            "adjusted": _subtract_confident_thresholds(labels, probs).tolist(),
            "scores": {
                method: rank.get_label_quality_scores(labels, probs, method=method).tolist()
                for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
            },
            "flagged": {
                method: np.flatnonzero(
                    filter.find_label_issues(labels, probs, filter_by=method, n_jobs=1)
                ).tolist()
                for method in FILTERS
            },
        }
    return out


def multilabel(rng):
    n, k = 200, 4
    truth = rng.random((n, k)) < [0.5, 0.3, 0.2, 0.1]
    given = truth ^ (rng.random((n, k)) < 0.06)
    probs = np.round(1 / (1 + np.exp(-(4 * truth - 2 + rng.normal(size=(n, k))))), 6)
    labels = [np.flatnonzero(row).tolist() for row in given]
    find = multilabel_classification.filter.find_label_issues
    per_class = multilabel_classification.filter.find_multilabel_issues_per_class
    return {
        "labels": labels,
        "probs": probs.tolist(),
        "scores": multilabel_classification.rank.get_label_quality_scores(labels, probs).tolist(),
        "flagged": {
            method: np.flatnonzero(find(labels, probs, filter_by=method, n_jobs=1)).tolist() for method in FILTERS
        },
        "flagged_classes": np.argwhere(per_class(labels, probs, n_jobs=1)).tolist(),
    }


def tokens(rng):
    labels, probs = noisy(rng, 150, 3, 0.15, 4)
    lengths = []
    while sum(lengths) < len(labels):
        lengths.append(int(min(rng.integers(1, 9), len(labels) - sum(lengths))))
    ends = np.cumsum(lengths)[:-1]
    nested_labels = [part.tolist() for part in np.split(labels, ends)]
    nested_probs = np.split(probs, ends)
    rank_ = token_classification.rank.get_label_quality_scores
    return {
        "labels": labels.tolist(),
        "probs": probs.tolist(),
        "lengths": lengths,
        "min": rank_(nested_labels, nested_probs)[0].tolist(),
        "softmin": rank_(nested_labels, nested_probs, sentence_score_method="softmin")[0].tolist(),
        "flagged": [list(map(int, p)) for p in token_classification.filter.find_label_issues(nested_labels, nested_probs)],
    }


def numbers(rng):
    labels = np.round(rng.normal(size=150), 6)
    predictions = np.round(labels + 0.3 * rng.normal(size=150), 6)
    predictions[:6] += 2
    score = regression.rank.get_label_quality_scores
    return {
        "labels": labels.tolist(),
        "predictions": predictions.tolist(),
        "residual": score(labels, predictions, method="residual").tolist(),
        "outre": score(labels, predictions, method="outre").tolist(),
    }


def pixels(rng):
    images, side, k = 5, 8, 3
    labels, probs = noisy(rng, images * side * side, k, 0.05, 6)
    mask = labels.reshape(images, side, side)
    maps = np.moveaxis(probs.reshape(images, side, side, k), 3, 1)
    flags = segmentation.filter.find_label_issues(mask, maps, verbose=False, n_jobs=1)
    shares = segmentation.rank.get_label_quality_scores(mask, maps, method="num_pixel_issues", verbose=False, n_jobs=1)
    return {
        "labels": labels.tolist(),
        "probs": probs.tolist(),
        "pixels": side * side,
        "softmin": segmentation.rank.get_label_quality_scores(mask, maps, verbose=False)[0].tolist(),
        "unflagged": shares[0].tolist(),
        "flagged": np.flatnonzero(flags.reshape(-1)).tolist(),
    }


def boxes(rng):
    k = 3
    labels, predictions = [], []
    for image in range(12):
        n = int(rng.integers(1, 5))
        corners = np.sort(rng.integers(0, 200, (n, 2, 2)), axis=1).reshape(n, 4).astype(float)
        corners[:, 2:] += 5
        classes = rng.integers(0, k, n)
        found = [[] for _ in range(k)]
        for place in range(n):
            moved = corners[place] + rng.integers(-4, 5, 4)
            moved[2:] = np.maximum(moved[2:], moved[:2] + 1)
            class_ = classes[place] if rng.random() < 0.8 else rng.integers(0, k)
            found[class_].append([*moved, round(float(rng.uniform(0.4, 1)), 4)])
        if image % 3 == 0:
            found[image % k].append([250.0, 250.0, 290.0, 280.0, 0.99])
        if image % 4 == 0:
            corners = np.vstack([corners, corners[0]])
            classes = np.append(classes, (classes[0] + 1) % k)
        labels.append({"bboxes": corners, "labels": classes})
        predictions.append([np.array(of_class, dtype=float).reshape(-1, 5) for of_class in found])
    score = object_detection.rank
    return {
        "given": [
            [[*map(float, box), int(class_)] for box, class_ in zip(label["bboxes"], label["labels"])]
            for label in labels
        ],
        "predicted": [
            [[*box[:4], class_, box[4]] for class_ in range(k) for box in prediction[class_].tolist()]
            for prediction in predictions
        ],
        "image": score.get_label_quality_scores(labels, predictions, verbose=False).tolist(),
        "overlooked": [
            [None if np.isnan(s) else float(s) for s in scores]
            for scores in score.compute_overlooked_box_scores(labels=labels, predictions=predictions)
        ],
        "bad_location": [
            s.tolist() for s in score.compute_badloc_box_scores(labels=labels, predictions=predictions)
        ],
        "swapped": [s.tolist() for s in score.compute_swap_box_scores(labels=labels, predictions=predictions)],
        "flagged": np.flatnonzero(object_detection.filter.find_label_issues(labels, predictions)).tolist(),
    }


if __name__ == "__main__":
    rng = np.random.default_rng(4)
    parts = [multiclass, multilabel, tokens, numbers, pixels, boxes]
    # Twelve digits: the tests allow 1e-9.
    short = json.loads(json.dumps({part.__name__: part(rng) for part in parts}), parse_float=lambda x: float(f"{float(x):.12g}"))
    json.dump(short, sys.stdout)
    sys.stdout.write("\n")
