"""A job that was being asked for when the platform ended ours: the model server makes it all the same."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest
from scripted_server import Reply, ScriptedServer

from flywheel_nemo_peft import submission, task
from flywheel_nemo_peft.errors import UnwantedError
from flywheel_nemo_peft.model_server import BusyError, ModelServer
from flywheel_nemo_peft.submission import Submission

CREATE = "POST /v1/fine_tuning/jobs"
CANCEL = "POST /v1/fine_tuning/jobs/a/cancel"
MADE = Reply(body={"id": "a", "status": "queued"})
BUSY = Reply(409, {"error": {"message": "it trains", "code": "device_busy"}})


@pytest.fixture(autouse=True)
def _ends_as_the_task_does() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, task._end)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def asked(model_server: ModelServer) -> Submission:
    return Submission(model_server, {"model": "m", "metadata": {}}, "nemo-t-1")


def terminated() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def unwanted() -> None:
    raise UnwantedError("the job is cancelled")


def send(asked: Submission, then: Callable[[], None] = lambda: None) -> None:
    with asked.cancelled_with_us():
        asked.send()
        then()


def keys(server: ScriptedServer) -> list[str]:
    return [body["metadata"]["flywheel_key"] for body in server.bodies(CREATE)]


def test_a_job_that_is_being_made_is_cancelled(server: ScriptedServer, asked: Submission) -> None:
    asked_again = threading.Event()

    def encode() -> None:
        terminated()
        asked_again.wait(30)

    server.says(CREATE, Reply(body=MADE.body, first=encode), Reply(body=MADE.body, first=asked_again.set))
    server.says(CANCEL, Reply(body={"id": "a", "status": "cancelled"}))

    with pytest.raises(SystemExit) as ended:
        send(asked)

    assert ended.value.code == 128 + signal.SIGTERM
    assert keys(server) == ["nemo-t-1", "nemo-t-1"]
    assert len(server.bodies(CANCEL)) == 1


def test_a_second_signal_does_not_break_off_the_cancellation(
    server: ScriptedServer, asked: Submission
) -> None:
    server.says(CREATE, MADE)
    server.says(CANCEL, Reply(body={"id": "a", "status": "cancelled"}, first=terminated))

    with pytest.raises(SystemExit):
        send(asked, terminated)

    assert len(server.bodies(CANCEL)) == 1


def test_a_server_that_is_away_is_asked_again(server: ScriptedServer, asked: Submission) -> None:
    server.says(CREATE, MADE, Reply(503), MADE)
    server.says(CANCEL, Reply(503), Reply(body={"id": "a", "status": "cancelled"}))

    with pytest.raises(UnwantedError):
        send(asked, unwanted)

    assert len(server.bodies(CANCEL)) == 2


def test_a_server_that_stays_away_is_left(
    server: ScriptedServer, asked: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "GRACE_S", 0.0)
    server.says(CREATE, MADE, Reply(503))

    with pytest.raises(UnwantedError):
        send(asked, unwanted)


@pytest.mark.parametrize("answer", [BUSY, Reply(400, {"error": {"message": "no", "code": "bad"}})])
def test_what_was_not_made_needs_no_cancellation(
    server: ScriptedServer, asked: Submission, answer: Reply
) -> None:
    server.says(CREATE, Reply(body=MADE.body, first=terminated), answer)

    with pytest.raises(SystemExit):
        send(asked)

    assert server.bodies(CANCEL) == []


def test_what_waits_for_the_device_is_not_made_to_be_cancelled(
    server: ScriptedServer, asked: Submission
) -> None:
    server.says(CREATE, BUSY, MADE)

    def waits() -> None:
        with asked.cancelled_with_us():
            with pytest.raises(BusyError):
                asked.send()
            unwanted()

    with pytest.raises(UnwantedError):
        waits()

    assert len(keys(server)) == 1
