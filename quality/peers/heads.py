"""The classifiers of scikit-learn that stand for "what people do today" on frozen features."""

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


def shots(y: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Row numbers of `per_class` random examples of every class."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(y == label))[:per_class] for label in np.unique(y)]
    return np.concatenate(rows)


def joined_head():
    """The head of the joined features: linear, hinge loss, liblinear (logistic regression is 20 times slower here)."""
    return LinearSVC(C=1.0)
