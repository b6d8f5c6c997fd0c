"""Token by token: greedy or sampled, with stops. Small on purpose: generate() costs more than a nano model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch

from model_server.serving.requests import Sampling

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Completion:
    """``text`` ends before the stop string or end-of-turn token; ``tokens`` counts all that were made."""

    text: str
    tokens: int
    finish_reason: FinishReason


@torch.inference_mode()
def decode(
    model: Any,
    prompt_ids: list[int],
    sampling: Sampling,
    *,
    room: int,
    stop_ids: frozenset[int],
    to_text: Callable[[list[int]], str],
    first_ids: torch.Tensor | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Completion:
    """Continue the prompt by at most ``room`` tokens. ``first_ids``: the only tokens allowed first (forcing a call's arguments)."""
    choose = _chooser(sampling, model.device)
    extra = {"logits_to_keep": 1} if _keeps_last_logits(type(model)) else {}
    ids = torch.tensor([prompt_ids], device=model.device)
    cache: Any = None
    made: list[int] = []
    while len(made) < room and not should_stop():
        output = model(input_ids=ids, past_key_values=cache, use_cache=True, **extra)
        cache = output.past_key_values
        logits = output.logits[0, -1].float()
        if first_ids is not None and not made:
            logits = torch.full_like(logits, -torch.inf).index_copy(0, first_ids, logits[first_ids])
        token = choose(logits)
        made.append(token)
        if token in stop_ids:
            return Completion(to_text(made[:-1]), len(made), "stop")
        cut = _stop_position(to_text(made), sampling.stop) if sampling.stop else None
        if cut is not None:
            return Completion(to_text(made)[:cut], len(made), "stop")
        ids = torch.tensor([[token]], device=model.device)
    return Completion(to_text(made), len(made), "length")


def _chooser(sampling: Sampling, device: torch.device) -> Callable[[torch.Tensor], int]:
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


def _stop_position(text: str, stops: tuple[str, ...]) -> int | None:
    found = [text.find(stop) for stop in stops if stop in text]
    return min(found, default=None)


_KEEPS_LAST: dict[type, bool] = {}


def _keeps_last_logits(kind: Any) -> bool:
    """Most causal models can skip the logits of the prompt; some old ones cannot."""
    if kind not in _KEEPS_LAST:
        _KEEPS_LAST[kind] = "logits_to_keep" in inspect.signature(kind.forward).parameters
    return _KEEPS_LAST[kind]
