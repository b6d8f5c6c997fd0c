from __future__ import annotations

import pytest
from conftest import JOB, TASK
from scripted_server import Reply, ScriptedServer

from flywheel_nemo_peft import job_record
from flywheel_nemo_peft.errors import UnwantedError
from flywheel_nemo_peft.job_record import JobRecord

STATUS = f"GET {JOB}/status"
WRITE = f"PUT {TASK}"


def test_what_did_not_change_is_not_written_again_before_the_beat(
    server: ScriptedServer, record: JobRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says(STATUS, Reply(body={"status": "active"}))
    server.says(WRITE, Reply(body={}))

    record.tell({"step": 1})
    record.tell({"step": 1})
    record.tell({"step": 2})
    monkeypatch.setattr(job_record, "BEAT_S", 0.0)
    record.tell({"step": 2})

    details = [body["status_details"] for body in server.bodies(WRITE)]
    assert [told["step"] for told in details] == [1, 2, 2]
    # What is the same as before is not stored, and nobody would hear of it.
    assert len({told["told_at"] for told in details}) == len(details)
    assert {body["status"] for body in server.bodies(WRITE)} == {"active"}


@pytest.mark.parametrize("status", ["cancelling", "cancelled", "error", "completed"])
def test_a_job_that_nobody_wants_says_so(server: ScriptedServer, record: JobRecord, status: str) -> None:
    server.says(STATUS, Reply(body={"status": status}))

    with pytest.raises(UnwantedError, match=status):
        record.tell({"step": 1})

    assert server.bodies(WRITE) == []


def test_a_deleted_job_is_unwanted(record: JobRecord) -> None:
    with pytest.raises(UnwantedError, match="deleted"):
        record.tell({"step": 1})


def test_a_platform_that_is_away_stops_no_training(server: ScriptedServer, record: JobRecord) -> None:
    server.says(STATUS, Reply(503))

    record.tell({"step": 1})

    server.says(STATUS, Reply(body={"status": "active"}))
    server.says(WRITE, Reply(body={}))
    record.tell({"step": 1})
    assert len(server.bodies(WRITE)) == 1


def test_the_end_is_said_until_it_is_heard(server: ScriptedServer, record: JobRecord) -> None:
    server.says(STATUS, Reply(503), Reply(body={"status": "active"}))
    server.says(WRITE, Reply(409), Reply(body={}))

    record.tell_end({"adapter": "w/a"}, status="completed")

    told = server.bodies(WRITE)[-1]
    assert (told["status"], told["status_details"]["adapter"]) == ("completed", "w/a")
