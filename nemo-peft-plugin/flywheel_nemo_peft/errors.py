"""What can go wrong with the other side of a job."""

from __future__ import annotations


class UnreachableError(Exception):
    """It does not answer, or failed: worth asking again."""


class RefusedError(Exception):
    """It said no, with its ``code``: asking again would be refused again."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnwantedError(Exception):
    """The platform does not want the job any more: cancelled, timed out, or deleted."""
