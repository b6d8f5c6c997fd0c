"""The models in models/: they load, are what their cards say, and answer in their own form."""

import json
import random
import re
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from nano.chat_format import text
from nano.conversations import Conversation, conversation
from nano.lexicon import load

MODELS = Path(__file__).parents[2] / "models"
# Parameters; bytes of the whole folder at most.
SHIPPED = {"nano-1m": (1_016_960, 5_000_000), "nano-4m": (3_934_464, 9_000_000)}
WORK_TOOLS = (
    "direct_deposit income insurance insurance_change meeting_schedule next_holiday payday pto_balance "
    "pto_request pto_request_status pto_used rollover_401k schedule_meeting taxes w2"
).split()


@pytest.fixture(scope="module", params=SHIPPED)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def tokenizer(name):
    return AutoTokenizer.from_pretrained(MODELS / name)


@pytest.fixture(scope="module")
def model(name):
    return AutoModelForCausalLM.from_pretrained(MODELS / name, dtype=torch.float32)


def tool(name: str, *arguments: str) -> dict:
    properties = {argument: {"type": "string"} for argument in arguments}
    return {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": properties}},
    }


def openai_form(made: Conversation) -> dict:
    tools = [tool(name, *arguments) for name, arguments in made.tools]
    return {"conversation": made.messages, "tools": tools or None}


def test_it_is_a_small_bfloat16_llama(model, name):
    parameters, size = SHIPPED[name]

    assert model.config.model_type == "llama"
    assert model.config.tie_word_embeddings
    assert model.num_parameters() == parameters
    assert json.loads((MODELS / name / "config.json").read_text())["dtype"] == "bfloat16"
    assert sum(file.stat().st_size for file in (MODELS / name).iterdir()) < size


def test_its_card_has_no_gap(name):
    card = (MODELS / name / "README.md").read_text(encoding="utf-8")

    assert "license: apache-2.0" in card
    assert f"{SHIPPED[name][0]:,} parameters" in card
    assert not re.search(r"@[A-Z]+@", card)


def test_the_template_writes_what_the_generator_writes(tokenizer):
    rng = random.Random(11)
    for _ in range(60):
        made = conversation(load(), rng)

        rendered = tokenizer.apply_chat_template(**openai_form(made), tokenize=False)

        assert rendered == text(made)


def test_the_template_takes_openais_strings_parts_and_nulls(tokenizer):
    call = {"id": "c1", "type": "function", "function": {"name": "feed", "arguments": '{"who":"cat"}'}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "feed the cat"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
    ]

    rendered = tokenizer.apply_chat_template(
        messages, tools=[tool("feed", "who")], tokenize=False, add_generation_prompt=True
    )

    assert rendered == (
        "<|bos|><|tools|>feed(who)\n<|user|>feed the cat<|end|>"
        '<|assistant|><|call|>feed{"who":"cat"}<|end|><|tool|>ok<|end|><|assistant|>'
    )


def test_the_generation_mask_covers_answers_with_their_end_only(tokenizer):
    messages = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "thanks"},
        {"role": "assistant", "content": "Sure."},
    ]

    encoded = tokenizer.apply_chat_template(
        messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    masked = [
        token for token, kept in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if kept
    ]

    assert tokenizer.decode(masked) == "Hi.<|end|>Sure.<|end|>"


def test_fifteen_tools_take_about_a_hundred_tokens(tokenizer):
    tools = [tool(name) for name in WORK_TOOLS]
    with_tools, without = (
        len(tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tools=t, return_dict=False))
        for t in (tools, None)
    )

    assert with_tools - without <= 120


def test_skipping_special_tokens_keeps_the_call(tokenizer):
    ids = tokenizer.encode("<|call|>feed{}<|end|>", add_special_tokens=False)

    assert tokenizer.decode(ids, skip_special_tokens=True) == "<|call|>feed{}"


def _answers(model, tokenizer, made: Conversation) -> tuple[str, str]:
    """(what the model says, what the generator expects) at the first answer."""
    first = next(i for i, message in enumerate(made.messages) if message["role"] == "assistant")
    form = openai_form(Conversation(made.tools, made.messages[:first]))
    prompt = tokenizer.apply_chat_template(**form, tokenize=False, add_generation_prompt=True)
    encoded = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
    out = model.generate(input_ids=encoded["input_ids"], max_new_tokens=48, do_sample=False)
    said = tokenizer.decode(out[0][encoded["input_ids"].shape[1] :])
    expected = text(Conversation(made.tools, made.messages[: first + 1])).removeprefix(prompt)
    return said, expected


def _is_well_formed(said: str) -> bool:
    """Words, or calls whose arguments are a JSON object; ended by the model itself."""
    if not said.endswith("<|end|>"):
        return False
    head, *calls = said.removesuffix("<|end|>").split("<|call|>")
    if not calls:
        return bool(head)
    found = [re.fullmatch(r"[\w.-]+(\{.*\})", call) for call in calls]
    return not head and all(match and isinstance(_json(match[1]), dict) for match in found)


def _json(written: str) -> object:
    try:
        return json.loads(written)
    except json.JSONDecodeError:
        return None


def test_untuned_it_answers_in_its_form_and_at_times_rightly(model, tokenizer):
    rng = random.Random("never trained on")
    made = [c for c in (conversation(load(), rng) for _ in range(60)) if c.tools][:30]

    answers = [_answers(model, tokenizer, c) for c in made]
    formed = sum(_is_well_formed(said) for said, _ in answers)
    right = sum(said == expected for said, expected in answers)

    assert formed >= 24
    # Chance is near 1 in 10 for the name alone; nano is a start for fine-tuning, not more.
    assert right >= 4
