"""The FastAPI application: routes, and one shape for every error."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from model_server import __version__
from model_server.api import (
    adapter_files,
    adapters,
    chat,
    completions,
    embeddings,
    files,
    health,
    jobs,
    metrics,
    models,
)
from model_server.api.services import Services
from model_server.errors import ApiError, invalid

log = logging.getLogger(__name__)


def create_app(services: Services) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.supervisor.start()
        # Only then a standby trainer: both at once would make the first answer wait twice as long.
        services.engine.start(on_loaded=services.supervisor.allow_standby)
        yield
        services.engine.stop()
        services.supervisor.stop()

    app = FastAPI(title="Flywheel model server", version=__version__, lifespan=lifespan)
    app.state.services = services
    for module in (
        health,
        metrics,
        files,
        jobs,
        models,
        adapters,
        adapter_files,
        chat,
        completions,
        embeddings,
    ):
        app.include_router(module.router)
    app.add_middleware(metrics.CountRequests)
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
    return app


async def _api_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # noqa: S101
    after = error.retry_after_seconds
    headers = {"Retry-After": str(after)} if after is not None else None
    return JSONResponse(error.body(), error.status, headers)


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or "body"
    if first["type"] == "extra_forbidden":
        shaped = invalid(f"Unknown parameter: '{place}'.", code="unknown_parameter", param=place)
    elif first["type"] == "missing":
        shaped = invalid(f"Missing required parameter: '{place}'.", code="missing_parameter", param=place)
    else:
        shaped = invalid(f"Invalid '{place}': {first['msg']}.", param=place)
    return await _api_error(request, shaped)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    message = f"{error.detail}: {request.method} {request.url.path}"
    code = "unknown_url" if error.status_code == 404 else "http_error"
    return await _api_error(request, ApiError(error.status_code, message, code=code))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error on %s", request.url.path, exc_info=error)
    shaped = ApiError(
        500, "The model server failed on this request; see its log.", code="server_error", kind="server_error"
    )
    return await _api_error(request, shaped)
