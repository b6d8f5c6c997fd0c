"""The process that the platform starts for a job: ``python -m flywheel_nemo_peft.task``."""

from __future__ import annotations

import logging
import signal
import sys
from types import FrameType

from nemo_platform_plugin.sdk_provider import get_task_sdk
from nemo_platform_plugin.tasks.dispatcher import run_task

from flywheel_nemo_peft.job import PeftJob


def _end(signum: int, _frame: FrameType | None) -> None:
    # Once: a second one would break off the cancellation of what we have begun.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + signum)


def main() -> int:
    signal.signal(signal.SIGTERM, _end)
    # The platform reads our output through a pipe. After its restart nobody does, and the training goes on.
    logging.raiseExceptions = False
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return int(run_task(PeftJob, sdk=get_task_sdk("customization")))


if __name__ == "__main__":
    sys.exit(main())
