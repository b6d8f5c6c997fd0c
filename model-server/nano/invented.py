"""Things with names that do not exist, so that a tool can only be found and written by copying."""

import random
from dataclasses import replace

from nano.lexicon import Lexicon, Thing
from nano.slots import made_up_word


def _invented(thing: Thing, rng: random.Random) -> Thing:
    words = [made_up_word(rng) for _ in range(rng.choice((1, 1, 1, 2)))]
    return replace(thing, names=(" ".join(words),))


def with_invented_things(lexicon: Lexicon, rng: random.Random, share: float) -> Lexicon:
    """The lexicon with `share` of its things renamed to made-up words; 0 draws nothing from `rng`."""
    if share == 0:
        return lexicon
    things = tuple(_invented(t, rng) if rng.random() < share else t for t in lexicon.things)
    return replace(lexicon, things=things)
