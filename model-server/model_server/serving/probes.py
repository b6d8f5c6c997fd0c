"""Attestation: what a fresh adapter answered in the trainer, it must answer where it is served.

The trainer, its job done, continues a few of its own prompts and writes down the tokens and their log-probabilities,
beside the weights. The serving side computes the same through its own path (merged, or wrapped round the base) and
compares. An adapter that was saved, loaded or merged wrongly differs from its record; one that was not applied at all
is as near to the base as to itself. Both would be served in silence otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from model_server.errors import AttestationError
from model_server.serving.adapter_files import PROBES_FILE as FILE

PROBES = 4
ANSWER_TOKENS = 12
# Longer prompts would tell no more, only later.
MAX_PROMPT_TOKENS = 1024
IGNORED = -100

# Nats per token. Merging float32 weights moves a nano model's by 1e-5; bfloat16 has three digits.
TOLERANCE = {"float32": 0.01, "bfloat16": 0.25}
# The base must be this much further from the record than the adapter is, and further than rounding goes.
UNLIKE_BASE = 4.0
ROUNDING = 1e-5

# Logits [tokens, vocabulary] of one sequence of token ids.
Logits = Callable[[list[int]], torch.Tensor]


@dataclass(frozen=True)
class Probe:
    """``logprobs``: natural logarithms, one per answer token."""

    prompt: list[int]
    answer: list[int]
    logprobs: list[float]


@dataclass(frozen=True)
class Difference:
    """The largest difference of any token's log-probability from the record, in nats."""

    adapter: float
    base: float


@torch.inference_mode()
def record_probes(model: Any, inputs: Sequence[list[int]], labels: Sequence[list[int]], folder: Path) -> None:
    """Write the answers of a trained model to prompts of its own training rows, evenly chosen."""
    model.eval()

    def logits(ids: list[int]) -> torch.Tensor:
        return torch.as_tensor(model(input_ids=torch.tensor([ids], device=model.device)).logits[0])

    probes = [_record(logits, prompt) for prompt in _prompts(inputs, labels)]
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    content = {"version": 1, "dtype": dtype, "probes": [asdict(probe) for probe in probes]}
    (folder / FILE).write_text(json.dumps(content), encoding="utf-8")


def _prompts(inputs: Sequence[list[int]], labels: Sequence[list[int]]) -> list[list[int]]:
    """What stands before the first answer of a few rows, each different."""
    found: dict[tuple[int, ...], None] = {}
    step = max(1, len(inputs) // (PROBES * 4))
    for ids, wanted in zip(inputs[::step], labels[::step], strict=True):
        begin = next(i for i, label in enumerate(wanted) if label != IGNORED)
        if 0 < begin <= MAX_PROMPT_TOKENS:
            found[tuple(ids[:begin])] = None
    if not found:  # all are long: their ends are prompts as well
        found[tuple(inputs[0][:MAX_PROMPT_TOKENS])] = None
    every = max(1, len(found) // PROBES)
    return [list(prompt) for prompt in list(found)[::every][:PROBES]]


def _record(logits: Logits, prompt: list[int]) -> Probe:
    answer: list[int] = []
    for _ in range(ANSWER_TOKENS):
        answer.append(int(logits(prompt + answer)[-1].argmax()))
    return Probe(prompt, answer, _logprobs(logits, prompt, answer)[0])


def _logprobs(logits: Logits, prompt: list[int], answer: list[int]) -> tuple[list[float], float]:
    """Of the answer's tokens; and by how much another token is likelier, at most."""
    rows = torch.log_softmax(logits(prompt + answer)[len(prompt) - 1 : -1].float(), dim=-1)
    said = rows.gather(1, torch.tensor(answer, device=rows.device)[:, None])[:, 0]
    return said.tolist(), float((rows.max(1).values - said).max())


def read_probes(folder: Path) -> tuple[str, list[Probe]] | None:
    """(dtype, probes); None for an adapter of before attestation."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content["dtype"], [Probe(**probe) for probe in content["probes"]]
    except (ValueError, KeyError, TypeError) as error:
        raise AttestationError(
            "attestation_failed", f"The record of the adapter's answers, {FILE}, cannot be read: {error}."
        ) from error


@torch.inference_mode()
def check_probes(adapter: Logits, base: Logits, dtype: str, probes: list[Probe]) -> Difference:
    """Raises AttestationError unless the adapter answers as recorded and unlike the base."""
    found = Difference(
        max(_difference(adapter, probe) for probe in probes),
        max(_difference(base, probe) for probe in probes),
    )
    tolerance = TOLERANCE.get(dtype, TOLERANCE["bfloat16"])
    # Written so that NaN fails.
    if not found.adapter <= tolerance:
        raise AttestationError(
            "attestation_failed",
            f"Loaded for serving, the adapter does not answer {len(probes)} probes as it did after training: "
            f"log-probabilities differ by up to {found.adapter:.4f} nats, and {tolerance} is allowed. "
            "It is not served. Its files were damaged, or training and serving use the weights differently.",
        )
    if not found.base > max(ROUNDING, UNLIKE_BASE * found.adapter):
        raise AttestationError(
            "adapter_like_base",
            f"The adapter answers {len(probes)} probes as its base model does (they differ by {found.base:.2g} nats, "
            f"the adapter from its own record by {found.adapter:.2g}): training changed nothing. "
            "It is not served. Train with a larger learning rate, or longer.",
        )
    return found


def _difference(logits: Logits, probe: Probe) -> float:
    said, beaten_by = _logprobs(logits, probe.prompt, probe.answer)
    differences = [abs(now - then) for now, then in zip(said, probe.logprobs, strict=True)]
    # A recorded token that another one beats is a different greedy answer, however likely the token still is.
    return float(torch.tensor([*differences, beaten_by]).max())
