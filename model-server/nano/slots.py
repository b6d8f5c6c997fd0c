"""Values for the arguments of made-up calls: half of them words that do not exist.

A value that cannot be known can only be copied from the user's text.
"""

import random
import string
from collections.abc import Callable

_ONSETS = "b br c ch d dr f fl g gr h j k kl l m n p pl r s sh st t tr v w z".split()
_VOWELS = "a e i o u ai ea oo".split()
_CODAS = ["", "", "l", "n", "r", "s", "t", "x", "nd", "rk", "m"]
_FIRST = "Anna Ben Clara David Emma Felix Grace Hugo Ida Jonas Kate Leo Mia Noah Olga Paul".split()
_COLORS = "red blue green yellow white black pink brown orange grey purple".split()
_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday tomorrow tonight today".split()
_PLACES = ["the cellar", "the garden", "room 12", "the hall", "the roof", "the west wing", "the yard"]
_TEXTS = [
    "it arrived broken",
    "it is far too late",
    "i was ill",
    "we are all fine",
    "see you soon",
    "nobody answers",
    "it makes a strange sound",
    "i changed my mind",
]


def made_up_word(rng: random.Random) -> str:
    """A pronounceable word of one to three syllables that most likely does not exist."""
    syllables = rng.choices((1, 2, 3), (2, 5, 2))[0]
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(syllables))


def code(rng: random.Random) -> str:
    """An identifier, such as `BK-4821`, `48213` or `x7k2`."""
    digits = "".join(rng.choices(string.digits, k=rng.randint(2, 6)))
    letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 3)))
    mixed = "".join(rng.choices(string.ascii_lowercase + string.digits, k=rng.randint(4, 6)))
    return rng.choice((digits, f"{letters}-{digits}", f"{letters}{digits}", mixed, f"#{digits}"))


def _name(rng: random.Random) -> str:
    words = [made_up_word(rng) for _ in range(rng.choice((1, 1, 2)))]
    return " ".join(word.capitalize() if rng.random() < 0.5 else word for word in words)


def _person(rng: random.Random) -> str:
    first = rng.choice(_FIRST) if rng.random() < 0.6 else made_up_word(rng).capitalize()
    full = f"{first} {made_up_word(rng).capitalize()}" if rng.random() < 0.4 else first
    return full if rng.random() < 0.6 else full.lower()


def _date(rng: random.Random) -> str:
    month, day = rng.choice(_MONTHS), rng.randint(1, 28)
    iso = f"2026-{rng.randint(1, 12):02d}-{day:02d}"
    spoken = rng.choice((f"{month} {day}", f"the {day}th of {month}", f"{day} {month}"))
    return rng.choice((iso, spoken, rng.choice(_DAYS)))


def _time(rng: random.Random) -> str:
    hour = rng.randint(1, 12)
    return rng.choice((f"{hour}:{rng.choice((0, 15, 30, 45)):02d}", f"{hour} pm", f"{hour} am"))


def _email(rng: random.Random) -> str:
    return f"{made_up_word(rng)}@{made_up_word(rng)}.{rng.choice(('com', 'org', 'example'))}"


def _place(rng: random.Random) -> str:
    street = f"{rng.randint(1, 99)} {made_up_word(rng).capitalize()} {rng.choice(('Road', 'Street'))}"
    return rng.choice((rng.choice(_PLACES), street, made_up_word(rng).capitalize()))


_MAKERS: dict[str, Callable[[random.Random], str | int]] = {
    "number": lambda rng: rng.choice((rng.randint(1, 12), rng.randint(1, 500))),
    "color": lambda rng: rng.choice(_COLORS),
    "text": lambda rng: rng.choice(_TEXTS),
    "word": made_up_word,
    "person": _person,
    "date": _date,
    "time": _time,
    "email": _email,
    "place": _place,
    "name": _name,
}


def value(kind: str, rng: random.Random) -> str | int:
    """A random value of a slot's kind; numbers are numbers, the rest is text."""
    return _MAKERS[kind](rng)
