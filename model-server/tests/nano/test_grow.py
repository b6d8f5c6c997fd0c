"""A grown model computes what the small one computed; invented names are new, and repeat from their seed."""

import random

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from nano import grow as growing
from nano.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nano.conversations import tool_choice
from nano.invented import with_invented_things
from nano.lexicon import load


def llama(hidden: int, heads: int, feed_forward: int) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=50,
        hidden_size=hidden,
        intermediate_size=feed_forward,
        num_hidden_layers=2,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        tie_word_embeddings=True,
        initializer_range=0.2,
    )
    return LlamaForCausalLM(config).eval()


@pytest.mark.parametrize("feed_forward", [48, 60])
def test_a_grown_model_computes_what_the_small_one_does(monkeypatch, feed_forward):
    monkeypatch.setattr(growing, "NOISE", 0.0)
    torch.manual_seed(1)
    small, wide = llama(16, 2, 24), llama(32, 4, feed_forward)
    ids = torch.randint(0, 50, (2, 12))

    growing.grow(small, wide)

    assert torch.allclose(wide(ids).logits, small(ids).logits, atol=1e-5)


def test_noise_parts_the_twins():
    torch.manual_seed(1)
    small, wide = llama(16, 2, 24), llama(32, 4, 48)

    growing.grow(small, wide)
    weight = wide.model.layers[0].mlp.gate_proj.weight

    assert not torch.equal(weight[:24], weight[24:])
    assert torch.allclose(weight[:24], weight[24:], atol=0.2)


def test_invented_things_have_names_of_no_lexicon_and_are_asked_for():
    known = {name for thing in load().things for name in thing.names}
    lexicon = with_invented_things(load(), random.Random(3), 1.0)
    names = {name for thing in lexicon.things for name in thing.names}

    made = tool_choice(lexicon, random.Random(5))

    assert len(names & known) < 3
    assert lexicon == with_invented_things(load(), random.Random(3), 1.0)
    assert made.tools


def test_a_share_of_zero_leaves_text_and_seed_as_they_were():
    rng = random.Random(3)

    assert with_invented_things(load(), rng, 0) is load()
    assert rng.random() == random.Random(3).random()


def test_a_killed_training_run_goes_on_from_its_checkpoint(tmp_path):
    torch.manual_seed(1)
    first, second = llama(16, 2, 24), llama(16, 2, 24)
    optimizers = [[torch.optim.AdamW(one.parameters(), lr=0.01)] for one in (first, second)]
    ids = torch.randint(0, 50, (2, 12))
    step(first, optimizers[0], ids)

    save_checkpoint(tmp_path / "c.pt", first, optimizers[0], Checkpoint(1, 24, 2.5, 3.0, 0.5))
    found = load_checkpoint(tmp_path / "c.pt", second, optimizers[1])
    for one, its in ((first, optimizers[0]), (second, optimizers[1])):
        step(one, its, ids)

    assert found == Checkpoint(1, 24, 2.5, 3.0, 0.5)
    assert torch.equal(first(ids).logits, second(ids).logits)
    assert load_checkpoint(tmp_path / "none.pt", second, optimizers[1]) == Checkpoint()


def step(model, optimizers, ids):
    model(ids, labels=ids).loss.backward()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
