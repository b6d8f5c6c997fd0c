"""The formulas against the published sizes of two models, and against real modules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from model_server.estimate import Job, Shape, lora_parameters, parameters, read_shape, training_bytes
from model_server.settings import BUNDLED_MODELS

QWEN = Shape(896, 24, 14, 2, 64, 4864, 151_936, tied=True, bias=True)
LLAMA = Shape(2048, 16, 32, 8, 64, 8192, 128_256, tied=True, bias=False)
NANO = BUNDLED_MODELS / "nano-1m"
JOB = Job(rows=1500, row_tokens=400, answer_tokens=20, epochs=2, batch=16, rank=32)


def test_parameters_are_the_published_ones() -> None:
    assert parameters(QWEN) == 494_032_768
    assert parameters(LLAMA) == 1_235_814_400


@pytest.mark.parametrize("name", ["nano", "tiny-qwen"])
def test_parameters_and_adapters_are_those_of_the_real_modules(
    tiny_models: dict[str, Path], name: str
) -> None:
    folder = NANO if name == "nano" else tiny_models[name]
    shape = read_shape(json.loads((folder / "config.json").read_text()))
    model = AutoModelForCausalLM.from_pretrained(folder)

    assert parameters(shape) == model.num_parameters()
    wrapped = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    assert lora_parameters(shape, 8) == wrapped.get_nb_trainable_parameters()[0]


def test_a_larger_model_and_wider_numbers_need_more() -> None:
    assert training_bytes(QWEN, JOB, 2) < training_bytes(QWEN, JOB, 4)
    assert parameters(QWEN) * 4 < training_bytes(QWEN, JOB, 4)


def test_it_says_that_it_is_an_estimate_and_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "mamba"}')
    command = [sys.executable, "-m", "model_server.estimate"]

    done = subprocess.run([*command, str(NANO)], capture_output=True, text=True, check=True)
    refused = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)

    assert json.loads(done.stdout)["estimated"] is True
    assert refused.returncode == 2
    assert "'mamba'" in refused.stderr
