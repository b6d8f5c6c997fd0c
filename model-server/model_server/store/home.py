"""The folder that holds all state, and the lock that keeps a second server out of it."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from pathlib import Path

from model_server.errors import StartError


class Home:
    """``state.db``, ``blobs/<sha256>``, ``jobs/<job>/`` (encoded rows), ``adapters/<job>/``, ``logs/``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "state.db"
        self.blobs = root / "blobs"
        self.jobs = root / "jobs"
        self.adapters = root / "adapters"
        self.unfinished = root / "unfinished"
        self.logs = root / "logs"
        try:
            for folder in (self.blobs, self.jobs, self.adapters, self.unfinished, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"cannot write to --home {root}: {error.strerror}") from error
        self._lock_fd = self._lock()

    def _lock(self) -> int:
        """The kernel frees the lock when its holder dies, however it dies."""
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StartError(
                f"{self.root} is in use by another model server (process {holder}); "
                "stop it or give this one another --home"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor

    def release(self) -> None:
        os.close(self._lock_fd)

    def new_unfinished(self) -> Path:
        """A folder for work that is renamed into place when whole; leftovers go at the next start."""
        folder = self.unfinished / secrets.token_hex(8)
        folder.mkdir()
        return folder

    def remove_leftovers(self, open_jobs: set[str], adapter_jobs: set[str]) -> None:
        for folder in self.unfinished.iterdir():
            remove(folder)
        for folder in self.jobs.iterdir():
            if folder.name not in open_jobs:
                remove(folder)
        for folder in self.adapters.iterdir():
            if folder.name not in adapter_jobs:
                remove(folder)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush a finished folder to disk, so that a rename never points at empty files after a power cut."""
    for entry in [*folder.iterdir(), folder]:
        descriptor = os.open(entry, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
