"""Times cleanlab's Datalab on labels, probabilities and features from elsewhere: one JSON line.

    python audit_speed.py --rows 10000

Versions: as in requirements.txt. Two threads. The arrays are made by the same formula as in `bench/src/audit.rs`.
"""

import argparse
import contextlib
import io
import json
import resource
import time

from inspect_speed import CLUSTERS, patches, uniform

import numpy as np

CLASSES, WRONG = 10, 20


def arrays(rows: int):
    x = patches(rows)
    cluster = ((uniform(3, rows) + 1.0) / 2.0 * CLUSTERS).astype(int)
    truth = cluster % CLASSES
    labels = (truth + (np.arange(rows) % WRONG == 0)) % CLASSES
    sure = 0.55 + 0.22 * (uniform(6, rows) + 1.0)
    probs = np.repeat(((1.0 - sure) / (CLASSES - 1))[:, None], CLASSES, axis=1)
    probs[np.arange(rows), truth] = sure
    return x, labels, probs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--data", help="not needed; every peer is called with it")
    arguments = parser.parse_args()
    x, labels, probs = arrays(arguments.rows)
    from cleanlab import Datalab

    # Its data valuation is left out: with 50,000 rows it takes more memory than the machine has.
    wanted = ["label", "outlier", "near_duplicate", "non_iid", "class_imbalance", "underperforming_group"]
    started = time.perf_counter()
    # It tells its progress on the standard output, where the result belongs.
    with contextlib.redirect_stdout(io.StringIO()):
        lab = Datalab(data={"y": labels}, label_name="y", task="classification", verbosity=0)
        lab.find_issues(features=x, pred_probs=probs, issue_types={name: {} for name in wanted})
    seconds = time.perf_counter() - started
    found = {name: int(count) for name, count in zip(*lab.get_issue_summary()[["issue_type", "num_issues"]].values.T)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    result = {"rows": arguments.rows, "found": found, "seconds": round(seconds, 3)}
    print(json.dumps(result | {"per_second": round(arguments.rows / seconds, 2), "peak_rss_bytes": peak}))


if __name__ == "__main__":
    main()
