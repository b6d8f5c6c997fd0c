"""Fine-tuning jobs and their events.

queued ─► running ─► succeeded | failed | cancelled;   a terminal row never changes again.
``running`` outlives the death of trainer and server: the job goes on from its last checkpoint.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from model_server.errors import ApiError, device_busy
from model_server.store.database import Database
from model_server.store.job_events import insert_event

OPEN_STATUSES = ("queued", "running")
STATUSES = (*OPEN_STATUSES, "succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class NewJob:
    id: str
    idempotency_key: str | None
    body_hash: str
    model: str
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int
    hyperparameters: dict[str, Any]
    metadata: dict[str, str] | None
    # By file: how many rows, and which of them the model cannot take.
    set_aside: dict[str, Any]


def new_job_id() -> str:
    return f"ftjob-{secrets.token_hex(12)}"


class JobStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, job: NewJob, *, refuse_when_busy: bool) -> tuple[sqlite3.Row, bool]:
        """Commit the job, or return the one that its key already names: (row, whether it is new).

        Key, busy check and insert are one transaction, so two creates at once make one job.
        """
        with self._database.transaction() as connection:
            known = self._by_key(connection, job.idempotency_key)
            if known is not None:
                return same_request(known, job.body_hash), False
            if refuse_when_busy:
                busy = connection.execute(
                    "SELECT id FROM jobs WHERE status IN ('queued', 'running') LIMIT 1"
                ).fetchone()
                if busy is not None:
                    raise device_busy(busy["id"])
            connection.execute(
                "INSERT INTO jobs (id, idempotency_key, body_hash, model, training_file, validation_file,"
                " suffix, seed, hyperparameters, metadata, set_aside, status, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?)",
                (
                    job.id,
                    job.idempotency_key,
                    job.body_hash,
                    job.model,
                    job.training_file,
                    job.validation_file,
                    job.suffix,
                    job.seed,
                    json.dumps(job.hyperparameters),
                    json.dumps(job.metadata) if job.metadata is not None else None,
                    json.dumps(job.set_aside),
                    int(time.time()),
                ),
            )
            insert_event(connection, job.id, message=f"Created fine-tuning job: {job.id}")
            for message in _set_aside_messages(job.set_aside):
                insert_event(connection, job.id, message=message, level="warn")
            return connection.execute("SELECT * FROM jobs WHERE id = ?", (job.id,)).fetchone(), True

    @staticmethod
    def _by_key(connection: sqlite3.Connection, key: str | None) -> sqlite3.Row | None:
        if key is None:
            return None
        row: sqlite3.Row | None = connection.execute(
            "SELECT * FROM jobs WHERE idempotency_key = ?", (key,)
        ).fetchone()
        return row

    def find_by_key(self, key: str) -> sqlite3.Row | None:
        return self._database.row("SELECT * FROM jobs WHERE idempotency_key = ?", (key,))

    def get(self, job_id: str) -> sqlite3.Row | None:
        return self._database.row("SELECT * FROM jobs WHERE id = ?", (job_id,))

    def open_job(self) -> sqlite3.Row | None:
        """The job that holds the device, or waits for it longest."""
        return self._database.row(
            "SELECT * FROM jobs WHERE status IN ('queued', 'running') ORDER BY status DESC, seq LIMIT 1"
        )

    def next_open(self) -> sqlite3.Row | None:
        """The job to work on next: one that is under way before any that is queued."""
        return self.open_job()

    def is_open(self, job_id: str) -> bool:
        return job_id in self.open_ids()

    def counts(self) -> dict[str, int]:
        """Jobs by status; every status is there."""
        found = {
            row["status"]: row["n"]
            for row in self._database.rows("SELECT status, count(*) AS n FROM jobs GROUP BY status")
        }
        return {status: found.get(status, 0) for status in STATUSES}

    def open_ids(self) -> set[str]:
        return {
            row["id"]
            for row in self._database.rows("SELECT id FROM jobs WHERE status IN ('queued', 'running')")
        }

    def page(
        self, *, after: str | None, limit: int, metadata: dict[str, str]
    ) -> tuple[list[sqlite3.Row], bool]:
        """Newest first, behind ``after``, with every given metadata pair; and whether more follow."""
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE (?1 IS NULL OR seq < (SELECT seq FROM jobs WHERE id = ?1))"
            " ORDER BY seq DESC",
            (after,),
        )
        wanted = [row for row in rows if metadata.items() <= json.loads(row["metadata"] or "{}").items()]
        return wanted[:limit], len(wanted) > limit

    def start(self, job_id: str) -> bool:
        """queued → running; False when it was cancelled meanwhile."""
        return self._move(job_id, ("queued",), {"status": "running"}, ("info", "Fine-tuning job started", {}))

    def succeed(self, job_id: str, *, model: str, base: str, tokens: int, seconds: float) -> bool:
        """The model's row and the job's end are one commit: neither is ever seen without the other."""
        with self._database.transaction() as connection:
            changed = _update(
                connection,
                job_id,
                ("running",),
                {
                    "status": "succeeded",
                    "finished_at": int(time.time()),
                    "fine_tuned_model": model,
                    "trained_tokens": tokens,
                    "train_seconds": seconds,
                },
            )
            if changed:
                connection.execute(
                    "INSERT INTO adapters (model, base, job_id, created_at, attested_at) VALUES (?, ?, ?, ?, ?)",
                    (model, base, job_id, int(time.time()), int(time.time())),
                )
                insert_event(connection, job_id, message=f"New fine-tuned model created: {model}")
                insert_event(connection, job_id, message="The job has successfully completed")
        return changed

    def fail(self, job_id: str, *, code: str, message: str, param: str | None = None) -> bool:
        error = json.dumps({"code": code, "message": message, "param": param})
        columns = {"status": "failed", "finished_at": int(time.time()), "error": error}
        return self._move(job_id, OPEN_STATUSES, columns, ("error", message, {"code": code}))

    def cancel(self, job_id: str) -> bool:
        columns = {"status": "cancelled", "finished_at": int(time.time())}
        return self._move(job_id, OPEN_STATUSES, columns, ("info", "The job was cancelled", {}))

    def resume(self, job_id: str, *, step: int, resumes_in_place: int) -> bool:
        """A running job goes on in a new process; False when it was cancelled meanwhile."""
        message = f"Its process ended before the job did; going on from step {step}"
        columns: dict[str, object] = {"resumed_step": step, "resumes_in_place": resumes_in_place}
        return self._move(job_id, ("running",), columns, ("warn", message, {"step": step}))

    def _move(
        self,
        job_id: str,
        allowed: tuple[str, ...],
        columns: dict[str, object],
        event: tuple[str, str, dict[str, object]],
    ) -> bool:
        with self._database.transaction() as connection:
            changed = _update(connection, job_id, allowed, columns)
            if changed:
                insert_event(connection, job_id, level=event[0], message=event[1], data=event[2])
        return changed

    def add_event(
        self,
        job_id: str,
        *,
        message: str,
        level: str = "info",
        kind: str = "message",
        data: dict[str, object] | None = None,
    ) -> None:
        with self._database.transaction() as connection:
            insert_event(connection, job_id, level=level, message=message, kind=kind, data=data)

    def events(self, job_id: str, *, after: str | None, limit: int) -> tuple[list[sqlite3.Row], bool]:
        """Newest first, behind ``after``; and whether more follow."""
        rows = self._database.rows(
            "SELECT * FROM events WHERE job_id = ?1"
            " AND (?2 IS NULL OR seq < (SELECT seq FROM events WHERE id = ?2))"
            " ORDER BY seq DESC LIMIT ?3",
            (job_id, after, limit + 1),
        )
        return rows[:limit], len(rows) > limit


def _set_aside_messages(files: dict[str, Any]) -> list[str]:
    return [
        f"{len(file['set_aside'])} of {file['rows']} rows of the {param} do not fit the model and are set aside"
        for param, file in files.items()
        if file["set_aside"]
    ]


def same_request(row: sqlite3.Row, body_hash: str) -> sqlite3.Row:
    """The key's first job, if it was asked for in the same words."""
    if row["body_hash"] != body_hash:
        raise ApiError(
            409,
            f"Idempotency key '{row['idempotency_key']}' belongs to job {row['id']}, which was created with a "
            "different body. Use a new key for a new request.",
            code="idempotency_mismatch",
            kind="conflict_error",
        )
    return row


def _update(
    connection: sqlite3.Connection, job_id: str, allowed: tuple[str, ...], columns: dict[str, object]
) -> bool:
    # Column names and statuses are this module's own constants; values are bound.
    assignments = ", ".join(f"{name} = ?" for name in columns)
    marks = ", ".join("?" for _ in allowed)
    cursor = connection.execute(
        f"UPDATE jobs SET {assignments} WHERE id = ? AND status IN ({marks})",  # noqa: S608
        (*columns.values(), job_id, *allowed),
    )
    return cursor.rowcount == 1
