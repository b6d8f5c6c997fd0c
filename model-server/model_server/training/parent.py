"""A trainer must never outlive its server, however the server dies.

Linux's kernel sends the signal asked for here; elsewhere the end of stdin tells (see ``process``).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """The kernel kills us with our parent, even while a long operation holds the interpreter."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before the line above.
    if os.getppid() != parent_pid:
        os._exit(1)
