"""cleanlab on a logistic regression out of five folds: which labels it flags and how it ranks them; one JSON line.

    python label_errors.py FOLDER N D     FOLDER holds x.f32 [N, D] and y.u32 [N]

The default filter (prune by noise rate) and the default score (self-confidence); scikit-learn's default penalty (C = 1), features as they are.
"""

import os

# Before numpy is loaded: on matrices this small, threads wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import sys

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict


def main(folder, n, d):
    x = np.fromfile(f"{folder}/x.f32", dtype="<f4").reshape(n, d)
    y = np.fromfile(f"{folder}/y.u32", dtype="<u4").astype(int)
    probs = cross_val_predict(LogisticRegression(max_iter=1000), x, y, cv=5, method="predict_proba")
    flags = find_label_issues(y, probs, n_jobs=1)
    print(json.dumps({"flags": flags.tolist(), "scores": get_label_quality_scores(y, probs).tolist()}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
