"""Byte-level BPE in which a word is the same token after a space, an underscore or a quote.

Common BPEs glue the space to the word, so that ` fish` in a question and `fish` in
`feed_fish()` are strangers. Here spaces stand alone: matching a question to a
tool's name, and copying a word into an argument, is then looking for the same token,
also for words that were never seen. It costs about one token more per word.
"""

import json
import random
from collections.abc import Iterator

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from nano.chat_format import SPECIAL_TOKENS, segments
from nano.conversations import conversation, plain_chat
from nano.lexicon import load

_ROLES = {"bos_token": "<|bos|>", "eos_token": "<|end|>", "pad_token": "<|pad|>"}
_WORDS = Regex(r"\p{Lu}?\p{Ll}+|\p{Lu}+|\p{L}+|\p{N}|\n+|\s|[^\s\p{L}\p{N}]+\n?")


def _texts(seed: int, conversations: int) -> Iterator[str]:
    lexicon, rng = load(), random.Random(f"tokenizer:{seed}")
    for number in range(conversations):
        # Half plain chat: it holds the widest choice of ordinary words.
        make = plain_chat if number % 2 else conversation
        for part, _weight in segments(make(lexicon, rng)):
            stripped = part
            for special in SPECIAL_TOKENS:
                stripped = stripped.replace(special, "")
            if stripped:
                yield stripped


def _with_visible_calls(tokenizer: Tokenizer) -> Tokenizer:
    """Make <|call|> an ordinary added token, so that decoding without special tokens still shows a call."""
    state = json.loads(tokenizer.to_str())
    for token in state["added_tokens"]:
        token["special"] = token["content"] != "<|call|>"
    return Tokenizer.from_str(json.dumps(state))


def train_tokenizer(seed: int, vocab_size: int, conversations: int = 12_000) -> PreTrainedTokenizerFast:
    """Learn the merges from the generator's own text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_WORDS, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[AddedToken(token, normalized=False) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(seed, conversations), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=_with_visible_calls(tokenizer),
        **_ROLES,
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
    )
