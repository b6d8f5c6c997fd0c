"""All base models, and the single thread that runs them.

One thread is the lock: models need no guarding, and the event loop stays free, so that /health answers while a
model works. Chats that wait together are answered together; see ``chat_queue``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from model_server.serving.chat_queue import ChatQueue
from model_server.serving.model_files import context_length
from model_server.serving.prefix_cache import PrefixCache
from model_server.serving.requests import QueuedChat

if TYPE_CHECKING:
    from model_server.serving.base_model import BaseModel

log = logging.getLogger(__name__)
T = TypeVar("T")


def _import_peft() -> None:
    """Behind the bases, so that they answer before; ahead of the first adapter, so that it does not wait."""
    import peft  # noqa: F401, PLC0415


class Engine:
    """``models``: name → folder or hub id. Nothing heavy is imported until ``start``."""

    def __init__(
        self,
        models: dict[str, str],
        device: str,
        threads: int,
        *,
        prefix_cache_bytes: int,
        folder_of: Callable[[str], Path],
    ) -> None:
        self.sources = models
        self._folder_of = folder_of
        self._prefixes = PrefixCache(prefix_cache_bytes)
        self._wanted_device = device
        self._threads = threads
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="serving")
        self._bases: dict[str, BaseModel] = {}
        self._device: Future[str] = Future()
        self.stopping = threading.Event()
        self._chats = ChatQueue(self.base, lambda: self._prefixes, self.stopping.is_set)

    def start(self, on_loaded: Callable[[], None]) -> None:
        """Load every model in the background; requests wait for theirs."""
        self._executor.submit(self._set_up)
        for name in self.sources:
            self._executor.submit(self._preload, name)
        self._executor.submit(_import_peft)
        self._executor.submit(on_loaded)

    def _preload(self, name: str) -> None:
        if self.stopping.is_set():
            return
        try:
            self.base(name)
        except Exception:
            log.exception("model %s could not be loaded; requests for it will fail", name)

    def _set_up(self) -> None:
        try:
            import torch  # noqa: PLC0415

            # All here, on one thread: transformers' lazy modules break when two threads import them at once.
            import model_server.serving.answer  # noqa: PLC0415
            import model_server.training.prepare  # noqa: F401, PLC0415

            torch.set_num_threads(self._threads)
            cuda = torch.cuda.is_available()
            if self._wanted_device == "cuda" and not cuda:
                log.warning("--device cuda was asked for, but torch sees none; using the CPU")
            self._device.set_result("cuda" if cuda and self._wanted_device != "cpu" else "cpu")
        except BaseException as error:
            self._device.set_exception(error)
            raise

    def device(self) -> str:
        """``cpu`` or ``cuda``. Waits until torch and transformers are imported."""
        return self._device.result()

    def device_if_known(self) -> str | None:
        return self._device.result() if self._device.done() else None

    def loaded(self) -> list[str]:
        return list(self._bases)

    def max_model_len(self, name: str) -> int:
        return context_length(self.sources[name])

    def base(self, name: str) -> BaseModel:
        """Serving thread only."""
        from model_server.serving.base_model import BaseModel  # noqa: PLC0415

        if name not in self._bases:
            self._bases[name] = BaseModel(name, self.sources[name], self.device(), self._folder_of)
            log.info("loaded %s from %s", name, self.sources[name])
        return self._bases[name]

    def submit(self, chat: QueuedChat) -> None:
        """Have a chat answered; ``chat.answer`` becomes its answer or its error."""
        if self._chats.put(chat):
            self._executor.submit(self._answer_next)

    def _answer_next(self) -> None:
        """The next turn stands in line behind whatever else was asked for meanwhile."""
        if self._chats.answer_next() and not self.stopping.is_set():
            self._executor.submit(self._answer_next)

    def attest(self, base: str, name: str, folder: Path) -> None:
        """From any other thread. Raises AttestationError, or CancelledError when the server stops."""
        try:
            self._executor.submit(lambda: self.base(base).attest(name, folder)).result()
        except RuntimeError as error:
            if not self.stopping.is_set():
                raise
            raise CancelledError from error  # the executor takes nothing any more

    def forget(self, base: str, name: str) -> None:
        """Drop an adapter's weights and what it remembers. Serving thread only."""
        self._prefixes.forget(name)
        if base in self._bases:
            self._bases[base].forget(name)

    def prefix_bytes(self) -> int:
        return self._prefixes.bytes

    async def call(self, work: Callable[[], T]) -> T:
        """Run on the serving thread; the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def stop(self) -> None:
        """A running decode ends at its next token; what waits is dropped."""
        self.stopping.set()
        self._executor.shutdown(wait=False, cancel_futures=True)
