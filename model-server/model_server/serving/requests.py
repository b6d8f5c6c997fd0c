"""A chat request and its answer, as the routes and the serving thread exchange them. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Literal

from model_server.chat.tool_calls import ToolCall


@dataclass(frozen=True)
class Sampling:
    """``temperature`` 0 is greedy, ``seed`` None draws a fresh one, ``max_tokens`` None is as many as fit."""

    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forced:
    """A call that must come: of any function, or of ``name``."""

    name: str | None = None


@dataclass(frozen=True)
class ChatRequest:
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    forced: Forced | None
    parallel_calls: bool
    sampling: Sampling


@dataclass(frozen=True)
class ChatAnswer:
    """``content`` is None when there are only calls; ``cached_tokens`` of the prompt were known already."""

    content: str | None
    calls: tuple[ToolCall, ...]
    finish_reason: Literal["stop", "length", "tool_calls"]
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True)
class QueuedChat:
    """A request that waits for the serving thread. ``model`` is the base's name or an adapter's.

    ``on_delta`` gets pieces of plain text as they come, on the serving thread. Setting ``cancelled`` ends the answer
    at its next token.
    """

    base: str
    model: str
    request: ChatRequest
    on_delta: Callable[[str], None] | None = None
    cancelled: Event = field(default_factory=Event)
    answer: Future[ChatAnswer] = field(default_factory=Future)
