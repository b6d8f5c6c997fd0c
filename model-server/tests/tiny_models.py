"""Random models of a few thousand parameters with a byte-level tokenizer, saved as Hugging Face folders."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

TEMPLATES = Path(__file__).parent / "templates"
NANO_TEMPLATE = Path(__file__).parent.parent / "nano" / "chat_template.jinja"
CONTEXT = 512

NANO_TOKENS = [
    "<|bos|>",
    "<|pad|>",
    "<|tools|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|tool|>",
    "<|call|>",
]
NANO_TOKENS += ["<|end|>"]


def byte_tokenizer(
    specials: list[str], *, bos: str, eos: str, pad: str, template: Path
) -> PreTrainedTokenizerFast:
    """One token per byte, and the special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens([AddedToken(token, special=True) for token in specials])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token=bos, eos_token=eos, pad_token=pad, model_max_length=CONTEXT
    )
    tokenizer.chat_template = template.read_text(encoding="utf-8")
    return tokenizer


def nano_tokenizer() -> PreTrainedTokenizerFast:
    return byte_tokenizer(NANO_TOKENS, bos="<|bos|>", eos="<|end|>", pad="<|pad|>", template=NANO_TEMPLATE)


def qwen_tokenizer() -> PreTrainedTokenizerFast:
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    return byte_tokenizer(
        specials,
        bos="<|endoftext|>",
        eos="<|im_end|>",
        pad="<|endoftext|>",
        template=TEMPLATES / "qwen.jinja",
    )


def llama3_tokenizer() -> PreTrainedTokenizerFast:
    # A pad token of its own: a fresh embedding of the pad token is zero, and so could never be said.
    pad = "<|finetune_right_pad_id|>"
    specials = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", pad]
    return byte_tokenizer(
        specials, bos="<|begin_of_text|>", eos="<|eot_id|>", pad=pad, template=TEMPLATES / "llama3.jinja"
    )


def save_model(folder: Path, tokenizer: PreTrainedTokenizerFast, kind: type = LlamaForCausalLM) -> Path:
    torch.manual_seed(0)
    config_kind = Qwen2Config if kind is Qwen2ForCausalLM else LlamaConfig
    config = config_kind(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        # The usual 0.02 makes logits too flat for an adapter to learn anything on frozen embeddings.
        initializer_range=0.3,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
