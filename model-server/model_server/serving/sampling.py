"""The next token from its logits: greedy or sampled."""

from __future__ import annotations

from collections.abc import Callable

import torch

from model_server.serving.requests import Sampling


def chooser(sampling: Sampling, device: torch.device) -> Callable[[torch.Tensor], int]:
    """Each request has a generator of its own: a seed means the same alone and in a batch."""
    if sampling.temperature == 0:
        return lambda logits: int(logits.argmax())
    generator = torch.Generator(device=device)
    if sampling.seed is None:
        generator.seed()
    else:
        generator.manual_seed(sampling.seed)

    def sample(logits: torch.Tensor) -> int:
        probabilities = nucleus(torch.softmax(logits / sampling.temperature, dim=-1), sampling.top_p)
        return int(torch.multinomial(probabilities, 1, generator=generator))

    return sample


def nucleus(probabilities: torch.Tensor, top_p: float) -> torch.Tensor:
    """Zero outside the smallest set of likeliest tokens that holds ``top_p``; at least one stays."""
    if top_p >= 1:
        return probabilities
    ordered, order = probabilities.sort(descending=True)
    outside = ordered.cumsum(0) - ordered >= top_p
    outside[0] = False
    return probabilities.index_fill(0, order[outside], 0.0)
