"""The generated text: seeded, free of the workloads it is measured on, rightly written and weighted."""

import json
import random
from pathlib import Path

import pytest

from nano.chat_format import ANSWER_WEIGHT, SPECIAL_TOKENS, segments, text
from nano.conversations import Conversation, conversation, few_shot, tool_choice
from nano.corpus import batches, encode
from nano.excluded import CLINC150_INTENTS, is_excluded, name_words
from nano.lexicon import load
from nano.slots import made_up_word
from nano.tokenizer import train_tokenizer

CLINC150 = Path(__file__).parents[4] / "shared" / "data" / "clinc150" / "domains.json"


def conversations(seed: int, count: int) -> list[Conversation]:
    rng = random.Random(seed)
    return [conversation(load(), rng) for _ in range(count)]


@pytest.fixture(scope="module")
def small_tokenizer():
    return train_tokenizer(seed=1, vocab_size=600, conversations=100)


def test_one_seed_gives_one_text():
    assert [text(c) for c in conversations(7, 30)] == [text(c) for c in conversations(7, 30)]
    assert [text(c) for c in conversations(7, 30)] != [text(c) for c in conversations(8, 30)]


def test_batches_do_not_depend_on_the_number_of_workers(small_tokenizer):
    streams = [batches(small_tokenizer.backend_tokenizer, "7", 4096, workers) for workers in (0, 2)]

    alone, together = (next(stream) for stream in streams)

    assert (alone.ids == together.ids).all()
    assert (alone.weights == together.weights).all()
    for stream in streams:
        stream.close()


def test_no_tool_of_the_measured_workloads_is_in_the_text():
    names = {name for c in conversations(3, 1500) for name, _ in c.tools}

    assert len(names) > 3000
    assert [name for name in names if is_excluded(name)] == []


def test_no_scene_is_named_like_an_excluded_tool():
    assert [scene.name for scene in load().scenes if is_excluded(scene.name)] == []


@pytest.mark.parametrize(
    "name", ["ptoBalance", "balance-pto", "hr.insurance", "track_order", "ResetPassword"]
)
def test_exclusion_sees_through_order_and_style(name):
    assert is_excluded(name)


def test_ordinary_names_are_not_excluded():
    assert not is_excluded("bike_price")
    assert name_words("bikePrice") == ["bike", "price"]


@pytest.mark.skipif(not CLINC150.exists(), reason="the CLINC150 data is not beside this checkout")
def test_the_list_of_excluded_intents_is_the_whole_of_clinc150():
    domains = json.loads(CLINC150.read_text(encoding="utf-8"))

    assert {name for names in domains.values() for name in names} == CLINC150_INTENTS


def test_tool_sets_keep_changing():
    sets = [tuple(c.tools) for c in (tool_choice(load(), random.Random(seed)) for seed in range(200))]

    assert len(set(sets)) == len(sets)
    assert min(map(len, sets)) <= 3
    assert max(map(len, sets)) >= 20


def test_every_call_names_a_listed_tool_and_its_arguments():
    for made in conversations(5, 400):
        listed = dict(made.tools)
        for message in made.messages:
            for call in message.get("tool_calls", ()):
                function = call["function"]
                assert set(function["arguments"]) <= set(listed[function["name"]])


def test_text_arguments_are_copied_from_the_question():
    for made in conversations(6, 300):
        for question, answer in zip(made.messages, made.messages[1:], strict=False):
            for call in answer.get("tool_calls", ()):
                for value in call["function"]["arguments"].values():
                    assert str(value).lower() in question["content"].lower()


def test_few_shot_prompts_have_the_products_form():
    rng = random.Random(2)
    prompts = [few_shot(load(), rng).messages[0] for _ in range(20)]

    for prompt in prompts:
        assert prompt["role"] == "system"
        assert "\n\nExamples:\n\nUser: " in prompt["content"]
        assert "\nAssistant: " in prompt["content"]


def test_the_answer_and_its_end_are_what_is_learned(small_tokenizer):
    made = tool_choice(load(), random.Random(4))

    ids, weights = encode(segments(made), small_tokenizer.backend_tokenizer)
    learned = [token for token, weight in zip(ids, weights, strict=True) if weight == ANSWER_WEIGHT]
    answers = [part for part, weight in segments(made) if weight == ANSWER_WEIGHT]

    assert small_tokenizer.decode(learned) == "".join(answers)
    assert all(answer.endswith("<|end|>") for answer in answers)
    assert sum(m["role"] == "assistant" for m in made.messages) == len(answers)


def test_segments_are_tokenized_as_the_whole_text_is(small_tokenizer):
    for made in conversations(9, 50):
        ids, _ = encode(segments(made), small_tokenizer.backend_tokenizer)

        assert ids == small_tokenizer(text(made), add_special_tokens=False)["input_ids"][: len(ids)]


def test_special_tokens_are_single_tokens(small_tokenizer):
    for token in SPECIAL_TOKENS:
        assert len(small_tokenizer.encode(token, add_special_tokens=False)) == 1


def test_a_word_is_the_same_token_in_a_question_and_in_a_name(small_tokenizer):
    word = made_up_word(random.Random(1))
    alone = small_tokenizer.encode(word, add_special_tokens=False)

    in_question = small_tokenizer.encode(f"the {word} is", add_special_tokens=False)
    in_name = small_tokenizer.encode(f"get_{word}()", add_special_tokens=False)

    assert _contains(in_question, alone)
    assert _contains(in_name, alone)


def _contains(longer: list[int], part: list[int]) -> bool:
    return any(longer[i : i + len(part)] == part for i in range(len(longer)))
