"""Write the model folder: bf16 safetensors, tokenizer, chat template, generation config, model card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, LlamaForCausalLM, PreTrainedTokenizerFast

HERE = Path(__file__).parent


@dataclass(frozen=True)
class TrainingReport:
    """What a training run did. `loss` is a running mean of the weighted training loss, in nats."""

    steps: int
    tokens: int
    seconds: int
    loss: float
    machine: str


def save(
    out: Path,
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    settings: dict[str, Any],
    report: TrainingReport,
) -> None:
    """Write everything that serving, LoRA training and a reader need to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.chat_template = (HERE / "chat_template.jinja").read_text(encoding="utf-8")
    tokenizer.save_pretrained(out)
    model.config.use_cache = True
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
        max_new_tokens=128,
    )
    model.to(device="cpu", dtype=torch.bfloat16).save_pretrained(out)
    card = (HERE / f"model-card-{settings['model']}.md").read_text(encoding="utf-8")
    command = (
        f"python -m nano.train --model {settings['model']} --seed {settings['seed']} --steps {report.steps}"
    )
    for option in ("batch_tokens", "muon_lr", "adam_lr"):
        command += f" --{option.replace('_', '-')} {settings[option]}"
    facts = {
        "PARAMETERS": f"{model.num_parameters():,}",
        "SEED": settings["seed"],
        "STEPS": f"{report.steps:,}",
        "TOKENS": f"{report.tokens:,}",
        "SECONDS": f"{report.seconds:,}",
        "LOSS": report.loss,
        "MACHINE": report.machine,
        "COMMAND": f"{command} --out DIR",
    }
    for key, fact in facts.items():
        card = card.replace(f"@{key}@", str(fact))
    (out / "README.md").write_text(card, encoding="utf-8")
