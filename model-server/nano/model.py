"""The shapes of the nano models."""

from dataclasses import dataclass

from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

VOCAB_SIZE = 2048
# Positions that the config allows. Training text is mostly shorter than 400 tokens.
CONTEXT = 2048


@dataclass(frozen=True)
class Shape:
    """A nano model. `invented` is the share of things in its training text that get made-up names.

    `grown_from` names a nano model, under models/, whose weights it starts from (see `grow`).
    """

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    invented: float
    grown_from: str | None = None


SHAPES = {
    "nano-1m": Shape(hidden=128, layers=4, heads=4, feed_forward=320, invented=0.0),
    # Made-up names can only be copied, which nano-1m did not learn to do with words new to it.
    "nano-4m": Shape(hidden=256, layers=4, heads=8, feed_forward=768, invented=0.5, grown_from="nano-1m"),
}


def build(tokenizer: PreTrainedTokenizerFast, shape: Shape) -> LlamaForCausalLM:
    """A fresh Llama with tied embeddings: 1.0 million parameters as nano-1m, 3.9 million as nano-4m."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        attn_implementation="sdpa",
        use_cache=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)
