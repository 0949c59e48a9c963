"""Rules for pictures by CleanVision 0.3.7 on small made pictures: what `src/faults/pictures` is compared with.

    python -m venv env && env/bin/pip install cleanvision==0.3.7 numpy==2.4.6 pillow==13.0.0
    env/bin/python pictures.py > pictures.json

`made` is written again in `tests/it/pictures.rs`.
"""

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from cleanvision import Imagelab
from PIL import Image

assert version("cleanvision") == "0.3.7", version("cleanvision")


def made(number):
    """A picture `[height, width, 3]`: noise, unless its number says something else."""
    width, height = 40 + 2 * (number % 8), 44 - number % 8
    if number == 10:
        width, height = 120, 30
    if number == 11:
        width, height = 400, 380
    if number == 16:
        width, height = 5, 6
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    noise = ((x * 37 + y * 91 + c * 71 + number * 13) * (x + 3 * y + 7 * c + number) // 5) % 256
    if number == 8:
        return noise // 16
    if number == 9:
        return 242 + noise // 20
    if number == 12:
        return 90 + 60 * (noise // 200)
    if number == 13:
        return 60 + x + y + 9 * c
    if number == 14:
        return np.repeat(noise[:, :, :1], 3, axis=2)
    if number == 15:
        return 96 + noise // 4
    return noise


with tempfile.TemporaryDirectory() as folder:
    for number in range(17):
        picture = Image.fromarray(made(number).astype(np.uint8))
        # A picture without colours is known to CleanVision by its mode alone.
        (picture.convert("L") if number == 14 else picture).save(Path(folder) / f"{number:02}.png")
    lab = Imagelab(data_path=folder, verbose=False)
    issues = ["dark", "light", "odd_aspect_ratio", "low_information", "blurry", "grayscale", "odd_size"]
    lab.find_issues({issue: {} for issue in issues}, n_jobs=1, verbose=False)

table = lab.issues.sort_index()
flagged = {issue: np.flatnonzero(table[f"is_{issue}_issue"]).tolist() for issue in issues}
scores = {issue: table[f"{issue}_score"].astype(float).tolist() for issue in issues}
entropy = lab.info["low_information"]["entropy"].sort_index().astype(float).tolist()
json.dump({"flagged": flagged, "scores": scores, "entropy": entropy}, sys.stdout, indent=1)
print()
