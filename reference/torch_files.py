"""Makes the small torch files that `crates/base/tests/it/containers.rs` reads, and the values that must come out.

Run with torch 2.x: python reference/torch_files.py crates/base/tests/data
"""

import io
import json
import os
import pickle
import sys
from collections import OrderedDict
from pathlib import Path

import torch

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


def state():
    """Every floating-point type, a view with an offset, a transposed view, a shared storage, a scalar, whole numbers."""
    base = torch.arange(24, dtype=torch.float32) / 8 - 1
    tensors = OrderedDict()
    tensors["conv.weight"] = base.reshape(2, 3, 2, 2)
    tensors["conv.rows"] = base[4:12].reshape(4, 2)
    tensors["conv.transposed"] = base.reshape(4, 6).t()
    tensors["half"] = torch.tensor([1.5, -0.25], dtype=torch.float16)
    tensors["brain"] = torch.tensor([[3.0, -2.5]], dtype=torch.bfloat16)
    tensors["double"] = torch.tensor([0.1], dtype=torch.float64)
    tensors["scalar"] = torch.tensor(7.0)
    tensors["empty"] = torch.zeros(0, 3)
    tensors["count"] = torch.tensor(9, dtype=torch.int64)
    return tensors


def malicious():
    class Attack:
        def __reduce__(self):
            return os.system, ("touch owned",)

    out = io.BytesIO()
    for header in (MAGIC, PROTOCOL, {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}):
        pickle.dump(header, out, protocol=2)
    pickle.dump(OrderedDict(weight=Attack()), out, protocol=2)
    pickle.dump([], out, protocol=2)
    return out.getvalue()


def main(folder):
    tensors = state()
    torch.save(tensors, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(tensors, folder / "zip.pth")
    module = torch.nn.Linear(2, 1)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[0.5, -0.5]]))
        module.bias.copy_(torch.tensor([2.0]))
    # A whole checkpoint: parameters, with numbers and text beside the state dictionary.
    checkpoint = {"epoch": 3, "note": "best", "lr": 0.1, "state_dict": dict(module.named_parameters())}
    torch.save(checkpoint, folder / "checkpoint.pth", _use_new_zipfile_serialization=False)
    (folder / "malicious.pth").write_bytes(malicious())
    expected = {
        name: {"shape": list(tensor.shape), "values": tensor.float().flatten().tolist()}
        for name, tensor in tensors.items()
        if tensor.is_floating_point()
    }
    (folder / "torch_files.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
