"""A create request's files, checked and encoded before the job exists: a bad file makes no job."""

from __future__ import annotations

import json
from pathlib import Path

from model_server.errors import ApiError, invalid
from model_server.store.files import FileStore
from model_server.training.encode import RowEncoder
from model_server.training.rows import RowError, parse_lines, to_row


def encode_file(files: FileStore, file_id: str, param: str, encoder: RowEncoder, target: Path) -> int:
    """Write ``{input_ids, labels}`` lines to ``target``. Returns their number; raises ApiError on any bad line."""
    file = files.get(file_id)
    if file is None:
        raise ApiError(404, f"No file with id '{file_id}' exists here.", code="file_not_found", param=param)
    if file.purpose != "fine-tune":
        raise invalid(f"File {file_id} has purpose '{file.purpose}'; 'fine-tune' is needed.", param=param)
    count = 0
    try:
        with files.content_path(file).open("rb") as lines, target.open("w", encoding="utf-8") as out:
            for line, value in parse_lines(lines):
                for sequence in encoder.encode(to_row(line, value)):
                    out.write(json.dumps({"input_ids": sequence.input_ids, "labels": sequence.labels}) + "\n")
                    count += 1
    except RowError as error:
        raise invalid(f"File {file_id} ({file.filename}), {error}", code=error.code, param=param) from error
    if count == 0:
        raise invalid(f"File {file_id} ({file.filename}) has no rows.", code="empty_file", param=param)
    return count
