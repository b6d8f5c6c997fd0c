from __future__ import annotations

import pytest
from scripted_server import Reply, ScriptedServer

from flywheel_nemo_peft.errors import RefusedError, UnreachableError
from flywheel_nemo_peft.model_server import BusyError, ModelServer

JOBS = "POST /v1/fine_tuning/jobs"
CANCEL = "POST /v1/fine_tuning/jobs/j/cancel"


def failure(message: str, code: str | None) -> dict[str, object]:
    return {"error": {"message": message, "code": code}}


def test_the_key_is_in_the_metadata(server: ScriptedServer, model_server: ModelServer) -> None:
    server.says(JOBS, Reply(body={"id": "j", "status": "running"}))

    model_server.create_job({"model": "m", "metadata": {"run_id": "r"}}, "key-1")

    assert server.bodies(JOBS) == [{"model": "m", "metadata": {"run_id": "r", "flywheel_key": "key-1"}}]


def test_a_taken_device_says_when_to_come_back(server: ScriptedServer, model_server: ModelServer) -> None:
    server.says(JOBS, Reply(409, failure("it trains", "device_busy"), {"Retry-After": "7"}))

    with pytest.raises(BusyError) as caught:
        model_server.create_job({"metadata": {}}, "k")

    assert caught.value.seconds == 7


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_failure_may_pass(server: ScriptedServer, model_server: ModelServer, status: int) -> None:
    server.says("GET /v1/fine_tuning/jobs/j", Reply(status, failure("later", None)))

    with pytest.raises(UnreachableError, match="later"):
        model_server.job("j")


def test_a_refusal_keeps_its_code(server: ScriptedServer, model_server: ModelServer) -> None:
    server.says(JOBS, Reply(400, failure("2 of 3 rows do not fit", "too_many_unfit_rows")))

    with pytest.raises(RefusedError, match="2 of 3 rows") as caught:
        model_server.create_job({"metadata": {}}, "k")

    assert caught.value.code == "too_many_unfit_rows"


def test_a_refusal_of_somebody_else_is_told_as_it_is(
    server: ScriptedServer, model_server: ModelServer
) -> None:
    server.says("GET /v1/fine_tuning/jobs/j", Reply(403, "a proxy says no"))

    with pytest.raises(RefusedError, match="a proxy says no") as caught:
        model_server.job("j")

    assert caught.value.code == "403"


def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        ModelServer("http://127.0.0.1:9/v1").job("j")


def test_cancelling_what_has_ended_is_done(server: ScriptedServer, model_server: ModelServer) -> None:
    server.says(CANCEL, Reply(400, failure("it has ended", "another_code")))
    server.says("GET /v1/fine_tuning/jobs/j", Reply(body={"id": "j", "status": "succeeded"}))

    model_server.cancel("j")


def test_a_refused_cancellation_of_what_goes_on_is_an_error(
    server: ScriptedServer, model_server: ModelServer
) -> None:
    server.says(CANCEL, Reply(400, failure("no", "another_code")))
    server.says("GET /v1/fine_tuning/jobs/j", Reply(body={"id": "j", "status": "running"}))

    with pytest.raises(RefusedError):
        model_server.cancel("j")
