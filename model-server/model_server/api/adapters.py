"""Loading and unloading adapters without a restart, in vLLM's dialect.

An unloaded adapter frees its memory and is not listed; its files stay, and so it can be loaded again. Loading
attests it: only one that answers as recorded after its training is listed.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from model_server.api.services import Services, services_of
from model_server.errors import ApiError, model_not_found
from model_server.store.adapters import Adapter

router = APIRouter()


class AdapterBody(BaseModel):
    """``lora_name``: an adapter's model name. vLLM's ``lora_path`` is refused: this server knows where they lie."""

    model_config = ConfigDict(extra="forbid")

    lora_name: str


@router.post("/v1/load_lora_adapter")
async def load(request: Request, body: AdapterBody) -> dict[str, str]:
    """Loading a loaded one does nothing. 503 when it does not answer as recorded; it stays unlisted then."""
    services = services_of(request)
    adapter = _find(services, body.lora_name)

    def work() -> None:
        services.engine.base(adapter.base).ready(adapter.model)
        services.adapters.set_unloaded(adapter.model, unloaded=False)

    await services.engine.call(work)
    return {"status": "loaded", "model": adapter.model}


@router.post("/v1/unload_lora_adapter")
async def unload(request: Request, body: AdapterBody) -> dict[str, str]:
    """Unloading an unloaded one does nothing. Requests that came before are answered first."""
    services = services_of(request)
    adapter = _find(services, body.lora_name)

    def work() -> None:
        services.adapters.set_unloaded(adapter.model, unloaded=True)
        services.engine.forget(adapter.base, adapter.model)

    await services.engine.call(work)
    return {"status": "unloaded", "model": adapter.model}


def _find(services: Services, name: str) -> Adapter:
    found = next((adapter for adapter in services.loadable_adapters() if adapter.model == name), None)
    if found is not None:
        return found
    if name in services.engine.sources:
        message = f"'{name}' is a base model; only adapters are loaded and unloaded."
        raise ApiError(400, message, code="not_an_adapter", param="lora_name")
    raise model_not_found(name, [adapter.model for adapter in services.loadable_adapters()])
