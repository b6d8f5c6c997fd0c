"""The whole loop over HTTP with the official client: upload, train, watch, chat, delete."""

from __future__ import annotations

import openai
import pytest
from rows import ping_rows, tool, tool_row
from server_process import ServerProcess

USER = [{"role": "user", "content": "ping 3"}]
# Does not end before it is cancelled.
LONG = {"n_epochs": 1000}


def test_upload_train_watch_chat_and_delete(server: ServerProcess) -> None:
    training = server.upload(ping_rows(48))
    validation = server.upload(ping_rows(4))
    base_answer = server.client.chat.completions.create(
        model="tiny", messages=USER, temperature=0, max_tokens=8
    )

    job = server.create_job(
        training,
        validation_file=validation,
        suffix="pong",
        seed=7,
        metadata={"purpose": "loop"},
        hyper={"n_epochs": 3, "learning_rate": 0.03, "lora": {"rank": 8, "dropout": 0.0}},
    )
    done = server.wait(job.id)
    events = server.client.fine_tuning.jobs.list_events(job.id, limit=100).data

    assert done.status == "succeeded", done.error
    assert done.fine_tuned_model == f"ft:tiny:flywheel:pong:{job.id[-8:]}"
    assert done.trained_tokens > 0
    assert done.train_seconds > 0  # type: ignore[attr-defined]
    metrics = [event.data for event in reversed(events) if event.type == "metrics"]
    losses = [data["train_loss"] for data in metrics if "train_loss" in data]
    validations = [data["valid_loss"] for data in metrics if "valid_loss" in data]
    assert losses[-1] < losses[0]
    assert len(validations) == 3
    assert metrics[-1]["step"] == metrics[-1]["total_steps"]
    assert any("successfully" in event.message for event in events)

    answer = server.client.chat.completions.create(model=done.fine_tuned_model, messages=USER, temperature=0)
    assert answer.choices[0].message.content == "pong"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    again = server.client.chat.completions.create(model="tiny", messages=USER, temperature=0, max_tokens=8)
    assert again.choices[0].message.content == base_answer.choices[0].message.content

    listed = {model.id: model for model in server.client.models.list()}
    assert listed[done.fine_tuned_model].parent == "tiny"  # type: ignore[attr-defined]
    assert server.client.models.delete(done.fine_tuned_model).deleted
    with pytest.raises(openai.NotFoundError):
        server.client.chat.completions.create(model=done.fine_tuned_model, messages=USER)
    assert not (server.home / "adapters" / job.id).exists()
    assert list((server.home / "unfinished").iterdir()) == []


@pytest.mark.parametrize("model", ["tiny-qwen", "tiny-llama3"])
def test_models_with_other_templates_learn_to_call_a_tool(server: ServerProcess, model: str) -> None:
    rows = [tool_row(f"pay {i}", "pay", {"to": "A"}) for i in range(16)]

    job = server.create_job(
        server.upload(rows),
        model=model,
        hyper={"n_epochs": 12, "learning_rate": 0.03, "lora": {"dropout": 0.0}},
    )
    done = server.wait(job.id)

    assert done.status == "succeeded", done.error
    reply = server.client.chat.completions.create(
        model=done.fine_tuned_model,
        messages=rows[0]["messages"][:1],
        tools=rows[0]["tools"],
        temperature=0,
        max_tokens=120,
    )
    message = reply.choices[0].message
    assert message.tool_calls is not None, message.content
    assert (message.tool_calls[0].function.name, message.tool_calls[0].function.arguments) == (
        "pay",
        '{"to":"A"}',
    )
    assert reply.choices[0].finish_reason == "tool_calls"


def test_the_same_job_twice_gives_the_same_weights(server: ServerProcess) -> None:
    file_id = server.upload(ping_rows(8))
    folders = []
    for _ in range(2):
        job = server.wait(server.create_job(file_id, seed=11, hyper={"batch_size": 8}).id)
        assert job.status == "succeeded", job.error
        folders.append(server.home / "adapters" / job.id / "adapter_model.safetensors")

    assert folders[0].read_bytes() == folders[1].read_bytes()


def test_files_are_kept_once_listed_read_and_deleted(server: ServerProcess) -> None:
    first = server.upload(ping_rows(3))
    second = server.upload(ping_rows(3))
    other_purpose = server.upload(ping_rows(3), purpose="user_data")

    assert first == second != other_purpose
    assert server.client.files.retrieve(first).purpose == "fine-tune"
    assert server.client.files.content(first).read() == server.client.files.content(other_purpose).read()
    assert {first, other_purpose} <= {file.id for file in server.client.files.list()}
    assert server.client.files.delete(first).deleted
    assert server.client.files.content(other_purpose).read()
    server.client.files.delete(other_purpose)
    with pytest.raises(openai.NotFoundError):
        server.client.files.retrieve(first)


def test_jobs_and_events_are_paged_and_filtered(server: ServerProcess) -> None:
    file_id = server.upload(ping_rows(5))
    wanted = [{"page": "yes", "n": str(n)} for n in range(3)]
    jobs = [server.create_job(file_id, metadata=metadata, hyper=LONG).id for metadata in wanted]
    for job_id in jobs:
        server.client.fine_tuning.jobs.cancel(job_id)

    listing = server.client.fine_tuning.jobs
    page = listing.list(limit=2, metadata={"page": "yes"})
    assert [job.id for job in page.data] == [jobs[2], jobs[1]]
    assert page.has_more
    assert [job.id for job in listing.list(limit=2, after=jobs[1], metadata={"page": "yes"}).data] == [
        jobs[0]
    ]
    assert [job.id for job in listing.list(metadata={"page": "yes", "n": "1"}).data] == [jobs[1]]
    events = listing.list_events(jobs[0], limit=1)
    assert events.has_more
    assert listing.list_events(jobs[0], after=events.data[0].id).data[-1].message.startswith("Created")


def test_greedy_and_seeded_answers_repeat(server: ServerProcess) -> None:
    def ask(**options: object) -> str | None:
        reply = server.client.chat.completions.create(
            model="tiny",
            messages=USER,
            max_tokens=12,
            **options,  # type: ignore[arg-type]
        )
        return reply.choices[0].message.content

    assert ask(temperature=0) == ask(temperature=0)
    assert ask(seed=5) == ask(seed=5)
    assert len({ask(seed=seed) for seed in range(4)}) > 1


def test_stop_and_length_are_told(server: ServerProcess) -> None:
    cut = server.client.chat.completions.create(model="tiny", messages=USER, temperature=0, max_tokens=3)

    assert cut.choices[0].finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 3


def test_a_named_function_is_called_even_by_an_untrained_model_or_the_text_is_kept(
    server: ServerProcess,
) -> None:
    reply = server.client.chat.completions.create(
        model="tiny",
        messages=USER,
        tools=[tool("pay", "to"), tool("book")],  # type: ignore[list-item]
        tool_choice={"type": "function", "function": {"name": "pay"}},
        temperature=0,
        max_tokens=6,
    )
    message = reply.choices[0].message

    assert message.tool_calls or (message.content or "").startswith("<|call|>pay{")


def test_tokenize_counts_what_a_chat_request_is_charged(server: ServerProcess) -> None:
    body = {"model": "tiny", "messages": USER, "tools": [tool("pay", "to")]}

    counted = server.client.post(
        "http://" + server.url.split("//")[1] + "/tokenize", cast_to=object, body=body
    )
    reply = server.client.chat.completions.create(**body, max_tokens=1)  # type: ignore[call-overload]

    assert counted["count"] == len(counted["tokens"]) == reply.usage.prompt_tokens  # type: ignore[index]
    assert counted["max_model_len"] == 512  # type: ignore[index]
