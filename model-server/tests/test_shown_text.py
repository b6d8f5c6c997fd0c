import pytest

from model_server.chat.tool_calls import Dialect
from model_server.serving.shown_text import ShownText

SPECIAL = ["<|end|>", "<|call|>", "<|im_end|>"]


def pieces(whole: str, dialect: Dialect | None, stops: tuple[str, ...] = ()) -> list[str]:
    """What is shown while the text grows by one character at a time."""
    shown = ShownText(dialect, SPECIAL, stops)
    return [piece for end in range(1, len(whole) + 1) if (piece := shown.delta(whole[:end]))]


def test_plain_text_is_shown_as_it_comes_without_its_edges() -> None:
    assert "".join(pieces("  Hello, you there. ", None)) == "Hello, you there."
    assert len(pieces("Hello", None)) == 5


@pytest.mark.parametrize(
    ("dialect", "whole", "shown"),
    [
        ("nano", "Yes.<|call|>pay{}", "Yes."),
        ("hermes", 'Sure.\n<tool_call>\n{"name": "pay"}', "Sure."),
        ("hermes", "a < b", "a < b"),
        ("llama3", '{"name": "pay", "parameters": {}}', ""),
        ("llama3", "Words.", "Words."),
        (None, "one<|end|>", "one"),
    ],
)
def test_calls_and_control_tokens_are_never_shown(dialect: Dialect | None, whole: str, shown: str) -> None:
    assert "".join(pieces(whole, dialect)) == shown


def test_a_stop_string_is_held_back_until_it_is_none() -> None:
    assert "".join(pieces("end of STO and more", None, ("STOP",))) == "end of STO and more"
    assert "".join(pieces("end of STO", None, ("STOP",))) == "end of"


def test_half_a_character_waits() -> None:
    assert ShownText(None, [], ()).delta("caf\N{REPLACEMENT CHARACTER}") == "caf"
