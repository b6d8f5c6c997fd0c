"""Hyperparameters of a job, as sent and as used. Defaults are Flywheel's LoRA strategy's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Auto = Literal["auto"]
PositiveInt = Annotated[int, Field(ge=1)]

DEFAULT_LEARNING_RATE = 1e-4


class LoraRequest(BaseModel):
    """``target_modules`` default: every linear layer but the head."""

    model_config = ConfigDict(extra="forbid")

    rank: Annotated[int, Field(ge=1, le=512)] | Auto = "auto"
    alpha: Annotated[float, Field(gt=0, le=4096)] | Auto = "auto"
    dropout: Annotated[float, Field(ge=0, lt=1)] | Auto = "auto"
    target_modules: list[Annotated[str, Field(min_length=1)]] | Auto = "auto"


class HyperparametersRequest(BaseModel):
    """OpenAI's three, and the extensions a LoRA trainer needs.

    ``max_set_aside_share``: the largest share of the training rows that may be set aside because the model cannot
    learn from them. 0: the first such row refuses the file.
    """

    model_config = ConfigDict(extra="forbid")

    n_epochs: Annotated[int, Field(ge=1, le=1000)] | Auto = "auto"
    batch_size: Annotated[int, Field(ge=1, le=4096)] | Auto = "auto"
    learning_rate: Annotated[float, Field(gt=0, le=1)] | Auto = "auto"
    learning_rate_multiplier: Annotated[float, Field(gt=0, le=1000)] | Auto = "auto"
    lr_scheduler_type: Literal["linear", "cosine", "constant", "auto"] = "auto"
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] | Auto = "auto"
    weight_decay: Annotated[float, Field(ge=0, le=1)] | Auto = "auto"
    max_length: PositiveInt | Auto = "auto"
    max_set_aside_share: Annotated[float, Field(ge=0, lt=1)] | Auto = "auto"
    lora: LoraRequest = LoraRequest()


def resolve(request: HyperparametersRequest, *, max_model_len: int) -> dict[str, Any]:
    """Every value that "auto" left open, filled in. JSON-safe; the trainer and the job object get the same."""
    lora = request.lora
    rank = _or(lora.rank, 32)
    return {
        "n_epochs": _or(request.n_epochs, 2),
        "batch_size": _or(request.batch_size, 16),
        "learning_rate": _learning_rate(request),
        "lr_scheduler_type": _or(request.lr_scheduler_type, "linear"),
        "warmup_ratio": _or(request.warmup_ratio, 0.0),
        "weight_decay": _or(request.weight_decay, 0.0),
        "max_length": min(_or(request.max_length, max_model_len), max_model_len),
        "max_set_aside_share": _or(request.max_set_aside_share, 0.0),
        "lora": {
            "rank": rank,
            # Equal to the rank: a scale of 1, whatever the rank.
            "alpha": _or(lora.alpha, rank),
            "dropout": _or(lora.dropout, 0.1),
            "target_modules": _or(lora.target_modules, "all-linear"),
        },
    }


def _learning_rate(request: HyperparametersRequest) -> float:
    if request.learning_rate != "auto":
        return request.learning_rate
    return DEFAULT_LEARNING_RATE * float(_or(request.learning_rate_multiplier, 1.0))


def _or(value: Any, default: Any) -> Any:
    return default if value == "auto" else value
