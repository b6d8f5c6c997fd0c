"""The job as the platform keeps it: read for who wants it, written for who watches it.

Progress goes to the *task*, where automodel puts its own, with automodel's names. That has a second use: after a
restart the platform has lost the process and reads a job's status off its task. A process that outlived the
restart and sets its task ``completed`` thereby ends the job properly, and its updates tell that it lives.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any

import httpx
from nemo_platform import APIConnectionError, APIStatusError, NeMoPlatform, NotFoundError

from flywheel_nemo_peft.errors import UnwantedError
from flywheel_nemo_peft.patience import patiently

log = logging.getLogger(__name__)

# A fraction of any silence after which a watcher would take the job for lost.
BEAT_S = 10.0


class JobRecord:
    def __init__(self, sdk: NeMoPlatform, workspace: str, job: str) -> None:
        self._sdk = sdk
        self._path = f"/apis/jobs/v2/workspaces/{workspace}/jobs/{job}"
        task = f"steps/{os.environ['NEMO_JOB_STEP']}/tasks/{os.environ['NEMO_JOB_TASK']}"
        self._task_path = f"{self._path}/{task}"
        self._last: tuple[float, dict[str, Any]] = (0.0, {})
        self.last_answer = time.monotonic()

    def custom_fields(self) -> dict[str, Any]:
        reply = self._sdk.get(self._path, cast_to=httpx.Response).json()
        return dict(reply.get("custom_fields") or {})

    def tell(self, details: dict[str, Any]) -> None:
        """Writes what changed, and every so often what did not. Raises UnwantedError; a platform that is away is waited for."""
        written_at, written = self._last
        if details == written and time.monotonic() - written_at < BEAT_S:
            return
        try:
            self._write(details, "active")
        except (APIConnectionError, APIStatusError) as error:
            # It restarts, or its controller wrote at the same moment: the next beat brings it.
            log.info("The platform took no progress: %s", type(error).__name__)
            return
        self._last = (time.monotonic(), details)
        self.last_answer = time.monotonic()

    def tell_end(self, details: dict[str, Any], *, status: str) -> None:
        """The last words, which have to arrive. Raises UnwantedError, and UnreachableError when nobody takes them."""
        patiently("take the job's end", lambda: self._write(details, status))

    def _write(self, details: dict[str, Any], status: str) -> None:
        try:
            self._require_wanted()
            # The platform stores nothing, no time either, when nothing changed: a beat has to differ from the last.
            body = {"status": status, "status_details": {**details, "told_at": time.time()}}
            self._sdk.put(self._task_path, cast_to=httpx.Response, body=body)
        except NotFoundError as error:
            raise UnwantedError("the job was deleted") from error

    def _require_wanted(self) -> None:
        """Of a job that it lost by a restart the platform cannot tell the process that it was cancelled."""
        status = self._sdk.get(f"{self._path}/status", cast_to=httpx.Response).json()["status"]
        if status in {"cancelling", "cancelled", "error", "completed"}:
            raise UnwantedError(f"the job is {status}")
