"""Chat requests that wait for the serving thread, answered in batches.

Whatever waits for one base model when the thread is free is decoded together, whichever adapters it asks for.
A lone request is never held up to wait for company.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from model_server.metrics import BATCH_ROWS, QUEUED_CHATS
from model_server.serving.requests import QueuedChat

if TYPE_CHECKING:
    from model_server.serving.answer import ChatRow
    from model_server.serving.base_model import BaseModel
    from model_server.serving.prefix_cache import PrefixCache

# Beyond this a CPU gains nothing, and memory for keys and values grows with it.
MAX_ROWS = 32


class ChatQueue:
    """``put`` from any thread; ``answer_next`` on the serving thread only, when either says that it is due.

    Never more than one of those turns is due: as many as there are requests would keep everything else that the thread
    is asked for waiting until the last request of a long evaluation.
    """

    def __init__(
        self,
        base: Callable[[str], BaseModel],
        prefixes: Callable[[], PrefixCache],
        should_stop: Callable[[], bool],
    ) -> None:
        self._base = base
        self._prefixes = prefixes
        self._should_stop = should_stop
        self._waiting: deque[QueuedChat] = deque()
        self._due = False
        self._lock = threading.Lock()

    def put(self, chat: QueuedChat) -> bool:
        """Whether ``answer_next`` is due for it; else a turn that is due already takes it along."""
        with self._lock:
            self._waiting.append(chat)
            QUEUED_CHATS.set(len(self._waiting))
            was_due, self._due = self._due, True
            return not was_due

    def answer_next(self) -> bool:
        """Answer the oldest request and all that can go with it. Whether another turn is due behind it."""
        chats = self._take()
        if chats:
            self._answer(chats)
        with self._lock:
            self._due = bool(self._waiting)
            return self._due

    def _answer(self, chats: list[QueuedChat]) -> None:
        BATCH_ROWS.observe(len(chats))
        try:
            self._decode(chats)
        except Exception as error:
            for chat in chats:
                if not chat.answer.done():
                    chat.answer.set_exception(error)

    def _take(self) -> list[QueuedChat]:
        with self._lock:
            if not self._waiting:
                return []
            base = self._waiting[0].base
            taken = [chat for chat in self._waiting if chat.base == base][:MAX_ROWS]
            chosen = {id(chat) for chat in taken}
            self._waiting = deque(chat for chat in self._waiting if id(chat) not in chosen)
            QUEUED_CHATS.set(len(self._waiting))
            return taken

    def _decode(self, chats: list[QueuedChat]) -> None:
        from model_server.serving.decode import decode  # noqa: PLC0415  (loads torch)

        base = self._base(chats[0].base)
        asked: dict[int, tuple[QueuedChat, ChatRow]] = {}
        rows = []
        for chat in chats:
            row = self._admit(base, chat)
            if row is not None:
                asked[id(row.row)] = (chat, row)
                rows.append(row.row)

        def on_end(row: object) -> None:
            chat, ended = asked[id(row)]
            chat.answer.set_result(ended.answer())

        decode(base, rows, prefixes=self._prefixes(), on_end=on_end, should_stop=self._should_stop)

    def _admit(self, base: BaseModel, chat: QueuedChat) -> ChatRow | None:
        """One that cannot be answered fails alone."""
        from model_server.serving.answer import ChatRow  # noqa: PLC0415  (loads torch)

        try:
            row = ChatRow(base, chat)
            base.ready(chat.model)
        except Exception as error:
            chat.answer.set_exception(error)
            return None
        return row
