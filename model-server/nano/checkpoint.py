"""A long training run's state on disk, so that a killed one goes on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class Checkpoint:
    """How far a run was. `seconds` of training, `loss` the running mean, `progress` from 0 to 1."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    progress: float = 0.0


def save_checkpoint(
    path: Path, model: torch.nn.Module, optimizers: Sequence[torch.optim.Optimizer], at: Checkpoint
) -> None:
    """Replace the checkpoint whole: a kill in mid-write leaves the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    states = [optimizer.state_dict() for optimizer in optimizers]
    part = path.with_suffix(".part")
    torch.save({"model": model.state_dict(), "optimizers": states, "at": asdict(at)}, part)
    part.replace(path)


def load_checkpoint(
    path: Path, model: torch.nn.Module, optimizers: Sequence[torch.optim.Optimizer]
) -> Checkpoint:
    """Put the state back into model and optimizers; without a file, the beginning."""
    if not path.exists():
        return Checkpoint()
    found = torch.load(path, weights_only=True)
    model.load_state_dict(found["model"])
    for optimizer, state in zip(optimizers, found["optimizers"], strict=True):
        optimizer.load_state_dict(state)
    return Checkpoint(**found["at"])
