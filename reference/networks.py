"""Makes networks.json: small random networks of every family, run by timm and transformers."""

import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel
from transformers import ViTConfig, ViTModel, XLMRobertaConfig, XLMRobertaModel

import lite
import made
import text

torch.manual_seed(0)
SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, attn_implementation="eager")


def with_made_weights(model):
    """The same network with formula weights, and the names and shapes in its checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        path = f"{folder}/model.safetensors"
        old = load_file(path)
        save_file({name: torch.as_tensor(made.weight(name, tuple(tensor.shape))) for name, tensor in old.items()}, path, metadata={"format": "pt"})
        return type(model).from_pretrained(folder, attn_implementation="eager").eval(), sorted((name, list(tensor.shape)) for name, tensor in old.items())


def case(name, family, weights, given, outputs):
    return {"name": name, "family": family, "weights": weights, "input": given, "outputs": {key: made.kept(value) for key, value in outputs.items()}}


def lite_cases():
    # Sizes that are odd, even and not square numbers of cells, so that both ways of SAME padding occur at every stage.
    for variant, size in [(0, 64), (1, 75), (2, 97), (3, 72), (4, 65)]:
        model = lite.build(variant, made.weight)
        image = made.image(f"lite{variant}", size, size)
        family = {"family": "efficientnet-lite", "variant": variant, "image_size": size}
        # The test knows the family's shapes from its definition.
        yield case(f"lite{variant}", family, [], {"image": size}, lite.outputs(model, image))


def text_cases():
    bert = BertModel(BertConfig(vocab_size=101, intermediate_size=48, max_position_embeddings=40, **SMALL), add_pooling_layer=False)
    xlmr_config = XLMRobertaConfig(vocab_size=101, intermediate_size=48, max_position_embeddings=42, layer_norm_eps=1e-5, pad_token_id=1, **SMALL)
    xlmr = XLMRobertaModel(xlmr_config, add_pooling_layer=False)
    for name, model, first, eps in [("bert", bert, 0, 1e-12), ("xlmr", xlmr, 2, 1e-5)]:
        model, weights = with_made_weights(model)
        family = {"family": "bert", "heads": 4, "layer_norm_eps": eps, "first_position": first}
        for count in (1, 7, 40):
            # Ids 0 and 1 are padding to one of the two; real texts do not hold them either.
            ids = [2 + id for id in made.tokens(f"{name}{count}", count, 99)]
            yield case(f"{name}-{count}-tokens", family, weights, {"tokens": ids}, text.outputs(model, ids))


@torch.no_grad()
def vit_outputs(model, image, prefix):
    hidden = model(torch.as_tensor(image), **({"interpolate_pos_encoding": True} if isinstance(model, ViTModel) else {})).last_hidden_state[0]
    return {"cls": hidden[0], "patch-mean": hidden[prefix:].mean(0), "patches": hidden[prefix:]}


def vit_cases():
    vit = ViTModel(ViTConfig(image_size=28, patch_size=7, intermediate_size=48, layer_norm_eps=1e-12, **SMALL), add_pooling_layer=False)
    dinov2 = Dinov2Model(Dinov2Config(image_size=28, patch_size=7, **SMALL))
    registers = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(image_size=42, patch_size=7, num_register_tokens=3, **SMALL))
    for name, model, prefix, eps in [("vit", vit, 1, 1e-12), ("dinov2", dinov2, 1, 1e-6), ("registers", registers, 4, 1e-6)]:
        model, weights = with_made_weights(model)
        # The trained size, then larger and smaller: positions are resampled.
        for size in (28, 42, 63, 21):
            image = made.image(f"{name}{size}", size, size)
            family = {"family": "vit", "heads": 4, "image_size": size, "layer_norm_eps": eps}
            yield case(f"{name}-{size}px", family, weights, {"image": size}, vit_outputs(model, image, prefix))


cases = [*lite_cases(), *text_cases(), *vit_cases()]
versions = {"torch": torch.__version__.split("+")[0], "timm": lite.timm.__version__, "transformers": transformers.__version__}
# One list of weights per network, not per case.
networks = {}
for each in cases:
    each["weights"] = networks.setdefault(str(each["weights"]), (len(networks), each["weights"]))[0]
made.write("networks.json", {"made_by": "reference/networks.py", "versions": versions, "weights": [weights for _, weights in networks.values()], "cases": cases})
