"""Waiting for the platform: a job's process outlives its restarts, and has to bring its work to an end after one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from nemo_platform import APIConnectionError, ConflictError, InternalServerError

from flywheel_nemo_peft.errors import UnreachableError

log = logging.getLogger(__name__)

# A restart takes half a minute, on a busy machine some. Beyond that nobody is coming back.
SILENCE_S = 600.0
PAUSE_S = 3.0

T = TypeVar("T")


def patiently(doing: str, work: Callable[[], T]) -> T:
    """``work``, which may be repeated, until the platform takes it. Raises UnreachableError when it stays away."""
    began = time.monotonic()
    while True:
        try:
            return work()
        # A conflict: its controller wrote the same record at the same moment.
        except (APIConnectionError, InternalServerError, ConflictError) as error:
            if time.monotonic() - began > SILENCE_S:
                message = f"The platform did not answer for {SILENCE_S:.0f} s when asked to {doing}."
                raise UnreachableError(message) from error
            log.info("The platform is away; it will be asked again to %s", doing)
            time.sleep(PAUSE_S)
