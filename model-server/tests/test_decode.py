from types import SimpleNamespace

import torch

from model_server.serving.decode import decode, nucleus
from model_server.serving.requests import Sampling

LETTERS = "abcdefghij"


class CountingModel:
    """Always finds the next letter likeliest; the last one is the end of the turn."""

    device = torch.device("cpu")

    def forward(self, input_ids: torch.Tensor, past_key_values: object, use_cache: bool) -> SimpleNamespace:
        logits = torch.zeros(1, input_ids.shape[1], len(LETTERS))
        logits[0, -1, min(int(input_ids[0, -1]) + 1, len(LETTERS) - 1)] = 5.0
        return SimpleNamespace(logits=logits, past_key_values=None)

    __call__ = forward


def run(sampling: Sampling, room: int = 100, **options: object) -> object:
    to_text = lambda ids: "".join(LETTERS[i] for i in ids)  # noqa: E731
    return decode(
        CountingModel(),
        [0],
        sampling,
        room=room,
        stop_ids=frozenset([9]),
        to_text=to_text,
        **options,  # type: ignore[arg-type]
    )


def test_greedy_runs_to_the_end_of_turn_and_leaves_it_out() -> None:
    done = run(Sampling(temperature=0))

    assert (done.text, done.tokens, done.finish_reason) == ("bcdefghi", 9, "stop")


def test_room_cuts_with_reason_length() -> None:
    done = run(Sampling(temperature=0), room=3)

    assert (done.text, done.finish_reason) == ("bcd", "length")


def test_a_stop_string_ends_before_itself() -> None:
    done = run(Sampling(temperature=0, stop=("zzz", "ef")))

    assert (done.text, done.finish_reason) == ("bcd", "stop")


def test_the_same_seed_draws_the_same_tokens() -> None:
    draws = {run(Sampling(temperature=2.0, seed=seed), room=8).text for seed in (1, 1, 2, 3, 4)}

    assert run(Sampling(temperature=2.0, seed=1), room=8) == run(Sampling(temperature=2.0, seed=1), room=8)
    assert len(draws) > 1


def test_only_allowed_tokens_come_first() -> None:
    done = run(Sampling(temperature=0), first_ids=torch.tensor([7]))

    assert done.text == "hi"


def test_a_stopping_server_ends_a_decode() -> None:
    assert run(Sampling(temperature=0), should_stop=lambda: True).tokens == 0


def test_the_nucleus_keeps_the_likeliest_and_at_least_one() -> None:
    probabilities = torch.tensor([0.1, 0.6, 0.3])

    assert nucleus(probabilities, 0.7).tolist() == torch.tensor([0.0, 0.6, 0.3]).tolist()
    assert nucleus(probabilities, 1e-9).count_nonzero() == 1
    assert nucleus(probabilities, 1.0) is probabilities
