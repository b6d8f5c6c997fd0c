"""Embeddings: the mean of a served model's last hidden states over a text's tokens, at length 1."""

from __future__ import annotations

import torch

from model_server.errors import ApiError, invalid
from model_server.serving.base_model import BaseModel

# About what one forward pass takes without keeping chats waiting long.
MAX_TOKENS_AT_ONCE = 4096

Input = str | list[int]


def to_ids(base: BaseModel, inputs: list[Input], field: str = "input") -> list[list[int]]:
    """Token ids of every input, as the model's tokenizer makes them. Raises ApiError on what it cannot take."""
    known = len(base.tokenizer)
    found = []
    for index, value in enumerate(inputs):
        name = f"{field}.{index}" if field == "input" else field
        ids = base.tokenizer(value)["input_ids"] if isinstance(value, str) else value
        if not ids:
            raise invalid(f"'{name}' has no tokens.", param=field)
        if not all(0 <= i < known for i in ids):
            raise invalid(f"'{name}' holds token ids beyond the vocabulary of {known}.", param=field)
        if len(ids) > base.max_model_len:
            raise ApiError(
                400,
                f"'{name}' has {len(ids)} tokens; this model's maximum context length is "
                f"{base.max_model_len}. Shorten it; it is never cut.",
                code="context_length_exceeded",
                param=field,
            )
        found.append(list(ids))
    return found


def batches(texts: list[list[int]]) -> list[list[int]]:
    """Indices of texts, those of like length together, as many as fit at once."""
    groups: list[list[int]] = []
    for index in sorted(range(len(texts)), key=lambda i: len(texts[i])):
        if groups and (len(groups[-1]) + 1) * len(texts[index]) <= MAX_TOKENS_AT_ONCE:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


@torch.inference_mode()
def embed(base: BaseModel, model: str, texts: list[list[int]]) -> list[list[float]]:
    """One forward pass; padding on the right is neither seen nor counted."""
    longest = max(map(len, texts))
    ids = torch.tensor([text + [0] * (longest - len(text)) for text in texts], device=base.device)
    mask = torch.tensor([[1] * len(t) + [0] * (longest - len(t)) for t in texts], device=base.device)
    hidden = base.hidden_states(model, input_ids=ids, attention_mask=mask, use_cache=False).float()
    weights = mask[:, :, None].float()
    mean = (hidden * weights).sum(1) / weights.sum(1)
    unit = torch.nn.functional.normalize(mean, dim=-1)
    rows: list[list[float]] = unit.tolist()
    return rows
