"""The model server, over HTTP: OpenAI's files and fine-tuning jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from flywheel_nemo_peft.errors import RefusedError, UnreachableError

TIMEOUT_S = 30.0
# Every row is checked and encoded before the job is accepted.
CREATE_TIMEOUT_S = 180.0


class BusyError(Exception):
    """The device trains something else; ask again after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__("The training device is busy.")
        self.seconds = seconds


class ModelServer:
    def __init__(self, url: str) -> None:
        """``url`` ends in ``/v1``."""
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/", timeout=TIMEOUT_S)

    def upload(self, name: str, content: bytes) -> str:
        """The file's id. The same content is one file, however often it comes."""
        form = {"file": (name, content, "application/jsonl")}
        reply = self._send(
            "POST", "files", data={"purpose": "fine-tune"}, files=form, timeout=CREATE_TIMEOUT_S
        )
        return str(reply["id"])

    def create_job(self, body: dict[str, Any], key: str) -> dict[str, Any]:
        """The job under ``key``, made if there is none. Raises BusyError while another one trains."""
        return self._send(
            "POST",
            "fine_tuning/jobs",
            json={**body, "metadata": {**body["metadata"], "flywheel_key": key}},
            headers={"Idempotency-Key": key},
            timeout=CREATE_TIMEOUT_S,
        )

    def job(self, job_id: str) -> dict[str, Any]:
        return self._send("GET", f"fine_tuning/jobs/{job_id}")

    def events(self, job_id: str) -> list[dict[str, Any]]:
        """Oldest first: the newest hundred."""
        listed = self._send("GET", f"fine_tuning/jobs/{job_id}/events", params={"limit": 100})
        return list(reversed(listed["data"]))

    def set_aside(self, job_id: str) -> dict[str, Any]:
        """By file parameter: ``{"rows": n, "set_aside": [{line, code, message}]}``, lines from 1."""
        listed = self._send("GET", f"fine_tuning/jobs/{job_id}/set_aside")
        return dict(listed["files"])

    def cancel(self, job_id: str) -> None:
        """Returns when the job's process is gone. Harmless on an ended job."""
        try:
            self._send("POST", f"fine_tuning/jobs/{job_id}/cancel")
        except RefusedError as error:
            if error.code not in {"job_not_cancellable", "invalid_status"} and not self._has_ended(job_id):
                raise

    def adapter_files(self, model: str) -> Iterator[tuple[str, bytes]]:
        """Name and content of each of the adapter's own files."""
        listed = self._send("GET", f"adapters/{model}/files")
        for file in listed["data"]:
            yield file["name"], self._answer("GET", f"adapters/{model}/files/{file['name']}").content

    def _has_ended(self, job_id: str) -> bool:
        return self.job(job_id)["status"] in {"succeeded", "failed", "cancelled"}

    def _send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return dict(self._answer(method, path, **options).json())

    def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            reply = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise UnreachableError(f"The model server does not answer: {error}") from error
        if reply.is_success:
            return reply
        raise _refusal(reply)


def _refusal(reply: httpx.Response) -> Exception:
    try:
        error = reply.json()["error"]
    except (ValueError, KeyError, TypeError):
        error = {"message": reply.text[:300], "code": None}
    if error.get("code") == "device_busy":
        return BusyError(float(reply.headers.get("Retry-After", 5)))
    if reply.status_code >= 500 or reply.status_code in {408, 429}:
        return UnreachableError(f"The model server failed: {reply.status_code} {error['message']}")
    return RefusedError(str(error["message"]), str(error.get("code") or reply.status_code))
