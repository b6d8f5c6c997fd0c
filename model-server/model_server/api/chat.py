"""/v1/chat/completions, and /tokenize in vLLM's dialect."""

from __future__ import annotations

import secrets
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from model_server.api.services import Services, services_of
from model_server.chat.conversation import ConversationError, check_messages, check_tools
from model_server.errors import invalid
from model_server.serving.requests import ChatAnswer, ChatRequest, Forced, Sampling
from model_server.store.adapters import Adapter

router = APIRouter()


class NamedFunction(BaseModel):
    name: str


class NamedTool(BaseModel):
    type: Literal["function"] = "function"
    function: NamedFunction


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


@router.post("/v1/chat/completions")
async def complete(request: Request, body: ChatBody) -> dict[str, Any]:
    services = services_of(request)
    _refuse_unsupported(body)
    base, adapter = services.find_model(body.model)
    wanted = _to_request(body)
    result = await services.engine.call(lambda: _answer(services, base, adapter, wanted))
    return _to_api(body.model, result)


def _answer(services: Services, base_name: str, adapter: Adapter | None, wanted: ChatRequest) -> ChatAnswer:
    from model_server.serving.answer import answer  # noqa: PLC0415  (loads torch)

    base = services.engine.base(base_name)
    model = base.plain() if adapter is None else base.with_adapter(adapter.model, adapter.folder)
    return answer(base, model, wanted, services.engine.stopping.is_set)


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
        "stream": bool(body.stream),
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


def _to_api(model: str, result: ChatAnswer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": result.content, "refusal": None}
    if result.calls:
        message["tool_calls"] = [
            {
                "id": f"call_{secrets.token_hex(12)}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in result.calls
        ]
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {"index": 0, "message": message, "finish_reason": result.finish_reason, "logprobs": None}
        ],
        "usage": {
            "prompt_tokens": result.prompt_tokens,
            "completion_tokens": result.completion_tokens,
            "total_tokens": result.prompt_tokens + result.completion_tokens,
        },
    }
