"""Runs one job at a time in a trainer process, and keeps the next process ready.

A thread takes the oldest queued row ─► hands it to a trainer ─► copies its reports into events ─►
renames the adapter into place ─► commits. Cancelling kills the trainer; nothing of it is kept.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_server.store.adapters import AdapterStore
from model_server.store.home import Home, remove, sync_folder
from model_server.store.jobs import JobStore
from model_server.training.trainer_handle import CANCEL_SECONDS, TrainerHandle

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainerSettings:
    threads: int
    org: str
    standby: bool


class Supervisor:
    def __init__(
        self,
        home: Home,
        jobs: JobStore,
        adapters: AdapterStore,
        settings: TrainerSettings,
        device: Callable[[], str],
        base_source: Callable[[str], str],
    ) -> None:
        self._home = home
        self._jobs = jobs
        self._adapters = adapters
        self._settings = settings
        self._device = device
        self._base_source = base_source
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
        """Ends the trainer and fails its job; queued jobs stay queued for the next start."""
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
            job = self._jobs.next_queued()
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
            if self._stopping.is_set() or not self._jobs.start(job["id"]):
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
            remove(self._home.jobs / job["id"])
            with self._idle:
                self._current = None
                self._idle.notify_all()

    def _order(self, job: sqlite3.Row, device: str, out: Path) -> dict[str, Any]:
        return {
            "id": job["id"],
            "base": self._base_source(job["model"]),
            "rows": str(self._home.jobs / job["id"]),
            "out": str(out),
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
        with self._lock:
            current = self._jobs.get(job["id"])
            if current is None or current["status"] != "running":
                return  # cancelled meanwhile
            if "done" in outcome:
                self._keep(job, outcome["done"], adapter)
            elif "failed" in outcome:
                self._jobs.fail(job["id"], **outcome["failed"])
            elif self._stopping.is_set():
                self._jobs.fail_interrupted()
            else:
                self._jobs.fail(job["id"], code="trainer_died", message=_how_it_died(status))

    def _keep(self, job: sqlite3.Row, done: dict[str, Any], adapter: Path) -> None:
        """Whole on disk, then renamed, then committed: a crash in between leaves an unnamed folder."""
        sync_folder(adapter)
        adapter.rename(self._home.adapters / job["id"])
        sync_folder_entry(self._home.adapters)
        name = f"ft:{job['model']}:{self._settings.org}:{job['suffix'] or ''}:{job['id'][-8:]}"
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
