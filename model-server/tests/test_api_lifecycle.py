"""Idempotency, refusal, queueing, cancelling, and the death of the server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest
from rows import ping_rows
from server_process import ServerProcess

LONG = {"n_epochs": 1000, "batch_size": 4}


@pytest.fixture(scope="module")
def managed(
    tiny_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    models = {"tiny": tiny_models["tiny"]}
    process = ServerProcess(tmp_path_factory.mktemp("managed"), models, "--managed")
    yield process
    if process.process.poll() is None:
        process.stop()


def gone(pid: int) -> bool:
    """Within a time that a training of ``LONG`` takes longer than."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_known_key_returns_its_first_job_by_header_and_by_metadata(server: ServerProcess) -> None:
    file_id = server.upload(ping_rows(6))

    first = server.create_job(file_id, key="k-1", hyper=LONG)
    second = server.create_job(file_id, key="k-1", hyper=LONG)
    with pytest.raises(openai.ConflictError) as mismatch:
        server.create_job(file_id, key="k-1", hyper=LONG | {"n_epochs": 2})
    server.client.fine_tuning.jobs.cancel(first.id)
    after_cancel = server.create_job(file_id, key="k-1", hyper=LONG)
    by_metadata = server.create_job(file_id, metadata={"flywheel_key": "k-2"}, hyper=LONG)
    by_metadata_again = server.create_job(file_id, metadata={"flywheel_key": "k-2"}, hyper=LONG)
    server.client.fine_tuning.jobs.cancel(by_metadata.id)

    assert first.id == second.id == after_cancel.id
    assert after_cancel.status == "cancelled"
    assert mismatch.value.code == "idempotency_mismatch"
    assert by_metadata.id == by_metadata_again.id != first.id


def test_creates_at_once_with_one_key_make_one_job(server: ServerProcess) -> None:
    file_id = server.upload(ping_rows(6))

    with ThreadPoolExecutor(6) as pool:
        jobs = list(pool.map(lambda _: server.create_job(file_id, key="k-3", hyper=LONG).id, range(6)))
    server.client.fine_tuning.jobs.cancel(jobs[0])

    assert len(set(jobs)) == 1
    assert [folder.name for folder in (server.home / "jobs").iterdir()] == []


def test_an_unmanaged_server_queues_and_cancelling_reaches_both(server: ServerProcess) -> None:
    file_id = server.upload(ping_rows(6))
    running = server.create_job(file_id, hyper=LONG)
    queued = server.create_job(file_id)
    server.wait_for_metrics(running.id)

    assert server.client.fine_tuning.jobs.retrieve(queued.id).status == "queued"
    assert server.health()["active_job"] == running.id
    job_process = server.trainers()[-1]
    cancelled = server.client.fine_tuning.jobs.cancel(running.id)

    assert cancelled.status == "cancelled"
    assert gone(job_process)
    assert server.wait(queued.id).status == "succeeded"
    with pytest.raises(openai.BadRequestError, match="already ended"):
        server.client.fine_tuning.jobs.cancel(queued.id)
    assert server.client.fine_tuning.jobs.cancel(running.id).status == "cancelled"
    assert list((server.home / "unfinished").iterdir()) == []
    assert server.health()["active_job"] is None


def test_a_managed_server_refuses_a_second_job_and_serves_meanwhile(managed: ServerProcess) -> None:
    file_id = managed.upload(ping_rows(6))
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda n: _try_create(managed, file_id, f"m-{n}"), range(4)))
    created = [outcome for outcome in outcomes if isinstance(outcome, str)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, openai.ConflictError)]

    assert (len(created), len(refused)) == (1, 3)
    assert all(error.code == "device_busy" for error in refused)
    assert all(int(error.response.headers["retry-after"]) > 0 for error in refused)
    managed.wait_for_metrics(created[0])
    reply = managed.client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": "x"}], max_tokens=2
    )
    assert reply.choices
    assert managed.client.fine_tuning.jobs.retrieve(created[0]).status == "running"
    managed.client.fine_tuning.jobs.cancel(created[0])
    assert managed.create_job(file_id, key="m-free", hyper=LONG).status == "queued"
    managed.client.fine_tuning.jobs.cancel(managed.client.fine_tuning.jobs.list(limit=1).data[0].id)


def _try_create(server: ServerProcess, file_id: str, key: str) -> str | openai.ConflictError:
    try:
        return server.create_job(file_id, key=key, hyper=LONG).id
    except openai.ConflictError as error:
        return error


def test_a_killed_server_leaves_no_trainer_and_the_next_goes_on_with_the_job(
    managed: ServerProcess, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    models = {"tiny": tiny_models["tiny"]}
    first, home = managed, managed.home
    file_id = first.upload(ping_rows(6))
    job = first.create_job(file_id, key="crash", hyper=LONG)
    first.wait_for_metrics(job.id)
    trainers = first.trainers()
    assert trainers
    first.kill()
    assert all(gone(pid) for pid in trainers)
    (home / "adapters" / "half-made").mkdir()

    second = ServerProcess(home, models, "--managed", "--no-standby")
    second.wait_for_event(job.id, "going on from step")
    same_key = second.create_job(file_id, key="crash", hyper=LONG)
    with pytest.raises(openai.ConflictError):
        second.create_job(file_id, key="crash-2", hyper=LONG)

    assert (same_key.id, same_key.status) == (job.id, "running")
    assert list((home / "adapters").iterdir()) == []
    trainers = second.trainers()
    assert second.stop() == 0
    assert all(gone(pid) for pid in trainers)

    third = ServerProcess(home, models, "--no-standby")
    assert third.client.fine_tuning.jobs.retrieve(job.id).status == "running"
    assert third.client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    assert list((home / "jobs").iterdir()) == []
    assert _start_error(home, "0", models) == (2, "is in use by another model server")
    port = third.url.rsplit(":", 1)[1]
    assert _start_error(tmp_path / "other", port, models) == (2, f"port {port} on 127.0.0.1 is taken")
    third.stop()
    assert _start_error(tmp_path / "other", "0", {"none": tmp_path / "nowhere"}) == (2, "no config.json for")


def _start_error(home: Path, port: str, models: dict[str, Path]) -> tuple[int, str]:
    """Exit status, and the known part of the one line on stderr."""
    flags = [f"--model={name}={folder}" for name, folder in models.items()]
    command = [sys.executable, "-m", "model_server", "--home", str(home), "--port", port, *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.count("\n") == 1, done.stderr
    known = ["is in use by another model server", f"port {port} on 127.0.0.1 is taken", "no config.json for"]
    return done.returncode, next((part for part in known if part in done.stderr), done.stderr)
