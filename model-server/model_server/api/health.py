"""GET /health: answers always, also while models load, answer or train."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from model_server import __version__
from model_server.api.services import services_of

router = APIRouter()


@router.get("/health")
async def health(request: Request) -> dict[str, Any]:
    """``device`` is null until torch has been imported; ``models_loaded`` grows after that."""
    services = services_of(request)
    open_job = services.jobs.open_job()
    return {
        "status": "ok",
        "version": __version__,
        "device": services.engine.device_if_known(),
        "managed": services.settings.managed,
        "active_job": open_job["id"] if open_job else None,
        "models_loaded": services.engine.loaded(),
    }
