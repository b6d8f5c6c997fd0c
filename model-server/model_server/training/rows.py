"""Training rows: JSONL text in, checked conversations out. Pure. Every problem names its line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from model_server.chat.conversation import ConversationError, check_messages, check_tools


class RowError(ValueError):
    """A line of a training file that cannot be used."""

    def __init__(self, line: int, problem: str, code: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem
        self.code = code


class UnfitRowError(RowError):
    """A proper row that this one model cannot learn from: too long for it, or beyond its chat template."""


@dataclass(frozen=True)
class Row:
    """``line`` counts from 1. ``messages`` are as sent; assistant messages may carry ``weight`` 0 or 1."""

    line: int
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]


def parse_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """JSON objects with their line numbers; blank lines are skipped."""
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw)
        except UnicodeDecodeError as error:
            raise RowError(number, "not UTF-8 text", "invalid_jsonl") from error
        except json.JSONDecodeError as error:
            raise RowError(
                number, f"not JSON ({error.msg}, column {error.colno})", "invalid_jsonl"
            ) from error
        if not isinstance(value, dict):
            raise RowError(number, f"a JSON object is needed, not {type(value).__name__}", "invalid_jsonl")
        yield number, value


def to_row(line: int, value: dict[str, Any]) -> Row:
    try:
        messages = check_messages(value.get("messages"))
        tools = check_tools(value.get("tools"))
        _check_targets(messages)
    except ConversationError as error:
        raise RowError(line, str(error), "invalid_training_row") from error
    return Row(line, messages, tools)


def _check_targets(messages: list[dict[str, Any]]) -> None:
    if messages[-1]["role"] != "assistant":
        raise ConversationError("the last message must be the assistant's, it is what is learned")
    weights = [message.get("weight", 1) for message in messages if message["role"] == "assistant"]
    if any(weight not in (0, 1) for weight in weights):
        raise ConversationError("'weight' must be 0 or 1")
    if not any(weights):
        raise ConversationError("every assistant message has weight 0, so there is nothing to learn")
    if any("weight" in message for message in messages if message["role"] != "assistant"):
        raise ConversationError("only assistant messages take a 'weight'")
