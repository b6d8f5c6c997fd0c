"""Keys and values of prompts that were answered lately, so that a prompt that begins alike need not be read again.

Requests of one workload share their system message and tools; a conversation's next turn begins with the whole
last one. An entry is the memory of one prompt under one model (base or adapter: an adapter changes keys and values).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# One pair per layer: [heads, tokens, size] keys and values.
Layers = tuple[tuple["torch.Tensor", "torch.Tensor"], ...]

# A shorter beginning costs more to look up and copy than to compute.
MIN_TOKENS = 16
# Entries compared with each new prompt, per model.
MAX_ENTRIES = 32


@dataclass(frozen=True)
class Prefix:
    """The first ``len(ids)`` tokens of a prompt, and what the model remembers of them."""

    ids: tuple[int, ...]
    layers: Layers

    @property
    def bytes(self) -> int:
        return sum(tensor.nbytes for pair in self.layers for tensor in pair)

    def first(self, tokens: int) -> Prefix:
        layers = tuple((keys[:, :tokens], values[:, :tokens]) for keys, values in self.layers)
        return Prefix(self.ids[:tokens], layers)


class PrefixCache:
    """Least recently used first out, by bytes over all models. Serving thread only."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[tuple[str, tuple[int, ...]], Prefix] = OrderedDict()
        self.bytes = 0

    def longest(self, model: str, prompt: Sequence[int]) -> Prefix | None:
        """The longest known beginning, at least one token short of the prompt: its last one gives the logits."""
        wanted = tuple(prompt[:-1])
        found, shared = None, MIN_TOKENS - 1
        for key, entry in self._of(model):
            length = shared_length(entry.ids, wanted, more_than=shared)
            if length > shared:
                found, shared = key, length
        if found is None:
            return None
        self._entries.move_to_end(found)
        return self._entries[found].first(shared)

    def keep(self, model: str, prefix: Prefix) -> None:
        """Entries that the new one begins with are forgotten: it serves for them too."""
        if self._max_bytes < prefix.bytes:
            return
        ids = prefix.ids
        for key, entry in self._of(model):
            if ids[: len(entry.ids)] == entry.ids:
                self._drop(key)
        of_model = self._of(model)
        for key, _ in of_model[: max(0, len(of_model) - MAX_ENTRIES + 1)]:
            self._drop(key)
        self._entries[model, ids] = prefix
        self.bytes += prefix.bytes
        while self.bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def forget(self, model: str) -> None:
        for key, _ in self._of(model):
            self._drop(key)

    def __len__(self) -> int:
        return len(self._entries)

    def _of(self, model: str) -> list[tuple[tuple[str, tuple[int, ...]], Prefix]]:
        return [(key, entry) for key, entry in self._entries.items() if key[0] == model]

    def _drop(self, key: tuple[str, tuple[int, ...]]) -> None:
        self.bytes -= self._entries.pop(key).bytes


def shared_length(a: tuple[int, ...], b: tuple[int, ...], *, more_than: int = 0) -> int:
    """Length of the common beginning; 0 as soon as it is known not to exceed ``more_than``."""
    if a[: more_than + 1] != b[: more_than + 1]:
        return 0
    low, high = 0, min(len(a), len(b))
    while low < high:  # slices compare in C; a loop over tokens would not
        middle = (low + high + 1) // 2
        low, high = (middle, high) if a[:middle] == b[:middle] else (low, middle - 1)
    return low
