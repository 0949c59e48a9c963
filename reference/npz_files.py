"""Makes the small .npz files in crates/base/tests/data with NumPy itself: sound ones of every type, and ones to refuse."""

import io
import zipfile
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent.parent / "crates" / "base" / "tests" / "data"
ROWS = np.array([[0, 1, 2], [3, 4, 127]])


def npz(arrays: dict, packed: bool, version=None) -> bytes:
    """A file with fixed dates, so that it is the same every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array, version=version)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue(), archive.compression)
    return out.getvalue()


kinds = {kind: ROWS.astype(kind) for kind in ("u1", "i1", "<i4", "<i8", "<f2", "<f4", "<f8")}
kinds = {kind.strip("<"): array for kind, array in kinds.items()} | {"scalar": np.float64(0.5), "none": np.zeros((0, 4), np.float32), "one": np.arange(2.0)}
(DATA / "sound.npz").write_bytes(npz(kinds, packed=True))
(DATA / "stored.npz").write_bytes(npz(kinds, packed=False, version=(2, 0)))
(DATA / "objects.npz").write_bytes(npz({"objects": np.array([{"a": 1}], dtype=object)}, packed=True))
(DATA / "columns.npz").write_bytes(npz({"columns": np.asfortranarray(ROWS.astype("<f4"))}, packed=True))
(DATA / "big_endian.npz").write_bytes(npz({"big": ROWS.astype(">f4")}, packed=True))
