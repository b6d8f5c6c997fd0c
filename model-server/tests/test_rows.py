import json

import pytest
from rows import chat, tool_row

from model_server.training.rows import RowError, parse_lines, to_row


def test_blank_lines_are_skipped_and_lines_count_from_one() -> None:
    lines = [b"\n", json.dumps(chat("a", "b")).encode(), b"  \n", b"{}"]

    assert [number for number, _ in parse_lines(lines)] == [2, 4]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"{oops", "line 2: not JSON"),
        (b"[1]", "line 2: a JSON object"),
        (b'{"a": "\xff"}', "line 2: not UTF-8"),
    ],
)
def test_a_malformed_line_is_named(raw: bytes, problem: str) -> None:
    with pytest.raises(RowError, match=problem):
        list(parse_lines([b"{}", raw]))


def test_a_row_keeps_messages_and_tools() -> None:
    value = tool_row("pay Ann", "pay", '{"to":"Ann"}')

    row = to_row(7, value)

    assert (row.line, row.messages, row.tools) == (7, value["messages"], value["tools"])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({}, "'messages' must be a list"),
        ({"messages": [{"role": "user", "content": "x"}]}, "last message must be the assistant's"),
        ({"messages": [{"role": "assistant", "content": "x", "weight": 0}]}, "nothing to learn"),
        ({"messages": [{"role": "assistant", "content": "x", "weight": 2}]}, "must be 0 or 1"),
        (
            {
                "messages": [
                    {"role": "user", "content": "x", "weight": 1},
                    {"role": "assistant", "content": "y"},
                ]
            },
            "only assistant",
        ),
        (chat("a", "b") | {"tools": "none"}, "'tools' must be a list"),
    ],
)
def test_an_unusable_row_is_refused_with_its_line(value: dict, problem: str) -> None:
    with pytest.raises(RowError, match=f"line 3: .*{problem}"):
        to_row(3, value)
