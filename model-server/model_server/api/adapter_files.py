"""/v1/adapters/{model}/files: an adapter's own files, to be taken elsewhere. Base weights are not handed out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from model_server.api.services import Services, services_of
from model_server.errors import ApiError, model_not_found
from model_server.serving.adapter_files import (
    ExportedFile,
    adapter_files,
    base_files,
    hub_id,
    recorded_probes,
)
from model_server.store.adapters import Adapter

# Model names of the hub hold slashes.
router = APIRouter(prefix="/v1/adapters/{model:path}")


@router.get("/files")
def list_files(request: Request, model: str) -> dict[str, Any]:
    """Names, sizes and hashes: of the adapter (``data``), and of what states its base model's licence."""
    services = services_of(request)
    adapter = _find(services, model)
    source = services.engine.sources.get(adapter.base)
    return {
        "object": "list",
        "model": adapter.model,
        "base": {
            "id": adapter.base,
            "hub_id": hub_id(source) if source else None,
            "data": [file.describe() for file in _base_files(source)],
        },
        "data": [file.describe() for file in adapter_files(adapter.folder)],
    }


@router.get("/probes")
def probes(request: Request, model: str) -> dict[str, Any]:
    """What the adapter answered in its training, for whoever loads it elsewhere to compare with. None of an old one."""
    adapter = _find(services_of(request), model)
    recorded = recorded_probes(adapter.folder)
    return {"object": "list", "model": adapter.model, "data": recorded}


@router.get("/files/{name}")
def adapter_file(request: Request, model: str, name: str) -> FileResponse:
    return _content(adapter_files(_find(services_of(request), model).folder), name)


@router.get("/base-files/{name}")
def base_file(request: Request, model: str, name: str) -> FileResponse:
    services = services_of(request)
    return _content(_base_files(services.engine.sources.get(_find(services, model).base)), name)


def _base_files(source: str | None) -> list[ExportedFile]:
    """Nothing for a base that this server does not serve any more."""
    return base_files(source) if source else []


def _find(services: Services, name: str) -> Adapter:
    """Unloaded adapters, and those of a base that is not served now, have their files too."""
    adapter = services.adapters.get(name)
    if adapter is not None:
        return adapter
    if name in services.engine.sources:
        message = f"'{name}' is a base model; only the files of adapters can be read."
        raise ApiError(400, message, code="not_an_adapter", param="model")
    raise model_not_found(name, [adapter.model for adapter in services.adapters.all()])


def _content(files: list[ExportedFile], name: str) -> FileResponse:
    """Only by a listed name: what a path in it would lead to is never looked at."""
    found = next((file for file in files if file.name == name), None)
    if found is None:
        listing = ", ".join(file.name for file in files) or "none"
        message = f"There is no file '{name}' to read here. Files: {listing}."
        raise ApiError(404, message, code="file_not_found", param="name")
    return FileResponse(found.path, media_type="application/octet-stream")
