"""Submit to the model server, mirror what it does, register what comes out."""

from __future__ import annotations

import logging
import time
from typing import Any

import httpx
from nemo_platform import NeMoPlatform
from nemo_platform_plugin.job_context import JobContext

from flywheel_nemo_peft.adapter import register
from flywheel_nemo_peft.errors import RefusedError, UnreachableError, UnwantedError
from flywheel_nemo_peft.job_record import JobRecord
from flywheel_nemo_peft.model_server import BusyError, ModelServer
from flywheel_nemo_peft.patience import SILENCE_S, patiently
from flywheel_nemo_peft.references import split_reference
from flywheel_nemo_peft.set_aside import publish
from flywheel_nemo_peft.spec import PeftSpec
from flywheel_nemo_peft.submission import Submission

log = logging.getLogger(__name__)

POLL_S = 1.0
# More often than this, trainings under our keys do not end by bad luck.
MOST_ROUNDS = 8

METRICS = {
    "step": "step",
    "total_steps": "max_steps",
    "epoch": "epoch",
    "train_loss": "train_loss",
    "valid_loss": "val_loss",
    "learning_rate": "lr",
}


def train(spec: PeftSpec, *, ctx: JobContext, sdk: NeMoPlatform) -> dict[str, Any]:
    assert ctx.job_id is not None  # noqa: S101  (it runs as a task of the platform)
    record = JobRecord(sdk, ctx.workspace, ctx.job_id)
    try:
        return _train(spec, ctx, sdk, record)
    except RefusedError as error:
        return _failed(record, {}, error.code, str(error))
    except UnreachableError as error:
        return _failed(record, {}, "unreachable", str(error))
    except UnwantedError as error:
        return _failed(record, {}, "cancelled", str(error))


def _train(spec: PeftSpec, ctx: JobContext, sdk: NeMoPlatform, record: JobRecord) -> dict[str, Any]:
    workspace = ctx.workspace
    server = ModelServer(spec.upstream.url)
    fields = patiently("tell the job", record.custom_fields)
    # Who submits again after a loss gives the same id, and so finds the training that went on meanwhile.
    training_id = str(fields.get("training_id") or f"{workspace}.{ctx.job_id}")
    record.tell({"phase": "preparing"})
    body = patiently("hand over the data", lambda: _job_body(spec, workspace, sdk, server))
    # Nothing of the job's own name: the next job of this training has another, and has to ask for the very same.
    body |= {"metadata": _metadata(fields), "suffix": f"nemo-{training_id[-12:]}"}
    job, details = _run_to_end(server, record, body, training_id)
    if job["status"] != "succeeded":
        error = job.get("error") or {}
        return _failed(record, details, str(error.get("code")), str(error.get("message")))
    publish(server, str(job["id"]), ctx)
    served_as = str(job["fine_tuned_model"])
    log.info("Registering the adapter")
    adapter = patiently(
        "take the adapter",
        lambda: register(sdk, workspace, spec, served_as=served_as, weights=server.adapter_files(served_as)),
    )
    result = {"adapter": adapter, "served_as": served_as, "train_seconds": job.get("train_seconds")}
    record.tell_end({**details, "phase": "completed", **result}, status="completed")
    return {"status": "completed", **result}


def _failed(record: JobRecord, details: dict[str, Any], code: str, message: str) -> dict[str, Any]:
    """In the details, since the platform replaces a task's error by the process's exit code."""
    log.error("The training failed: %s", message)
    failure = {**details, "phase": "failed", "failure": {"code": code, "message": message}}
    try:
        record.tell_end(failure, status="error")
    except (UnwantedError, UnreachableError):
        log.info("Nobody waits for it")
    return {"status": "failed"}


def _job_body(spec: PeftSpec, workspace: str, sdk: NeMoPlatform, server: ModelServer) -> dict[str, Any]:
    validation = spec.dataset.validation
    training_file = _hand_over(spec.dataset.training, workspace, sdk, server)
    validation_file = None if validation is None else _hand_over(validation, workspace, sdk, server)
    return {
        "model": spec.upstream.model,
        "training_file": training_file,
        **({} if validation_file is None else {"validation_file": validation_file}),
        **({} if spec.schedule.seed is None else {"seed": spec.schedule.seed}),
        "method": {"type": "supervised", "supervised": {"hyperparameters": spec.hyperparameters()}},
    }


def _metadata(fields: dict[str, Any]) -> dict[str, str]:
    """What the model server keeps with the job, for people: as many and as long as it takes, without our keys."""
    own = {"flywheel_key", "training_id"}
    return {key: str(value)[:512] for key, value in list(fields.items())[:15] if key not in own}


def _hand_over(reference: str, workspace: str, sdk: NeMoPlatform, server: ModelServer) -> str:
    space, name = split_reference(reference, workspace)
    base = f"/apis/files/v2/workspaces/{space}/filesets/{name}"
    listed = sdk.get(f"{base}/files", cast_to=httpx.Response).json()["data"]
    path = next(file["path"] for file in listed if file["path"].endswith(".jsonl"))
    content = sdk.get(f"{base}/-/{path}", cast_to=httpx.Response).content
    log.info("Training data %s/%s: %d bytes", reference, path, len(content))
    return server.upload(f"{name}.jsonl", content)


def _run_to_end(
    server: ModelServer, record: JobRecord, body: dict[str, Any], training_id: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The job that ended by itself, with its last metrics. What others cancelled is begun anew."""
    for training_round in range(1, MOST_ROUNDS + 1):
        submission = Submission(server, body, f"nemo-{training_id}-{training_round}")
        with submission.cancelled_with_us():
            job = _submit(submission, record)
            if job["status"] in {"failed", "cancelled"}:
                continue
            job, details = _watch(server, record, str(job["id"]))
        if job["status"] != "cancelled":
            return job, details
        log.info("The model server's job was cancelled there; it is begun again")
    raise RefusedError(f"{MOST_ROUNDS} trainings under this id have failed.", "too_many_rounds")


def _submit(submission: Submission, record: JobRecord) -> dict[str, Any]:
    while True:
        try:
            job = submission.send()
        except BusyError as busy:
            record.tell({"phase": "waiting for the device"})
            time.sleep(min(max(busy.seconds, 1.0), 10.0))
            continue
        log.info("Model server job %s: %s", job["id"], job["status"])
        return job


def _watch(server: ModelServer, record: JobRecord, job_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    details: dict[str, Any] = {"phase": "training", "model_server_job": job_id}
    logged: set[str] = set()
    last_answer = time.monotonic()
    while True:
        try:
            job = server.job(job_id)
            for event in server.events(job_id):
                details |= _metrics(event)
                if event["id"] not in logged:
                    logged.add(event["id"])
                    log.info("%s", event["message"])
            last_answer = time.monotonic()
        except UnreachableError as error:
            silent = time.monotonic() - last_answer
            if silent > SILENCE_S:
                raise
            log.info("%s", error)
            time.sleep(POLL_S)
            continue
        if job["status"] in {"succeeded", "failed", "cancelled"}:
            return job, details
        record.tell(dict(details))
        _require_somebody(record)
        time.sleep(POLL_S)


def _require_somebody(record: JobRecord) -> None:
    """A process that the platform lost goes on for its return, but not for ever: the model server trains without it."""
    if time.monotonic() - record.last_answer > SILENCE_S:
        raise UnreachableError("The platform has been away for too long; the model server's job goes on.")


def _metrics(event: dict[str, Any]) -> dict[str, Any]:
    data = event.get("data") or {}
    if event.get("type") != "metrics":
        return {}
    return {ours: data[theirs] for theirs, ours in METRICS.items() if data.get(theirs) is not None}
