"""Rows that the model cannot learn from, as a result of the job: ``set-aside``."""

from __future__ import annotations

import json
import logging
from typing import Any

from nemo_platform_plugin.job_context import JobContext

from flywheel_nemo_peft.model_server import ModelServer
from flywheel_nemo_peft.patience import patiently

log = logging.getLogger(__name__)

RESULT = "set-aside"


def publish(server: ModelServer, job_id: str, ctx: JobContext) -> None:
    """Nothing is laid down where nothing was set aside. Done twice, it is one result."""
    files = server.set_aside(job_id)
    if not any(_rows(file) for file in files.values()):
        return
    for param, file in files.items():
        if _rows(file):
            log.info("%s: %d of %d rows are set aside", param, len(_rows(file)), file["rows"])
    path = ctx.storage.ephemeral / f"{RESULT}.json"
    path.write_text(json.dumps({"files": files}))
    patiently("take the list of rows set aside", lambda: ctx.results.save(RESULT, path))


def _rows(file: dict[str, Any]) -> list[dict[str, Any]]:
    return list(file["set_aside"])
