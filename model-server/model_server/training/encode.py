"""Conversations to token ids, with a loss on the assistant's own words only.

A template that marks them (``{% generation %}``) is believed. Otherwise each answer is found by rendering
the conversation up to it: prompt ─► prompt + answer, the rest is the answer. Where a template rewrites
earlier turns (some drop old reasoning), that prefix does not hold, and each answer becomes a row of its
own: exactly what the model will see when it is served.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

from model_server.chat.conversation import ConversationError
from model_server.chat.template import ChatTemplate, Span
from model_server.training.rows import Row, UnfitRowError

IGNORED = -100


@dataclass(frozen=True)
class Encoded:
    """``labels`` are the ids where the model is trained, IGNORED elsewhere."""

    input_ids: list[int]
    labels: list[int]


class _TooLongError(Exception):
    def __init__(self, tokens: int) -> None:
        super().__init__(tokens)
        self.tokens = tokens


class RowEncoder:
    """``stop_ids`` end an answer; whatever a template writes behind the last of them is not trained on."""

    def __init__(self, template: ChatTemplate, stop_ids: frozenset[int], max_length: int) -> None:
        self._template = template
        self._stop_ids = stop_ids
        self._max_length = max_length

    def encode(self, row: Row) -> list[Encoded]:
        """One sequence per row; several where the template rewrites earlier turns. Never cut.

        Raises UnfitRowError for a proper row that this model cannot learn from.
        """
        try:
            sequences = self._sequences(row)
        except ConversationError as error:
            raise UnfitRowError(row.line, str(error), "invalid_training_row") from error
        except _TooLongError as error:
            raise UnfitRowError(
                row.line,
                f"{error.tokens} tokens, but at most {self._max_length} are allowed "
                "(max_length, or the model's own limit). Shorten or leave out the row; it is never cut.",
                "row_too_long",
            ) from error
        for sequence in sequences:
            if all(label == IGNORED for label in sequence.labels[1:]):
                raise UnfitRowError(row.line, "the assistant's answer is empty", "invalid_training_row")
        return sequences

    def _sequences(self, row: Row) -> list[Encoded]:
        turns = [i for i, message in enumerate(row.messages) if message["role"] == "assistant"]
        trained = [i for i in turns if row.messages[i].get("weight", 1) == 1]
        if self._template.marks_generation:
            text, spans = self._template.render_marked(row.messages, row.tools)
            if len(spans) == len(turns):
                chosen = [span for turn, span in zip(turns, spans, strict=True) if turn in trained]
                return [self._label(text, chosen)]
        whole = self._template.render(row.messages, row.tools, add_generation_prompt=False)
        found = [self._answer_span(row, turn, whole) for turn in trained]
        if all(span is not None for span in found):
            return [self._label(whole, [span for span in found if span is not None])]
        return [self._last_answer(row, turn) for turn in trained]

    def _answer_span(self, row: Row, turn: int, whole: str) -> Span | None:
        """Where the answer of one turn lies in ``whole``; None when that cannot be said for sure."""
        prompt = self._template.render(row.messages[:turn], row.tools, add_generation_prompt=True)
        through = self._template.render(row.messages[: turn + 1], row.tools, add_generation_prompt=False)
        if through.startswith(prompt) and whole.startswith(through):
            return len(prompt), len(through)
        return None

    def _last_answer(self, row: Row, turn: int) -> Encoded:
        messages: list[dict[str, Any]] = row.messages[: turn + 1]
        text = self._template.render(messages, row.tools, add_generation_prompt=False)
        span = self._answer_span(row, turn, text)
        if span is None:
            raise ConversationError(
                f"the model's chat template renders message {turn} differently from its own generation prompt, "
                "so the answer cannot be told from the prompt. Mark it with {% generation %} in the template."
            )
        return self._label(text, [span])

    def _label(self, text: str, spans: list[Span]) -> Encoded:
        ids, offsets = self._template.tokenize_with_spans(text)
        # Before anything else is done with it: a row of many answers takes long to label.
        if len(ids) > self._max_length:
            raise _TooLongError(len(ids))
        labels = [IGNORED] * len(ids)
        for start, end in spans:
            first = bisect_left(offsets, start, key=lambda offset: offset[0])
            last = bisect_right(offsets, end, lo=first, key=lambda offset: offset[1])
            inside = [i for i in range(first, last) if offsets[i][0] < offsets[i][1]]
            for i in self._through_stop(inside, ids):
                labels[i] = ids[i]
        return Encoded(ids, labels)

    def _through_stop(self, inside: list[int], ids: list[int]) -> list[int]:
        """Without what follows the end-of-turn token, such as the newline many templates add."""
        stops = [i for i in inside if ids[i] in self._stop_ids]
        return [i for i in inside if i <= stops[-1]] if stops else inside
