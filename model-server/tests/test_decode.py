from collections.abc import Sequence
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from model_server.serving.decode import Row, decode
from model_server.serving.prefix_cache import PrefixCache
from model_server.serving.requests import Sampling
from model_server.serving.sampling import nucleus

LETTERS = "abcdefghijklmnopqrst"


class Tiny:
    """A real Llama over twenty letters, and how many tokens it was given to read."""

    def __init__(self) -> None:
        torch.manual_seed(3)
        config = LlamaConfig(
            vocab_size=len(LETTERS),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            initializer_range=0.5,
        )
        self._model = LlamaForCausalLM(config).eval()
        self.device = self._model.device
        self.read: list[tuple[int, int]] = []

    def __call__(self, models: Sequence[str], **inputs: Any) -> Any:
        self.read.append(tuple(inputs["input_ids"].shape))
        return self._model(**inputs)


@pytest.fixture
def tiny() -> Tiny:
    return Tiny()


def row(prompt: Sequence[int], room: int = 10, **options: Any) -> Row:
    options = {"sampling": Sampling(temperature=0), "stop_ids": frozenset(), "model": "m"} | options
    return Row(
        prompt=list(prompt), room=room, to_text=lambda ids: "".join(LETTERS[i] for i in ids), **options
    )


def run(tiny: Tiny, *rows: Row, **options: Any) -> list[list[int]]:
    decode(tiny, rows, **options)
    return [one.made for one in rows]


PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11, 12], [2, 4, 6, 8, 10]]


def test_a_batch_says_what_each_prompt_says_alone(tiny: Tiny) -> None:
    alone = [run(tiny, row(prompt))[0] for prompt in PROMPTS]

    together = run(tiny, *[row(prompt) for prompt in PROMPTS])

    assert together == alone
    assert len({tuple(made) for made in alone}) == len(PROMPTS)


def test_rows_of_different_length_end_on_their_own(tiny: Tiny) -> None:
    rooms = [2, 9, 5, 1]
    alone = [run(tiny, row(p, room))[0] for p, room in zip(PROMPTS, rooms, strict=True)]
    ended: list[int] = []
    rows = [row(p, room) for p, room in zip(PROMPTS, rooms, strict=True)]

    run(tiny, *rows, on_end=lambda one: ended.append(one.room))

    assert [one.made for one in rows] == alone
    assert ended == sorted(rooms)
    assert tiny.read[-1] == (1, 1)


def test_a_seed_means_the_same_alone_and_in_a_batch(tiny: Tiny) -> None:
    hot = Sampling(temperature=1.5, seed=5)
    alone = run(tiny, row(PROMPTS[0], sampling=hot))[0]

    together = run(tiny, *[row(prompt, sampling=hot) for prompt in PROMPTS])

    assert together[0] == alone


def test_a_known_beginning_changes_no_token_and_is_not_read_again(tiny: Tiny) -> None:
    shared = [i % 17 for i in range(40)]
    prompts = [[*shared, 3], [*shared, 5, 7], [*shared[:30], 9, 1, 2], [4, 4, 4], [*shared, 3]]
    plain = run(tiny, *[row(prompt) for prompt in prompts])
    prefixes = PrefixCache(10_000_000)
    run(tiny, row(shared), prefixes=prefixes)
    tiny.read.clear()
    rows = [row(prompt) for prompt in prompts]

    again = run(tiny, *rows, prefixes=prefixes)

    assert again == plain
    assert [one.cached for one in rows] == [40, 40, 30, 0, 40]
    assert tiny.read[0] == (5, 3)


def test_another_models_memory_is_not_used(tiny: Tiny) -> None:
    prompt = list(range(18)) * 2
    prefixes = PrefixCache(10_000_000)
    run(tiny, row(prompt), prefixes=prefixes)
    other = row(prompt, model="other")

    run(tiny, other, prefixes=prefixes)

    assert other.cached == 0


def test_the_end_of_turn_is_left_out_of_the_text(tiny: Tiny) -> None:
    said = run(tiny, row(PROMPTS[0]))[0]
    stopping = row(PROMPTS[0], stop_ids=frozenset([said[3]]))

    run(tiny, stopping)

    assert stopping.finish_reason == "stop"
    assert stopping.text == "".join(LETTERS[i] for i in said[: said.index(said[3])])


def test_a_stop_string_ends_before_itself(tiny: Tiny) -> None:
    whole = row(PROMPTS[2])
    run(tiny, whole)
    cut = row(PROMPTS[2], sampling=Sampling(temperature=0, stop=("zzz", whole.text[4:6])))

    run(tiny, cut)

    assert cut.text == whole.text[: whole.text.index(whole.text[4:6])]
    assert (whole.finish_reason, cut.finish_reason) == ("length", "stop")


def test_only_allowed_tokens_come_first(tiny: Tiny) -> None:
    assert run(tiny, row(PROMPTS[0], first_ids=torch.tensor([13])), row(PROMPTS[1]))[0][0] == 13


def test_text_is_passed_on_while_it_grows(tiny: Tiny) -> None:
    seen: list[str] = []
    told = row(PROMPTS[0], on_text=seen.append)

    run(tiny, told)

    assert seen == [told.text[:n] for n in range(1, 10)]


def test_a_stopping_server_and_a_reader_who_left_end_a_decode(tiny: Tiny) -> None:
    left, stays = row(PROMPTS[0], cancelled=lambda: True), row(PROMPTS[1])

    assert [len(made) for made in run(tiny, left, stays)] == [0, 10]
    assert run(tiny, row(PROMPTS[0]), should_stop=lambda: True) == [[]]


def test_the_nucleus_keeps_the_likeliest_and_at_least_one() -> None:
    probabilities = torch.tensor([0.1, 0.6, 0.3])

    assert nucleus(probabilities, 0.7).tolist() == torch.tensor([0.0, 0.6, 0.3]).tolist()
    assert nucleus(probabilities, 1e-9).count_nonzero() == 1
    assert nucleus(probabilities, 1.0) is probabilities
