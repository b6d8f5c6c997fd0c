"""Streaming, embeddings, batches of several adapters, loading and unloading, metrics: over HTTP."""

from __future__ import annotations

import base64
import struct
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2 as httpx
import openai
import pytest
import torch
from rows import ping_rows, tool, tool_row
from server_process import ServerProcess
from transformers import AutoModelForCausalLM, AutoTokenizer

USER: list[Any] = [{"role": "user", "content": "ping 3"}]
HYPER = {"n_epochs": 6, "learning_rate": 0.03, "lora": {"rank": 8, "dropout": 0.0}}


@pytest.fixture(scope="module")
def adapters(server: ServerProcess) -> Iterator[dict[str, str]]:
    """Three adapters of one base that answer differently: a word, another word, a call."""
    answers = {"pong": ping_rows(24), "hey": [_said(row, "hey") for row in ping_rows(24)]}
    answers["call"] = [tool_row(f"ping {i}", "pay", {"to": "A"}) for i in range(24)]
    jobs = {name: server.create_job(server.upload(rows), hyper=HYPER) for name, rows in answers.items()}
    done = {name: server.wait(job.id) for name, job in jobs.items()}
    assert all(job.status == "succeeded" for job in done.values()), [job.error for job in done.values()]
    yield {name: job.fine_tuned_model for name, job in done.items()}
    for job in done.values():
        server.client.models.delete(job.fine_tuned_model)


def _said(row: dict[str, Any], answer: str) -> dict[str, Any]:
    return {"messages": [row["messages"][0], {"role": "assistant", "content": answer}]}


def ask(server: ServerProcess, model: str, **options: Any) -> Any:
    wanted = {"messages": USER, "temperature": 0, "max_tokens": 40} | options
    return server.client.chat.completions.create(model=model, **wanted)


def test_a_streamed_answer_is_the_whole_answer_in_pieces(server: ServerProcess) -> None:
    whole = ask(server, "tiny", seed=1, temperature=1)

    chunks = list(
        ask(server, "tiny", seed=1, temperature=1, stream=True, stream_options={"include_usage": True})
    )
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]

    assert "".join(piece or "" for piece in pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) > 3
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.choices[0].finish_reason
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert chunks[-1].usage.prompt_tokens == whole.usage.prompt_tokens
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_streamed_call_comes_as_a_call_and_never_as_text(
    server: ServerProcess, adapters: dict[str, str]
) -> None:
    tools = [tool("pay", "to"), tool("book")]

    chunks = list(ask(server, adapters["call"], tools=tools, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    calls = [call for delta in deltas for call in delta.tool_calls or []]

    assert all(not delta.content for delta in deltas)
    assert [call.index for call in calls] == [0, 0]
    assert calls[0].id
    assert (calls[0].function.name, calls[1].function.arguments) == ("pay", '{"to":"A"}')
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage is None


def test_a_stream_ends_with_done_and_an_impossible_one_has_a_status(server: ServerProcess) -> None:
    body = {"model": "tiny", "messages": USER, "max_tokens": 2, "stream": True}

    reply = httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=60)
    too_long = httpx.post(f"{server.url}/v1/chat/completions", json=body | {"max_tokens": 600}, timeout=60)

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.text.endswith("data: [DONE]\n\n")
    assert (too_long.status_code, too_long.json()["error"]["code"]) == (400, "context_length_exceeded")


def test_a_reader_who_leaves_frees_the_model(server: ServerProcess) -> None:
    endless = {
        "model": "tiny",
        "messages": USER,
        "max_tokens": 450,
        "stream": True,
        "temperature": 2,
        "seed": 1,
    }
    with httpx.stream("POST", f"{server.url}/v1/chat/completions", json=endless, timeout=60) as reply:
        next(reply.iter_lines())

    assert ask(server, "tiny", max_tokens=2).choices


def test_requests_at_once_to_several_adapters_are_each_answered_by_their_own(
    server: ServerProcess, adapters: dict[str, str]
) -> None:
    models = ["tiny", *adapters.values()] * 4
    alone = {model: ask(server, model).choices[0].message.content for model in set(models)}

    with ThreadPoolExecutor(len(models)) as pool:
        replies = list(pool.map(lambda model: ask(server, model), models))

    assert [reply.choices[0].message.content for reply in replies] == [alone[model] for model in models]
    assert alone[adapters["pong"]] == "pong"
    assert alone[adapters["hey"]] == "hey"
    metrics = _metrics(server)
    answered = metrics["flywheel_model_server_batch_rows_sum"]
    assert answered > metrics["flywheel_model_server_batch_rows_count"]


def test_what_else_is_asked_for_takes_its_turn_among_many_chats(server: ServerProcess) -> None:
    messages: Any = [{"role": "user", "content": "go on"}]
    answered: list[int] = []

    enough = threading.Event()

    def keep_asking() -> None:
        while not enough.is_set():
            server.client.chat.completions.create(model="tiny", messages=messages, max_tokens=16)
            answered.append(1)

    overtaken: list[int] = []
    with ThreadPoolExecutor(4) as pool, httpx.Client(base_url=server.url, timeout=60) as client:
        asking = [pool.submit(keep_asking) for _ in range(4)]
        try:
            while len(answered) < 20:
                time.sleep(0.001)
            for _ in range(5):
                before = len(answered)
                client.post("/tokenize", json={"model": "tiny", "messages": messages}).raise_for_status()
                overtaken.append(len(answered) - before)
        finally:
            enough.set()
        for one in asking:
            one.result()

    # The batch at work and the next one, of four each, and some for the bookkeeping. A machine that keeps us waiting
    # does so once or twice, chats that go first do so each time.
    assert sorted(overtaken)[2] <= 20, overtaken


def test_an_adapter_is_unloaded_and_loaded_while_the_server_runs(
    server: ServerProcess, adapters: dict[str, str]
) -> None:
    name = adapters["hey"]
    passed = _metrics(server)['flywheel_model_server_attestations_total{result="passed"}']

    for _ in range(2):  # twice is once
        _post(server, "/v1/unload_lora_adapter", {"lora_name": name})
    with pytest.raises(openai.NotFoundError):
        ask(server, name)
    listed = {model.id for model in server.client.models.list()}
    for _ in range(2):
        _post(server, "/v1/load_lora_adapter", {"lora_name": name})

    assert name not in listed
    assert ask(server, name).choices[0].message.content == "hey"
    assert server.client.models.retrieve(name).attested_at > 0  # type: ignore[attr-defined]
    assert _metrics(server)['flywheel_model_server_attestations_total{result="passed"}'] == passed + 1
    assert _post(server, "/v1/load_lora_adapter", {"lora_name": "none"}).status_code == 404
    assert _post(server, "/v1/unload_lora_adapter", {"lora_name": "tiny"}).status_code == 400


def test_a_damaged_adapter_is_refused_when_it_is_loaded_again(
    server: ServerProcess, adapters: dict[str, str]
) -> None:
    name = adapters["pong"]
    file = Path(server.client.models.retrieve(name).root) / "adapter_model.safetensors"  # type: ignore[attr-defined]
    whole = file.read_bytes()
    _post(server, "/v1/unload_lora_adapter", {"lora_name": name})
    file.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))

    refused = _post(server, "/v1/load_lora_adapter", {"lora_name": name})
    file.write_bytes(whole)
    loaded = _post(server, "/v1/load_lora_adapter", {"lora_name": name})

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "attestation_failed")
    assert loaded.status_code == 200


def test_a_job_whose_training_changed_nothing_fails_and_is_not_listed(server: ServerProcess) -> None:
    job = server.create_job(server.upload(ping_rows(8)), hyper={"n_epochs": 1, "learning_rate": 1e-12})

    done = server.wait(job.id)

    assert (done.status, done.error.code) == ("failed", "adapter_like_base")  # type: ignore[union-attr]
    assert "larger learning rate" in done.error.message  # type: ignore[union-attr]
    assert not any(model.id.endswith(job.id[-8:]) for model in server.client.models.list())


def test_embeddings_are_mean_pooled_hidden_states(
    server: ServerProcess, tiny_models: dict[str, Path], adapters: dict[str, str]
) -> None:
    texts = ["a", "a longer text, with words", "zz"]

    given = server.client.embeddings.create(model="tiny", input=texts, encoding_format="float")
    packed = httpx.post(
        f"{server.url}/v1/embeddings",
        json={"model": "tiny", "input": texts[1], "encoding_format": "base64"},
        timeout=60,
    ).json()
    tuned = server.client.embeddings.create(model=adapters["pong"], input=texts[1], encoding_format="float")

    tokenizer = AutoTokenizer.from_pretrained(tiny_models["tiny"])
    model = AutoModelForCausalLM.from_pretrained(tiny_models["tiny"], dtype=torch.float32).eval()
    for text, item in zip(texts, given.data, strict=True):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            mean = model.model(input_ids=ids).last_hidden_state[0].mean(0)
        expected = mean / mean.norm()
        assert torch.allclose(torch.tensor(item.embedding), expected, atol=1e-5)
    assert [item.index for item in given.data] == [0, 1, 2]
    assert given.usage.prompt_tokens == sum(len(tokenizer(text)["input_ids"]) for text in texts)
    raw = base64.b64decode(packed["data"][0]["embedding"])
    assert struct.unpack(f"<{len(raw) // 4}f", raw) == pytest.approx(given.data[1].embedding, abs=1e-6)
    assert (
        max(abs(a - b) for a, b in zip(tuned.data[0].embedding, given.data[1].embedding, strict=True)) > 0.01
    )


def test_embeddings_take_tokens_and_refuse_what_they_cannot(server: ServerProcess) -> None:
    by_text = server.client.embeddings.create(model="tiny", input="a", encoding_format="float")
    ids = AutoTokenizer.from_pretrained(server.client.models.retrieve("tiny").root)("a")["input_ids"]  # type: ignore[attr-defined]
    by_tokens = server.client.embeddings.create(model="tiny", input=[ids, ids], encoding_format="float")

    assert by_tokens.data[1].embedding == pytest.approx(by_text.data[0].embedding, abs=1e-6)
    for wrong in ({"input": "x" * 600}, {"input": [99999]}, {"input": ""}, {"input": "a", "dimensions": 2}):
        with pytest.raises(openai.BadRequestError):
            server.client.embeddings.create(model="tiny", **wrong)


def test_a_prompt_that_begins_like_an_earlier_one_is_partly_cached(server: ServerProcess) -> None:
    system = {"role": "system", "content": "You are the assistant of a long and patient help desk. Be short."}
    first = ask(server, "tiny", messages=[system, {"role": "user", "content": "one thing"}])
    second = ask(server, "tiny", messages=[system, {"role": "user", "content": "another thing"}])

    assert second.usage.prompt_tokens_details.cached_tokens > 60
    assert first.usage.prompt_tokens_details.cached_tokens < 60


def test_metrics_are_prometheus_text(server: ServerProcess) -> None:
    ask(server, "tiny", max_tokens=3)

    metrics = _metrics(server)

    route = '{method="POST",route="/v1/chat/completions",status="200"}'
    assert metrics[f"flywheel_model_server_http_requests_total{route}"] > 0
    assert metrics['flywheel_model_server_tokens_total{base="tiny",kind="completion"}'] >= 3
    assert metrics["flywheel_model_server_base_models_loaded"] >= 3
    assert 'flywheel_model_server_jobs{status="succeeded"}' in metrics


def _metrics(server: ServerProcess) -> dict[str, float]:
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as reply:  # noqa: S310
        lines = reply.read().decode().splitlines()
    parts = [line.rpartition(" ") for line in lines if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in parts}


def _post(server: ServerProcess, path: str, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body, timeout=60)
