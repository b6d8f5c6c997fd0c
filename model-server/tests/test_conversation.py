import pytest
from rows import call

from model_server.chat.conversation import ConversationError, check_messages, check_tools, content_text

USER = {"role": "user", "content": "x"}
CALLS = {"role": "assistant", "content": None, "tool_calls": [call("pay", "{}", "a"), call("book", {}, "b")]}


def tool_answer(call_id: str) -> dict:
    return {"role": "tool", "tool_call_id": call_id, "content": "ok"}


@pytest.mark.parametrize(
    "messages",
    [
        [USER],
        [{"role": "developer", "content": "be kind"}, {"role": "system", "content": "s"}, USER],
        [USER, {"role": "user", "content": [{"type": "text", "text": "a"}]}],
        [USER, CALLS],
        [USER, CALLS, tool_answer("b"), tool_answer("a"), {"role": "assistant", "content": "done"}],
    ],
)
def test_possible_conversations_pass(messages: list) -> None:
    assert check_messages(messages) == messages


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        (None, "must be a list"),
        ([], "at least one"),
        (["hello"], "message 0 must be an object"),
        ([{"role": "robot", "content": "x"}], "role 'robot'"),
        ([USER, {"role": "system", "content": "late"}], "must come before"),
        ([USER, {"role": "assistant"}], "no content and no tool calls"),
        ([{"role": "user", "content": None}], "no content"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "type 'text'"),
        ([{"role": "user", "content": "x", "tool_calls": [call("pay")]}], "only the assistant"),
        ([USER, tool_answer("a")], "no tool call comes before"),
        ([USER, CALLS, USER], "no answer"),
        ([USER, CALLS, tool_answer("a"), USER], "no answer"),
        ([USER, CALLS, tool_answer("zzz")], "not open"),
        ([USER, {"role": "assistant", "tool_calls": [call("pay", "{broken")]}], "not JSON"),
        ([USER, {"role": "assistant", "tool_calls": [call("pay", "[1]")]}], "must be a JSON object"),
        ([USER, {"role": "assistant", "tool_calls": [{"function": {}}]}], "tool call 0"),
    ],
)
def test_impossible_conversations_name_the_message_and_the_problem(messages: object, problem: str) -> None:
    with pytest.raises(ConversationError, match=problem):
        check_messages(messages)


def test_content_parts_are_joined() -> None:
    assert content_text({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}) == "ab"


@pytest.mark.parametrize("tools", [{"name": "x"}, [{"type": "function"}], [{"function": {"name": ""}}]])
def test_malformed_tools_are_refused(tools: object) -> None:
    with pytest.raises(ConversationError):
        check_tools(tools)
