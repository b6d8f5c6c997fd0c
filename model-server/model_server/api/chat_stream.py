"""A chat completion as server-sent events.

serving thread ─ pieces of text ─► queue of the event loop ─ chunks ─► client
The queue never blocks the serving thread: a slow reader slows only its own stream, and holds at most one answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from fastapi.responses import StreamingResponse

from model_server.api.completion import Chunks, count_tokens
from model_server.errors import ApiError
from model_server.serving.engine import Engine
from model_server.serving.requests import ChatAnswer, QueuedChat

log = logging.getLogger(__name__)

# None: the answer is there, or has failed.
Pieces = asyncio.Queue[str | None]


async def stream_chat(engine: Engine, asked: QueuedChat, *, include_usage: bool) -> StreamingResponse:
    """Raises ApiError for what fails before the first piece, so that it gets a status of its own."""
    loop = asyncio.get_running_loop()
    pieces: Pieces = asyncio.Queue()

    def put(piece: str | None) -> None:
        loop.call_soon_threadsafe(pieces.put_nowait, piece)

    chat = replace(asked, on_delta=put)
    chat.answer.add_done_callback(lambda _: put(None))
    engine.submit(chat)
    try:
        first = await pieces.get()
    except asyncio.CancelledError:
        chat.cancelled.set()
        raise
    if first is None:
        await asyncio.wrap_future(chat.answer)
    chunks = Chunks(chat.model, include_usage=include_usage)
    return StreamingResponse(
        _events(chat, chunks, pieces, first),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def _events(chat: QueuedChat, chunks: Chunks, pieces: Pieces, first: str | None) -> AsyncIterator[str]:
    try:
        yield _event(chunks.role())
        piece = first
        while piece is not None:
            yield _event(chunks.text(piece))
            piece = await pieces.get()
        answer: ChatAnswer = await asyncio.wrap_future(chat.answer)
        count_tokens(chat.base, answer)
        for chunk in chunks.end(answer):
            yield _event(chunk)
    except ApiError as error:
        yield _event(error.body())
    except Exception:
        log.exception("a streamed answer failed")
        failed = ApiError(
            500,
            "The model server failed on this request; see its log.",
            code="server_error",
            kind="server_error",
        )
        yield _event(failed.body())
    finally:
        # The client may have gone: then nobody waits for the rest.
        chat.cancelled.set()
    yield "data: [DONE]\n\n"


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}\n\n"
