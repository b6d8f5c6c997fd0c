"""The server's side of the trainer process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

# Seconds a cancelled job gets to be gone before its whole trainer is killed.
CANCEL_SECONDS = 2.0


class TrainerHandle:
    """Started ahead of its first job; takes one job at a time, and another while it is alive."""

    def __init__(self, log_file: Path, threads: int) -> None:
        env = {**os.environ, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
        with log_file.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "model_server.training.process", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                env=env,
            )
        self._stdin = cast(IO[str], self._process.stdin)
        self._stdout = cast(IO[str], self._process.stdout)

    def alive(self) -> bool:
        return self._process.poll() is None

    def run(self, job: dict[str, Any], on_report: Callable[[dict[str, Any]], None]) -> int:
        """Passes on every report; returns the exit status (negative: the signal that ended the job)."""
        try:
            self._send({"job": job})
            for line in self._stdout:
                report = json.loads(line)
                if report["kind"] == "ended":
                    return int(report["status"])
                on_report(report)
        except (BrokenPipeError, json.JSONDecodeError):
            pass  # it died in the middle; the exit status says how
        return self._process.wait()

    def cancel(self, job_id: str) -> None:
        """End the job; the trainer may live on for the next one. ``run`` returns when the job is gone."""
        try:
            self._send({"cancel": job_id})
        except (BrokenPipeError, ValueError):
            self.kill()

    def kill(self) -> None:
        """Returns when the process is gone; the kernel takes its job with it."""
        self._process.kill()
        self._process.wait()

    def _send(self, order: dict[str, Any]) -> None:
        self._stdin.write(json.dumps(order) + "\n")
        self._stdin.flush()
