"""Reading prompts of different lengths, partly known already, in one forward pass.

Rows are padded on the left twice: known keys and values up to the longest known beginning, and the new tokens up
to the longest rest. The mask hides both kinds of padding; positions count the tokens that are left.

        known      │  to be read
  · · · a b c d e  │  · · f g h
  a b c d e f g h  │  i j k l m
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from model_server.serving.prefix_cache import MIN_TOKENS, Layers, Prefix, PrefixCache

if TYPE_CHECKING:
    from model_server.serving.decode import Forward, Row


class Batch:
    """Open rows: their cache, which of its positions count (None: all), and the last logits [rows, vocabulary]."""

    def __init__(self, output: Any, mask: torch.Tensor | None) -> None:
        self.logits: torch.Tensor = output.logits[:, -1]
        self.cache: Any = output.past_key_values
        self.mask = mask

    def advance(self, forward: Forward, models: Sequence[str], tokens: Sequence[int]) -> None:
        """One more token per row."""
        inputs: dict[str, Any] = {"input_ids": torch.tensor(tokens, device=forward.device)[:, None]}
        if self.mask is not None:
            self.mask = pad(self.mask, (0, 1), value=1)
            inputs |= {"attention_mask": self.mask, "position_ids": self.mask.sum(1, keepdim=True) - 1}
        output = forward(models, past_key_values=self.cache, use_cache=True, **inputs)
        self.logits, self.cache = output.logits[:, -1], output.past_key_values

    def keep(self, rows: list[int]) -> None:
        index = torch.tensor(rows, device=self.logits.device)
        self.cache.batch_select_indices(index)
        if self.mask is not None:
            self.mask = self.mask[index]


def read_prompts(forward: Forward, rows: Sequence[Row], prefixes: PrefixCache | None) -> Batch:
    """The forward pass over all prompts. Notes on each row how much of it was known."""
    known = [prefixes.longest(row.model, row.prompt) if prefixes else None for row in rows]
    for row, prefix in zip(rows, known, strict=True):
        row.cached = len(prefix.ids) if prefix else 0
    most = max(row.cached for row in rows)
    rest = [row.prompt[row.cached :] for row in rows]
    longest = max(map(len, rest))
    device = forward.device
    ids = torch.tensor([[0] * (longest - len(new)) + new for new in rest], device=device)
    mask = _mask(rows, most, rest, longest).to(device)
    inputs: dict[str, Any] = {"input_ids": ids}
    if not bool(mask.all()):
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, most:]
        inputs |= {"attention_mask": mask, "position_ids": positions}
    cache = _cache(known, most) if most else None
    output = forward([row.model for row in rows], past_key_values=cache, use_cache=True, **inputs)
    if prefixes is not None:
        _remember(prefixes, rows, output.past_key_values, mask)
    return Batch(output, None if bool(mask.all()) else mask)


def _mask(rows: Sequence[Row], most: int, rest: list[list[int]], longest: int) -> torch.Tensor:
    """int64 [rows, positions]: 1 where a token stands."""
    lines = [
        [0] * (most - row.cached) + [1] * row.cached + [0] * (longest - len(new)) + [1] * len(new)
        for row, new in zip(rows, rest, strict=True)
    ]
    return torch.tensor(lines)


def _cache(known: list[Prefix | None], most: int) -> DynamicCache:
    """Known keys and values side by side, padded on the left with zeros that the mask hides."""
    shape = next(prefix for prefix in known if prefix).layers
    data = []
    for layer, example in enumerate(shape):
        pair = []
        for side, tensor in enumerate(example):
            nothing = tensor[:, :0]
            parts = [prefix.layers[layer][side] if prefix else nothing for prefix in known]
            pair.append(torch.stack([pad(part, (0, 0, most - part.shape[1], 0)) for part in parts]))
        data.append((pair[0], pair[1]))
    return DynamicCache(data)


def _remember(prefixes: PrefixCache, rows: Sequence[Row], cache: Any, mask: torch.Tensor) -> None:
    """Keep the prompts that hold much that was not known. Models with other kinds of memory are left alone."""
    if not all(type(layer) is DynamicLayer for layer in cache.layers):
        return
    for index, row in enumerate(rows):
        if len(row.prompt) - row.cached < MIN_TOKENS:
            continue
        here = mask[index].bool()
        layers: Layers = tuple(
            (layer.keys[index][:, here].clone(), layer.values[index][:, here].clone())
            for layer in cache.layers
        )
        prefixes.keep(row.model, Prefix(tuple(row.prompt), layers))
