"""Rows that a model cannot learn from: refused unless they may be set aside, and then listed, never cut."""

from __future__ import annotations

import hashlib
from typing import Any

import openai
import pytest
from rows import call, chat, ping_rows, tool
from server_process import ServerProcess

LONG = chat("a" * 900, "pong")
TWO_CALLS = {
    "messages": [
        {"role": "user", "content": "x"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [call("pay", "{}", "a"), call("pay", "{}", "b")],
        },
    ],
    "tools": [tool("pay")],
}
HALF = {"max_set_aside_share": 0.5}


def weights(server: ServerProcess, job_id: str) -> str:
    return hashlib.sha256(
        (server.home / "adapters" / job_id / "adapter_model.safetensors").read_bytes()
    ).hexdigest()


def set_aside(server: ServerProcess, job_id: str) -> Any:
    return server.get(f"/v1/fine_tuning/jobs/{job_id}/set_aside")["files"]


def test_a_job_trains_on_the_rest_as_if_the_others_were_not_in_the_file(server: ServerProcess) -> None:
    fit = ping_rows(12)
    mixed = server.upload([fit[0], LONG, *fit[1:], LONG])
    validation = server.upload([LONG, *ping_rows(2), LONG, LONG])

    job = server.create_job(mixed, validation_file=validation, hyper=HALF, key="set-aside")
    again = server.create_job(mixed, validation_file=validation, hyper=HALF, key="set-aside")
    done = server.wait(job.id)
    plain = server.wait(
        server.create_job(server.upload(fit), validation_file=server.upload(ping_rows(2)), hyper=HALF).id
    )

    assert again.id == job.id
    assert done.status == plain.status == "succeeded"
    assert done.set_aside == {"training_file": 2, "validation_file": 3}
    found = set_aside(server, job.id)
    assert {param: file["rows"] for param, file in found.items()} == {
        "training_file": 14,
        "validation_file": 5,
    }
    assert [(row["line"], row["code"]) for row in found["training_file"]["set_aside"]] == [
        (2, "row_too_long"),
        (14, "row_too_long"),
    ]
    assert "never cut" in found["training_file"]["set_aside"][0]["message"]
    assert weights(server, job.id) == weights(server, plain.id)
    assert plain.set_aside == {"training_file": 0, "validation_file": 0}
    events = [event.message for event in server.client.fine_tuning.jobs.list_events(job.id, limit=100).data]
    assert "2 of 14 rows of the training_file do not fit the model and are set aside" in events


def test_a_validation_file_of_which_nothing_fits_validates_nothing(server: ServerProcess) -> None:
    training, validation = server.upload(ping_rows(8)), server.upload([LONG])

    done = server.wait(server.create_job(training, validation_file=validation, hyper=HALF).id)

    assert done.status == "succeeded", done.error
    assert done.set_aside == {"training_file": 0, "validation_file": 1}


@pytest.mark.parametrize(
    ("rows", "hyper", "code", "message"),
    [
        ([*ping_rows(8), LONG], {}, "row_too_long", "line 9: "),
        ([*ping_rows(2), LONG, LONG, LONG], HALF, "too_many_unfit_rows", "At least 3 of 5 rows do not fit"),
        ([LONG, LONG], HALF, "too_many_unfit_rows", "2 of 2 rows do not fit"),
        ([LONG, LONG], HALF, "too_many_unfit_rows", "at most 50% may be set aside"),
        ([LONG, LONG], HALF, "too_many_unfit_rows", "The first is line 1: "),
        ([LONG, *ping_rows(7), {"messages": []}], HALF, "invalid_training_row", "line 9"),
    ],
)
def test_too_many_of_them_make_no_job(
    server: ServerProcess, rows: list[Any], hyper: dict[str, Any], code: str, message: str
) -> None:
    file_id = server.upload(rows)

    with pytest.raises(openai.BadRequestError) as raised:
        server.create_job(file_id, hyper=hyper)

    assert raised.value.code == code
    assert message in str(raised.value)
    assert list((server.home / "unfinished").iterdir()) == []


def test_what_only_this_models_template_refuses_is_set_aside_too(server: ServerProcess) -> None:
    file_id = server.upload([TWO_CALLS, *ping_rows(4)])
    long = HALF | {"n_epochs": 1000}  # neither ends before it is cancelled

    llama = server.create_job(file_id, model="tiny-llama3", hyper=long)
    server.client.fine_tuning.jobs.cancel(llama.id)
    nano = server.create_job(file_id, hyper=long)
    server.client.fine_tuning.jobs.cancel(nano.id)

    (row,) = set_aside(server, llama.id)["training_file"]["set_aside"]
    assert (row["line"], row["code"]) == (1, "invalid_training_row")
    assert "single tool-calls" in row["message"]
    assert set_aside(server, nano.id)["training_file"]["set_aside"] == []
