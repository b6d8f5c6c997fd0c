"""A conversation's shape: roles, their order, content and tool calls. Pure.

Problems are reported as text without a place ("message 2 …"); the caller adds line number or parameter.
"""

from __future__ import annotations

import json
from typing import Any

ROLES = ("system", "developer", "user", "assistant", "tool")


class ConversationError(ValueError):
    """The conversation cannot be rendered or trained on; the message says which part and why."""


def check_messages(messages: Any) -> list[dict[str, Any]]:
    """Known roles in a possible order. Returns the messages it was given."""
    if not isinstance(messages, list) or not messages:
        raise ConversationError("'messages' must be a list with at least one message")
    unanswered: set[str] | None = None
    body_begun = False
    for index, message in enumerate(messages):
        where = f"message {index}"
        role = _check_message(message, where)
        if role in ("system", "developer") and body_begun:
            raise ConversationError(f"{where} has role '{role}', which must come before all others")
        body_begun = body_begun or role not in ("system", "developer")
        if role == "tool":
            unanswered = _answer(message, unanswered, where)
            continue
        if unanswered:
            raise ConversationError(f"{where} has role '{role}', but tool calls before it have no answer")
        unanswered = _opened_calls(message) if role == "assistant" else None
    return messages


def _check_message(message: Any, where: str) -> str:
    if not isinstance(message, dict):
        raise ConversationError(f"{where} must be an object")
    role = message.get("role")
    if role not in ROLES:
        raise ConversationError(f"{where} has role {role!r}; known roles are {', '.join(ROLES)}")
    calls = message.get("tool_calls")
    if calls and role != "assistant":
        raise ConversationError(f"{where} has tool calls, but only the assistant calls tools")
    for position, call in enumerate(_list_of_calls(calls, where)):
        _check_call(call, f"{where}, tool call {position}")
    if message.get("content") is None and not calls:
        raise ConversationError(
            f"{where} has no content" + (" and no tool calls" if role == "assistant" else "")
        )
    content_text(message, where)
    return str(role)


def _list_of_calls(calls: Any, where: str) -> list[Any]:
    if calls is None:
        return []
    if not isinstance(calls, list):
        raise ConversationError(f"{where}: 'tool_calls' must be a list")
    return calls


def _check_call(call: Any, where: str) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
        raise ConversationError(
            f"{where} must be {{'type': 'function', 'function': {{'name', 'arguments'}}}}"
        )
    call_arguments(function.get("arguments"), where)


def call_arguments(arguments: Any, where: str) -> dict[str, Any]:
    """Arguments as an object, from an object, its JSON text, or nothing."""
    if arguments is None or arguments == "":
        return {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except json.JSONDecodeError as error:
            raise ConversationError(f"{where}: arguments are not JSON ({error})") from error
    if not isinstance(arguments, dict):
        raise ConversationError(f"{where}: arguments must be a JSON object")
    return arguments


def content_text(message: dict[str, Any], where: str = "message") -> str:
    """Content as text: a string, text parts joined, or nothing."""
    content = message.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise ConversationError(f"{where}: content must be a string or a list of text parts")
    texts = []
    for part in content:
        if not isinstance(part, dict) or part.get("type") not in ("text", "refusal"):
            raise ConversationError(f"{where}: content parts must be of type 'text'")
        text = part.get(part["type"])
        if not isinstance(text, str):
            raise ConversationError(f"{where}: a text part has no text")
        texts.append(text)
    return "".join(texts)


def _opened_calls(message: dict[str, Any]) -> set[str] | None:
    calls = message.get("tool_calls")
    return {str(call.get("id") or "") for call in calls} if calls else None


def _answer(message: dict[str, Any], unanswered: set[str] | None, where: str) -> set[str]:
    if unanswered is None:
        raise ConversationError(f"{where} has role 'tool', but no tool call comes before it")
    call_id = str(message.get("tool_call_id") or "")
    if call_id and "" not in unanswered and call_id not in unanswered:
        raise ConversationError(f"{where} answers tool call '{call_id}', which is not open")
    # Logs without ids are answered in any order, by number alone.
    return unanswered - {call_id} if call_id in unanswered else set(list(unanswered)[1:])


def check_tools(tools: Any) -> list[dict[str, Any]]:
    if tools is None:
        return []
    if not isinstance(tools, list):
        raise ConversationError("'tools' must be a list")
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if (
            not isinstance(function, dict)
            or not isinstance(function.get("name"), str)
            or not function["name"]
        ):
            raise ConversationError(f"tool {index} must be {{'type': 'function', 'function': {{'name', …}}}}")
        if not isinstance(function.get("parameters", {}), dict):
            raise ConversationError(
                f"tool {index} ('{function['name']}'): 'parameters' must be a JSON schema"
            )
    return tools
