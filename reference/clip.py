"""Makes clip.json and crates/base/tests/data/clip: small random CLIPs as a hub lays them out, and the vectors that transformers gives.

    python clip.py      wants the packages of requirements.txt

The weights are not stored: the tests make them by the same formula.
"""

import json
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

import made

FOLDER = made.HERE.parent / "crates/base/tests/data/clip"
TEXTS = ["a photo of a cat", "Two dogs,  running!", "it's 3 o'clock", "caf\u00e9 \u732b \ud83d\udc31".encode("utf-16", "surrogatepass").decode("utf-16"), "", "word " * 40]
CORPUS = ["a photo of a cat", "a photo of the dog", "two dogs are running", "it's a picture of three cats", "the word of the day"]
WIDTHS = dict(intermediate_size=64, num_hidden_layers=2, attn_implementation="eager")


def tokenizer():
    """CLIP's own rules over a small vocabulary: all bytes, in words and at their end, and a few merges."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learned = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learned.pre_tokenizer = pre_tokenizers.Whitespace()
    learned.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=110, end_of_word_suffix="</w>"))
    merges = [tuple(pair) for pair in json.loads(learned.to_str())["model"]["merges"]]
    words = [*alphabet, *(letter + "</w>" for letter in alphabet), *("".join(pair) for pair in merges)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: place for place, word in enumerate(words)}, merges=merges)


def network(words, act, eos):
    """A network with formula weights, and the names and shapes in its checkpoint."""
    text = dict(vocab_size=words, hidden_size=32, num_attention_heads=2, max_position_embeddings=24, hidden_act=act, bos_token_id=eos - 1, eos_token_id=eos, **WIDTHS)
    vision = dict(hidden_size=48, num_attention_heads=3, image_size=32, patch_size=8, hidden_act=act, **WIDTHS)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=20)).eval()
    state = model.state_dict()
    shapes = sorted((name, list(tensor.shape)) for name, tensor in state.items() if tensor.dtype == torch.float32 and tensor.dim() > 0)
    model.load_state_dict({name: torch.as_tensor(made.weight(name, tuple(shape))) for name, shape in shapes}, strict=False)
    return model, shapes


def unit(vector):
    return vector / np.linalg.norm(vector)


@torch.no_grad()
def looked(model, pixels):
    pooled = model.vision_model(torch.as_tensor(pixels), interpolate_pos_encoding=True).pooler_output
    return {"joint": unit(model.visual_projection(pooled)[0].numpy()), "pooled": pooled[0].numpy()}


@torch.no_grad()
def read(model, ids):
    pooled = model.text_model(input_ids=torch.tensor([ids])).pooler_output
    return {"joint": unit(model.text_projection(pooled)[0].numpy()), "pooled": pooled[0].numpy()}


def networks():
    for act, gelu in [("quick_gelu", "quick"), ("gelu", "exact")]:
        model, weights = network(60, act, 59)
        family = {"family": "clip", "heads": 3, "text_heads": 2, "max_tokens": 24, "gelu": gelu}
        # The trained size, then a larger one: positions are resampled.
        for size in (32, 48):
            name = f"clip-{gelu}-{size}px"
            outputs = looked(model, made.image(name.replace("-", "").removesuffix("px"), size, size))
            yield name, family | {"image_size": size}, weights, {"image": size}, outputs
        for count in (1, 7, 24):
            ids = [58, *made.tokens(f"{gelu}{count}", count, 58)][: count - 1] + [59]
            yield f"clip-{gelu}-{count}-tokens", family | {"image_size": 32, "tower": "reads"}, weights, {"tokens": ids}, read(model, ids)


def folder():
    FOLDER.mkdir(parents=True, exist_ok=True)
    words = tokenizer()
    model, weights = network(len(words), "quick_gelu", words.eos_token_id)
    model.config.save_pretrained(FOLDER)
    words.backend_tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)
    processor = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32)
    processor.save_pretrained(FOLDER)
    rows, columns = np.mgrid[0:64, 0:80]
    picture = np.stack([rows * 3 + columns, 255 - 3 * columns, 90 + 60 * np.sin(rows / 7) + 60 * np.cos(columns / 9)], axis=-1).clip(0, 255).astype(np.uint8)
    Image.fromarray(picture).save(FOLDER / "picture.png", optimize=True)
    pixels = processor(Image.fromarray(picture), return_tensors="pt")["pixel_values"].numpy()
    texts = []
    for text in TEXTS:
        ids = words(text, truncation=True, max_length=24)["input_ids"]
        texts.append({"text": text, "ids": ids, "joint": made.kept(read(model, ids)["joint"])["values"]})
    kept = {"made_by": "reference/clip.py", "weights": weights, "picture": made.kept(looked(model, pixels)["joint"])["values"], "texts": texts}
    (FOLDER / "expected.json").write_text(json.dumps(kept, separators=(",", ":")) + "\n")


folder()
cases, lists = [], []
for name, family, weights, given, outputs in networks():
    if weights not in lists:
        lists.append(weights)
    kept = {key: made.kept(value) for key, value in outputs.items()}
    cases.append({"name": name, "family": family, "weights": lists.index(weights), "input": given, "outputs": kept})
versions = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
made.write("clip.json", {"made_by": "reference/clip.py", "versions": versions, "weights": lists, "cases": cases})
