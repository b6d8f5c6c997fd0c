"""What a job is asked for: the shape of the platform's own automodel backend, so that one client fits both.

Beyond automodel, and named as its sister unsloth names them: ``schedule.lr_scheduler_type``,
``schedule.warmup_ratio`` and ``training.lora.dropout``. The model server's own: ``training.max_set_aside_share``.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """Unknown fields are refused: an ignored hyperparameter would train another model than was asked for."""

    model_config = ConfigDict(extra="forbid")


class Dataset(Part):
    """Fileset references, ``workspace/name`` or ``name``. Each holds one ``.jsonl`` of OpenAI's training rows."""

    training: str
    validation: str | None = None


class Lora(Part):
    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    target_modules: list[str] | None = None


class Training(Part):
    training_type: Literal["sft"] = "sft"
    finetuning_type: Literal["lora"] = "lora"
    lora: Lora = Lora()
    # Tokens; longer rows are set aside. Absent: what the model takes.
    max_seq_length: int | None = Field(default=None, ge=1)
    # The largest share of the rows that may be set aside because the model cannot learn from them. 0: none may.
    max_set_aside_share: float = Field(default=0, ge=0, lt=1)


class Schedule(Part):
    epochs: int = Field(default=1, ge=1)
    seed: int | None = Field(default=None, ge=0)
    lr_scheduler_type: Literal["linear", "cosine", "constant"] = "linear"
    warmup_ratio: float = Field(default=0, ge=0, le=1)


class Batch(Part):
    global_batch_size: int = Field(default=8, ge=1)
    micro_batch_size: int = Field(default=1, ge=1)


class Optimizer(Part):
    learning_rate: float = Field(default=1e-4, gt=0)
    weight_decay: float | None = None


class Output(Part):
    """The adapter's name, and that of the fileset which holds its weights."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")
    description: str | None = None


class PeftInput(Part):
    """``model``: a model entity, ``workspace/name`` or ``name``, that a READY provider serves."""

    model: str
    dataset: Dataset
    training: Training = Training()
    schedule: Schedule = Schedule()
    batch: Batch = Batch()
    optimizer: Optimizer = Optimizer()
    parallelism: dict[str, Any] | None = None
    output: Output


class Upstream(Part):
    """The model server behind the model's provider: it has the weights, hence it trains."""

    provider: str
    url: str
    model: str


class PeftSpec(PeftInput):
    """The accepted job: references made complete, and who trains found out."""

    upstream: Upstream

    def hyperparameters(self) -> dict[str, Any]:
        """In the model server's dialect (OpenAI's, with what LoRA needs beside it)."""
        lora = self.training.lora.model_dump(exclude_none=True)
        return {
            "n_epochs": self.schedule.epochs,
            "batch_size": self.batch.global_batch_size,
            "learning_rate": self.optimizer.learning_rate,
            "lr_scheduler_type": self.schedule.lr_scheduler_type,
            "warmup_ratio": self.schedule.warmup_ratio,
            **({} if self.optimizer.weight_decay is None else {"weight_decay": self.optimizer.weight_decay}),
            **({} if self.training.max_seq_length is None else {"max_length": self.training.max_seq_length}),
            "max_set_aside_share": self.training.max_set_aside_share,
            "lora": lora,
        }
