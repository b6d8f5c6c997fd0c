"""/v1/fine_tuning/jobs: create, list, retrieve, cancel, events, rows that were set aside."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from model_server.api.files import to_list
from model_server.api.job_object import event_to_api, job_to_api, set_aside_of
from model_server.api.services import Services, services_of
from model_server.errors import ApiError, device_busy, invalid, not_found
from model_server.store.home import remove
from model_server.store.jobs import NewJob, new_job_id, same_request
from model_server.training.hyperparameters import HyperparametersRequest, resolve

router = APIRouter(prefix="/v1/fine_tuning/jobs")

KEY_IN_METADATA = "flywheel_key"
DEFAULT_SEED = 42


class Supervised(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hyperparameters: HyperparametersRequest = HyperparametersRequest()


class Method(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["supervised"] = "supervised"
    supervised: Supervised = Supervised()


class CreateJob(BaseModel):
    """OpenAI's body. ``hyperparameters`` at the top is its old place, still sent by some clients."""

    model_config = ConfigDict(extra="forbid")

    model: str
    training_file: str
    validation_file: str | None = None
    method: Method | None = None
    hyperparameters: HyperparametersRequest | None = None
    suffix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
            Field(max_length=16),
        ]
        | None
    ) = None
    integrations: Annotated[list[Any], Field(max_length=0)] | None = None

    def wanted(self) -> HyperparametersRequest:
        if self.method is not None:
            return self.method.supervised.hyperparameters
        return self.hyperparameters or HyperparametersRequest()


@router.post("")
def create(
    request: Request, body: CreateJob, idempotency_key: Annotated[str | None, Header(max_length=255)] = None
) -> dict[str, Any]:
    """A known key returns its first job, whatever became of it. Otherwise: check, encode, commit, wake, reply.

    One at a time: who asks again, because encoding took longer than they would wait, gets the job that is being made.
    """
    services = services_of(request)
    key = idempotency_key or (body.metadata or {}).get(KEY_IN_METADATA)
    body_hash = hashlib.sha256(
        json.dumps(body.model_dump(), sort_keys=True, ensure_ascii=True).encode()
    ).hexdigest()
    return _known(services, key, body_hash) or _make(services, body, key, body_hash)


def _known(services: Services, key: str | None, body_hash: str) -> dict[str, Any] | None:
    known = services.jobs.find_by_key(key) if key else None
    return None if known is None else job_to_api(same_request(known, body_hash))


def _make(services: Services, body: CreateJob, key: str | None, body_hash: str) -> dict[str, Any]:
    with services.creating:
        made_meanwhile = _known(services, key, body_hash)
        if made_meanwhile is not None:
            return made_meanwhile
        _refuse_when_busy(services)
        return _create(services, body, key, body_hash)


def _refuse_when_busy(services: Services) -> None:
    """Early, before the files are read; the insert checks again in its transaction."""
    open_job = services.jobs.open_job() if services.settings.managed else None
    if open_job is not None:
        raise device_busy(open_job["id"])


def _create(services: Services, body: CreateJob, key: str | None, body_hash: str) -> dict[str, Any]:
    job_id = new_job_id()
    unfinished = services.home.new_unfinished()
    try:
        hyperparameters, set_aside = _prepare(services, body, unfinished)
        job = NewJob(
            id=job_id,
            idempotency_key=key,
            body_hash=body_hash,
            model=body.model,
            training_file=body.training_file,
            validation_file=body.validation_file,
            suffix=body.suffix,
            seed=DEFAULT_SEED if body.seed is None else body.seed,
            hyperparameters=hyperparameters,
            metadata=body.metadata,
            set_aside=set_aside,
        )
        # In place before the row: a committed job always finds its rows. Without a row the folder goes.
        folder = unfinished.rename(services.home.jobs / job_id)
        try:
            row, new = services.jobs.insert(job, refuse_when_busy=services.settings.managed)
        except ApiError:
            remove(folder)
            raise
        if new:
            services.supervisor.wake()
        else:
            remove(folder)
        return job_to_api(row)
    finally:
        remove(unfinished)


def _prepare(services: Services, body: CreateJob, folder: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Resolve what was asked for, and write both files' rows, encoded, into ``folder``. See ``prepare_rows``."""
    services.engine.device()
    from model_server.training.prepare import prepare_rows  # noqa: PLC0415  (imported by then)

    base, adapter = services.find_model(body.model)
    if adapter is not None:
        raise invalid(
            f"'{body.model}' is a fine-tuned model; training starts from a base model, here '{base}'.",
            param="model",
        )
    return prepare_rows(
        services.engine.sources[base],
        services.files,
        {"training_file": body.training_file, "validation_file": body.validation_file},
        folder,
        lambda max_model_len: resolve(body.wanted(), max_model_len=max_model_len),
    )


@router.get("")
def list_jobs(
    request: Request, after: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> dict[str, Any]:
    """Newest first. ``metadata[k]=v`` keeps jobs that carry every given pair."""
    pairs = ((re.fullmatch(r"metadata\[(.+)\]", k), v) for k, v in request.query_params.multi_items())
    wanted = {match[1]: value for match, value in pairs if match}
    rows, more = services_of(request).jobs.page(after=after, limit=limit, metadata=wanted)
    return to_list([job_to_api(row) for row in rows], has_more=more)


@router.get("/{job_id}")
def retrieve(request: Request, job_id: str) -> dict[str, Any]:
    row = services_of(request).jobs.get(job_id)
    if row is None:
        raise not_found("fine-tuning job", job_id)
    return job_to_api(row)


@router.post("/{job_id}/cancel")
def cancel(request: Request, job_id: str) -> dict[str, Any]:
    """When this answers, no process of the job is left. Cancelling twice is fine; after its end it is not."""
    job = retrieve(request, job_id)
    cancelled = services_of(request).supervisor.cancel(job_id)
    job = retrieve(request, job_id)
    if not cancelled and job["status"] != "cancelled":
        raise invalid(
            f"Job {job_id} has already ended: {job['status']}.", code="job_already_ended", param="id"
        )
    return job


@router.get("/{job_id}/events")
def events(
    request: Request,
    job_id: str,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> dict[str, Any]:
    retrieve(request, job_id)
    page, more = services_of(request).jobs.events(job_id, after=after, limit=limit)
    return to_list([event_to_api(row) for row in page], has_more=more)


@router.get("/{job_id}/set_aside")
def set_aside(request: Request, job_id: str) -> dict[str, Any]:
    """Beyond OpenAI: by file, how many rows it has and which of them the job was not trained on, and why."""
    row = services_of(request).jobs.get(job_id)
    if row is None:
        raise not_found("fine-tuning job", job_id)
    return {"object": "fine_tuning.job.set_aside", "job_id": job_id, "files": set_aside_of(row)}
