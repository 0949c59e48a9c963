"""What cleanlab 2.9.0 and crowd-kit 1.4.1 answer on small made votes: the values that `tests/it/consensus.rs` compares with.

    python -m venv env && env/bin/pip install cleanlab==2.9.0 crowd-kit==1.4.1 numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1
    env/bin/python consensus.py > consensus.json
"""

import json
import sys
import warnings

import cleanlab
import numpy as np
import pandas as pd
from cleanlab import multiannotator
from cleanlab.internal import multiannotator_utils
from crowdkit.aggregation import GLAD, MACE, DawidSkene
from crowdkit.metrics.data import alpha_krippendorff

assert cleanlab.__version__ == "2.9.0", cleanlab.__version__

# Its temperature is fitted to class counts that go to the first places instead of to their classes, because the votes are
# floating-point numbers there. ActiveLab as published needs them in their places.
multiannotator_utils.value_counts = lambda votes, num_classes: np.bincount(votes.astype(int), minlength=num_classes)
warnings.filterwarnings("ignore")


def made(rng, n, m, k, per_example):
    """Votes of annotators of different quality, and the probabilities of a model that knows more than they do."""
    truth = rng.choice(k, n, p=np.arange(k, 0, -1) / np.arange(1, k + 1).sum())
    accuracy = rng.uniform(0.5, 0.95, m)
    wide = np.full((n, m), np.nan)
    for example in range(n):
        for annotator in rng.choice(m, rng.integers(1, per_example + 1), replace=False):
            right = rng.random() < accuracy[annotator]
            wide[example, annotator] = truth[example] if right else rng.integers(0, k)
    logits = rng.normal(size=(n, k)) + 2.5 * np.eye(k)[truth]
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probs = np.round(probs, 6)
    probs[:, 0] += 1 - probs.sum(1)
    return truth, wide, np.round(probs, 6)


if __name__ == "__main__":
    rng = np.random.default_rng(3)
    n, m, k = 120, 9, 3
    truth, wide, probs = made(rng, n, m, k, 4)
    found = multiannotator.get_label_quality_multiannotator(wide, probs, return_weights=True, verbose=False)
    quality, stats = found["label_quality"], found["annotator_stats"].sort_index()
    unvoted = np.round(rng.dirichlet(np.ones(k), 10), 6)
    unvoted[:, 0] += 1 - unvoted.sum(1)
    active, active_unvoted = multiannotator.get_active_learning_scores(wide, probs, unvoted)
    votes = [[int(i), int(a), int(wide[i, a])] for i, a in np.argwhere(~np.isnan(wide))]
    frame = pd.DataFrame(votes, columns=["task", "worker", "label"])
    out = {
        "n": n,
        "annotators": m,
        "classes": k,
        "truth": truth.tolist(),
        "votes": votes,
        "probs": probs.tolist(),
        "unvoted": unvoted.tolist(),
        "labels": quality["consensus_label"].tolist(),
        "quality": quality["consensus_quality_score"].tolist(),
        "agreement": quality["annotator_agreement"].tolist(),
        "annotator_quality": stats["annotator_quality"].tolist(),
        "model_weight": float(found["model_weight"]),
        "annotator_weights": found["annotator_weight"].tolist(),
        "active": active.tolist(),
        "active_unvoted": active_unvoted.tolist(),
        "dawid_skene": DawidSkene(n_iter=100).fit_predict(frame).reindex(range(n)).tolist(),
        "glad": GLAD(n_iter=30).fit_predict(frame).reindex(range(n)).tolist(),
        "mace": MACE(random_state=0).fit_predict(frame).reindex(range(n)).tolist(),
        "alpha": float(alpha_krippendorff(frame)),
    }
    json.dump(out, sys.stdout)
    sys.stdout.write("\n")
