"""An answer in OpenAI's shapes: a whole completion, or the chunks of a streamed one."""

from __future__ import annotations

import secrets
import time
from typing import Any

from model_server.chat.tool_calls import ToolCall
from model_server.metrics import TOKENS
from model_server.serving.requests import ChatAnswer


def to_completion(model: str, answer: ChatAnswer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.content, "refusal": None}
    if answer.calls:
        message["tool_calls"] = [_call(call) for call in answer.calls]
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason, "logprobs": None}
    return {
        "id": new_completion_id(),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": usage(answer),
    }


def new_completion_id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}


def usage(answer: ChatAnswer) -> dict[str, Any]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens},
    }


def count_tokens(base: str, answer: ChatAnswer) -> None:
    TOKENS.labels(base, "prompt").inc(answer.prompt_tokens)
    TOKENS.labels(base, "cached").inc(answer.cached_tokens)
    TOKENS.labels(base, "completion").inc(answer.completion_tokens)


class Chunks:
    """The chunks of one streamed completion: they share id and time."""

    def __init__(self, model: str, *, include_usage: bool) -> None:
        self._shared = {
            "id": new_completion_id(),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
        }
        self._include_usage = include_usage
        self._sent = ""

    def role(self) -> dict[str, Any]:
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def text(self, piece: str) -> dict[str, Any]:
        self._sent += piece
        return self._chunk({"content": piece})

    def end(self, answer: ChatAnswer) -> list[dict[str, Any]]:
        """What was held back, the tool calls, the reason, and the usage where it was asked for."""
        rest = (answer.content or "").removeprefix(self._sent)
        chunks = [self.text(rest)] if rest else []
        for index, call in enumerate(answer.calls):
            whole = _call(call)
            # Name first, then arguments: how OpenAI's own streams and their readers have it.
            begun = {**whole, "index": index, "function": {"name": call.name, "arguments": ""}}
            chunks.append(self._chunk({"tool_calls": [begun]}))
            arguments = {"index": index, "function": {"arguments": call.arguments}}
            chunks.append(self._chunk({"tool_calls": [arguments]}))
        chunks.append(self._chunk({}, answer.finish_reason))
        if self._include_usage:
            chunks.append({**self._shared, "choices": [], "usage": usage(answer)})
        return chunks

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        usage_so_far = {"usage": None} if self._include_usage else {}
        return {**self._shared, "choices": [choice], **usage_so_far}
