"""Token by token, for a batch of prompts at once. Small on purpose: generate() costs more than a nano model.

read all prompts in one forward ─► choose one token per row ─► rows that ended leave ─► one forward for the rest
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch

from model_server.serving.prefill import Batch, read_prompts
from model_server.serving.prefix_cache import PrefixCache
from model_server.serving.requests import Sampling
from model_server.serving.sampling import chooser

FinishReason = Literal["stop", "length"]


class Forward(Protocol):
    """One forward pass; ``models`` names each row's model: the base's own name, or an adapter's."""

    device: torch.device

    def __call__(self, models: Sequence[str], **inputs: Any) -> Any: ...


@dataclass
class Row:
    """One prompt of a batch. ``first_ids``: the only tokens allowed first (forcing a call's arguments).

    ``on_text`` gets the whole text so far after each token. ``text`` ends before the stop string or
    end-of-turn token; ``tokens`` counts all that were made, ``cached`` those of the prompt that were known.
    """

    model: str
    prompt: list[int]
    sampling: Sampling
    room: int
    stop_ids: frozenset[int]
    to_text: Callable[[list[int]], str]
    first_ids: torch.Tensor | None = None
    on_text: Callable[[str], None] | None = None
    cancelled: Callable[[], bool] = lambda: False
    made: list[int] = field(default_factory=list)
    cached: int = 0
    text: str = ""
    finish_reason: FinishReason | None = None

    @property
    def tokens(self) -> int:
        return len(self.made)

    def take(self, token: int) -> None:
        """Add a token, and see whether it was the last one."""
        self.made.append(token)
        if token in self.stop_ids:
            self._end(self.to_text(self.made[:-1]), "stop")
            return
        if self.on_text is None and not self.sampling.stop and len(self.made) < self.room:
            return  # nobody reads the text yet
        text = self.to_text(self.made)
        cut = _stop_position(text, self.sampling.stop)
        if cut is not None:
            self._end(text[:cut], "stop")
        elif len(self.made) >= self.room:
            self._end(text, "length")
        elif self.on_text is not None:
            self.on_text(text)

    def give_up(self) -> None:
        """The server stops, or nobody waits any more: what is there is the answer."""
        self._end(self.to_text(self.made), "length")

    def _end(self, text: str, reason: FinishReason) -> None:
        self.text, self.finish_reason = text, reason


@torch.inference_mode()
def decode(
    forward: Forward,
    rows: Sequence[Row],
    *,
    prefixes: PrefixCache | None = None,
    on_end: Callable[[Row], None] = lambda row: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Continue every row to its end; ``on_end`` hears of each as soon as it has one."""
    choose = {id(row): chooser(row.sampling, forward.device) for row in rows}
    batch: Batch | None = None
    while rows:
        for row in rows:
            if should_stop() or row.cancelled():
                row.give_up()
        rows, batch = _without_ended(rows, batch, on_end)
        if not rows:
            return
        if batch is None:
            batch = read_prompts(forward, rows, prefixes)
        else:
            batch.advance(forward, [row.model for row in rows], [row.made[-1] for row in rows])
        for row, logits in zip(rows, batch.logits.float(), strict=True):
            row.take(choose[id(row)](_allowed(row, logits)))
        rows, batch = _without_ended(rows, batch, on_end)


def _without_ended(
    rows: Sequence[Row], batch: Batch | None, on_end: Callable[[Row], None]
) -> tuple[Sequence[Row], Batch | None]:
    kept = [index for index, row in enumerate(rows) if row.finish_reason is None]
    if len(kept) == len(rows):
        return rows, batch
    for row in rows:
        if row.finish_reason is not None:
            on_end(row)
    if batch is not None and kept:
        batch.keep(kept)
    return [rows[index] for index in kept], batch


def _allowed(row: Row, logits: torch.Tensor) -> torch.Tensor:
    if row.first_ids is None or row.made:
        return logits
    return torch.full_like(logits, -torch.inf).index_copy(0, row.first_ids, logits[row.first_ids])


def _stop_position(text: str, stops: tuple[str, ...]) -> int | None:
    found = [text.find(stop) for stop in stops if stop in text]
    return min(found, default=None)
