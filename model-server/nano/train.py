"""Train a nano model: `python -m nano.train --model nano-1m --seed 7 --minutes 5 --device auto --out DIR`.

tokenizer -> batches -> Muon and AdamW, learning rates falling to zero -> model folder with its card
"""

import argparse
import json
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from nano.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nano.corpus import Batch, batches
from nano.export import TrainingReport, save
from nano.grow import grow
from nano.model import SHAPES, VOCAB_SIZE, Shape, build
from nano.muon import Muon
from nano.tokenizer import train_tokenizer

MODELS = Path(__file__).parents[1] / "models"
WARMUP = 0.02
CHECKPOINT_SECONDS = 240


@dataclass(frozen=True)
class Settings:
    """What a training run depends on. `steps` repeats a run exactly; `minutes` ends where the clock says."""

    model: str
    seed: int
    minutes: float
    steps: int | None
    device: str
    batch_tokens: int
    muon_lr: float
    adam_lr: float
    workers: int


def weighted_loss(model: LlamaForCausalLM, batch: Batch, device: str) -> torch.Tensor:
    """Mean cross entropy over the weighted targets; the output layer runs on those positions only."""
    ids = torch.from_numpy(batch.ids).to(device)
    weights = torch.from_numpy(batch.weights).to(device)[:, 1:]
    # Padding is on the right, so causal attention alone keeps it out of sight.
    hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    wanted = weights > 0
    losses = cross_entropy(model.lm_head(hidden[wanted]).float(), ids[:, 1:][wanted], reduction="none")
    return (losses * weights[wanted]).sum() / weights.sum()


def learning_rate(progress: float) -> float:
    """Share of the peak rate: a short rise, then a straight line to zero."""
    return min(progress / WARMUP, 1.0) * max(0.0, 1.0 - progress)


def optimizers(model: LlamaForCausalLM, settings: Settings) -> list[torch.optim.Optimizer]:
    hidden = [p for p in model.model.layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in hidden}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [
        Muon(hidden, lr=settings.muon_lr),
        torch.optim.AdamW(others, lr=settings.adam_lr, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def optimise(model: LlamaForCausalLM, tokenizer, settings: Settings, checkpoint: Path) -> TrainingReport:
    """The training loop; goes on from `checkpoint` where there is one, and prints a line every 50 steps."""
    made = optimizers(model, settings)
    peaks = [group["lr"] for optimizer in made for group in optimizer.param_groups]
    at = load_checkpoint(checkpoint, model, made)
    step, tokens, mean, progress = at.step, at.tokens, at.loss, at.progress
    # Text of its own for a resumed run: nothing is learned twice.
    text = str(settings.seed) if step == 0 else f"{settings.seed}:from step {step}"
    invented = SHAPES[settings.model].invented
    stream = batches(tokenizer.backend_tokenizer, text, settings.batch_tokens, settings.workers, invented)
    started, saved = time.monotonic() - at.seconds, time.monotonic()
    while progress < 1.0:
        groups = [group for optimizer in made for group in optimizer.param_groups]
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * learning_rate(progress)
        batch = next(stream)
        with torch.autocast("cuda", torch.bfloat16, enabled=settings.device == "cuda"):
            loss = weighted_loss(model, batch, settings.device)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in made:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, tokens = step + 1, tokens + int((batch.ids != 0).sum())
        mean = loss.item() if step == 1 else 0.98 * mean + 0.02 * loss.item()
        seconds = time.monotonic() - started
        progress = step / settings.steps if settings.steps else max(seconds / (60 * settings.minutes), 1e-4)
        if step % 50 == 0:
            line = {"step": step, "loss": round(mean, 4), "tokens": tokens, "s": round(seconds)}
            print(json.dumps(line), flush=True)
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save_checkpoint(checkpoint, model, made, Checkpoint(step, tokens, seconds, mean, progress))
            saved = time.monotonic()
    return TrainingReport(step, tokens, round(seconds), round(mean, 4), _machine(settings.device))


def _machine(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} thread(s)"


def parse(arguments: list[str] | None = None) -> tuple[Settings, Path]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=tuple(SHAPES), default="nano-1m")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=5.0, help="time budget of the loop")
    parser.add_argument("--steps", type=int, help="exact number of steps instead of a time budget")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--batch-tokens", type=int, default=6144)
    parser.add_argument("--muon-lr", type=float, default=0.02)
    parser.add_argument("--adam-lr", type=float, default=0.004)
    parser.add_argument("--workers", type=int, default=0, help="processes that make text ahead; 12 for a GPU")
    parser.add_argument("--threads", type=int, default=1, help="torch threads; more are slower on busy cores")
    parser.add_argument("--out", type=Path, required=True)
    found = parser.parse_args(arguments)
    torch.set_num_threads(found.threads)
    device = found.device if found.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    settings = Settings(
        model=found.model,
        seed=found.seed,
        minutes=found.minutes,
        steps=found.steps,
        device=device,
        batch_tokens=found.batch_tokens,
        muon_lr=found.muon_lr,
        adam_lr=found.adam_lr,
        workers=found.workers,
    )
    return settings, found.out


def start_tokenizer(seed: int, shape: Shape) -> PreTrainedTokenizerFast:
    """A grown model reads with the tokenizer of the model that it grew from."""
    if shape.grown_from is None:
        return train_tokenizer(seed, VOCAB_SIZE)
    return PreTrainedTokenizerFast.from_pretrained(MODELS / shape.grown_from)


def start_model(tokenizer: PreTrainedTokenizerFast, shape: Shape) -> LlamaForCausalLM:
    model = build(tokenizer, shape)
    if shape.grown_from is not None:
        grow(LlamaForCausalLM.from_pretrained(MODELS / shape.grown_from, dtype=torch.float32), model)
    return model


def main() -> None:
    settings, out = parse()
    torch.manual_seed(settings.seed)
    random.seed(settings.seed)
    tokenizer = start_tokenizer(settings.seed, SHAPES[settings.model])
    model = start_model(tokenizer, SHAPES[settings.model]).to(settings.device)
    print(json.dumps({"parameters": model.num_parameters(), **asdict(settings)}), flush=True)
    checkpoint = out.with_name(f"{out.name}.checkpoint.pt")
    report = optimise(model, tokenizer, settings, checkpoint)
    save(out, model, tokenizer, asdict(settings), report)
    print(json.dumps(asdict(report)))


if __name__ == "__main__":
    main()
