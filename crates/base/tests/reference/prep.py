"""Makes `data/prep`: pictures that our own encoder cannot write, and what Pillow sees and scales in them.

    pip install pillow==13.0.0 && python prep.py ../data/prep
"""

import json
import sys
from pathlib import Path

from PIL import Image

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# Width, height, side of the result, share of the shorter side: smaller, larger, and boxes between pixels.
SCALINGS = [(97, 61, 24, 1.0), (61, 97, 24, 0.875), (10, 13, 24, 1.0), (200, 150, 13, 0.9), (5, 3, 8, 0.5)]


def made(width: int, height: int) -> Image.Image:
    """Waves and a hard edge; the tests make the same one."""
    picture = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            picture.putpixel((x, y), ((x * 7 + y * 3) % 256, (x * x + y) % 256, 255 if x > y else 0))
    return picture


def scaling(width: int, height: int, side: int, share: float, name: str) -> dict:
    crop = min(width, height) * share
    left, top = (width - crop) / 2, (height - crop) / 2
    box = (left, top, left + crop, top + crop)
    scaled = made(width, height).resize((side, side), FILTERS[name], box=box)
    return {
        "width": width,
        "height": height,
        "side": side,
        "share": share,
        "filter": name,
        "pixels": list(scaled.tobytes()),
    }


def jpegs(out: Path) -> dict:
    """JPEGs in the colours of a print shop, progressive, and grey; Pillow's own pixels of each."""
    cmyk = Image.merge("CMYK", [Image.linear_gradient("L").resize((16, 16)).rotate(90 * turn) for turn in range(4)])
    pictures = {
        "cmyk.jpg": (cmyk, {}),
        "progressive.jpg": (made(24, 16), {"progressive": True}),
        "grey.jpg": (made(24, 16).convert("L"), {}),
    }
    pixels = {}
    for name, (picture, options) in pictures.items():
        picture.save(out / name, quality=90, **options)
        read = Image.open(out / name)
        pixels[name] = {"size": read.size, "pixels": list(read.convert("RGB").tobytes())}
    return pixels


def others(out: Path) -> dict:
    """A palette with a transparent colour, and 16 bits."""
    glass = Image.new("P", (4, 4))
    glass.putpalette([200, 30, 40, 0, 0, 0])
    glass.putpixel((0, 0), 1)
    glass.save(out / "palette.png", transparency=1)
    deep = Image.new("I;16", (4, 4))
    deep.putdata([value * 4369 for value in range(16)])
    deep.save(out / "deep.png")
    return {"palette.png": [255] * 3 + [200, 30, 40] * 15, "deep.png": [v * 17 for v in range(16) for _ in range(3)]}


if __name__ == "__main__":
    out = Path(sys.argv[1])
    reference = {
        "scalings": [scaling(*case, name) for case in SCALINGS for name in FILTERS],
        "jpegs": jpegs(out),
        "others": others(out),
    }
    (out / "reference.json").write_text(json.dumps(reference) + "\n")
