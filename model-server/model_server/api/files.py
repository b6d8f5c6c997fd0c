"""/v1/files: upload, list, retrieve, content, delete."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request, UploadFile
from fastapi.responses import FileResponse

from model_server.api.services import services_of
from model_server.errors import ApiError, invalid, not_found
from model_server.store.files import StoredFile
from model_server.store.home import remove
from model_server.training.rows import RowError, parse_lines

router = APIRouter(prefix="/v1/files")

# OpenAI's own limit for one file.
MAX_UPLOAD_BYTES = 512 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024

Purpose = Literal["fine-tune", "batch", "evals", "user_data", "assistants", "vision"]


@router.post("")
def upload(request: Request, file: UploadFile, purpose: Annotated[Purpose, Form()]) -> dict[str, Any]:
    services = services_of(request)
    folder = services.home.new_unfinished()
    try:
        received = folder / "upload"
        sha256 = _receive(file, received)
        if purpose == "fine-tune":
            _check_jsonl(received)
        name = Path(file.filename or "upload").name
        return services.files.add(received, purpose=purpose, filename=name, sha256=sha256).to_api()
    finally:
        remove(folder)


def _receive(file: UploadFile, target: Path) -> str:
    digest = hashlib.sha256()
    size = 0
    with target.open("wb") as out:
        while chunk := file.file.read(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_UPLOAD_BYTES:
                message = f"The file is larger than {MAX_UPLOAD_BYTES // 2**20} MiB."
                raise ApiError(413, message, code="file_too_large", param="file")
            digest.update(chunk)
            out.write(chunk)
    if size == 0:
        raise invalid("The file is empty.", code="empty_file", param="file")
    return digest.hexdigest()


def _check_jsonl(path: Path) -> None:
    """Only that it is JSONL: whether rows fit a model is known when a job names the model."""
    try:
        with path.open("rb") as lines:
            # Every line is read, not only the first.
            if sum(1 for _ in parse_lines(lines)) == 0:
                raise invalid("The file has no rows.", code="empty_file", param="file")
    except RowError as error:
        message = f"The file is not JSONL: {error}. One JSON object per line is needed."
        raise invalid(message, code=error.code, param="file") from error


@router.get("")
def list_files(
    request: Request,
    purpose: str | None = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    order: Literal["asc", "desc"] = "desc",
) -> dict[str, Any]:
    page, more = services_of(request).files.page(
        purpose=purpose, after=after, limit=limit, newest_first=order == "desc"
    )
    return to_list([file.to_api() for file in page], has_more=more)


def to_list(items: list[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """OpenAI's envelope of every list."""
    return {
        "object": "list",
        "data": items,
        "has_more": has_more,
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
    }


@router.get("/{file_id}")
def retrieve(request: Request, file_id: str) -> dict[str, Any]:
    return _find(request, file_id).to_api()


@router.get("/{file_id}/content")
def content(request: Request, file_id: str) -> FileResponse:
    file = _find(request, file_id)
    path = services_of(request).files.content_path(file)
    return FileResponse(path, media_type="application/octet-stream", filename=file.filename)


@router.delete("/{file_id}")
def delete(request: Request, file_id: str) -> dict[str, Any]:
    if not services_of(request).files.delete(file_id):
        raise not_found("file", file_id)
    return {"id": file_id, "object": "file", "deleted": True}


def _find(request: Request, file_id: str) -> StoredFile:
    file = services_of(request).files.get(file_id)
    if file is None:
        raise not_found("file", file_id)
    return file
