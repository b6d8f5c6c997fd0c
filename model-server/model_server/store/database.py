"""SQLite in WAL mode: one connection, one lock, short transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model_server.errors import StartError

# Never edited: step n takes a state of version n to n + 1.
MIGRATIONS = (
    """
CREATE TABLE files (
  id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  filename TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (purpose, sha256)
);
CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  idempotency_key TEXT UNIQUE,
  body_hash TEXT NOT NULL,
  model TEXT NOT NULL,
  training_file TEXT NOT NULL,
  validation_file TEXT,
  suffix TEXT,
  seed INTEGER NOT NULL,
  hyperparameters TEXT NOT NULL,
  metadata TEXT,
  status TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  fine_tuned_model TEXT,
  trained_tokens INTEGER,
  train_seconds REAL,
  error TEXT
);
CREATE INDEX jobs_by_status ON jobs (status, seq);
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  job_id TEXT NOT NULL REFERENCES jobs (id),
  created_at INTEGER NOT NULL,
  level TEXT NOT NULL,
  type TEXT NOT NULL,
  message TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX events_by_job ON events (job_id, seq);
CREATE TABLE adapters (
  model TEXT PRIMARY KEY,
  base TEXT NOT NULL,
  job_id TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
);
""",
    # Resuming; adapters that can be unloaded, and when they were found to answer as recorded.
    """
ALTER TABLE jobs ADD COLUMN resumed_step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN resumes_in_place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE adapters ADD COLUMN attested_at INTEGER;
ALTER TABLE adapters ADD COLUMN unloaded INTEGER NOT NULL DEFAULT 0;
""",
    # Which rows of its files a job was not trained on; null for jobs of before.
    """
ALTER TABLE jobs ADD COLUMN set_aside TEXT;
""",
)
SCHEMA_VERSION = len(MIGRATIONS)


class Database:
    """Every statement runs under one lock; each takes well under a millisecond at this server's scale."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A committed job must survive a power cut: an answered create is never forgotten.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._migrate()

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StartError(
                f"the state in --home was written by a newer server (schema {version}; this one knows "
                f"{SCHEMA_VERSION}); use that version, or another --home"
            )
        for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """BEGIN IMMEDIATE … COMMIT; rolled back when the body raises. Not re-entrant."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, parameters: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: tuple[object, ...] = ()) -> sqlite3.Row | None:
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def close(self) -> None:
        with self._lock:
            self._connection.close()
