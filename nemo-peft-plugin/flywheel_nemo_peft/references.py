"""Names in a job's spec, resolved against the platform before the job is accepted."""

from __future__ import annotations

from typing import Any

import httpx
from nemo_platform import AsyncNeMoPlatform, NotFoundError
from nemo_platform_plugin.jobs.exceptions import PlatformJobCompilationError

from flywheel_nemo_peft.spec import PeftInput, PeftSpec, Upstream


def split_reference(reference: str, workspace: str) -> tuple[str, str]:
    """``workspace/name``, or ``name`` in the job's own workspace."""
    head, slash, tail = reference.partition("/")
    return (head, tail) if slash else (workspace, head)


async def resolve(spec: PeftInput, workspace: str, sdk: AsyncNeMoPlatform) -> PeftSpec:
    """Raises PlatformJobCompilationError (a 422) naming what does not exist or is not served."""
    await _require_files(spec.dataset.training, workspace, sdk)
    if spec.dataset.validation is not None:
        await _require_files(spec.dataset.validation, workspace, sdk)
    upstream = await _find_upstream(spec.model, workspace, sdk)
    return PeftSpec(**spec.model_dump(), upstream=upstream)


async def _require_files(reference: str, workspace: str, sdk: AsyncNeMoPlatform) -> None:
    space, name = split_reference(reference, workspace)
    listed = await _get(
        sdk, f"/apis/files/v2/workspaces/{space}/filesets/{name}/files", f"fileset {reference}"
    )
    if not any(file["path"].endswith(".jsonl") for file in listed["data"]):
        raise PlatformJobCompilationError(f"Fileset '{reference}' holds no .jsonl file.")


async def _find_upstream(reference: str, workspace: str, sdk: AsyncNeMoPlatform) -> Upstream:
    space, name = split_reference(reference, workspace)
    entity = await _get(sdk, f"/apis/models/v2/workspaces/{space}/models/{name}", f"model {reference}")
    for provider_ref in entity.get("model_providers") or []:
        provider_space, provider_name = split_reference(provider_ref, space)
        provider = await _get(
            sdk,
            f"/apis/models/v2/workspaces/{provider_space}/providers/{provider_name}",
            f"provider {provider_ref}",
        )
        for served in provider.get("served_models") or []:
            if served["model_entity_id"] == f"{space}/{name}":
                return Upstream(
                    provider=provider_ref, url=provider["host_url"], model=served["served_model_name"]
                )
    raise PlatformJobCompilationError(
        f"Model '{reference}' is served by no provider; this backend trains at the server that serves it."
    )


async def _get(sdk: AsyncNeMoPlatform, path: str, what: str) -> Any:
    try:
        reply = await sdk.get(path, cast_to=httpx.Response)
    except NotFoundError as error:
        raise PlatformJobCompilationError(f"There is no {what}.") from error
    return reply.json()
