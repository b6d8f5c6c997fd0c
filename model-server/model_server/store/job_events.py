"""A job's events, written within the transaction of what they tell."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time


def insert_event(
    connection: sqlite3.Connection,
    job_id: str,
    *,
    message: str,
    level: str = "info",
    kind: str = "message",
    data: dict[str, object] | None = None,
) -> None:
    connection.execute(
        "INSERT INTO events (id, job_id, created_at, level, type, message, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            f"ftevent-{secrets.token_hex(12)}",
            job_id,
            int(time.time()),
            level,
            kind,
            message,
            json.dumps(data or {}),
        ),
    )
