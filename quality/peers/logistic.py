"""The share that scikit-learn's logistic regression gets right.

    python logistic.py FOLDER N M D     FOLDER holds train.f32 [N, D], test.f32 [M, D], train.u32 [N] and test.u32 [M]

The penalty is the best of four out of three folds of the training part, features are as they are or of length one, whichever does better there.
"""

import os

# Before numpy is loaded: on matrices this small, threads wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer


def main(folder, n, m, d):
    x = np.fromfile(f"{folder}/train.f32", dtype="<f4").reshape(n, d)
    z = np.fromfile(f"{folder}/test.f32", dtype="<f4").reshape(m, d)
    labels = [np.fromfile(f"{folder}/{part}.u32", dtype="<u4").astype(int) for part in ("train", "test")]
    head = Pipeline([("length", Normalizer()), ("head", LogisticRegression(max_iter=1000))])
    grid = [
        {"length": ["passthrough"], "head__C": [0.001, 0.01, 0.1, 1.0]},
        {"length": [Normalizer()], "head__C": [0.1, 1.0, 10.0, 100.0]},
    ]
    search = GridSearchCV(head, grid, cv=3, n_jobs=2).fit(x, labels[0])
    print((search.predict(z) == labels[1]).mean())


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
