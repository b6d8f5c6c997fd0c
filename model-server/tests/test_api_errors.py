"""What a client did wrong is answered in OpenAI's shape, and leaves nothing behind."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from rows import call, chat, ping_rows, tool
from server_process import ServerProcess

USER = [{"role": "user", "content": "x"}]
NOTHING: dict[str, Any] = {}


def shaped(error: openai.APIStatusError) -> dict[str, Any]:
    body = json.loads(error.response.text)["error"]
    assert set(body) == {"message", "type", "param", "code"}
    assert body["message"]
    return body


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"", "empty_file", "empty"),
        (b"\n\n", "empty_file", "no rows"),
        (b'{"messages": []}\n{oops', "invalid_jsonl", "line 2"),
        (b"[1, 2]", "invalid_jsonl", "line 1"),
    ],
)
def test_a_broken_upload_is_refused(server: ServerProcess, content: bytes, code: str, message: str) -> None:
    before = {file.id for file in server.client.files.list()}

    with pytest.raises(openai.BadRequestError) as raised:
        server.upload(content)

    assert shaped(raised.value)["code"] == code
    assert message in shaped(raised.value)["message"]
    assert {file.id for file in server.client.files.list()} == before
    assert list((server.home / "unfinished").iterdir()) == []


@pytest.mark.parametrize(
    ("rows", "code", "message"),
    [
        ([chat("a", "b"), {"messages": USER}], "invalid_training_row", "line 2"),
        ([{"messages": [*USER, {"role": "system", "content": "late"}]}], "invalid_training_row", "line 1"),
        ([chat("a", "b"), chat("a" * 900, "b")], "row_too_long", "line 2"),
        ([{"prompt": "a", "completion": "b"}], "invalid_training_row", "'messages'"),
    ],
)
def test_unusable_rows_make_no_job(server: ServerProcess, rows: list[Any], code: str, message: str) -> None:
    file_id = server.upload(rows)

    with pytest.raises(openai.BadRequestError) as raised:
        server.create_job(file_id)

    error = shaped(raised.value)
    assert (error["code"], error["param"]) == (code, "training_file")
    assert message in error["message"]
    assert list((server.home / "jobs").iterdir()) == []
    assert list((server.home / "unfinished").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": "gpt-9"}, 404, "model", "model_not_found"),
        ({"training_file": "file-none"}, 404, "training_file", "file_not_found"),
        ({"validation_file": "file-none"}, 404, "validation_file", "file_not_found"),
        ({"suffix": "a b/c"}, 400, "suffix", "invalid_value"),
        ({"method": {"type": "dpo"}}, 400, "method.type", "invalid_value"),
        (
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"momentum": 1}}}},
            400,
            "method.supervised.hyperparameters.momentum",
            "unknown_parameter",
        ),
        (
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"lora": {"rank": 0}}}}},
            400,
            "method.supervised.hyperparameters.lora.rank",
            "invalid_value",
        ),
        ({"metadata": {"k": "v" * 513}}, 400, "metadata.k", "invalid_value"),
    ],
)
def test_a_wrong_create_names_the_parameter(
    server: ServerProcess, body: dict[str, Any], status: int, param: str, code: str
) -> None:
    whole = {"model": "tiny", "training_file": server.upload(ping_rows())} | body

    with pytest.raises(openai.APIStatusError) as raised:
        server.client.post("/fine_tuning/jobs", cast_to=object, body=whole)

    error = shaped(raised.value)
    assert (raised.value.status_code, error["code"]) == (status, code)
    assert error["param"].startswith(param)


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": "gpt-9"}, 404, "model", "model_not_found"),
        ({"stream_options": {"include_usage": True}}, 400, "stream_options", "invalid_value"),
        ({"n": 2}, 400, "n", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, 400, "response_format", "unsupported_parameter"),
        ({"messages": []}, 400, "messages", "invalid_messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400, "messages", "invalid_messages"),
        ({"messages": [{"role": "user", "content": "x" * 600}]}, 400, "messages", "context_length_exceeded"),
        ({"max_tokens": 600}, 400, "messages", "context_length_exceeded"),
        ({"temperature": 9}, 400, "temperature", "invalid_value"),
        ({"tools": [{"type": "function"}]}, 400, "tools", "invalid_tools"),
        ({"tool_choice": "required"}, 400, "tool_choice", "invalid_tool_choice"),
        (
            {"tools": [tool("pay")], "tool_choice": {"type": "function", "function": {"name": "fly"}}},
            400,
            "tool_choice",
            "invalid_tool_choice",
        ),
        (
            {"messages": [*USER, {"role": "assistant", "tool_calls": [call("pay", "{broken")]}]},
            400,
            "messages",
            "invalid_messages",
        ),
    ],
)
def test_a_wrong_chat_request_names_the_parameter(
    server: ServerProcess, body: dict[str, Any], status: int, param: str, code: str
) -> None:
    with pytest.raises(openai.APIStatusError) as raised:
        server.client.chat.completions.create(**{"model": "tiny", "messages": USER} | body)

    error = shaped(raised.value)
    assert (raised.value.status_code, error["param"], error["code"]) == (status, param, code)


@pytest.mark.parametrize(
    "path", ["/files/file-none", "/fine_tuning/jobs/ftjob-none", "/models/none", "/nowhere"]
)
def test_what_is_not_there_is_404(server: ServerProcess, path: str) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        server.client.get(path, cast_to=object)
    shaped(raised.value)


def test_a_base_model_cannot_be_deleted(server: ServerProcess) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        server.client.models.delete("tiny")
