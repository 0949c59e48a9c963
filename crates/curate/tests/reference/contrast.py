"""Cliff's delta, Mann-Whitney and chi-square by SciPy 1.17.1 on small made data: what `src/consistency/contrast.rs` is compared with.

    python -m venv env && env/bin/pip install scipy==1.17.1 numpy==2.4.6
    env/bin/python contrast.py > contrast.json
"""

import json
import sys

import numpy as np
import scipy
from scipy import stats

assert scipy.__version__ == "1.17.1", scipy.__version__

rng = np.random.default_rng(11)
numbers = []
for n_a, n_b, shift, decimals in [(8, 9, 0.0, 6), (30, 25, 0.8, 6), (40, 12, 0.5, 0), (6, 60, -2.0, 1)]:
    a = np.round(rng.normal(0.0, 1.0, n_a), decimals)
    b = np.round(rng.normal(shift, 1.0, n_b), decimals)
    found = stats.mannwhitneyu(b, a, method="asymptotic", use_continuity=True)
    delta = 2 * found.statistic / (n_a * n_b) - 1
    numbers.append({"a": a.tolist(), "b": b.tolist(), "delta": delta, "p": found.pvalue})

names = []
for n_a, n_b, share in [(40, 60, [0.4, 0.3, 0.3]), (80, 50, [0.7, 0.2, 0.1])]:
    a = rng.choice(3, n_a, p=share)
    b = rng.choice(3, n_b)
    table = np.array([np.bincount(a, minlength=3), np.bincount(b, minlength=3)])
    found = stats.chi2_contingency(table, correction=False)
    v = (found.statistic / (n_a + n_b)) ** 0.5
    names.append({"a": a.tolist(), "b": b.tolist(), "v": v, "p": found.pvalue})

json.dump({"numbers": numbers, "names": names}, sys.stdout, indent=1)
print()
