"""The order of the rows: alike in length within a batch, shuffled by seed and epoch alone.

transformers' own sampler draws from the global generator, so that a run resumed in mid-epoch would see the
epoch's rows in another order than the run that was killed: some twice, some never.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices


class EpochSampler(Sampler[int]):
    def __init__(self, lengths: list[int], batch_size: int, seed: int, epoch: Callable[[], int]) -> None:
        self._lengths = lengths
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        # Far apart for neighbouring seeds, so that epoch 1 of seed 7 is not epoch 0 of seed 8.
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch())
        yield from get_length_grouped_indices(self._lengths, self._batch_size, generator=generator)
