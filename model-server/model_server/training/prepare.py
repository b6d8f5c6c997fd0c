"""Checks and encodes a job's files with the base model's own tokenizer and template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, GenerationConfig

from model_server.chat.conversation import ConversationError
from model_server.chat.template import ChatTemplate
from model_server.errors import invalid
from model_server.serving.base_model import stop_ids
from model_server.serving.model_files import context_length
from model_server.store.files import FileStore
from model_server.training.encode import RowEncoder
from model_server.training.job_files import encode_file

FILE_NAMES = {"training_file": "train.jsonl", "validation_file": "validation.jsonl"}


def prepare_rows(
    source: str,
    files: FileStore,
    file_ids: dict[str, str | None],
    folder: Path,
    resolve: Callable[[int], dict[str, Any]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the hyperparameters, resolved for this model, and by file which rows it cannot take.

    Raises ApiError on anything that cannot be trained. Validation rows that do not fit are left out, however many:
    they shape nothing.
    """
    # A tokenizer of our own: the serving thread's is not made for two threads.
    tokenizer: Any = AutoTokenizer.from_pretrained(source)
    try:
        template = ChatTemplate(tokenizer)
    except ConversationError as error:
        raise invalid(f"The base model cannot be fine-tuned on chats: {error}.", param="model") from error
    hyperparameters = resolve(context_length(source))
    encoder = RowEncoder(
        template, stop_ids(tokenizer, _generation_config(source)), hyperparameters["max_length"]
    )
    most = hyperparameters["max_set_aside_share"]
    most_unfit = {"training_file": most, "validation_file": 1.0 if most > 0 else 0.0}
    set_aside: dict[str, Any] = {}
    for param, file_id in file_ids.items():
        if file_id is not None:
            target = folder / FILE_NAMES[param]
            encoded = encode_file(files, file_id, param, encoder, target, most_unfit=most_unfit[param])
            set_aside[param] = encoded.set_aside()
    return hyperparameters, set_aside


def _generation_config(source: str) -> GenerationConfig | None:
    try:
        return GenerationConfig.from_pretrained(source)
    except OSError:
        return None
