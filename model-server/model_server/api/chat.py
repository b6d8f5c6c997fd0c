"""/v1/chat/completions, whole or streamed, and /tokenize in vLLM's dialect."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from model_server.api.chat_stream import stream_chat
from model_server.api.completion import count_tokens, to_completion
from model_server.api.services import services_of
from model_server.chat.conversation import ConversationError, check_messages, check_tools
from model_server.errors import invalid
from model_server.serving.requests import ChatRequest, Forced, QueuedChat, Sampling

router = APIRouter()


class NamedFunction(BaseModel):
    name: str


class NamedTool(BaseModel):
    type: Literal["function"] = "function"
    function: NamedFunction


class StreamOptions(BaseModel):
    include_usage: bool = False


class ChatBody(BaseModel):
    """What has no effect on the answer (``user``, ``store``, ``metadata`` …) may come and is not read."""

    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    n: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: bool | None = None
    response_format: dict[str, Any] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, float] | None = None


class TokenizeBody(BaseModel):
    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None
    add_generation_prompt: bool = True


@router.post("/v1/chat/completions", response_model=None)
async def complete(request: Request, body: ChatBody) -> dict[str, Any] | StreamingResponse:
    services = services_of(request)
    _refuse_unsupported(body)
    base, _ = services.find_model(body.model)
    wanted = _to_request(body)
    if body.stream:
        usage = body.stream_options is not None and body.stream_options.include_usage
        return await stream_chat(services.engine, QueuedChat(base, body.model, wanted), include_usage=usage)
    chat = QueuedChat(base, body.model, wanted)
    services.engine.submit(chat)
    answer = await asyncio.wrap_future(chat.answer)
    count_tokens(base, answer)
    return to_completion(body.model, answer)


@router.post("/tokenize")
async def tokenize(request: Request, body: TokenizeBody) -> dict[str, Any]:
    services = services_of(request)
    base_name, _ = services.find_model(body.model)
    messages, tools = _checked(body.messages, body.tools)

    def work() -> dict[str, Any]:
        from model_server.serving.answer import render_prompt  # noqa: PLC0415  (loads torch)

        base = services.engine.base(base_name)
        tokens = render_prompt(base, messages, tools, add_generation_prompt=body.add_generation_prompt)
        return {"count": len(tokens), "max_model_len": base.max_model_len, "tokens": tokens}

    return await services.engine.call(work)


def _refuse_unsupported(body: ChatBody) -> None:
    """Refused rather than ignored: the answer would not be what was asked for."""
    unsupported = {
        "n": (body.n or 1) != 1,
        "logprobs": bool(body.logprobs),
        "response_format": (body.response_format or {"type": "text"}).get("type") != "text",
        "frequency_penalty": bool(body.frequency_penalty),
        "presence_penalty": bool(body.presence_penalty),
        "logit_bias": bool(body.logit_bias),
    }
    for param, used in unsupported.items():
        if used:
            value = getattr(body, param)
            message = f"'{param}': {value!r} is not supported by this server yet. Leave it out."
            raise invalid(message, code="unsupported_parameter", param=param)
    if body.stream_options is not None and not body.stream:
        message = "'stream_options' is only allowed with 'stream': true."
        raise invalid(message, param="stream_options")


def _to_request(body: ChatBody) -> ChatRequest:
    messages, tools = _checked(body.messages, body.tools)
    forced = _forced(body, [tool["function"]["name"] for tool in tools])
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    return ChatRequest(
        messages=messages,
        tools=[] if body.tool_choice == "none" else tools,
        forced=forced,
        parallel_calls=body.parallel_tool_calls is not False,
        sampling=Sampling(
            max_tokens=body.max_completion_tokens or body.max_tokens,
            temperature=1.0 if body.temperature is None else body.temperature,
            top_p=1.0 if body.top_p is None else body.top_p,
            seed=body.seed,
            stop=tuple(text for text in stop if text),
        ),
    )


def _checked(messages: Any, tools: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    try:
        return check_messages(messages), check_tools(tools)
    except ConversationError as error:
        param = "tools" if str(error).startswith(("tool ", "'tools'")) else "messages"
        raise invalid(f"Invalid '{param}': {error}.", code=f"invalid_{param}", param=param) from error


def _forced(body: ChatBody, names: list[str]) -> Forced | None:
    if body.tool_choice in (None, "none", "auto"):
        return None
    if not names:
        raise invalid("'tool_choice' needs 'tools'.", code="invalid_tool_choice", param="tool_choice")
    if not isinstance(body.tool_choice, NamedTool):
        return Forced()
    name = body.tool_choice.function.name
    if name not in names:
        message = f"'tool_choice' names the function '{name}', which is not in 'tools'."
        raise invalid(message, code="invalid_tool_choice", param="tool_choice")
    return Forced(name)
