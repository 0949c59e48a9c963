"""What a text base gives, from a Hugging Face encoder."""

import torch


@torch.no_grad()
def outputs(model: torch.nn.Module, ids: list[int]) -> dict:
    """Mean over all tokens and the first token, each of length 1."""
    hidden = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long)).last_hidden_state[0]
    unit = lambda vector: vector / vector.norm()
    return {"mean": unit(hidden.mean(0)), "cls": unit(hidden[0])}
