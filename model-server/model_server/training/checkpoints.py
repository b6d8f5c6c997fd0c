"""Checkpoints of a running job: written by the trainer as time passes, found again by its next process.

A checkpoint counts only once its marker is in place, written last: a kill in mid-write leaves the one before.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from model_server.store.home import sync_folder

MARKER = "complete.json"


def latest_checkpoint(folder: Path) -> Path | None:
    """The complete checkpoint with the most steps."""
    found = [marker.parent for marker in folder.glob(f"checkpoint-*/{MARKER}")]
    return max(found, key=checkpoint_step, default=None)


def checkpoint_step(checkpoint: Path | None) -> int:
    """Optimizer steps in it; 0 for none."""
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def mark_complete(checkpoint: Path, *, seconds: float) -> None:
    """``seconds``: training time up to here, over all processes that worked on the job."""
    sync_folder(checkpoint)
    part = checkpoint / f"{MARKER}.part"
    with part.open("w", encoding="utf-8") as out:
        json.dump({"seconds": round(seconds, 3)}, out)
        out.flush()
        os.fsync(out.fileno())
    part.replace(checkpoint / MARKER)
    sync_folder(checkpoint)


def seconds_before(checkpoint: Path | None) -> float:
    if checkpoint is None:
        return 0.0
    marker: dict[str, Any] = json.loads((checkpoint / MARKER).read_text(encoding="utf-8"))
    return float(marker["seconds"])


class Stopwatch:
    """When the next checkpoint is due, and how long training has taken so far."""

    def __init__(self, every_seconds: float, before: float) -> None:
        self._every = every_seconds
        self._before = before
        self._begun = self._saved = time.monotonic()

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._begun

    def due(self) -> bool:
        return time.monotonic() - self._saved >= self._every

    def saved(self) -> None:
        self._saved = time.monotonic()
