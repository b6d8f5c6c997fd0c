"""/v1/completions, for one purpose: to tell how likely a model finds a text (``echo`` with ``logprobs``), in vLLM's
dialect. Who serves an adapter elsewhere compares such numbers to know that it is applied."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from model_server.api.services import services_of
from model_server.errors import invalid
from model_server.metrics import TOKENS

router = APIRouter()


class CompletionBody(BaseModel):
    """Text is answered at /v1/chat/completions: here a text is scored, and its likeliest next token added."""

    model: str
    prompt: str | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    echo: Literal[True]
    logprobs: Annotated[int, Field(ge=0, le=5)]
    max_tokens: Literal[1]
    temperature: Literal[0] = 0
    stream: Literal[False] = False


@router.post("/v1/completions")
async def complete(request: Request, body: CompletionBody) -> dict[str, Any]:
    services = services_of(request)
    base_name, _ = services.find_model(body.model)

    def work() -> dict[str, Any]:
        from model_server.serving.embed import to_ids  # noqa: PLC0415  (loads torch)
        from model_server.serving.score import score  # noqa: PLC0415

        base = services.engine.base(base_name)
        base.ready(body.model)
        (ids,) = to_ids(base, [body.prompt], field="prompt")
        if len(ids) >= base.max_model_len:
            message = (
                f"'prompt' has {len(ids)} tokens, and no room for one more. Shorten it; it is never cut."
            )
            raise invalid(message, code="context_length_exceeded", param="prompt")
        scored = score(base, body.model, ids, body.logprobs)
        TOKENS.labels(base_name, "prompt").inc(len(ids))
        return {
            "id": f"cmpl-{uuid.uuid4().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": body.model,
            "choices": [
                {
                    "index": 0,
                    "text": base.tokenizer.decode(scored.ids),
                    "logprobs": {
                        "tokens": scored.tokens,
                        "token_logprobs": scored.logprobs,
                        "top_logprobs": scored.top if body.logprobs else None,
                    },
                    "finish_reason": "length",
                }
            ],
            "usage": {
                "prompt_tokens": len(ids),
                "completion_tokens": 1,
                "total_tokens": len(ids) + 1,
            },
        }

    return await services.engine.call(work)
