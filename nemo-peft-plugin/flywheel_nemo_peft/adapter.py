"""A trained adapter, made known to the platform: a fileset with its weights, and an entry at its base model."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import httpx
from nemo_platform import ConflictError, NeMoPlatform

from flywheel_nemo_peft.errors import RefusedError
from flywheel_nemo_peft.references import split_reference
from flywheel_nemo_peft.spec import PeftSpec

log = logging.getLogger(__name__)

# Kept with the fileset: by which name the provider serves the adapter. Whoever routes to it needs both.
SERVED_AS = "served_model_name"
SERVED_BY = "provider"


def register(
    sdk: NeMoPlatform, workspace: str, spec: PeftSpec, *, served_as: str, weights: Iterable[tuple[str, bytes]]
) -> str:
    """The adapter's reference. Done twice, it is one adapter."""
    name = spec.output.name
    files = f"/apis/files/v2/workspaces/{workspace}/filesets"
    _create(
        sdk,
        files,
        {
            "name": name,
            "description": spec.output.description or f"LoRA adapter of {spec.model}",
            "custom_fields": {SERVED_AS: served_as, SERVED_BY: spec.upstream.provider},
        },
    )
    for file, content in _readable(weights):
        sdk.put(
            f"{files}/{name}/-/{file}",
            cast_to=httpx.Response,
            content=content,
            options={"headers": {"Content-Type": "application/octet-stream"}},
        )
    model_space, model_name = split_reference(spec.model, workspace)
    _create(
        sdk,
        f"/apis/models/v2/workspaces/{workspace}/adapters",
        {
            "name": name,
            "model": f"{model_space}/{model_name}",
            "fileset": f"{workspace}/{name}",
            "description": spec.output.description or "",
            "finetuning_type": "lora",
            "lora_config": {"rank": spec.training.lora.rank, "alpha": round(spec.training.lora.alpha)},
        },
    )
    return f"{workspace}/{name}"


def _readable(weights: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """
    The adapter answers without them here: a server that hands out no files does not fail the training. One that fails
    while it does would leave half of them, and is asked again.
    """
    try:
        yield from weights
    except RefusedError as error:
        log.info("The adapter's weights stay at the model server: %s", error)


def _create(sdk: NeMoPlatform, path: str, body: dict[str, object]) -> None:
    try:
        sdk.post(path, cast_to=httpx.Response, body=body)
    except ConflictError:
        log.info("%s is there already", body["name"])
