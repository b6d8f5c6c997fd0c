"""A job whose process or server is killed goes on from its checkpoint and ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from rows import ping_rows
from server_process import ServerProcess

# 48 steps in mid-epoch and out of it; dropout on, so that the random numbers must go on as well.
WANTED = {"n_epochs": 8, "batch_size": 4, "learning_rate": 0.01, "lora": {"rank": 8, "dropout": 0.1}}
ROWS = ping_rows(24)


@pytest.fixture
def server(tiny_models: dict[str, Path], tmp_path: Path) -> ServerProcess:
    return start(tmp_path, tiny_models)


def start(home: Path, models: dict[str, Path]) -> ServerProcess:
    """Saves at every step, so that a kill at any time has a checkpoint behind it."""
    return ServerProcess(home, {"tiny": models["tiny"]}, "--checkpoint-seconds", "0")


def wait_for_step(server: ServerProcess, job_id: str, step: int) -> None:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        found = server.home.glob(f"jobs/{job_id}/checkpoints/checkpoint-*/complete.json")
        if any(int(marker.parent.name.rpartition("-")[2]) >= step for marker in found):
            return
        time.sleep(0.02)
    raise AssertionError(f"no checkpoint of step {step}")


def emptied(folder: Path) -> bool:
    """Cleaning up follows the job's end."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not list(folder.iterdir()):
            return True
        time.sleep(0.05)
    return False


def weights(server: ServerProcess, job_id: str) -> bytes:
    return (server.home / "adapters" / job_id / "adapter_model.safetensors").read_bytes()


def test_killed_trainer_and_killed_server_change_no_byte_of_the_result(
    server: ServerProcess, tiny_models: dict[str, Path]
) -> None:
    file_id = server.upload(ROWS)
    whole = server.create_job(file_id, seed=5, hyper=WANTED)
    assert server.wait(whole.id).status == "succeeded"
    expected = weights(server, whole.id)
    killed = server.create_job(file_id, seed=5, hyper=WANTED)
    # Both kills come long before the end: nobody holds the trainer up for them.
    wait_for_step(server, killed.id, 4)

    os.kill(server.trainers()[-1], signal.SIGKILL)
    going_on = server.wait_for_event(killed.id, "going on from step")
    wait_for_step(server, killed.id, 14)
    server.kill()
    second = start(server.home, tiny_models)
    done = second.wait(killed.id)

    assert int(going_on.rpartition(" ")[2]) >= 3
    assert done.status == "succeeded", done.error
    assert weights(second, killed.id) == expected
    assert emptied(server.home / "jobs")
    answers = [
        second.client.chat.completions.create(
            model=name, messages=[{"role": "user", "content": "ping 3"}], temperature=0, max_tokens=8
        )
        for name in (
            done.fine_tuned_model,
            second.client.fine_tuning.jobs.retrieve(whole.id).fine_tuned_model,
        )
    ]
    assert answers[0].choices[0].message.content == answers[1].choices[0].message.content
    events = [event.message for event in second.client.fine_tuning.jobs.list_events(killed.id, limit=100)]
    assert sum("Going on from the checkpoint" in message for message in events) == 2
    second.stop()


def test_a_job_that_dies_at_one_step_again_and_again_is_given_up(
    tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    server = ServerProcess(tmp_path, {"tiny": tiny_models["tiny"]}, "--checkpoint-seconds", "86400")
    job = server.create_job(server.upload(ROWS), hyper=WANTED | {"n_epochs": 1000})
    other = server.create_job(server.upload(ROWS), hyper=WANTED | {"n_epochs": 1})
    server.wait_for_metrics(job.id)

    seen: set[int] = set()
    deadline = time.monotonic() + 600
    while True:
        assert time.monotonic() < deadline
        found = server.trainers()[1:]
        # Asked after they were found: none of them is the next job's.
        if server.client.fine_tuning.jobs.retrieve(job.id).status != "running":
            break
        for pid in set(found) - seen:
            seen.add(pid)
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
    failed = server.client.fine_tuning.jobs.retrieve(job.id)

    assert (failed.status, failed.error.code) == ("failed", "trainer_died")  # type: ignore[union-attr]
    assert len(seen) == 4
    assert server.wait(other.id).status == "succeeded"
    server.stop()
