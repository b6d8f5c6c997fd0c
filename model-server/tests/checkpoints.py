"""Tiny models in the formats that Qwen2.5-0.5B-Instruct and Llama-3.2-1B-Instruct are published in.

The same architectures, traits and files as theirs, in a size of some ten thousand random weights: grouped-query
attention, tied embeddings, bfloat16 safetensors, biases and several end tokens (Qwen), scaled rotary positions in the
older spelling of config.json (Llama), their special tokens and templates.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from rows import tool
from tiny_models import TEMPLATES
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

CONTEXT = 4096
SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "tie_word_embeddings": True,
    # See tiny_models: flatter logits cannot be learned on.
    "initializer_range": 0.3,
}


def _tokenizer(
    specials: list[str], *, bos: str, eos: str, pad: str | None, template: str
) -> PreTrainedTokenizerFast:
    """Byte-level BPE that has learned the template's own words: prompts of a hundred tokens, not a thousand."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=[AddedToken(token, special=True) for token in specials],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(
        [text, *[json.dumps(tool("pay", "to"), indent=n) for n in (None, 4)]] * 3, trainer
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token=bos, eos_token=eos, pad_token=pad, model_max_length=CONTEXT
    )
    tokenizer.chat_template = text
    return tokenizer


def qwen25(folder: Path) -> Path:
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = _tokenizer(
        specials,
        bos="<|endoftext|>",
        eos="<|im_end|>",
        pad="<|endoftext|>",
        template="qwen2.5.jinja",
    )
    config = Qwen2Config(
        vocab_size=len(tokenizer), use_sliding_window=False, sliding_window=1024, max_window_layers=1, **SHAPE
    )
    ends = [tokenizer.eos_token_id, tokenizer.pad_token_id]
    # Their defaults for people who give none; a request's own values are what counts here.
    generation = GenerationConfig(
        eos_token_id=ends, do_sample=True, temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.1
    )
    return _save(folder, Qwen2ForCausalLM, config, tokenizer, generation, {"rope_theta": 1000000.0})


def llama32(folder: Path) -> Path:
    # Published without a pad token.
    specials = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>"]
    tokenizer = _tokenizer(
        [*specials, "<|python_tag|>"],
        bos="<|begin_of_text|>",
        eos="<|eot_id|>",
        pad=None,
        template="llama3.2.jinja",
    )
    config = LlamaConfig(vocab_size=len(tokenizer), bos_token_id=tokenizer.bos_token_id, **SHAPE)
    ends = tokenizer.convert_tokens_to_ids(["<|eom_id|>", "<|eot_id|>"])
    generation = GenerationConfig(eos_token_id=ends, do_sample=True, temperature=0.6, top_p=0.9)
    scaling = {
        "rope_type": "llama3",
        "factor": 32.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 512,
    }
    rope = {"rope_theta": 500000.0, "rope_scaling": scaling}
    return _save(folder, LlamaForCausalLM, config, tokenizer, generation, rope)


def _save(
    folder: Path,
    kind: type,
    config: Any,
    tokenizer: PreTrainedTokenizerFast,
    generation: GenerationConfig,
    rope: dict[str, Any],
) -> Path:
    torch.manual_seed(0)
    model = kind(config).to(torch.bfloat16)
    model.generation_config = generation
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    path = folder / "config.json"
    written = json.loads(path.read_text())
    # As the published files have it, which today's library still must read.
    del written["rope_parameters"]
    written |= rope | {"torch_dtype": written.pop("dtype")}
    path.write_text(json.dumps(written))
    return folder
