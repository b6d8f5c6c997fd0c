from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import Qwen2ForCausalLM

sys.path.insert(0, str(Path(__file__).parent))

from server_process import ServerProcess
from tiny_models import llama3_tokenizer, nano_tokenizer, qwen_tokenizer, save_model

from model_server.settings import BUNDLED_MODELS

NANO_1M = BUNDLED_MODELS / "nano-1m"


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {
        "tiny": save_model(root / "tiny", nano_tokenizer()),
        "tiny-qwen": save_model(root / "tiny-qwen", qwen_tokenizer(), Qwen2ForCausalLM),
        "tiny-llama3": save_model(root / "tiny-llama3", llama3_tokenizer()),
    }


@pytest.fixture(scope="session")
def server(tiny_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Unmanaged, shared: tests leave no open job behind."""
    shipped = {"nano-1m": NANO_1M} if (NANO_1M / "config.json").exists() else {}
    process = ServerProcess(tmp_path_factory.mktemp("home"), tiny_models | shipped)
    yield process
    process.stop()
