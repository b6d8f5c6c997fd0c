"""A model's small files, read without torch: does it exist, how long is its context."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from model_server.errors import StartError
from model_server.settings import looks_like_path

FALLBACK_CONTEXT = 2048


def check_models(models: dict[str, str]) -> None:
    """Every model has a config, here or on the hub. Raises StartError naming the one that has not."""
    if not models:
        raise StartError(
            "no model to serve: give --model NAME=PATH_OR_HF_ID (no folder under models/ has one)"
        )
    for name, source in models.items():
        try:
            locate(source, "config.json")
        except Exception as error:
            lines = str(error).strip().splitlines()
            reason = lines[0] if lines else type(error).__name__
            raise StartError(f"model '{name}': no config.json for '{source}' ({reason})") from error


@lru_cache
def context_length(source: str) -> int:
    """Tokens: the smaller of what the model's config and its tokenizer declare; 2,048 where neither does."""
    config = _read(source, "config.json")
    tokenizer = _read(source, "tokenizer_config.json")
    text = config.get("text_config") or config
    declared = [text.get("max_position_embeddings"), tokenizer.get("model_max_length")]
    # transformers writes 1e30 for "unknown".
    return min((int(n) for n in declared if n and n < 1e9), default=FALLBACK_CONTEXT)


def _read(source: str, filename: str) -> dict[str, Any]:
    try:
        value = json.loads(locate(source, filename).read_text(encoding="utf-8"))
    except Exception:
        return {}
    return value if isinstance(value, dict) else {}


def locate(source: str, filename: str) -> Path:
    """The file in the model's folder, or in the hub's cache here; raises where there is none."""
    if looks_like_path(source):
        path = Path(source).expanduser() / filename
        if not path.is_file():
            raise FileNotFoundError("the folder does not have it; a Hugging Face model folder is needed")
        return path
    from huggingface_hub import hf_hub_download  # noqa: PLC0415

    return Path(hf_hub_download(source, filename))
