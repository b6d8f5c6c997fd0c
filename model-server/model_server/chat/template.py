"""A model's chat template, made uniform: OpenAI messages in, text and token ids out."""

from __future__ import annotations

import json
import threading
from typing import Any, Protocol

from model_server.chat.conversation import ConversationError, call_arguments, content_text
from model_server.chat.tool_calls import detect_dialect

Span = tuple[int, int]

# Llama 3's template writes today's date into every prompt, unless it is given one. A date that changes overnight would
# make tomorrow's prompts others than the ones an adapter was trained and attested on. This one is its own fallback.
FIXED_DATE = {"date_string": "26 Jul 2024"}

# transformers keeps one compiled template per text for the whole process, and with it one list of the answers' spans:
# another thread's rendering would end up in it.
_rendering = threading.Lock()


class Tokenizer(Protocol):
    """What this module needs of a transformers tokenizer."""

    chat_template: Any
    is_fast: bool

    def __call__(self, text: str, **options: Any) -> Any: ...
    def apply_chat_template(self, conversation: Any, **options: Any) -> Any: ...


class ChatTemplate:
    """Renders conversations the way one model was trained to read them."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        if not isinstance(tokenizer.chat_template, str):
            raise ConversationError(
                "the model has no chat template; give it a chat_template.jinja beside its tokenizer"
            )
        if not tokenizer.is_fast:
            raise ConversationError("the model has no fast tokenizer (tokenizer.json), which masks need")
        self._tokenizer = tokenizer
        self.dialect = detect_dialect(tokenizer.chat_template)
        self.marks_generation = "{% generation" in tokenizer.chat_template.replace("{%-", "{%")
        self._arguments_as_objects = self._takes_argument_objects()

    def render(
        self, messages: list[dict[str, Any]], tools: list[dict[str, Any]], *, add_generation_prompt: bool
    ) -> str:
        """The whole conversation as text. Raises ConversationError where the template refuses it."""
        text: str = self._apply(
            self._prepare(messages), tools, tokenize=False, add_generation_prompt=add_generation_prompt
        )
        return text

    def render_marked(
        self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]
    ) -> tuple[str, list[Span]]:
        """The text, and the spans inside ``{% generation %}``, one per assistant message in order."""
        from transformers.utils.chat_template_utils import render_jinja_template  # noqa: PLC0415

        prepared = self._prepare(messages)
        try:
            with _rendering:
                texts, spans = render_jinja_template(
                    conversations=[prepared],
                    tools=tools or None,
                    chat_template=self._tokenizer.chat_template,
                    return_assistant_tokens_mask=True,
                    add_generation_prompt=False,
                    **FIXED_DATE,
                    **getattr(self._tokenizer, "special_tokens_map", {}),
                )
        except Exception as error:
            raise _refusal(error) from error
        return texts[0], [(start, end) for start, end in spans[0]]

    def tokenize(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def tokenize_with_spans(self, text: str) -> tuple[list[int], list[Span]]:
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return encoded["input_ids"], encoded["offset_mapping"]

    def _apply(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]], **options: Any) -> Any:
        try:
            with _rendering:
                return self._tokenizer.apply_chat_template(
                    messages, tools=tools or None, **FIXED_DATE, **options
                )
        except Exception as error:
            # Templates refuse with exceptions of every kind; what they say is the useful part.
            raise _refusal(error) from error

    def _prepare(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [self._prepare_message(message) for message in messages]

    def _prepare_message(self, message: dict[str, Any]) -> dict[str, Any]:
        """Plain text content, arguments in the form this template takes, nothing it could trip over."""
        role = "system" if message["role"] == "developer" else message["role"]
        prepared: dict[str, Any] = {"role": role, "content": content_text(message)}
        if message.get("tool_calls"):
            prepared["tool_calls"] = [self._prepare_call(call) for call in message["tool_calls"]]
        for key in ("tool_call_id", "name"):
            if message.get(key):
                prepared[key] = message[key]
        return prepared

    def _prepare_call(self, call: dict[str, Any]) -> dict[str, Any]:
        arguments: Any = call_arguments(call["function"].get("arguments"), "tool call")
        if not self._arguments_as_objects:
            arguments = json.dumps(arguments, ensure_ascii=False)
        function = {"name": call["function"]["name"], "arguments": arguments}
        return {"id": call.get("id") or "call_0", "type": "function", "function": function}

    def _takes_argument_objects(self) -> bool:
        """Most templates write ``arguments | tojson``; some paste text, and fail or print Python on objects."""
        function = {"name": "probe", "arguments": {"key": "value"}}
        call = {"id": "call_0", "type": "function", "function": function}
        probe: list[dict[str, Any]] = [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
        ]
        try:
            text = self._apply(probe, [], tokenize=False)
        except ConversationError:
            return False
        return '"key"' in text


def _refusal(error: Exception) -> ConversationError:
    return ConversationError(f"the model's chat template cannot render this conversation: {error}")
