"""The quick loss is the plain loss."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from model_server.training import answer_loss
from model_server.training.encode import IGNORED
from model_server.training.train import micro_batch


@pytest.fixture
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=300, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4
    )
    return LlamaForCausalLM(config)


def batch(shared: int) -> dict[str, torch.Tensor]:
    """Five padded rows that begin with the same ``shared`` tokens; the last three of each are labelled."""
    torch.manual_seed(1)
    rows, longest = 5, shared + 14
    ids = torch.randint(5, 300, (rows, longest))
    ids[:, :shared] = ids[0, :shared]
    ids[:, shared] = torch.arange(rows)
    mask = torch.ones_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for row in range(rows):
        end = shared + 6 + row
        mask[row, end:] = 0
        labels[row, end - 3 : end] = ids[row, end - 3 : end]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


@pytest.mark.parametrize("shared", [0, 3, 40])
def test_loss_and_gradients_equal_the_models_own(model: LlamaForCausalLM, shared: int) -> None:
    inputs = batch(shared)
    model(**inputs).loss.backward()
    expected = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    own_loss = model(**inputs).loss.item()
    model.zero_grad()

    total, count = answer_loss.answer_loss(model, inputs)
    (total / count).backward()

    assert (total / count).item() == pytest.approx(own_loss, rel=1e-5)
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight.grad, expected[name], rtol=1e-4, atol=1e-6)


def test_the_beginning_is_really_shared(model: LlamaForCausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []
    forward = model.model.forward

    def counting(input_ids: torch.Tensor, **rest: object) -> object:
        lengths.append(tuple(input_ids.shape))
        return forward(input_ids=input_ids, **rest)

    monkeypatch.setattr(model.model, "forward", counting)

    answer_loss.answer_loss(model, batch(40))

    assert lengths == [(1, 40), (5, 14)]


def test_what_predicts_a_label_is_not_shared() -> None:
    ids = torch.tensor([[7, 7, 7, 7, 1], [7, 7, 7, 7, 2]])
    labels = torch.full_like(ids, IGNORED)
    labels[:, 3:] = ids[:, 3:]

    assert answer_loss.shared_tokens(ids, labels) == 2


@pytest.mark.parametrize(
    ("batch_size", "longest", "expected"), [(16, 100, 16), (16, 5000, 2), (5, 20000, 1), (7, 4000, 1)]
)
def test_large_batches_are_split_evenly(batch_size: int, longest: int, expected: int) -> None:
    assert micro_batch(batch_size, longest) == expected
