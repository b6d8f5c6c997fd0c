"""Runs one job at a time in a trainer process, and keeps the next process ready.

A thread takes the oldest open row ─► hands it to a trainer ─► copies its reports into events ─► has the adapter
attested ─► renames it into place ─► commits. Cancelling kills the trainer; nothing of it is kept.

A row that is ``running`` while this thread is free was left so by a trainer or a server that died: it goes on from
its last checkpoint.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_server import metrics
from model_server.errors import AttestationError
from model_server.store.adapters import AdapterStore
from model_server.store.home import Home, remove, sync_folder
from model_server.store.jobs import JobStore
from model_server.training.checkpoints import checkpoint_step, latest_checkpoint
from model_server.training.trainer_handle import CANCEL_SECONDS, TrainerHandle

log = logging.getLogger(__name__)

# A machine may be restarted a few times in a row; what dies at one step for ever would never let the next job in.
MAX_RESUMES_IN_PLACE = 3


@dataclass(frozen=True)
class TrainerSettings:
    threads: int
    org: str
    standby: bool
    checkpoint_seconds: float


class Supervisor:
    def __init__(
        self,
        home: Home,
        jobs: JobStore,
        adapters: AdapterStore,
        settings: TrainerSettings,
        device: Callable[[], str],
        base_source: Callable[[str], str],
        attest: Callable[[str, str, Path], None],
    ) -> None:
        """``attest``: base, the adapter's name, its folder; raises AttestationError."""
        self._home = home
        self._jobs = jobs
        self._adapters = adapters
        self._settings = settings
        self._device = device
        self._base_source = base_source
        self._attest = attest
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._standby_allowed = threading.Event()
        # Guards the two fields below and who may end the current job.
        self._lock = threading.RLock()
        self._trainer: TrainerHandle | None = None
        self._current: str | None = None
        self._idle = threading.Condition(self._lock)
        # This thread starts every trainer and lives as long as the server: the kernel's parent-death
        # signal follows the thread that forked.
        self._thread = threading.Thread(target=self._loop, name="trainer-supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """A job was committed."""
        self._wake.set()

    def allow_standby(self) -> None:
        self._standby_allowed.set()
        self._wake.set()

    def stop(self) -> None:
        """Ends the trainer; the next start goes on with its job."""
        self._stopping.set()
        self._wake.set()
        with self._lock:
            self._kill_trainer()
        self._thread.join(timeout=3)

    def cancel(self, job_id: str) -> bool:
        """True when the job is cancelled and no process of it is left; False when it had ended before."""
        with self._idle:
            cancelled = self._jobs.cancel(job_id)
            if cancelled and self._current == job_id and self._trainer is not None:
                self._trainer.cancel(job_id)
            # The caller hears of it when the process and its folders are gone.
            if not self._idle.wait_for(lambda: self._current != job_id, timeout=CANCEL_SECONDS) and cancelled:
                self._kill_trainer()
                self._idle.wait_for(lambda: self._current != job_id, timeout=CANCEL_SECONDS)
        if cancelled:
            remove(self._home.jobs / job_id)
        return cancelled

    def _kill_trainer(self) -> None:
        if self._trainer is not None:
            self._trainer.kill()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            job = self._jobs.next_open()
            if job is None:
                self._prepare_standby()
                self._wake.wait()
                self._wake.clear()
                continue
            try:
                self._run(job)
            except Exception:
                log.exception("job %s failed in the supervisor", job["id"])
                self._jobs.fail(job["id"], code="server_error", message="The server failed; see its log.")

    def _prepare_standby(self) -> None:
        with self._lock:
            if self._settings.standby and self._standby_allowed.is_set() and not self._stopping.is_set():
                self._ready_trainer()

    def _ready_trainer(self) -> TrainerHandle:
        if self._trainer is None or not self._trainer.alive():
            self._trainer = TrainerHandle(self._home.logs / "trainer.log", self._settings.threads)
        return self._trainer

    def _run(self, job: sqlite3.Row) -> None:
        device = self._device()
        unfinished = self._home.new_unfinished()
        with self._lock:
            if self._stopping.is_set() or not self._begin(job):
                remove(unfinished)
                return
            trainer = self._ready_trainer()
            self._current = job["id"]
        outcome: dict[str, Any] = {}
        try:
            order = self._order(job, device, unfinished / "adapter")
            status = trainer.run(order, lambda report: self._on_report(job["id"], report, outcome))
            self._finish(job, outcome, status, unfinished / "adapter")
        finally:
            remove(unfinished)
            if job["id"] not in self._jobs.open_ids():
                remove(self._home.jobs / job["id"])
            with self._idle:
                self._current = None
                self._idle.notify_all()

    def _begin(self, job: sqlite3.Row) -> bool:
        """Whether to train now. A job that dies again and again without a step forward is given up."""
        if job["status"] == "queued":
            return self._jobs.start(job["id"])
        step = checkpoint_step(latest_checkpoint(self._home.jobs / job["id"] / "checkpoints"))
        died_here = 1 + (job["resumes_in_place"] if step <= job["resumed_step"] else 0)
        if died_here > MAX_RESUMES_IN_PLACE:
            self._jobs.fail(job["id"], code="trainer_died", message=_gave_up(step))
            remove(self._home.jobs / job["id"])
            return False
        metrics.RESUMES.inc()
        return self._jobs.resume(job["id"], step=step, resumes_in_place=died_here)

    def _order(self, job: sqlite3.Row, device: str, out: Path) -> dict[str, Any]:
        return {
            "id": job["id"],
            "base": self._base_source(job["model"]),
            "rows": str(self._home.jobs / job["id"]),
            "out": str(out),
            "checkpoints": str(self._home.jobs / job["id"] / "checkpoints"),
            "checkpoint_seconds": self._settings.checkpoint_seconds,
            "seed": job["seed"],
            "device": device,
            "threads": self._settings.threads,
            "hyperparameters": json.loads(job["hyperparameters"]),
        }

    def _on_report(self, job_id: str, report: dict[str, Any], outcome: dict[str, Any]) -> None:
        kind = report.pop("kind")
        if kind == "metrics":
            data = report["data"]
            loss = data.get("train_loss", data.get("valid_loss"))
            name = "training" if "train_loss" in data else "validation"
            message = f"Step {data['step']}/{data['total_steps']}: {name} loss={loss:.4f}"
            self._jobs.add_event(job_id, message=message, kind="metrics", data=data)
        elif kind == "message":
            self._jobs.add_event(job_id, message=report["message"])
        elif kind in ("done", "failed"):
            outcome[kind] = report

    def _finish(self, job: sqlite3.Row, outcome: dict[str, Any], status: int, adapter: Path) -> None:
        if "done" in outcome:
            self._attest_and_keep(job, outcome["done"], adapter)
        elif "failed" in outcome:
            self._jobs.fail(job["id"], **outcome["failed"])
        elif not self._stopping.is_set():
            # Cancelled, or dead: an open row will be taken up again.
            log.warning("job %s: %s", job["id"], _how_it_died(status))
            if self._jobs.is_open(job["id"]):
                self._jobs.add_event(job["id"], message=_how_it_died(status), level="warn")

    def _attest_and_keep(self, job: sqlite3.Row, done: dict[str, Any], adapter: Path) -> None:
        """Not under the lock: the serving thread may be busy, and a cancel must not wait for it."""
        name = f"ft:{job['model']}:{self._settings.org}:{job['suffix'] or ''}:{job['id'][-8:]}"
        try:
            self._attest(job["model"], name, adapter)
        except AttestationError as error:
            self._jobs.fail(job["id"], code=error.code, message=str(error))
            return
        except CancelledError:
            return  # the server stops; the next one trains the last steps again
        with self._lock:
            if self._jobs.is_open(job["id"]):
                self._keep(job, name, done, adapter)

    def _keep(self, job: sqlite3.Row, name: str, done: dict[str, Any], adapter: Path) -> None:
        """Whole on disk, then renamed, then committed: a crash in between leaves an unnamed folder."""
        sync_folder(adapter)
        # A crash right before the commit left one behind.
        remove(self._home.adapters / job["id"])
        adapter.rename(self._home.adapters / job["id"])
        sync_folder_entry(self._home.adapters)
        self._jobs.succeed(
            job["id"],
            model=name,
            base=job["model"],
            tokens=done["trained_tokens"],
            seconds=done["train_seconds"],
        )


def sync_folder_entry(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _how_it_died(status: int) -> str:
    if status == -9:
        return "The trainer process was killed (signal 9); most often the machine ran out of memory."
    return f"The trainer process ended with status {status}; see logs/trainer.log in the server's home."


def _gave_up(step: int) -> str:
    return (
        f"The job's process died {MAX_RESUMES_IN_PLACE + 1} times after step {step} without getting any further; "
        "most often the machine ran out of memory. See logs/trainer.log in the server's home."
    )
