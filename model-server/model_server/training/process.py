"""The trainer process: loads its libraries once, then trains the jobs that come on stdin.

stdin: one JSON line per order, ``{"job": …}`` or ``{"cancel": job id}``; its end means that the server is gone.
stdout: JSON lines, see ``Reports``. What libraries print goes to stderr, a log file.

On a Linux CPU every job runs in a fork of this process, so that it starts at once with everything imported.
CUDA does not survive a fork, and macOS's libraries do not like one: there the job runs here, once.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import IO, Any

from model_server.training.parent import die_with_parent


class Reports:
    """``{"kind": "ready" | "metrics" | "message" | "done" | "failed" | "ended", …}``, one per line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def send(self, kind: str, **fields: Any) -> None:
        self._stream.write(json.dumps({"kind": kind, **fields}) + "\n")
        self._stream.flush()


class Orders:
    """Lines of stdin, read so that a wait can watch a child as well."""

    def __init__(self) -> None:
        self._buffer = b""

    def waiting(self) -> bool:
        """Whether a whole line has been read already."""
        return b"\n" in self._buffer

    def next(self) -> dict[str, Any] | None:
        """Blocks; None when the server is gone."""
        while b"\n" not in self._buffer:
            received = os.read(0, 65536)
            if not received:
                return None
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        order: dict[str, Any] = json.loads(line)
        return order

    def jobs(self) -> Iterator[dict[str, Any]]:
        """A cancel that comes after its job's end is late and means nothing."""
        while (order := self.next()) is not None:
            if "job" in order:
                yield order["job"]


def private_stdout() -> IO[str]:
    """Our own copy of stdout; the usual one leads to stderr from here on."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


def run(job: dict[str, Any], reports: Reports) -> None:
    from model_server.training.train import TrainingError, train  # noqa: PLC0415

    try:
        train(job, reports)
    except TrainingError as error:
        reports.send("failed", code=error.code, message=str(error))
    except Exception as error:
        traceback.print_exc()
        reports.send("failed", code="training_failed", message=f"{type(error).__name__}: {error}")


def run_in_fork(job: dict[str, Any], orders: Orders, reports: Reports) -> int:
    """Returns the job's exit status (negative: the signal that ended it). Ends with the server."""
    nursery = os.getpid()
    child = os.fork()
    if child == 0:
        die_with_parent(nursery)
        run(job, reports)
        os._exit(0)
    watch = os.pidfd_open(child)
    while True:
        if not orders.waiting():
            readable, _, _ = select.select([0, watch], [], [])
            if watch in readable:
                os.close(watch)
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        order = orders.next()
        if order is None:
            os._exit(1)  # the server is gone; the kernel takes the child with us
        if order.get("cancel") == job["id"]:
            # Not reaped yet, so the process id is certainly still the job's.
            os.kill(child, signal.SIGKILL)


def run_here(job: dict[str, Any], orders: Orders, reports: Reports) -> None:
    """A cancel, or the end of the server, ends this process at once."""

    def watch() -> None:
        while (order := orders.next()) is not None and order.get("cancel") != job["id"]:
            pass
        os._exit(1)

    threading.Thread(target=watch, name="orders", daemon=True).start()
    run(job, reports)


def main() -> int:
    die_with_parent(int(sys.argv[1]))
    reports = Reports(private_stdout())
    # Before any job is known: this is what takes seconds.
    import model_server.training.train  # noqa: F401, PLC0415

    gc.collect()
    # Children then share the libraries' memory instead of touching every object of it.
    gc.freeze()
    reports.send("ready")
    orders = Orders()
    for job in orders.jobs():
        if sys.platform != "linux" or job["device"] != "cpu":
            run_here(job, orders, reports)
            return 0
        reports.send("ended", status=run_in_fork(job, orders, reports))
    return 0


if __name__ == "__main__":
    sys.exit(main())
