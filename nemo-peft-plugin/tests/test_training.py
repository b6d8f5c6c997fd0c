"""Which of the model server's jobs a job of the platform makes, follows, ends and begins anew."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import JOB, TASK
from scripted_server import Reply, ScriptedServer

from flywheel_nemo_peft import training
from flywheel_nemo_peft.errors import RefusedError, UnwantedError
from flywheel_nemo_peft.job_record import JobRecord
from flywheel_nemo_peft.model_server import ModelServer
from flywheel_nemo_peft.training import _metadata, _run_to_end

CREATE = "POST /v1/fine_tuning/jobs"
BODY = {"model": "m", "metadata": {}}


def job(job_id: str, status: str) -> Reply:
    return Reply(body={"id": job_id, "status": status, "fine_tuned_model": None})


def events(*metrics: dict[str, Any]) -> Reply:
    listed = [
        {"id": f"e{n}", "type": "metrics", "message": "a step", "data": data}
        for n, data in enumerate(metrics)
    ]
    # Newest first, as the server lists them.
    return Reply(body={"data": listed[::-1]})


@pytest.fixture(autouse=True)
def _wanted(server: ScriptedServer) -> None:
    server.says(f"GET {JOB}/status", Reply(body={"status": "active"}))
    server.says(f"PUT {TASK}", Reply(body={}))


def keys(server: ScriptedServer) -> list[str]:
    return [body["metadata"]["flywheel_key"] for body in server.bodies(CREATE)]


def test_a_job_is_followed_to_its_end_with_its_last_metrics(
    server: ScriptedServer, model_server: ModelServer, record: JobRecord
) -> None:
    server.says(CREATE, job("a", "queued"))
    server.says("GET /v1/fine_tuning/jobs/a", job("a", "running"), job("a", "succeeded"))
    server.says(
        "GET /v1/fine_tuning/jobs/a/events",
        events({"step": 1, "total_steps": 2, "train_loss": 0.5}, {"step": 2, "valid_loss": 0.25}),
    )

    ended, details = _run_to_end(model_server, record, BODY, "t")

    assert ended["status"] == "succeeded"
    assert details == {
        "phase": "training",
        "model_server_job": "a",
        "step": 2,
        "max_steps": 2,
        "train_loss": 0.5,
        "val_loss": 0.25,
    }
    assert keys(server) == ["nemo-t-1"]


def test_a_taken_device_is_waited_for_and_told(
    server: ScriptedServer, model_server: ModelServer, record: JobRecord
) -> None:
    busy = Reply(409, {"error": {"message": "it trains", "code": "device_busy"}}, {"Retry-After": "1"})
    server.says(CREATE, busy, job("a", "queued"))
    server.says("GET /v1/fine_tuning/jobs/a", job("a", "succeeded"))
    server.says("GET /v1/fine_tuning/jobs/a/events", events())

    _run_to_end(model_server, record, BODY, "t")

    assert keys(server) == ["nemo-t-1", "nemo-t-1"]
    assert server.bodies(f"PUT {TASK}")[0]["status_details"]["phase"] == "waiting for the device"


def test_what_others_cancelled_is_begun_anew_under_the_next_key(
    server: ScriptedServer, model_server: ModelServer, record: JobRecord
) -> None:
    server.says(CREATE, job("a", "cancelled"), job("b", "running"), job("c", "running"))
    server.says("GET /v1/fine_tuning/jobs/b", job("b", "cancelled"))
    server.says("GET /v1/fine_tuning/jobs/c", job("c", "succeeded"))
    server.says("GET /v1/fine_tuning/jobs/b/events", events())
    server.says("GET /v1/fine_tuning/jobs/c/events", events())

    ended, _ = _run_to_end(model_server, record, BODY, "t")

    assert ended["id"] == "c"
    assert keys(server) == ["nemo-t-1", "nemo-t-2", "nemo-t-3"]


def test_failures_without_end_are_given_up(
    server: ScriptedServer, model_server: ModelServer, record: JobRecord
) -> None:
    server.says(CREATE, job("a", "failed"))

    with pytest.raises(RefusedError, match="have failed"):
        _run_to_end(model_server, record, BODY, "t")

    assert len(keys(server)) == training.MOST_ROUNDS


@pytest.mark.parametrize("how", [SystemExit, UnwantedError])
def test_a_training_that_nobody_wants_is_cancelled(
    server: ScriptedServer,
    model_server: ModelServer,
    record: JobRecord,
    monkeypatch: pytest.MonkeyPatch,
    how: type[BaseException],
) -> None:
    server.says(CREATE, job("a", "running"))
    server.says("POST /v1/fine_tuning/jobs/a/cancel", job("a", "cancelled"))

    def end(*_: object) -> None:
        raise how("enough")

    monkeypatch.setattr(training, "_watch", end)

    with pytest.raises(how):
        _run_to_end(model_server, record, BODY, "t")

    assert len(server.bodies("POST /v1/fine_tuning/jobs/a/cancel")) == 1


def test_a_model_server_that_is_away_for_a_moment_is_waited_for(
    server: ScriptedServer, model_server: ModelServer, record: JobRecord
) -> None:
    server.says(CREATE, job("a", "running"))
    server.says("GET /v1/fine_tuning/jobs/a", Reply(503), job("a", "succeeded"))
    server.says("GET /v1/fine_tuning/jobs/a/events", events())

    ended, _ = _run_to_end(model_server, record, BODY, "t")

    assert ended["status"] == "succeeded"


def test_metadata_are_the_callers_without_our_keys() -> None:
    fields = {"run_id": "r", "flywheel_key": "k", "training_id": "t", "long": "x" * 600, "n": 3}

    assert _metadata(fields) == {"run_id": "r", "long": "x" * 512, "n": "3"}
