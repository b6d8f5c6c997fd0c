"""A chat request as a row of a batch: render, and read the answer back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from model_server.chat.conversation import ConversationError
from model_server.chat.tool_calls import Answer, forced_prefix, parse_answer
from model_server.errors import ApiError, invalid
from model_server.serving.base_model import BaseModel
from model_server.serving.decode import Row
from model_server.serving.requests import ChatAnswer, QueuedChat
from model_server.serving.shown_text import ShownText


def render_prompt(
    base: BaseModel,
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]],
    *,
    add_generation_prompt: bool = True,
) -> list[int]:
    """Token ids of the conversation. Raises ApiError where the model cannot take it."""
    try:
        template = base.template
        if tools and template.dialect is None:
            raise invalid(
                f"Model '{base.name}' has a chat template without a known way of calling tools.",
                code="tools_not_supported",
                param="tools",
            )
        return template.tokenize(
            template.render(messages, tools, add_generation_prompt=add_generation_prompt)
        )
    except ConversationError as error:
        raise invalid(str(error), code="invalid_messages", param="messages") from error


class ChatRow:
    """A chat request as a row of a batch, and the way back from its text to an answer. Serving thread only."""

    def __init__(self, base: BaseModel, asked: QueuedChat) -> None:
        request = asked.request
        prompt = render_prompt(base, request.messages, request.tools)
        dialect = base.template.dialect if request.tools else None
        self._base, self._request, self._dialect = base, request, dialect
        self._prefix = forced_prefix(dialect, request.forced.name) if dialect and request.forced else ""
        prefix_ids = base.template.tokenize(self._prefix) if self._prefix else []
        self._prompt_tokens, self._prefix_tokens = len(prompt), len(prefix_ids)
        named = dialect == "nano" and request.forced is not None and request.forced.name is not None
        self.row = Row(
            model=asked.model,
            prompt=prompt + prefix_ids,
            sampling=request.sampling,
            room=_room(base.max_model_len, len(prompt) + len(prefix_ids), request.sampling.max_tokens),
            stop_ids=base.stop_ids,
            to_text=lambda ids: base.tokenizer.decode(ids, skip_special_tokens=False),
            first_ids=base.brace_ids if named else None,
            on_text=self._pass_on(asked.on_delta) if asked.on_delta else None,
            cancelled=asked.cancelled.is_set,
        )

    def answer(self) -> ChatAnswer:
        """What the ended row said."""
        read = parse_answer(self._prefix + self.row.text, self._dialect)
        calls = read.calls if self._request.parallel_calls else read.calls[:1]
        return ChatAnswer(
            read.content if calls else _plain(self._base, read),
            calls,
            "tool_calls" if calls else self.row.finish_reason or "stop",
            self._prompt_tokens,
            self._prefix_tokens + self.row.tokens,
            min(self.row.cached, self._prompt_tokens),
        )

    def _pass_on(self, on_delta: Callable[[str], None]) -> Callable[[str], None]:
        shown = ShownText(self._dialect, self._base.tokenizer.all_special_tokens, self._request.sampling.stop)

        def on_text(text: str) -> None:
            delta = shown.delta(self._prefix + text)
            if delta:
                on_delta(delta)

        return on_text


def _plain(base: BaseModel, read: Answer) -> str:
    """Text without control tokens; a call that could not be parsed keeps its marks, so that it shows."""
    text = read.content or ""
    if base.template.dialect == "nano" and "<|call|>" in text:
        return text
    for token in base.tokenizer.all_special_tokens:
        text = text.replace(token, "")
    return text.strip()


def _room(context: int, prompt_tokens: int, max_tokens: int | None) -> int:
    wanted = max_tokens or 1
    if prompt_tokens + wanted <= context:
        return max_tokens or context - prompt_tokens
    asked = f" and {max_tokens} for the answer" if max_tokens else ""
    raise ApiError(
        400,
        f"This model's maximum context length is {context} tokens, but the request has {prompt_tokens} tokens of "
        f"messages and tools{asked}. Shorten it, or ask for a shorter answer.",
        code="context_length_exceeded",
        param="messages",
    )
