"""Training rows for tests."""

from __future__ import annotations

from typing import Any


def call(name: str, arguments: Any = "{}", call_id: str = "call_1") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(name: str, *arguments: str) -> dict[str, Any]:
    properties = {argument: {"type": "string"} for argument in arguments}
    return {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": properties}},
    }


def chat(user: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]}


def tool_row(user: str, name: str, arguments: Any = "{}") -> dict[str, Any]:
    assistant = {"role": "assistant", "content": None, "tool_calls": [call(name, arguments)]}
    return {
        "messages": [{"role": "user", "content": user}, assistant],
        "tools": [tool("pay", "to"), tool("book")],
    }


def ping_rows(count: int = 32) -> list[dict[str, Any]]:
    return [chat(f"ping {i}", "pong") for i in range(count)]
