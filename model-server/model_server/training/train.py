"""One LoRA fine-tune with TRL's SFTTrainer and PEFT. Runs in the trainer process only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig

from model_server.serving.probes import record_probes
from model_server.training.answer_loss import AnswerLossTrainer
from model_server.training.checkpoints import (
    Stopwatch,
    checkpoint_step,
    latest_checkpoint,
    mark_complete,
    seconds_before,
)

# About what fits beside a small model on one device; larger batches are split and accumulated.
MAX_TOKENS_AT_ONCE = 16_384
# Events per job are for people and plots; each costs a committed row.
MAX_METRIC_EVENTS = 100


class TrainingError(Exception):
    """The job cannot be trained as asked; the message is for its owner."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ReportSink(Protocol):
    def send(self, kind: str, **fields: Any) -> None: ...


def train(job: dict[str, Any], reports: ReportSink) -> None:
    """Goes on from the job's last checkpoint, where there is one.

    ``job``: base, rows, out and checkpoints (folders), checkpoint_seconds, seed, device, threads, hyperparameters
    (all resolved).
    """
    torch.set_num_threads(job["threads"])
    rows = Path(job["rows"])
    training = read_rows(rows / "train.jsonl")
    validation = read_rows(rows / "validation.jsonl")
    reports.send("message", message=f"Training on {len(training)} sequences, validating on {len(validation)}")
    checkpoint = latest_checkpoint(Path(job["checkpoints"]))
    if checkpoint is not None:
        reports.send("message", message=f"Going on from the checkpoint at step {checkpoint_step(checkpoint)}")
    trainer = build_trainer(job, training, validation, reports)
    watch = Stopwatch(job["checkpoint_seconds"], seconds_before(checkpoint))
    trainer.add_callback(SaveCheckpoints(watch, job["hyperparameters"]["n_epochs"]))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    seconds = watch.seconds()
    if not all(torch.isfinite(p).all() for p in trainer.model.parameters() if p.requires_grad):
        raise TrainingError("training_diverged", "The weights are no longer finite. Lower the learning rate.")
    trainer.model.save_pretrained(job["out"])
    record_probes(trainer.model, training["input_ids"], training["labels"], Path(job["out"]))
    tokens = sum(map(len, training["input_ids"])) * job["hyperparameters"]["n_epochs"]
    reports.send("done", trained_tokens=tokens, train_seconds=round(seconds, 3))


def read_rows(path: Path) -> Dataset:
    rows = [json.loads(line) for line in path.open(encoding="utf-8")] if path.exists() else []
    return Dataset.from_list(rows) if rows else Dataset.from_dict({"input_ids": [], "labels": []})


def build_trainer(
    job: dict[str, Any], training: Dataset, validation: Dataset, reports: ReportSink
) -> AnswerLossTrainer:
    on_gpu = job["device"] == "cuda"
    model = AutoModelForCausalLM.from_pretrained(
        job["base"], dtype=torch.bfloat16 if on_gpu else torch.float32, device_map="cuda" if on_gpu else None
    )
    tokenizer = AutoTokenizer.from_pretrained(job["base"])
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    arguments = training_arguments(
        job,
        longest=max(map(len, training["input_ids"])),
        steps_per_epoch=-(-len(training) // job["hyperparameters"]["batch_size"]),
        validates=len(validation) > 0,
        large=model.num_parameters() > 500_000_000,
    )
    try:
        return AnswerLossTrainer(
            model=model,
            args=arguments,
            train_dataset=training,
            eval_dataset=validation if len(validation) else None,
            processing_class=tokenizer,
            peft_config=lora_config(job["hyperparameters"]["lora"]),
            callbacks=[ReportMetrics(reports)],
        )
    except ValueError as error:
        if "arget modules" in str(error):
            raise TrainingError("invalid_target_modules", str(error)) from error
        raise


def lora_config(lora: dict[str, Any]) -> LoraConfig:
    return LoraConfig(
        r=lora["rank"],
        lora_alpha=lora["alpha"],
        lora_dropout=lora["dropout"],
        target_modules=lora["target_modules"],
        task_type="CAUSAL_LM",
    )


def micro_batch(batch_size: int, longest: int) -> int:
    """The largest divisor of the batch whose padded tokens fit at once."""
    fits = [n for n in range(1, batch_size + 1) if batch_size % n == 0 and n * longest <= MAX_TOKENS_AT_ONCE]
    return max(fits, default=1)


def training_arguments(
    job: dict[str, Any], *, longest: int, steps_per_epoch: int, validates: bool, large: bool
) -> SFTConfig:
    wanted = job["hyperparameters"]
    on_gpu = job["device"] == "cuda"
    at_once = micro_batch(wanted["batch_size"], longest)
    total_steps = steps_per_epoch * wanted["n_epochs"]
    return SFTConfig(
        output_dir=job["checkpoints"],
        num_train_epochs=wanted["n_epochs"],
        per_device_train_batch_size=at_once,
        per_device_eval_batch_size=at_once,
        gradient_accumulation_steps=wanted["batch_size"] // at_once,
        learning_rate=wanted["learning_rate"],
        lr_scheduler_type=wanted["lr_scheduler_type"],
        warmup_steps=int(wanted["warmup_ratio"] * total_steps),
        weight_decay=wanted["weight_decay"],
        seed=job["seed"],
        data_seed=job["seed"],
        use_cpu=not on_gpu,
        bf16=on_gpu,
        # Recomputing activations halves the speed; only large models need the memory.
        gradient_checkpointing=large,
        max_length=None,  # lengths were checked before the job existed; nothing is cut
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_num_workers=0,
        dataloader_pin_memory=on_gpu,
        logging_steps=max(1, total_steps // MAX_METRIC_EVENTS),
        logging_first_step=True,
        eval_strategy="epoch" if validates else "no",
        save_strategy="no",  # by time instead, see SaveCheckpoints
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
    )


class SaveCheckpoints(TrainerCallback):
    """Saves when time is up, but never at the end of an epoch: a resumed run would skip what is done there."""

    def __init__(self, watch: Stopwatch, epochs: int) -> None:
        self._watch = watch
        self._epochs = epochs

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        steps_per_epoch = state.max_steps // self._epochs
        control.should_save = self._watch.due() and state.global_step % steps_per_epoch != 0

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        mark_complete(
            Path(args.output_dir) / f"checkpoint-{state.global_step}", seconds=self._watch.seconds()
        )
        self._watch.saved()


class ReportMetrics(TrainerCallback):
    """Turns what the trainer logs into the job's ``metrics`` events."""

    def __init__(self, reports: ReportSink) -> None:
        self._reports = reports

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        logs = logs or {}
        data: dict[str, Any] = {
            "step": state.global_step,
            "total_steps": state.max_steps,
            "epoch": round(state.epoch or 0.0, 3),
        }
        if "loss" in logs:
            data |= {"train_loss": logs["loss"], "learning_rate": logs["learning_rate"]}
        elif "eval_loss" in logs:
            data |= {"valid_loss": logs["eval_loss"]}
        else:
            return  # the summary at the end repeats what is known
        self._reports.send("metrics", data=data)
