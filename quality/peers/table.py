"""Prints the measured table of the peers: scikit-learn heads on the same frozen bases, JSON first, then Markdown.

    python table.py --data ../../../shared/data --packages ~/.cache/dianjing/peers/packages --cache ~/.cache/dianjing/peers

Shots are means of five seeds; every head is reported and the best one is named, which flatters the peers a little:
they chose on the test part.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import features
import heads

#: row -> (feature name, shots, whether TF-IDF is joined for all of the training part)
ROWS = {
    "clothing, EfficientNet-Lite2": ("clothing", (1, 5, 10, 20), False),
    "fashion_mnist_tiny, EfficientNet-Lite2": ("fashion", (1, 5, 10, 20), False),
    "fashion_mnist_tiny, EfficientNet-Lite2 stages": ("fashion_stages", (1, 5, 10, 20), False),
    "banking77, MiniLM": ("banking_minilm", (5, 10), True),
    "banking77, multilingual-E5": ("banking_e5", (5, 10), True),
    "crosswoz domain, multilingual-E5": ("crosswoz_e5", (5, 10), True),
    "crosswoz domain, USE": ("crosswoz_use", (5, 10), True),
}
SEEDS = range(5)
#: All-train fits of these are slow and change nothing at this size.
SLOW = {"logistic C=1"}


def best(scores: dict) -> dict:
    """The scores with the winner on top."""
    winner = max(scores, key=scores.get)
    return {"accuracy": round(scores[winner], 4), "head": winner, "all": {k: round(v, 4) for k, v in scores.items()}}


def few(train, test, per_class: int) -> dict:
    (x, y), (x_test, y_test) = train, test
    scores = {}
    for name, make in heads.HEADS.items():
        if per_class == 1 and name.startswith("LDA"):
            continue
        runs = []
        for seed in SEEDS:
            rows = heads.shots(y, per_class, seed)
            runs.append(heads.accuracy(make(), x[rows], y[rows], x_test, y_test))
        scores[name] = float(np.mean(runs))
    return best(scores)


def whole(train, test) -> dict:
    (x, y), (x_test, y_test) = train, test
    named = {name: make for name, make in heads.HEADS.items() if len(y) < 2000 or name not in SLOW}
    return best({name: heads.accuracy(make(), x, y, x_test, y_test) for name, make in named.items()})


def with_words(data: Path, set_name: str, train, test) -> dict:
    texts = [features.examples(data, set_name, part)[0] for part in ("train", "test")]
    x, x_test = heads.joined(train[0], test[0], *texts)
    score = heads.accuracy(heads.joined_head(), x, train[1], x_test, test[1])
    return {"accuracy": round(score, 4), "head": "LinearSVC on features + TF-IDF"}


def measure(data: Path, packages: Path, cache: Path, only) -> dict:
    table = {}
    for row, (name, counts, join) in ROWS.items():
        if only and name not in only:
            continue
        set_name, _ = features.FEATURES[name]
        train, test = (features.load(data, packages, cache, name, part) for part in ("train", "test"))
        cells = {f"{count}/class": few(train, test, count) for count in counts}
        if set_name != "fashion":
            cells["all train"] = whole(train, test)
        if join:
            cells["all train, joined"] = with_words(data, set_name, train, test)
        table[row] = {"n_train": len(train[1]), "n_test": len(test[1]), "cells": cells}
        print(row, {cell: value["accuracy"] for cell, value in cells.items()}, file=sys.stderr, flush=True)
    return table


def markdown(table: dict) -> str:
    columns = ("1/class", "5/class", "10/class", "20/class", "all train", "all train, joined")
    lines = ["| set, base | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for row, entry in table.items():
        cells = (entry["cells"].get(column) for column in columns)
        shown = (f"{cell['accuracy']:.3f} ({cell['head']})" if cell else "" for cell in cells)
        lines.append(f"| {row} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main():
    here = Path(__file__).resolve()
    caches = Path.home() / ".cache" / "dianjing" / "peers"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=here.parents[3] / "shared" / "data")
    parser.add_argument("--packages", type=Path, default=caches / "packages", help="where wheels are unpacked")
    parser.add_argument("--cache", type=Path, default=caches / "features", help="where features are kept")
    parser.add_argument("--only", nargs="*", help="feature names, for example clothing banking_e5")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"no data folder at {arguments.data}: name it with --data")
    table = measure(arguments.data, arguments.packages, arguments.cache, arguments.only)
    print(json.dumps(table, indent=1, ensure_ascii=False))
    print(markdown(table))


if __name__ == "__main__":
    main()
