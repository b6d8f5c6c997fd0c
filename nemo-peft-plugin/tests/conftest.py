from __future__ import annotations

from collections.abc import Iterator

import pytest
from nemo_platform import NeMoPlatform
from scripted_server import ScriptedServer, scripted_server

from flywheel_nemo_peft import job_record, patience, training
from flywheel_nemo_peft.job_record import JobRecord
from flywheel_nemo_peft.model_server import ModelServer

JOB = "/apis/jobs/v2/workspaces/w/jobs/job-1"
TASK = f"{JOB}/steps/training/tasks/task-1"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of no length; what is counted in time is counted in looks instead."""
    monkeypatch.setattr(patience, "PAUSE_S", 0.0)
    monkeypatch.setattr(training, "POLL_S", 0.0)
    monkeypatch.setattr(training.time, "sleep", lambda _: None)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def model_server(server: ScriptedServer) -> ModelServer:
    return ModelServer(f"{server.url}/v1")


@pytest.fixture
def sdk(server: ScriptedServer) -> NeMoPlatform:
    """The platform's own client. Without its retries, which wait."""
    return NeMoPlatform(base_url=server.url, access_token="none", max_retries=0)


@pytest.fixture
def record(sdk: NeMoPlatform, monkeypatch: pytest.MonkeyPatch) -> JobRecord:
    monkeypatch.setenv("NEMO_JOB_STEP", "training")
    monkeypatch.setenv("NEMO_JOB_TASK", "task-1")
    monkeypatch.setattr(job_record, "BEAT_S", 3600.0)
    return JobRecord(sdk, "w", "job-1")
