"""Plain ridge CCA in numpy: how often the partner is among the ten best of pairs that were not learned from.

    python cca.py FOLDER N D E M     FOLDER holds left.f32 [N + M, D] and right.f32 [N + M, E]; the first N pairs teach

Prints the share, both directions. The ridge is a tenth of the mean variance, the components are min(N / 5, 200), all of one weight.
"""

import sys

import numpy as np


def root(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return (vectors / np.sqrt(np.maximum(values, 1e-12))) @ vectors.T


def main(folder, n, d, e, m):
    left = np.fromfile(f"{folder}/left.f32", dtype="<f4").reshape(n + m, d).astype(float)
    right = np.fromfile(f"{folder}/right.f32", dtype="<f4").reshape(n + m, e).astype(float)
    x, y = left[:n] - left[:n].mean(0), right[:n] - right[:n].mean(0)
    cx, cy = x.T @ x / n, y.T @ y / n
    wx = root(cx + 0.1 * np.trace(cx) / d * np.eye(d))
    wy = root(cy + 0.1 * np.trace(cy) / e * np.eye(e))
    u, _, vt = np.linalg.svd(wx @ (x.T @ y / n) @ wy, full_matrices=False)
    r = max(1, min(n // 5, 200))
    a = (left[n:] - left[:n].mean(0)) @ wx @ u[:, :r]
    b = (right[n:] - right[:n].mean(0)) @ wy @ vt[:r].T
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    alike = a @ b.T
    own = np.diag(alike)
    one = (alike > own[:, None]).sum(1) < 10
    other = (alike > own[None, :]).sum(0) < 10
    print((one.mean() + other.mean()) / 2)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
