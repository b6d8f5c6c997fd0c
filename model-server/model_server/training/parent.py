"""A trainer must never outlive its server, however the server dies."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from typing import IO

PR_SET_PDEATHSIG = 1


def die_with_parent(server_pid: int) -> None:
    """On Linux the kernel kills us with the server, even while a long operation holds the interpreter."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The server may have died before the line above.
    if os.getppid() != server_pid:
        os._exit(1)


def exit_when_closed(pipe: IO[str]) -> None:
    """Everywhere: the server holds the other end of this pipe, and death closes it."""

    def watch() -> None:
        pipe.read()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
