"""/v1/models: base models and the adapters trained on them."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request

from model_server.api.services import Services, services_of
from model_server.errors import ApiError
from model_server.store.adapters import Adapter

router = APIRouter(prefix="/v1/models")

STARTED_AT = int(time.time())


@router.get("")
async def list_models(request: Request) -> dict[str, Any]:
    services = services_of(request)
    bases = [_base_to_api(services, name) for name in services.engine.sources]
    adapters = [_adapter_to_api(services, adapter) for adapter in services.served_adapters()]
    return {"object": "list", "data": bases + adapters}


# Names of hub models hold slashes.
@router.get("/{name:path}")
async def retrieve(request: Request, name: str) -> dict[str, Any]:
    services = services_of(request)
    base, adapter = services.find_model(name)
    return _base_to_api(services, base) if adapter is None else _adapter_to_api(services, adapter)


@router.delete("/{name:path}")
async def delete(request: Request, name: str) -> dict[str, Any]:
    services = services_of(request)
    base, adapter = services.find_model(name)
    if adapter is None:
        raise ApiError(
            403,
            f"'{name}' is a base model; only fine-tuned models can be deleted. Leave it out of --model instead.",
            code="cannot_delete_base_model",
            param="model",
        )

    def unload_and_delete() -> None:
        services.adapters.delete(adapter)
        services.engine.forget(base, name)

    # On the serving thread: no request is in the middle of using it.
    await services.engine.call(unload_and_delete)
    return {"id": name, "object": "model", "deleted": True}


def _base_to_api(services: Services, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": STARTED_AT,
        "owned_by": services.settings.org,
        "root": services.engine.sources[name],
        "parent": None,
        "max_model_len": services.engine.max_model_len(name),
    }


def _adapter_to_api(services: Services, adapter: Adapter) -> dict[str, Any]:
    return {
        "id": adapter.model,
        "object": "model",
        "created": adapter.created_at,
        "owned_by": services.settings.org,
        "root": str(adapter.folder),
        "parent": adapter.base,
        "max_model_len": services.engine.max_model_len(adapter.base),
        "attested_at": adapter.attested_at,
    }
