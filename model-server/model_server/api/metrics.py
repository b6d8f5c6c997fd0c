"""GET /metrics in Prometheus' text form, and the counting of requests."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_server import metrics
from model_server.api.services import services_of

router = APIRouter()


@router.get("/metrics")
def read_metrics(request: Request) -> Response:
    """State is read here; events were counted where they happened."""
    services = services_of(request)
    metrics.MODELS_LOADED.set(len(services.engine.loaded()))
    metrics.ADAPTERS_SERVED.set(len(services.served_adapters()))
    metrics.PREFIX_BYTES.set(services.engine.prefix_bytes())
    for status, count in services.jobs.counts().items():
        metrics.JOBS.labels(status).set(count)
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


class CountRequests:
    """ASGI middleware. The route's pattern is the label, not the path: labels must stay few."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.monotonic(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            metrics.REQUESTS.labels(scope["method"], route, str(status)).inc()
            metrics.REQUEST_SECONDS.labels(scope["method"], route).observe(time.monotonic() - begun)
