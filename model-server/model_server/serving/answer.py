"""A chat request against a loaded model: render, decode, read the answer back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from model_server.chat.conversation import ConversationError
from model_server.chat.tool_calls import Answer, Dialect, forced_prefix, parse_answer
from model_server.errors import ApiError, invalid
from model_server.serving.base_model import BaseModel
from model_server.serving.decode import Completion, decode
from model_server.serving.requests import ChatAnswer, ChatRequest


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


def answer(base: BaseModel, model: Any, request: ChatRequest, should_stop: Callable[[], bool]) -> ChatAnswer:
    """Serving thread only."""
    prompt = render_prompt(base, request.messages, request.tools)
    dialect = base.template.dialect if request.tools else None
    prefix = forced_prefix(dialect, request.forced.name) if dialect and request.forced else ""
    prefix_ids = base.template.tokenize(prefix) if prefix else []
    room = _room(base.max_model_len, len(prompt) + len(prefix_ids), request.sampling.max_tokens)
    completion = decode(
        model,
        prompt + prefix_ids,
        request.sampling,
        room=room,
        stop_ids=base.stop_ids,
        to_text=lambda ids: base.tokenizer.decode(ids, skip_special_tokens=False),
        first_ids=base.brace_ids if dialect == "nano" and request.forced and request.forced.name else None,
        should_stop=should_stop,
    )
    return _to_answer(base, request, dialect, prefix, completion, len(prompt), len(prefix_ids))


def _to_answer(
    base: BaseModel,
    request: ChatRequest,
    dialect: Dialect | None,
    prefix: str,
    completion: Completion,
    prompt_tokens: int,
    prefix_tokens: int,
) -> ChatAnswer:
    read = parse_answer(prefix + completion.text, dialect)
    calls = read.calls if request.parallel_calls else read.calls[:1]
    content = read.content if calls else _plain(base, read)
    return ChatAnswer(
        content,
        calls,
        "tool_calls" if calls else completion.finish_reason,
        prompt_tokens,
        prefix_tokens + completion.tokens,
    )


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
