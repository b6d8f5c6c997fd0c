"""Byte-level BPE in which a word is the same token after a space, an underscore or a quote.

Common BPEs glue the space to the word, so that ` fish` in a question and `fish` in
`feed_fish()` are strangers. Here spaces stand alone: matching a question to a
tool's name, and copying a word into an argument, is then looking for the same token,
also for words that were never seen. It costs about one token more per word.
"""

import random
from collections.abc import Iterator

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from nano.chat_format import SPECIAL_TOKENS, segments
from nano.conversations import conversation, plain_chat
from nano.lexicon import load

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
    # <|call|> is not "special": decoding that skips special tokens must still show a call.
    added = [AddedToken(token, special=token != "<|call|>", normalized=False) for token in SPECIAL_TOKENS]
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=added,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(seed, conversations), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|bos|>",
        eos_token="<|end|>",
        pad_token="<|pad|>",
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
    )
