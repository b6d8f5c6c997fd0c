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
from nano.conversations import Conversation, conversation
from nano.invented import with_invented_things
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


@dataclass(frozen=True)
class _BlockMaker:
    """Makes one block of the corpus; a tokenizer travels to worker processes by itself."""

    tokenizer: Tokenizer
    seed: str
    batch_tokens: int
    invented: float

    def _conversation(self, rng: random.Random) -> Conversation:
        return conversation(with_invented_things(load(), rng, self.invented), rng)

    def __call__(self, number: int) -> list[Batch]:
        rng = random.Random(f"{self.seed}:{number}")
        made = (self._conversation(rng) for _ in range(BLOCK_CONVERSATIONS))
        samples = [encode(segments(one), self.tokenizer) for one in made]
        return batches_of(samples, self.batch_tokens, rng)


def batches(
    tokenizer: Tokenizer, seed: str, batch_tokens: int, workers: int = 0, invented: float = 0.0
) -> Iterator[Batch]:
    """Batches without end; `workers` processes make them ahead of time, 0 makes them in this one."""
    make, numbers = _BlockMaker(tokenizer, seed, batch_tokens, invented), itertools.count()
    if workers == 0:
        for number in numbers:
            yield from make(number)
    with get_context("fork").Pool(workers) as pool:
        while True:
            # A bounded chunk: imap would read the endless numbers to their end at once.
            for made in pool.imap(make, itertools.islice(numbers, workers * 4)):
                yield from made
