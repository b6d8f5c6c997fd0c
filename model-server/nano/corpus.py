"""Endless, seeded batches of token ids with loss weights.

Block b of a corpus comes from the seed "seed:b" alone, so the text is the same
whatever the number of workers.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from tokenizers import Tokenizer

from nano.chat_format import segments
from nano.conversations import conversation
from nano.lexicon import load

BLOCK_CONVERSATIONS = 256
MAX_TOKENS = 1024

Sample = tuple[list[int], list[float]]


@dataclass(frozen=True)
class Batch:
    """Right-padded: `ids` int64 [n, length]; `weights` float32, of each id as a target."""

    ids: np.ndarray
    weights: np.ndarray


def encode(parts: list[tuple[str, float]], tokenizer: Tokenizer) -> Sample:
    """Token ids of a conversation, and how much each counts as a target."""
    ids: list[int] = []
    weights: list[float] = []
    encoded = tokenizer.encode_batch([part for part, _ in parts], add_special_tokens=False)
    for (_, weight), encoding in zip(parts, encoded, strict=True):
        ids += encoding.ids
        weights += [weight] * len(encoding.ids)
    return ids[:MAX_TOKENS], weights[:MAX_TOKENS]


def _pad(samples: list[Sample]) -> Batch:
    length = max(len(ids) for ids, _ in samples)
    ids = np.zeros((len(samples), length), dtype=np.int64)
    weights = np.zeros((len(samples), length), dtype=np.float32)
    for row, (sample_ids, sample_weights) in enumerate(samples):
        ids[row, : len(sample_ids)] = sample_ids
        weights[row, : len(sample_weights)] = sample_weights
    return Batch(ids, weights)


def batches_of(samples: list[Sample], batch_tokens: int, rng: random.Random) -> list[Batch]:
    """Group samples of like length, so that little is padding; then shuffle the batches."""
    ordered = sorted(samples, key=lambda sample: len(sample[0]))
    batches, current = [], []
    for sample in ordered:
        if current and (len(current) + 1) * len(sample[0]) > batch_tokens:
            batches.append(_pad(current))
            current = []
        current.append(sample)
    batches.append(_pad(current))
    rng.shuffle(batches)
    return batches


_worker_tokenizer: Tokenizer | None = None


def _start_worker(tokenizer_json: str) -> None:
    global _worker_tokenizer
    _worker_tokenizer = Tokenizer.from_str(tokenizer_json)


def _block(task: tuple[str, int, int]) -> list[Batch]:
    seed, number, batch_tokens = task
    rng, lexicon = random.Random(f"{seed}:{number}"), load()
    assert _worker_tokenizer is not None
    samples = [
        encode(segments(conversation(lexicon, rng)), _worker_tokenizer) for _ in range(BLOCK_CONVERSATIONS)
    ]
    return batches_of(samples, batch_tokens, rng)


def batches(tokenizer: Tokenizer, seed: str, batch_tokens: int, workers: int = 0) -> Iterator[Batch]:
    """Batches without end; `workers` processes make them ahead of time, 0 makes them in this one."""
    tasks = ((seed, number, batch_tokens) for number in itertools.count())
    if workers == 0:
        _start_worker(tokenizer.to_str())
        for task in tasks:
            yield from _block(task)
    with get_context("fork").Pool(workers, _start_worker, (tokenizer.to_str(),)) as pool:
        while True:
            # A bounded chunk: imap would read the endless tasks to their end at once.
            for made in pool.imap(_block, itertools.islice(tasks, workers * 4)):
                yield from made
