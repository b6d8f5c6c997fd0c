"""The trainer process: loads its libraries, waits for one job on stdin, trains it, ends.

stdin: one JSON line, the job; then held open by the server for as long as it lives.
stdout: JSON lines, one report each (see ``Reports``). Everything libraries print goes to stderr, a log file.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import IO, Any

from model_server.training.parent import die_with_parent, exit_when_closed


class Reports:
    """``{"kind": "metrics" | "message" | "done" | "failed", …}``, one per line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def send(self, kind: str, **fields: Any) -> None:
        self._stream.write(json.dumps({"kind": kind, **fields}) + "\n")
        self._stream.flush()


def private_stdout() -> IO[str]:
    """Our own copy of stdout; the usual one leads to stderr from here on."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


def main() -> int:
    die_with_parent(int(sys.argv[1]))
    reports = Reports(private_stdout())
    # Imported here, before the job is known: this is what takes seconds.
    from model_server.training.train import TrainingError, train  # noqa: PLC0415

    reports.send("ready")
    line = sys.stdin.readline()
    if not line:
        return 0
    exit_when_closed(sys.stdin)
    try:
        train(json.loads(line), reports)
    except TrainingError as error:
        reports.send("failed", code=error.code, message=str(error))
    except Exception as error:
        traceback.print_exc()
        reports.send("failed", code="training_failed", message=f"{type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
