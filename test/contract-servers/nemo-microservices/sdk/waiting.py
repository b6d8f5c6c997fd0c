"""Waiting for states, and for errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait(poll: Callable[[], Any], statuses: set[str], seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while (seen := poll()).status not in statuses:
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)
    return seen


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def expect_error(kind: type[Exception], call: Callable[[], Any], saying: str = "") -> None:
    try:
        call()
    except kind as error:
        if saying in str(error):
            return
        raise
    raise AssertionError(f"{kind.__name__} expected")
