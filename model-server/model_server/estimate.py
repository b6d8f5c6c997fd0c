"""What a model will need, from its config.json alone: `python -m model_server.estimate PATH_OR_CONFIG --help`.

An estimate by formula, for deciding before downloading. P parameters, A adapter parameters, t tokens:

  weights    P * 4 bytes (CPU, float32) or * 2 (GPU, bfloat16)
  adapter    A * 16 bytes while training: weights, gradients, two moments of Adam, all float32
  activations  per token at once: layers * (18 * hidden + 4 * feed-forward) numbers of 4 or 2 bytes; with
             activation checkpointing (above 500 M parameters) layers * hidden, and one layer's whole
  logits     of answer tokens only: vocabulary * 4 bytes * 3 (logits, log-softmax, gradient)
  training   4 * P operations per token: 2 forward, 2 backward to the activations; none for frozen weights.
             6 * P with activation checkpointing
  answering  2 * P operations per token to read; to write, each token reads all weights once
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# As in training/train.py.
TOKENS_AT_ONCE = 16_384
CHECKPOINTING_ABOVE = 500_000_000


@dataclass(frozen=True)
class Shape:
    """Of a decoder in the manner of Llama and Qwen2. ``bias``: queries, keys and values have one (Qwen2)."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    feed_forward: int
    vocabulary: int
    tied: bool
    bias: bool


def read_shape(config: dict[str, Any]) -> Shape:
    """Raises ValueError for another architecture: the formulas would be wrong for it."""
    if config.get("model_type") not in ("llama", "qwen2"):
        raise ValueError(f"model_type is {config.get('model_type')!r}; this knows 'llama' and 'qwen2'")
    heads = config["num_attention_heads"]
    return Shape(
        hidden=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head=config.get("head_dim") or config["hidden_size"] // heads,
        feed_forward=config["intermediate_size"],
        vocabulary=config["vocab_size"],
        tied=bool(config.get("tie_word_embeddings")),
        bias=config["model_type"] == "qwen2" or bool(config.get("attention_bias")),
    )


def _matrices(shape: Shape) -> list[tuple[int, int]]:
    """(in, out) of one layer's linear maps: q, k, v, o, gate, up, down."""
    query, key = shape.heads * shape.head, shape.kv_heads * shape.head
    attention = [(shape.hidden, query), (shape.hidden, key), (shape.hidden, key), (query, shape.hidden)]
    wide = (shape.hidden, shape.feed_forward)
    return [*attention, wide, wide, (shape.feed_forward, shape.hidden)]


def parameters(shape: Shape) -> int:
    """All weights; tied embeddings count once."""
    biases = (shape.heads + 2 * shape.kv_heads) * shape.head if shape.bias else 0
    layer = sum(i * o for i, o in _matrices(shape)) + biases + 2 * shape.hidden
    embeddings = shape.vocabulary * shape.hidden * (1 if shape.tied else 2)
    return shape.layers * layer + embeddings + shape.hidden


def lora_parameters(shape: Shape, rank: int) -> int:
    """An adapter on every linear layer but the head."""
    return shape.layers * rank * sum(i + o for i, o in _matrices(shape))


def kv_bytes_per_token(shape: Shape, number_bytes: int) -> int:
    return 2 * shape.layers * shape.kv_heads * shape.head * number_bytes


@dataclass(frozen=True)
class Job:
    """A fine-tune: rows of ``row_tokens``, of which ``answer_tokens`` are learned."""

    rows: int
    row_tokens: int
    answer_tokens: int
    epochs: int
    batch: int
    rank: int

    @property
    def tokens(self) -> int:
        return self.rows * self.row_tokens * self.epochs

    @property
    def rows_at_once(self) -> int:
        return max(1, min(self.batch, TOKENS_AT_ONCE // self.row_tokens))


def training_bytes(shape: Shape, job: Job, number_bytes: int) -> int:
    weights, adapter = parameters(shape) * number_bytes, lora_parameters(shape, job.rank) * 16
    layer = (18 * shape.hidden + 4 * shape.feed_forward) * number_bytes
    per_token = shape.layers * layer
    if parameters(shape) > CHECKPOINTING_ABOVE:
        per_token = shape.layers * shape.hidden * number_bytes + layer
    logits = 3 * 4 * shape.vocabulary * job.answer_tokens
    return weights + adapter + job.rows_at_once * (job.row_tokens * per_token + logits)


def training_seconds(shape: Shape, job: Job, flops: float) -> float:
    """``flops``: what the machine sustains, per second. The shared beginning of rows, computed once, is not counted."""
    per_token = 6 if parameters(shape) > CHECKPOINTING_ABOVE else 4
    return per_token * parameters(shape) * job.tokens / flops


def answer_seconds(shape: Shape, job: Job, number_bytes: int, flops: float, bytes_per_second: float) -> float:
    """One request alone, nothing of it cached."""
    prompt = job.row_tokens - job.answer_tokens
    reading = 2 * parameters(shape) * prompt / flops
    return reading + job.answer_tokens * parameters(shape) * number_bytes / bytes_per_second


def report(
    shape: Shape, job: Job, number_bytes: int, flops: float, bytes_per_second: float
) -> dict[str, Any]:
    return {
        "parameters": parameters(shape),
        "adapter_parameters": lora_parameters(shape, job.rank),
        "weights_gb": round(parameters(shape) * number_bytes / 1e9, 2),
        "training_gb": round(training_bytes(shape, job, number_bytes) / 1e9, 2),
        "training_seconds": round(training_seconds(shape, job, flops)),
        "answer_seconds": round(answer_seconds(shape, job, number_bytes, flops, bytes_per_second), 2),
        "kv_mb_per_1000_tokens": round(kv_bytes_per_token(shape, number_bytes) / 1e3, 1),
        "estimated": True,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", type=Path, help="a config.json, or the folder that has one")
    add("--device", choices=("cpu", "cuda"), default="cpu")
    add("--flops", type=float, default=5e10, help="operations per second that the machine sustains")
    add("--bandwidth", type=float, default=1e10, help="bytes per second from memory")
    add("--rows", type=int, default=1500)
    add("--row-tokens", type=int, default=400)
    add("--answer-tokens", type=int, default=20)
    add("--epochs", type=int, default=2)
    add("--batch", type=int, default=16)
    add("--rank", type=int, default=32)
    found = parser.parse_args()
    path = found.config / "config.json" if found.config.is_dir() else found.config
    try:
        shape = read_shape(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 2
    job = Job(found.rows, found.row_tokens, found.answer_tokens, found.epochs, found.batch, found.rank)
    number_bytes = 2 if found.device == "cuda" else 4
    print(json.dumps(report(shape, job, number_bytes, found.flops, found.bandwidth), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
