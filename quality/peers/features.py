"""Features of every measured set on every base, kept as `.npy` so that the tables can be repeated in seconds."""

import csv
import json
from pathlib import Path

import numpy as np

import bases

PARTS = {
    "clothing": ("train", "validation", "test"),
    "fashion": ("train", "test"),
    "banking": ("train", "test"),
    "crosswoz": ("train", "test"),
}
#: feature name -> (set, base)
FEATURES = {
    "clothing": ("clothing", "lite2"),
    "fashion": ("fashion", "lite2"),
    "fashion_stages": ("fashion", "lite2_stages"),
    "banking_minilm": ("banking", "minilm"),
    "banking_e5": ("banking", "e5"),
    "crosswoz_e5": ("crosswoz", "e5"),
    "crosswoz_use": ("crosswoz", "use"),
}


def examples(data: Path, set_name: str, part: str):
    """Paths or texts of one part, with their label names."""
    if set_name in ("clothing", "fashion"):
        folder = {"clothing": "clothing", "fashion": "fashion_mnist_tiny"}[set_name]
        paths = sorted((data / "classification" / folder / part).glob("*/*"))
        return paths, [path.parent.name for path in paths]
    if set_name == "banking":
        with open(data / "text" / "banking77" / f"{part}.csv", newline="", encoding="utf8") as file:
            rows = list(csv.DictReader(file))
        return [row["text"] for row in rows], [row["category"] for row in rows]
    with open(data / "text" / "crosswoz_intent_zh" / f"{part}.jsonl", encoding="utf8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows], [row["domain"] for row in rows]


def labels(data: Path, set_name: str, part: str) -> np.ndarray:
    """Class indices in the order of the sorted names of the training part."""
    classes = {name: index for index, name in enumerate(sorted(set(examples(data, set_name, "train")[1])))}
    return np.array([classes[name] for name in examples(data, set_name, part)[1]])


def embed_images(packages: Path, paths, stages: bool) -> np.ndarray:
    """The pooled last layer `[n, 1280]`, or the pooled outputs of the seven stages side by side `[n, 856]`."""
    import torch

    network = bases.lite2(packages)
    seen = []
    for stage in network.blocks:
        stage.register_forward_hook(lambda module, inputs, output: seen.append(output.mean((2, 3))))
    out = []
    with torch.inference_mode():
        for start in range(0, len(paths), 16):
            seen.clear()
            batch = np.stack([bases.image(path) for path in paths[start : start + 16]])
            pooled = network(torch.from_numpy(batch))
            out.append((torch.cat(seen, 1) if stages else pooled).numpy())
    return np.concatenate(out)


def embed(packages: Path, base: str, inputs) -> np.ndarray:
    """Features of pictures or texts on one base, by its short name."""
    if base.startswith("lite2"):
        return embed_images(packages, inputs, stages=base.endswith("stages"))
    return getattr(bases, base)(packages)(inputs)


def load(data: Path, packages: Path, cache: Path, name: str, part: str):
    """Features `[n, d]` and labels `[n]`, from the cache when they are there."""
    file, label_file = cache / f"{name}_{part}.npy", cache / f"{name}_{part}_labels.npy"
    if not (file.exists() and label_file.exists()):
        set_name, base = FEATURES[name]
        inputs, _ = examples(data, set_name, part)
        cache.mkdir(parents=True, exist_ok=True)
        np.save(file, embed(packages, base, inputs).astype(np.float32))
        np.save(label_file, labels(data, set_name, part))
    return np.load(file), np.load(label_file)
