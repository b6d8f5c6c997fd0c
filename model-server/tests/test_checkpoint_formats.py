"""Qwen2.5's and Llama 3.2's formats: loaded, trained, attested, served, and their tool calls read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkpoints import llama32, qwen25
from rows import call, tool, tool_row
from server_process import ServerProcess
from transformers import AutoTokenizer

from model_server.chat.template import ChatTemplate
from model_server.chat.tool_calls import ToolCall, parse_answer
from model_server.serving.base_model import stop_ids
from model_server.training.encode import RowEncoder
from model_server.training.rows import to_row

ROWS = [tool_row(f"pay {i}", "pay", {"to": "A"}) for i in range(16)]
BUILDERS = {"qwen2.5": qwen25, "llama3.2": llama32}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: build(tmp_path_factory.mktemp(name)) for name, build in BUILDERS.items()}


@pytest.fixture(scope="module")
def server(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("home"), folders)
    yield process
    process.stop()


def template(folder: Path) -> ChatTemplate:
    return ChatTemplate(AutoTokenizer.from_pretrained(folder))


@pytest.mark.parametrize("name", BUILDERS)
def test_it_is_fine_tuned_and_served_with_its_tool_calls(server: ServerProcess, name: str) -> None:
    wanted = {"n_epochs": 12, "batch_size": 4, "learning_rate": 0.03, "lora": {"rank": 8, "dropout": 0.0}}
    asked: dict[str, Any] = {
        "messages": ROWS[0]["messages"][:1],
        "tools": ROWS[0]["tools"],
        "temperature": 0,
        "max_tokens": 90,
    }

    done = server.wait(server.create_job(server.upload(ROWS), model=name, hyper=wanted).id)
    assert done.status == "succeeded", done.error
    tuned = server.client.chat.completions.create(model=done.fine_tuned_model, **asked)
    streamed = list(server.client.chat.completions.create(model=done.fine_tuned_model, stream=True, **asked))
    base = server.client.chat.completions.create(model=name, **asked)
    vector = server.client.embeddings.create(
        model=done.fine_tuned_model, input="pay", encoding_format="float"
    )

    function = tuned.choices[0].message.tool_calls[0].function
    assert (function.name, function.arguments) == ("pay", '{"to":"A"}')
    assert tuned.choices[0].finish_reason == "tool_calls"
    calls = [c for chunk in streamed for c in chunk.choices[0].delta.tool_calls or []]
    assert "".join(c.function.arguments or "" for c in calls) == '{"to":"A"}'
    assert not base.choices[0].message.tool_calls
    assert len(vector.data[0].embedding) == 32
    assert server.client.models.retrieve(name).max_model_len == 4096  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("qwen2.5", '<tool_call>\n{"name": "pay", "arguments": {"to": "A"}}\n</tool_call><|im_end|>'),
        ("llama3.2", '{"name": "pay", "parameters": {"to": "A"}}<|eot_id|>'),
    ],
)
def test_the_loss_is_on_the_answer_as_the_model_must_write_it(
    folders: dict[str, Path], name: str, answer: str
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders[name])
    encoder = RowEncoder(template(folders[name]), stop_ids(tokenizer, None), 4096)

    (encoded,) = encoder.encode(to_row(1, ROWS[0]))
    learned = [i for i, label in zip(encoded.input_ids, encoded.labels, strict=True) if label != -100]

    assert tokenizer.decode(learned) == answer


def test_a_prompt_does_not_change_with_the_day(folders: dict[str, Path]) -> None:
    text = template(folders["llama3.2"]).render(ROWS[0]["messages"][:1], [], add_generation_prompt=True)

    assert "Today Date: 26 Jul 2024\n" in text


def test_results_of_tools_stand_where_each_family_wants_them(folders: dict[str, Path]) -> None:
    messages = [
        {"role": "user", "content": "pay A"},
        {"role": "assistant", "content": None, "tool_calls": [call("pay", '{"to": "A"}')]},
        {"role": "tool", "tool_call_id": "call_1", "content": "done"},
    ]
    shown = {
        name: template(folder).render(messages, [tool("pay", "to")], add_generation_prompt=True)
        for name, folder in folders.items()
    }

    assert shown["qwen2.5"].endswith(
        "<|im_start|>user\n<tool_response>\ndone\n</tool_response><|im_end|>\n<|im_start|>assistant\n"
    )
    assert shown["llama3.2"].endswith(
        '<|start_header_id|>ipython<|end_header_id|>\n\n"done"<|eot_id|>'
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


PAY = ToolCall("pay", '{"to":"A"}')
BOOK = ToolCall("book", "{}")


@pytest.mark.parametrize(
    ("name", "text", "content", "calls"),
    [
        ("qwen2.5", '<tool_call>\n{"name": "pay", "arguments": {"to": "A"}}\n</tool_call>', None, (PAY,)),
        (
            "qwen2.5",
            'Sure.\n<tool_call>\n{"name": "pay", "arguments": {"to": "A"}}\n</tool_call>\n'
            '<tool_call>\n{"name": "book", "arguments": {}}\n</tool_call>',
            "Sure.",
            (PAY, BOOK),
        ),
        ("qwen2.5", '<tool_call>\n{"name": "pay", "argu', '<tool_call>\n{"name": "pay", "argu', ()),
        ("llama3.2", '{"name": "pay", "parameters": {"to": "A"}}', None, (PAY,)),
        ("llama3.2", '<|python_tag|>{"name": "pay", "parameters": {"to": "A"}}', None, (PAY,)),
        (
            "llama3.2",
            '{"name": "pay", "parameters": {"to": "A"}}; {"name": "book", "parameters": {}}',
            None,
            (PAY, BOOK),
        ),
        ("llama3.2", "It is {nothing} to call.", "It is {nothing} to call.", ()),
    ],
)
def test_tool_calls_are_read_in_each_familys_writing(
    folders: dict[str, Path], name: str, text: str, content: str | None, calls: tuple[ToolCall, ...]
) -> None:
    read = parse_answer(text, template(folders[name]).dialect)

    assert (read.content, read.calls) == (content, calls)
