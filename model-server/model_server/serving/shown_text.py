"""What of an unfinished answer can be shown already. Pure.

A reader of a stream must never see what the whole answer would not hold: half a character, control tokens, the
beginning of a stop string, or text that turns out to be a tool call. Such text waits until it is certain.
"""

from __future__ import annotations

from collections.abc import Sequence

from model_server.chat.tool_calls import Dialect

_CALL_MARKS: dict[Dialect, tuple[str, ...]] = {
    "nano": ("<|call|>",),
    "hermes": ("<tool_call>",),
    "llama3": (),
}
# The tokenizer's sign for bytes that are not a whole character yet.
_HALF_CHARACTER = "\N{REPLACEMENT CHARACTER}"


class ShownText:
    """Turns the text so far into pieces; joined, they are the beginning of the whole answer's content."""

    def __init__(self, dialect: Dialect | None, special_tokens: Sequence[str], stops: Sequence[str]) -> None:
        self._dialect = dialect
        marks = _CALL_MARKS[dialect] if dialect else ()
        self._marks = marks
        self._special = [token for token in special_tokens if token not in marks]
        self._holds_back = [*marks, *self._special, *stops]
        self._sent = ""

    def delta(self, text: str) -> str:
        """What can be shown beyond the earlier pieces; ``text`` is the whole answer so far."""
        certain = self._certain(text)
        if not certain.startswith(self._sent):
            return ""
        piece = certain[len(self._sent) :]
        self._sent = certain
        return piece

    def _certain(self, text: str) -> str:
        if self._dialect == "llama3" and text.lstrip().startswith(("{", "<|python_tag|>")):
            return ""  # the whole answer is a call, unless its end says otherwise
        for mark in self._marks:
            text = text.split(mark, maxsplit=1)[0]
        text = text.rstrip(_HALF_CHARACTER)
        for token in self._special:
            text = text.replace(token, "")
        return self._without_beginnings(text).strip()

    def _without_beginnings(self, text: str) -> str:
        """Cut an end that may become a mark, a control token or a stop string."""
        longest = 0
        for waited in self._holds_back:
            for length in range(min(len(waited) - 1, len(text)), longest, -1):
                if text.endswith(waited[:length]):
                    longest = length
                    break
        return text[: len(text) - longest]
