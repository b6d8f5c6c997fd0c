from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from flywheel_nemo_peft.spec import PeftInput, PeftSpec

INPUT: dict[str, Any] = {
    "model": "w/nano",
    "dataset": {"training": "w/rows"},
    "output": {"name": "adapter"},
}
UPSTREAM = {"provider": "w/p", "url": "http://127.0.0.1:1/v1", "model": "nano-1m"}


def test_every_setting_reaches_the_model_server() -> None:
    spec = PeftSpec(
        **INPUT,
        training={
            "lora": {"rank": 4, "alpha": 8, "dropout": 0},
            "max_set_aside_share": 0.5,
            "max_seq_length": 512,
        },
        schedule={"epochs": 3, "lr_scheduler_type": "cosine", "warmup_ratio": 0.05},
        batch={"global_batch_size": 16},
        optimizer={"learning_rate": 6e-3, "weight_decay": 0},
        upstream=UPSTREAM,
    )

    assert spec.hyperparameters() == {
        "n_epochs": 3,
        "batch_size": 16,
        "learning_rate": 6e-3,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.05,
        "weight_decay": 0,
        "max_length": 512,
        "max_set_aside_share": 0.5,
        "lora": {"rank": 4, "alpha": 8, "dropout": 0},
    }


def test_no_row_is_set_aside_unless_asked_for() -> None:
    assert PeftSpec(**INPUT, upstream=UPSTREAM).hyperparameters()["max_set_aside_share"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": {"learning_rate": 1e-3, "momentum": 0.9}},
        {"training": {"training_type": "dpo"}},
        {"training": {"max_set_aside_share": 1}},
        {"output": {"name": "Not A Name"}},
        {"surprise": 1},
    ],
)
def test_what_would_be_ignored_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PeftInput(**{**INPUT, **change})
