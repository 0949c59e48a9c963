"""Reference values of the tests in src/coco/counts.rs and src/label_studio/brush.rs.

    pip install numpy==2.2.6 pycocotools==2.0.11 label-studio-sdk==2.1.2
    python runs.py
"""

import numpy as np
from label_studio_sdk.converter import brush
from pycocotools import mask as coco


def lengths(values):
    """Lengths of runs, the first one unmarked."""
    out, now = [0], False
    for value in values:
        if value != now:
            out.append(0)
            now = value
        out[-1] += 1
    return out


def masks():
    holed = np.zeros((5, 7), bool)
    holed[1:4, 2:6] = True
    holed[2, 3] = False
    noise = np.random.default_rng(5).random((6, 6)) > 0.5
    y, x = np.mgrid[:300, :200]
    ellipse = (((y - 150) / 140) ** 2 + ((x - 90) / 70) ** 2 < 1)[::10, ::10]
    tall = np.zeros((2000, 3), bool)
    tall[100:1900, 1] = True
    tall[5:7, 2] = True
    return {"holed": holed, "noise": noise, "ellipse": ellipse, "all": np.ones((2, 3), bool), "tall": tall}


for name, mask in masks().items():
    height, width = mask.shape
    text = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    print(name, width, height, "columns", lengths(mask.ravel(order="F")), "text", text)
    if name != "tall":
        print(name, "rows", lengths(mask.ravel()))
    if name in ("holed", "noise"):
        # Label Studio packs the four channels of every pixel.
        print(name, "label studio", list(map(int, brush.encode_rle(np.repeat(mask.ravel().astype(np.uint8) * 255, 4)))))
