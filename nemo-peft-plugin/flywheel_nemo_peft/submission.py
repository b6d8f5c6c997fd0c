"""One job at the model server under one key: once it was asked for it may be there, whether or not we were told."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flywheel_nemo_peft.errors import RefusedError, UnreachableError, UnwantedError
from flywheel_nemo_peft.model_server import BusyError, ModelServer

log = logging.getLogger(__name__)

PAUSE_S = 1.0
# Less than the 60 s after which the platform that Flywheel starts kills a job that it ends.
GRACE_S = 50.0


class Submission:
    def __init__(self, server: ModelServer, body: dict[str, Any], key: str) -> None:
        self._server = server
        self._body = body
        self._key = key
        self._may_be_there = False

    def send(self) -> dict[str, Any]:
        """The job, made if there is none under the key. Raises BusyError while another one trains."""
        self._may_be_there = True
        try:
            return self._server.create_job(self._body, self._key)
        except BusyError:
            # It says so only where the key names no job.
            self._may_be_there = False
            raise

    @contextmanager
    def cancelled_with_us(self) -> Iterator[None]:
        """SIGTERM is how the platform cancels; UnwantedError is how we find out after its restart."""
        try:
            yield
        except (SystemExit, UnwantedError):
            if self._may_be_there:
                self._cancel()
            raise

    def _cancel(self) -> None:
        began = time.monotonic()
        while True:
            try:
                self._cancel_once()
                return
            except UnreachableError as error:
                if time.monotonic() - began > GRACE_S:
                    log.error("The training may go on at the model server: %s", error)
                    return
                log.info("%s", error)
                time.sleep(PAUSE_S)

    def _cancel_once(self) -> None:
        """
        The server makes a job whose request was broken off all the same. Asked again under its key, it answers with
        that job once it is made.
        """
        try:
            job_id = str(self._server.create_job(self._body, self._key)["id"])
        except (BusyError, RefusedError) as error:
            log.info("The model server made no job: %s", error)
            return
        log.info("Cancelling model server job %s", job_id)
        try:
            self._server.cancel(job_id)
        except RefusedError as error:
            log.error("Model server job %s goes on: %s", job_id, error)
