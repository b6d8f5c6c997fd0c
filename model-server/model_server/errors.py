"""Errors a client sees: always OpenAI's shape, always saying what was found and what to do."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """Answered as ``{"error": {message, type, param, code}}`` with an HTTP status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        kind: str = "invalid_request_error",
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.retry_after_seconds = retry_after_seconds

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


class StartError(Exception):
    """The server cannot start; the message is one line for the person at the terminal."""


class AttestationError(Exception):
    """An adapter does not answer as recorded after its training; ``code`` goes into the job's error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(message: str, *, code: str = "invalid_value", param: str | None = None) -> ApiError:
    return ApiError(400, message, code=code, param=param)


def not_found(what: str, identifier: str, *, code: str = "not_found") -> ApiError:
    return ApiError(404, f"No {what} with id '{identifier}' exists here.", code=code, param="id")


def model_not_found(model: str, known: list[str]) -> ApiError:
    listing = ", ".join(known) or "none"
    message = f"The model '{model}' does not exist here. Models: {listing}."
    return ApiError(404, message, code="model_not_found", param="model")


def device_busy(job_id: str) -> ApiError:
    """Only a managed server answers so: its caller holds the queue and the lease, not the server."""
    return ApiError(
        409,
        f"The device is training job {job_id}. Try again when it has ended, or cancel it.",
        code="device_busy",
        kind="conflict_error",
        retry_after_seconds=15,
    )
