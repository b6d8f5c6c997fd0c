"""Loss on the assistant's own words only, whatever the template."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from rows import call, chat, tool, tool_row
from tiny_models import CONTEXT, llama3_tokenizer, nano_tokenizer, qwen_tokenizer

from model_server.chat.template import ChatTemplate
from model_server.training.encode import IGNORED, RowEncoder
from model_server.training.rows import RowError, to_row

TOKENIZERS = {"nano": nano_tokenizer, "qwen": qwen_tokenizer, "llama3": llama3_tokenizer}


def learned(name: str, row: dict[str, Any], max_length: int = CONTEXT) -> list[list[str]]:
    """Per sequence, the runs of text that carry a loss."""
    tokenizer = TOKENIZERS[name]()
    encoder = RowEncoder(ChatTemplate(tokenizer), frozenset([tokenizer.eos_token_id]), max_length)
    found = []
    for sequence in encoder.encode(to_row(1, row)):
        runs: list[list[int]] = [[]]
        for token, label in zip(sequence.input_ids, sequence.labels, strict=True):
            assert label in (IGNORED, token)
            if label == IGNORED:
                runs.append([])
            else:
                runs[-1].append(token)
        found.append([tokenizer.decode(run) for run in runs if run])
    return found


def several_turns(weight: int = 1) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "pay Ann"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [call("pay", '{"to": "Ann"}')],
                "weight": weight,
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "paid"},
            {"role": "assistant", "content": "Done."},
        ],
        "tools": [tool("pay", "to")],
    }


NANO_CALL = '<|call|>pay{"to":"Ann"}<|end|>'
QWEN_CALL = '<tool_call>\n{"name": "pay", "arguments": {"to": "Ann"}}\n</tool_call><|im_end|>'
LLAMA_CALL = '{"name": "pay", "parameters": {"to": "Ann"}}<|eot_id|>'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nano", [[NANO_CALL, "Done.<|end|>"]]),
        ("llama3", [[LLAMA_CALL, "Done.<|eot_id|>"]]),
        # This template drops the reasoning of earlier turns, so each answer is a sequence of its own.
        (
            "qwen",
            [[f"<think>\n\n</think>\n\n{QWEN_CALL}"], ["<think>\n\n</think>\n\nDone.<|im_end|>"]],
        ),
    ],
)
def test_every_answer_is_learned_and_nothing_else(name: str, expected: list[list[str]]) -> None:
    assert learned(name, several_turns()) == expected


def test_two_threads_mark_answers_without_mixing_them_up() -> None:
    """transformers keeps one compiled template, and one list of spans, for the whole process."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: learned("nano", several_turns()), range(80)))
    finally:
        sys.setswitchinterval(interval)

    assert found == [[[NANO_CALL, "Done.<|end|>"]]] * 80


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nano", [["Done.<|end|>"]]),
        ("llama3", [["Done.<|eot_id|>"]]),
        ("qwen", [["<think>\n\n</think>\n\nDone.<|im_end|>"]]),
    ],
)
def test_an_answer_of_weight_0_is_read_but_not_learned(name: str, expected: list[list[str]]) -> None:
    assert learned(name, several_turns(weight=0)) == expected


@pytest.mark.parametrize("name", TOKENIZERS)
def test_arguments_as_text_and_as_object_are_the_same_row(name: str) -> None:
    assert learned(name, tool_row("x", "pay", '{"to": "Ann"}')) == learned(
        name, tool_row("x", "pay", {"to": "Ann"})
    )


def test_an_answer_in_several_bytes_per_letter_is_learned_whole() -> None:
    assert learned("nano", chat("héllo", "naïve → 日本")) == [["naïve → 日本<|end|>"]]


def test_a_row_that_is_too_long_is_refused_with_its_line() -> None:
    with pytest.raises(RowError, match=r"line 1: .* tokens, but at most 20") as raised:
        learned("nano", chat("a" * 30, "b"), max_length=20)
    assert raised.value.code == "row_too_long"


def test_what_the_template_refuses_is_told() -> None:
    two_calls = {
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "tool_calls": [call("pay", {}, "a"), call("pay", {}, "b")]},
        ]
    }
    with pytest.raises(RowError, match="only supports single tool-calls"):
        learned("llama3", two_calls)


def test_a_template_that_pastes_arguments_gets_text() -> None:
    tokenizer = nano_tokenizer()
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.role + ':' + m.content }}"
        "{% for c in m.tool_calls or [] %}{{ c.function.name + c.function.arguments }}{% endfor %}{% endfor %}"
    )

    text = ChatTemplate(tokenizer).render(
        tool_row("x", "pay", {"to": "Ann"})["messages"], [], add_generation_prompt=False
    )

    assert text == 'user:xassistant:pay{"to": "Ann"}'
