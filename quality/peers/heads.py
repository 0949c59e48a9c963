"""The classifiers of scikit-learn that stand for "what people do today" on frozen features."""

import hashlib

import numpy as np
from scipy import sparse
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import LinearSVC


def probe(c):
    """L2 logistic regression on unit-length rows: the usual linear probe; `c` is its inverse penalty."""
    return make_pipeline(Normalizer(), LogisticRegression(C=c, max_iter=500))


#: name -> classifier; each is tried as it is, none is tuned on the test part.
HEADS = {
    "logistic C=1": lambda: probe(1.0),
    "logistic C=10": lambda: probe(10.0),
    "logistic C=100": lambda: probe(100.0),
    "logistic, standardised, C=0.01": lambda: make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, max_iter=500)
    ),
    "LDA, Ledoit-Wolf": lambda: make_pipeline(
        Normalizer(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    ),
    "nearest centroid": lambda: make_pipeline(Normalizer(), NearestCentroid()),
}


def tfidf(train, test):
    """Word 1-2-grams and character 1-4-grams, each of unit length, sublinear counts."""
    parts = [
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True, min_df=2),
    ]
    fitted = [(part.fit_transform(train), part.transform(test)) for part in parts]
    return tuple(sparse.hstack(side).tocsr() for side in zip(*fitted))


def joined(x_train, x_test, texts_train, texts_test):
    """TF-IDF columns beside the base's unit-length vector."""
    t_train, t_test = tfidf(texts_train, texts_test)
    unit = Normalizer()
    return (
        sparse.hstack([t_train, sparse.csr_matrix(unit.fit_transform(x_train))]).tocsr(),
        sparse.hstack([t_test, sparse.csr_matrix(unit.transform(x_test))]).tocsr(),
    )


def accuracy(head, x_train, y_train, x_test, y_test) -> float:
    """Share of the test part that the fitted head gets right."""
    return float((head.fit(x_train, y_train).predict(x_test) == y_test).mean())


def shots(y: np.ndarray, per_class: int, draw: int) -> np.ndarray:
    """Row numbers of `per_class` examples of every class: the first ones by a hash of draw and row.

    Dianjing's own table draws by the same rule, so both learn from the same examples.
    """
    order = sorted(range(len(y)), key=lambda row: hashlib.sha256(f"{draw} {row}".encode()).digest())
    taken = {label: 0 for label in np.unique(y)}
    rows = []
    for row in order:
        taken[y[row]] += 1
        if taken[y[row]] <= per_class:
            rows.append(row)
    return np.array(rows)


def joined_head():
    """The head of the joined features: linear, hinge loss, liblinear (logistic regression is 20 times slower here)."""
    return LinearSVC(C=1.0)
