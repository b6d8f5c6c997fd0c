"""/v1/embeddings: mean-pooled hidden states of a served model."""

from __future__ import annotations

import base64
import struct
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from model_server.api.services import services_of
from model_server.errors import invalid
from model_server.metrics import TOKENS

router = APIRouter()

# OpenAI's own bound.
MAX_INPUTS = 2048

Tokens = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class EmbeddingsBody(BaseModel):
    """``user`` may come and is not read."""

    model: str
    input: (
        str
        | Tokens
        | Annotated[list[str], Field(min_length=1, max_length=MAX_INPUTS)]
        | Annotated[list[Tokens], Field(min_length=1, max_length=MAX_INPUTS)]
    )
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


@router.post("/v1/embeddings")
async def create(request: Request, body: EmbeddingsBody) -> dict[str, Any]:
    """Vectors of length 1, in the order of the inputs. Chats get their turn between the batches of a long list."""
    services = services_of(request)
    base_name, _ = services.find_model(body.model)
    if body.dimensions is not None:
        raise invalid(
            "'dimensions' is not supported: a vector is as long as the model's hidden state. Leave it out.",
            code="unsupported_parameter",
            param="dimensions",
        )
    engine = services.engine

    def read() -> tuple[list[list[int]], list[list[int]]]:
        from model_server.serving.embed import batches, to_ids  # noqa: PLC0415  (loads torch)

        texts = to_ids(engine.base(base_name), _inputs(body))
        return texts, batches(texts)

    texts, groups = await engine.call(read)
    vectors: dict[int, list[float]] = {}
    for group in groups:
        chosen = [texts[index] for index in group]

        def work(chosen: list[list[int]] = chosen) -> list[list[float]]:
            from model_server.serving.embed import embed  # noqa: PLC0415  (loads torch)

            base = engine.base(base_name)
            base.ready(body.model)
            return embed(base, body.model, chosen)

        vectors |= dict(zip(group, await engine.call(work), strict=True))
    tokens = sum(map(len, texts))
    TOKENS.labels(base_name, "prompt").inc(tokens)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": i, "embedding": _encoded(vectors[i], body.encoding_format)}
            for i in range(len(texts))
        ],
        "model": body.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _inputs(body: EmbeddingsBody) -> list[str | list[int]]:
    """One text, one list of tokens, or many of either."""
    if isinstance(body.input, str):
        return [body.input]
    if isinstance(body.input[0], int):
        return [[token for token in body.input if isinstance(token, int)]]
    return [value for value in body.input if not isinstance(value, int)]


def _encoded(vector: list[float], form: str) -> list[float] | str:
    """base64 is of little-endian float32, what the official clients ask for when nothing is said."""
    if form == "float":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
