"""A job's row and its events in OpenAI's shapes."""

from __future__ import annotations

import json
import sqlite3
from typing import Any


def job_to_api(row: sqlite3.Row) -> dict[str, Any]:
    """OpenAI's job object, with two extensions: ``train_seconds``, and ``set_aside``, rows by file."""
    hyperparameters = json.loads(row["hyperparameters"])
    return {
        "id": row["id"],
        "object": "fine_tuning.job",
        "model": row["model"],
        "status": row["status"],
        "created_at": row["created_at"],
        "finished_at": row["finished_at"],
        "estimated_finish": None,
        "fine_tuned_model": row["fine_tuned_model"],
        "training_file": row["training_file"],
        "validation_file": row["validation_file"],
        "result_files": [],
        "trained_tokens": row["trained_tokens"],
        "train_seconds": row["train_seconds"],
        "set_aside": {param: len(file["set_aside"]) for param, file in set_aside_of(row).items()},
        "seed": row["seed"],
        "hyperparameters": hyperparameters,
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        "error": json.loads(row["error"]) if row["error"] else None,
        "organization_id": "local",
        "integrations": [],
        "metadata": json.loads(row["metadata"]) if row["metadata"] else None,
        "user_provided_suffix": row["suffix"],
    }


def set_aside_of(row: sqlite3.Row) -> dict[str, Any]:
    """By file parameter ``{"rows": n, "set_aside": [{line, code, message}]}``; empty for a job of before."""
    files: dict[str, Any] = json.loads(row["set_aside"] or "{}")
    return files


def event_to_api(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "object": "fine_tuning.job.event",
        "created_at": row["created_at"],
        "level": row["level"],
        "message": row["message"],
        "type": row["type"],
        "data": json.loads(row["data"]),
    }
