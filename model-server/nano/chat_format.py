"""How a conversation is written for nano, with the weight that each part has in the loss.

Must give the same text as chat_template.jinja (a test compares them). It exists
because the generator writes thousands of conversations a second.
"""

import json
from typing import Any

from nano.conversations import Conversation, Message

SPECIAL_TOKENS = (
    *("<|bos|>", "<|pad|>", "<|tools|>", "<|system|>", "<|user|>"),
    *("<|assistant|>", "<|tool|>", "<|call|>", "<|end|>"),
)

# The answer is what the model is for. Predicting the user's words after a tool
# list teaches which words belong to which tool; a smaller share of the loss
# keeps it from crowding out the answers.
ANSWER_WEIGHT = 1.0
USER_WEIGHT = 0.2

Segment = tuple[str, float]


def _answer(message: Message) -> str:
    calls = "".join(_call(call["function"]) for call in message.get("tool_calls", ()))
    return (message.get("content") or "") + calls + "<|end|>"


def _call(function: dict[str, Any]) -> str:
    arguments = json.dumps(function["arguments"], separators=(",", ":"), ensure_ascii=False)
    return f"<|call|>{function['name']}{arguments}"


def segments(conversation: Conversation) -> list[Segment]:
    """The conversation as (text, loss weight) parts, in order; each starts at a special token or ends one."""
    head = "<|bos|>"
    if conversation.tools:
        lines = (f"{name}({','.join(arguments)})\n" for name, arguments in conversation.tools)
        head += "<|tools|>" + "".join(lines)
    parts: list[Segment] = [(head, 0.0)]
    for message in conversation.messages:
        if message["role"] == "assistant":
            parts += [("<|assistant|>", 0.0), (_answer(message), ANSWER_WEIGHT)]
            continue
        weight = USER_WEIGHT if message["role"] == "user" else 0.0
        parts += [(f"<|{message['role']}|>", 0.0), (f"{message['content']}<|end|>", weight)]
    return parts


def text(conversation: Conversation) -> str:
    return "".join(part for part, _ in segments(conversation))
