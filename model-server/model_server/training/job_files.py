"""A create request's files, checked and encoded before the job exists: a bad file makes no job."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_server.errors import ApiError, invalid
from model_server.store.files import FileStore
from model_server.training.encode import RowEncoder
from model_server.training.rows import RowError, UnfitRowError, parse_lines, to_row

# What is left out is listed with the job; its messages are for people.
LONGEST_MESSAGE = 200


@dataclass
class EncodedFile:
    """``rows``: all in the file; ``unfit``: those that were not written."""

    name: str
    param: str
    rows: int = 0
    unfit: list[UnfitRowError] = field(default_factory=list)

    def set_aside(self) -> dict[str, Any]:
        """JSON-safe: how many rows there were, and which were set aside, why."""
        listed = [
            {"line": error.line, "code": error.code, "message": error.problem[:LONGEST_MESSAGE]}
            for error in self.unfit
        ]
        return {"rows": self.rows, "set_aside": listed}


def encode_file(
    files: FileStore, file_id: str, param: str, encoder: RowEncoder, target: Path, *, most_unfit: float
) -> EncodedFile:
    """Write ``{input_ids, labels}`` lines to ``target``. Raises ApiError on any bad line.

    ``most_unfit``: the share of rows that may be noted instead because only this model cannot take them. 0: the first
    such row is a bad line; 1: all of them may.
    """
    file = files.get(file_id)
    if file is None:
        raise ApiError(404, f"No file with id '{file_id}' exists here.", code="file_not_found", param=param)
    if file.purpose != "fine-tune":
        raise invalid(f"File {file_id} has purpose '{file.purpose}'; 'fine-tune' is needed.", param=param)
    encoded = EncodedFile(f"File {file_id} ({file.filename})", param)
    content = files.content_path(file)
    try:
        with content.open("rb") as lines:
            encoded.rows = sum(1 for line in lines if line.strip())
        with content.open("rb") as lines, target.open("w", encoding="utf-8") as out:
            for line, value in parse_lines(lines):
                try:
                    sequences = encoder.encode(to_row(line, value))
                except UnfitRowError as error:
                    _set_aside(encoded, error, most_unfit)
                    continue
                for sequence in sequences:
                    out.write(json.dumps({"input_ids": sequence.input_ids, "labels": sequence.labels}) + "\n")
    except RowError as error:
        raise invalid(f"{encoded.name}, {error}", code=error.code, param=param) from error
    if encoded.rows == 0:
        raise invalid(f"{encoded.name} has no rows.", code="empty_file", param=param)
    return encoded


def _set_aside(encoded: EncodedFile, error: UnfitRowError, most_unfit: float) -> None:
    """Raises as soon as there are too many: the rest of a large file is not worth reading then."""
    if most_unfit == 0:
        raise error
    encoded.unfit.append(error)
    if len(encoded.unfit) <= most_unfit * encoded.rows:
        return
    raise invalid(
        f"At least {len(encoded.unfit)} of {encoded.rows} rows do not fit the model, and at most {most_unfit:.0%} may "
        f"be set aside (max_set_aside_share). The first is {encoded.unfit[0]} {encoded.name}.",
        code="too_many_unfit_rows",
        param=encoded.param,
    )
