"""Uploaded files: a row per (purpose, content), bytes stored once under their hash."""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_server.store.database import Database
from model_server.store.home import Home, remove


@dataclass(frozen=True)
class StoredFile:
    id: str
    purpose: str
    filename: str
    size_bytes: int
    sha256: str
    created_at: int

    def to_api(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.size_bytes,
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
            "expires_at": None,
        }


def _from_row(row: sqlite3.Row) -> StoredFile:
    return StoredFile(
        row["id"], row["purpose"], row["filename"], row["bytes"], row["sha256"], row["created_at"]
    )


class FileStore:
    def __init__(self, database: Database, home: Home) -> None:
        self._database = database
        self._home = home

    def add(self, upload: Path, *, purpose: str, filename: str, sha256: str) -> StoredFile:
        """Take over a finished upload. The same content for the same purpose is the first file again."""
        with self._database.transaction() as connection:
            known = connection.execute(
                "SELECT * FROM files WHERE purpose = ? AND sha256 = ?", (purpose, sha256)
            ).fetchone()
            if known is not None:
                upload.unlink()
                return _from_row(known)
            file = StoredFile(
                f"file-{secrets.token_hex(12)}",
                purpose,
                filename,
                upload.stat().st_size,
                sha256,
                int(time.time()),
            )
            upload.replace(self._home.blobs / sha256)
            connection.execute(
                "INSERT INTO files (id, purpose, filename, bytes, sha256, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                (file.id, purpose, filename, file.size_bytes, sha256, file.created_at),
            )
            return file

    def get(self, file_id: str) -> StoredFile | None:
        row = self._database.row("SELECT * FROM files WHERE id = ?", (file_id,))
        return _from_row(row) if row else None

    def page(
        self, *, purpose: str | None, after: str | None, limit: int, newest_first: bool
    ) -> tuple[list[StoredFile], bool]:
        """Files in order of creation, and whether more follow."""
        rows = self._database.rows("SELECT * FROM files ORDER BY rowid")
        files = [_from_row(row) for row in rows if purpose is None or row["purpose"] == purpose]
        if newest_first:
            files.reverse()
        if after is not None:
            ids = [file.id for file in files]
            files = files[ids.index(after) + 1 :] if after in ids else []
        return files[:limit], len(files) > limit

    def content_path(self, file: StoredFile) -> Path:
        return self._home.blobs / file.sha256

    def delete(self, file_id: str) -> bool:
        with self._database.transaction() as connection:
            row = connection.execute("SELECT sha256 FROM files WHERE id = ?", (file_id,)).fetchone()
            if row is None:
                return False
            connection.execute("DELETE FROM files WHERE id = ?", (file_id,))
            left = connection.execute("SELECT 1 FROM files WHERE sha256 = ?", (row["sha256"],)).fetchone()
        if left is None:
            remove(self._home.blobs / row["sha256"])
        return True

    def remove_orphans(self) -> None:
        """Content whose row was never committed, or whose removal was cut short."""
        known = {row["sha256"] for row in self._database.rows("SELECT sha256 FROM files")}
        for blob in self._home.blobs.iterdir():
            if blob.name not in known:
                remove(blob)
