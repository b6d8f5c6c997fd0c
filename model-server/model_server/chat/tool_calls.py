"""How models write tool calls as text, and how that text is read back. Pure.

Three dialects: nano (``<|call|>name{…}``), Hermes and Qwen (``<tool_call>{…}</tool_call>``), Llama 3
(the whole answer is one JSON object). What cannot be parsed stays plain content: the caller judges it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

Dialect = Literal["nano", "hermes", "llama3"]


@dataclass(frozen=True)
class ToolCall:
    """``arguments`` is a JSON object as text, the way OpenAI sends it."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """``content`` is None when the model only called tools."""

    content: str | None
    calls: tuple[ToolCall, ...] = ()


def detect_dialect(template: str) -> Dialect | None:
    """None when the template cannot list tools at all, or writes calls in a way we do not know."""
    if "tools" not in template:
        return None
    if "<|call|>" in template:
        return "nano"
    if "<tool_call>" in template:
        return "hermes"
    if '"parameters"' in template and ("python_tag" in template or "ipython" in template):
        return "llama3"
    return None


def parse_answer(text: str, dialect: Dialect | None) -> Answer:
    parsers = {"nano": _parse_nano, "hermes": _parse_hermes, "llama3": _parse_llama3}
    if dialect is None:
        return Answer(text)
    try:
        return parsers[dialect](text)
    except ValueError:
        return Answer(text)


def forced_prefix(dialect: Dialect, name: str | None) -> str:
    """The beginning of any call, or of a call of one function, in the model's own writing.

    It ends before a space or brace, since those belong to the model's next token.
    """
    if dialect == "nano":
        return f"<|call|>{name or ''}"
    opening = "<tool_call>\n" if dialect == "hermes" else ""
    arguments_key = "arguments" if dialect == "hermes" else "parameters"
    return opening + '{"name":' + (f' "{name}", "{arguments_key}":' if name else "")


def _parse_nano(text: str) -> Answer:
    before, *written = text.split("<|call|>")
    if not written:
        return Answer(text)
    calls = []
    for part in written:
        match = re.fullmatch(r"\s*([^\s{}]+)\s*(\{.*\})?\s*", part, re.DOTALL)
        if match is None:
            raise ValueError("not name{arguments}")
        calls.append(ToolCall(match[1], _object_text(match[2] or "{}")))
    return Answer(before.strip() or None, tuple(calls))


def _parse_hermes(text: str) -> Answer:
    if "<tool_call>" not in text:
        return Answer(text)
    before, _, rest = text.partition("<tool_call>")
    # The closing tag of the last call may be missing: some models stop right before it.
    parts = [part.replace("</tool_call>", "").strip() for part in rest.split("<tool_call>")]
    return Answer(before.strip() or None, tuple(_call_from_json(part, "arguments") for part in parts))


def _parse_llama3(text: str) -> Answer:
    written = text.strip().removeprefix("<|python_tag|>")
    if not written.startswith("{"):
        return Answer(text)
    parts = [part for part in written.split("; ") if part.strip()] if _is_json_list(written) else [written]
    return Answer(None, tuple(_call_from_json(part, "parameters") for part in parts))


def _is_json_list(written: str) -> bool:
    """Llama writes parallel calls as `{…}; {…}`; a semicolon inside a string is not a separator."""
    try:
        return all(isinstance(json.loads(part), dict) for part in written.split("; "))
    except json.JSONDecodeError:
        return False


def _call_from_json(text: str, arguments_key: str) -> ToolCall:
    value = json.loads(text)
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError("a call needs a name")
    other = "parameters" if arguments_key == "arguments" else "arguments"
    arguments: Any = value.get(arguments_key, value.get(other, {}))
    return ToolCall(value["name"], _object_text(arguments))


def _object_text(arguments: Any) -> str:
    value = json.loads(arguments) if isinstance(arguments, str) else arguments
    if not isinstance(value, dict):
        raise ValueError("arguments must be an object")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
