"""Fits the coefficients of the native engine's GELU and exp (crates/base/src/engine/native/kernels/math.rs).

Both fits minimise the largest weighted error on a dense grid by iteratively reweighted least squares (Lawson 1961); the
rational one is multiplied by its denominator, and the weights make up for it. Prints f32 coefficients, lowest power first.
"""

import math

import numpy as np

ROUNDS = 80


def powers(x: np.ndarray, degree: int) -> np.ndarray:
    return np.vander(x, degree + 1, increasing=True)


def lawson(solve, error, n: int):
    """The best of `ROUNDS` solutions, each with more weight where the last one erred."""
    weight, best = np.ones(n), (math.inf, None)
    for _ in range(ROUNDS):
        solution = solve(np.sqrt(weight))
        e = np.abs(error(solution))
        best = min(best, (e.max(), solution), key=lambda pair: pair[0])
        weight *= e / e.mean() + 1e-3
    return best


def gelu(clamp: float = 5.25, degree: int = 5):
    """P and Q with `Phi(t) - 1/2 = t P(t^2) / Q(t^2)`, minimising the error in `t Phi(t)`."""
    x = np.unique(np.concatenate([clamp * np.sqrt((np.cos(np.linspace(0, np.pi, 4001)) + 1) / 2), np.linspace(1e-3, clamp, 3000)]))
    x = x[x > 1e-4]
    u = (x / clamp) ** 2
    f = np.array([0.5 * math.erf(v / math.sqrt(2)) for v in x]) / x
    scale = x * np.maximum(x, 0.3)
    p, q = powers(u, degree), powers(u, degree)[:, 1:]

    def solve(weight):
        w = weight * scale
        return np.linalg.lstsq(np.hstack([p, -f[:, None] * q]) * w[:, None], f * w, rcond=None)[0]

    def error(s):
        return scale * (p @ s[: degree + 1] / (1 + q @ s[degree + 1 :]) - f)

    worst, s = lawson(solve, error, len(x))
    unscale = clamp ** -(2.0 * np.arange(degree + 1))
    return worst, s[: degree + 1] * unscale, np.concatenate([[1.0], s[degree + 1 :]]) * unscale


def exp(degree: int = 4):
    """p with `e^r = 1 + r + r^2 p(r)` for `|r| <= ln 2 / 2`, minimising the relative error."""
    r = np.cos(np.linspace(0, np.pi, 4001)) * math.log(2) / 2 * 1.001
    r = r[np.abs(r) > 1e-5]
    f = (np.expm1(r) - r) / r**2
    scale = r * r / np.exp(r)
    a = powers(r, degree)

    def solve(weight):
        w = weight * scale
        return np.linalg.lstsq(a * w[:, None], f * w, rcond=None)[0]

    return lawson(solve, lambda s: scale * (a @ s - f), len(r))


if __name__ == "__main__":
    worst, p, q = gelu()
    print(f"gelu: error {worst:.1e}\n  P {[float(np.float32(v)) for v in p]}\n  Q {[float(np.float32(v)) for v in q]}")
    worst, p = exp()
    print(f"exp: relative error {worst:.1e}\n  p {[float(np.float32(v)) for v in p]}")
