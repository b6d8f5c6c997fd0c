"""Start a wider model from a trained narrower one, so that it begins with what that one knows.

After Net2Net (Chen et al. 2016): every unit and every attention head appears twice, and what reads them
halves its weights, so that the grown model computes what the small one computed. Noise parts the twins.
"""

import torch
from transformers import LlamaForCausalLM

# Relative to a matrix's own spread: the twins part, and the function hardly changes.
NOISE = 0.05


def _twice(weight: torch.Tensor) -> torch.Tensor:
    """[rows, columns] doubled both ways for an input that comes twice: outputs come twice as well."""
    return torch.cat([weight, weight], 0).repeat(1, 2) / 2


def _place(target: torch.Tensor, source: torch.Tensor) -> None:
    """Into the upper left corner; further units of a feed-forward layer keep their own beginning."""
    target[: source.shape[0], : source.shape[1]] = source


@torch.no_grad()
def grow(small: LlamaForCausalLM, wide: LlamaForCausalLM) -> None:
    """Fill `wide`: twice the hidden size and heads of `small`, as many layers, as large a feed-forward or larger."""
    wide.model.embed_tokens.weight.copy_(small.model.embed_tokens.weight.repeat(1, 2))
    # Tied: a logit sums over both halves, so the last norm gives half.
    wide.model.norm.weight.copy_(small.model.norm.weight.repeat(2) / 2)
    for old, new in zip(small.model.layers, wide.model.layers, strict=True):
        for name in ("input_layernorm", "post_attention_layernorm"):
            getattr(new, name).weight.copy_(getattr(old, name).weight.repeat(2))
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            _place(getattr(new.self_attn, name).weight, _twice(getattr(old.self_attn, name).weight))
        new.mlp.down_proj.weight.zero_()  # units beyond the twins are silent at first
        for name in ("gate_proj", "up_proj", "down_proj"):
            _place(getattr(new.mlp, name).weight, _twice(getattr(old.mlp, name).weight))
    for parameter in wide.model.layers.parameters():
        if parameter.ndim == 2:
            parameter.add_(torch.randn_like(parameter) * parameter.std() * NOISE)
