import json

import pytest
from tiny_models import NANO_TEMPLATE, TEMPLATES

from model_server.chat.tool_calls import Answer, ToolCall, detect_dialect, forced_prefix, parse_answer

PAY = ToolCall("pay", '{"to":"Ann"}')
BOOK = ToolCall("book", "{}")


@pytest.mark.parametrize(
    ("dialect", "text", "expected"),
    [
        ("nano", '<|call|>pay{"to":"Ann"}', Answer(None, (PAY,))),
        ("nano", '<|call|>pay{"to": "Ann"}<|call|>book{}', Answer(None, (PAY, BOOK))),
        ("nano", "<|call|>book", Answer(None, (BOOK,))),
        ("nano", "Sure.<|call|>book{}", Answer("Sure.", (BOOK,))),
        (
            "hermes",
            '<tool_call>\n{"name": "pay", "arguments": {"to": "Ann"}}\n</tool_call>',
            Answer(None, (PAY,)),
        ),
        (
            "hermes",
            'Sure.<tool_call>{"name":"pay","arguments":{"to":"Ann"}}</tool_call>\n<tool_call>{"name":"book"}',
            Answer("Sure.", (PAY, BOOK)),
        ),
        (
            "hermes",
            '<tool_call>{"name":"pay","arguments":"{\\"to\\":\\"Ann\\"}"}</tool_call>',
            Answer(None, (PAY,)),
        ),
        ("llama3", '{"name": "pay", "parameters": {"to": "Ann"}}', Answer(None, (PAY,))),
        ("llama3", '<|python_tag|>{"name":"book","parameters":{}}', Answer(None, (BOOK,))),
        (
            "llama3",
            '{"name":"pay","parameters":{"to":"Ann"}}; {"name":"book","parameters":{}}',
            Answer(None, (PAY, BOOK)),
        ),
        (
            "llama3",
            '{"name":"pay","parameters":{"to":"a; b"}}',
            Answer(None, (ToolCall("pay", '{"to":"a; b"}'),)),
        ),
    ],
)
def test_calls_are_read_in_each_dialect(dialect: str, text: str, expected: Answer) -> None:
    assert parse_answer(text, dialect) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", ["nano", "hermes", "llama3"])
@pytest.mark.parametrize(
    "text",
    [
        "I cannot help with that.",
        "<|call|>pay{broken",
        "<|call|>{}",
        "<tool_call>not json</tool_call>",
        '<tool_call>{"arguments":{}}</tool_call>',
        "{not json",
        '{"name": 3}',
        '{"answer": 42}',
        "",
    ],
)
def test_what_is_no_call_stays_content_unchanged(dialect: str, text: str) -> None:
    assert parse_answer(text, dialect) == Answer(text)  # type: ignore[arg-type]


def test_the_dialect_is_seen_in_the_template() -> None:
    assert detect_dialect(NANO_TEMPLATE.read_text()) == "nano"
    assert detect_dialect((TEMPLATES / "qwen.jinja").read_text()) == "hermes"
    assert detect_dialect((TEMPLATES / "llama3.jinja").read_text()) == "llama3"
    assert detect_dialect("{{ messages[0].content }}") is None


@pytest.mark.parametrize("dialect", ["nano", "hermes", "llama3"])
def test_a_forced_beginning_and_an_object_make_a_call_of_that_function(dialect: str) -> None:
    closing = {"nano": "", "hermes": "}\n</tool_call>", "llama3": "}"}[dialect]

    text = forced_prefix(dialect, "pay") + json.dumps({"to": "Ann"}) + closing  # type: ignore[arg-type]

    assert parse_answer(text, dialect) == Answer(None, (PAY,))  # type: ignore[arg-type]
